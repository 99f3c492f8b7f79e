//! Hostile input from a seed: pieces that mean something to some format, put together at random.

/// Pieces that every family meets.
const PIECES: &[&str] = &[
    " ",
    "  ",
    "\t",
    "\"",
    "\"\"",
    "\\",
    "\\\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    ";",
    ":",
    "=",
    "==",
    "|",
    "\\|",
    "-",
    "/",
    "?",
    "&",
    "%",
    "%0A",
    "%2",
    "%ff",
    "@",
    "#",
    "\r",
    "\0",
    "\u{feff}",
    "é",
    "日本語",
    "\u{1F512}",
    "null",
    "true",
    "0",
    "-1",
    "200",
    "99999999999999999999",
    "1e999",
    "65536",
    "NaN",
    "192.0.2.1",
    "192.0.2.1:70000",
    "2001:db8::1",
    "[2001:db8::1%eth0]:443",
    "fe80::1%25x",
    "999.1.1.1",
    "::",
    "2026-11-23T10:15:00Z",
    "2026-11-23",
    "9999-99-99T99:99:99Z",
    "Nov 23 10:15:00",
    "1795428900",
    "1795428900000",
    "[23/Nov/2026:10:15:00 +0900]",
    "GET / HTTP/1.1",
    "GET http://u:p@example.com:99999/a?password=x#y HTTP/9",
    "cookie: a=b",
    "authorization: Bearer x",
    "a.b..c",
    "__proto__",
    "$(x)",
    "\u{202e}",
    "${jndi:ldap://example.com}",
    "<script>",
];

/// A xorshift generator: small, and the same for a seed everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    /// A number below `bound`, 0 where there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next()).unwrap_or_default() % bound.max(1)
    }

    pub(crate) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn piece(&mut self, own: &[&str]) -> Vec<u8> {
        match self.below(40) {
            0 => vec![u8::try_from(self.below(256)).unwrap_or_default()],
            1 => self.one(PIECES).repeat(self.below(3000)).into_bytes(),
            2 if !own.is_empty() => self.one(own).repeat(self.below(200)).into_bytes(),
            n if n % 2 == 0 && !own.is_empty() => self.one(own).as_bytes().to_vec(),
            _ => self.one(PIECES).as_bytes().to_vec(),
        }
    }

    /// Text of a few pieces.
    pub(crate) fn text(&mut self, own: &[&str]) -> Vec<u8> {
        let n_pieces = self.below(24);
        (0..n_pieces).flat_map(|_| self.piece(own)).collect()
    }

    /// The same without line feeds.
    pub(crate) fn line(&mut self, own: &[&str]) -> Vec<u8> {
        let mut line = self.text(own);
        line.retain(|byte| *byte != b'\n');
        line
    }

    /// Changes some places of a text.
    pub(crate) fn mutated(&mut self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(6) {
            let from = self.below(text.len() + 1);
            let to = (from + self.below(40)).min(text.len());
            match self.below(5) {
                0 => drop(text.drain(from..to)),
                1 => drop(text.splice(from..to, self.text(&["\n"]))),
                2 => drop(text.splice(from..from, self.piece(&["\n", "\r\n"]))),
                3 => {
                    let again = text[from..to].to_vec();
                    drop(text.splice(from..from, again));
                }
                _ => self.value(&mut text, from),
            }
        }
        text
    }

    /// Replaces a value behind a place, as far as it reaches, by a piece.
    fn value(&mut self, text: &mut Vec<u8>, from: usize) {
        let is_edge = |byte: &u8| matches!(byte, b' ' | b'"' | b',' | b'=' | b':' | b'|' | b'\n');
        let rest = &text[from..];
        let Some(start) = rest.iter().position(is_edge).map(|at| from + at + 1) else {
            return;
        };
        let length = text[start..].iter().position(is_edge).unwrap_or_default();
        drop(text.splice(start..start + length, self.piece(&[])));
    }
}
