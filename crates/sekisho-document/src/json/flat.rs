//! [`FlatWriter`]: writes an open-ended subtree so that a `flat_object` field takes it, whatever the source invented.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::write::floor_char;
use super::{JsonFault, Kind, Raw, Scanner, unescape, write_escaped, write_text};

/// The longest term in bytes: Lucene refuses longer ones, and the whole document with them.
pub const MAX_TERM_BYTES: usize = 32_766;

/// The deepest nesting of objects and arrays kept as structure; what lies deeper becomes JSON text in one value.
///
/// Measured: 500 levels inside a `flat_object` end the whole node with a stack overflow (2.19.4 and 3.4.0).
pub const MAX_FLAT_DEPTH: usize = 32;

/// Copies JSON values into a `flat_object`, changing only what OpenSearch would refuse.
///
/// Keys that are empty or have dots in odd places are renamed (`_` for what is refused), a key that comes twice gets `~2`, what is nested too deep becomes text, and a value too long for a term is cut.
#[derive(Debug)]
pub struct FlatWriter<'o> {
    out: &'o mut Vec<u8>,
    cut: bool,
}

impl<'o> FlatWriter<'o> {
    /// Writes to the end of `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, cut: false }
    }

    /// Tells whether a value had to be cut; then the record's original must be kept.
    pub fn cut(&self) -> bool {
        self.cut
    }

    /// Writes one value; `path_bytes` is the length of the full dotted path that leads to it, `depth` the number of objects around it inside the `flat_object`.
    ///
    /// # Errors
    /// When `raw` is no JSON, which a [`Scanner`] has checked before.
    pub fn value(
        &mut self,
        raw: Raw<'_>,
        path_bytes: usize,
        depth: usize,
    ) -> Result<(), JsonFault> {
        match raw.kind {
            Kind::String => self.string(raw.text, path_bytes),
            Kind::Number => self.number(raw.text, path_bytes),
            Kind::Bool | Kind::Null => self.out.extend_from_slice(raw.text.as_bytes()),
            Kind::Object | Kind::Array if depth >= MAX_FLAT_DEPTH => {
                self.text(raw.text, path_bytes)
            }
            Kind::Object => self.object(raw.text, path_bytes, depth)?,
            Kind::Array => self.array(raw.text, path_bytes, depth)?,
        }
        Ok(())
    }

    /// Writes plain text as one value, cut where a term would be too long.
    pub fn text(&mut self, text: &str, path_bytes: usize) {
        let cut = floor_char(text, room(path_bytes));
        self.cut |= cut.len() < text.len();
        write_text(self.out, cut);
    }

    fn string(&mut self, escaped: &str, path_bytes: usize) {
        // Escapes only ever make text longer, so what fits escaped fits.
        if escaped.len() <= room(path_bytes) {
            write_escaped(self.out, escaped);
        } else {
            self.text(&unescape(escaped), path_bytes);
        }
    }

    fn number(&mut self, text: &str, path_bytes: usize) {
        // Beyond i64 and f64 a number is kept to the digit as text.
        let fits = text.parse::<i64>().is_ok()
            || (text.len() <= 17 && text.parse::<f64>().is_ok_and(f64::is_finite));
        if fits {
            self.out.extend_from_slice(text.as_bytes());
        } else {
            self.text(text, path_bytes);
        }
    }

    fn object(&mut self, text: &str, path_bytes: usize, depth: usize) -> Result<(), JsonFault> {
        let mut scanner = Scanner::new(text, usize::MAX);
        scanner.open_object()?;
        self.out.push(b'{');
        let mut keys = KeyNames::default();
        let mut first = true;
        while let Some(key) = scanner.next_key(first)? {
            let raw = scanner.value()?;
            if !first {
                self.out.push(b',');
            }
            first = false;
            let name = keys.name(key);
            write_text(self.out, &name);
            self.out.push(b':');
            self.value(raw, path_bytes + 1 + name.len(), depth + 1)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn array(&mut self, text: &str, path_bytes: usize, depth: usize) -> Result<(), JsonFault> {
        let mut scanner = Scanner::new(text, usize::MAX);
        scanner.open_array()?;
        self.out.push(b'[');
        let (mut first, mut written) = (true, false);
        while scanner.next_element(first)? {
            first = false;
            let raw = scanner.value()?;
            if raw.kind == Kind::Null {
                continue;
            }
            if written {
                self.out.push(b',');
            }
            written = true;
            self.value(raw, path_bytes, depth + 1)?;
        }
        self.out.push(b']');
        Ok(())
    }
}

/// How many bytes a value may have behind its path.
///
/// Measured: 2·(root + 1) + path + 1 + value ≤ 32,766, where root is the `flat_object`'s own full name and path what leads on below it; counting the whole path twice stays on the safe side.
fn room(path_bytes: usize) -> usize {
    MAX_TERM_BYTES.saturating_sub(2 * path_bytes + 3)
}

/// The longest key that is kept; a longer one is cut, since it is part of every term below it.
const MAX_KEY_BYTES: usize = 256;

/// Gives each key of one object a name that is acceptable and not taken yet.
#[derive(Debug, Default)]
pub struct KeyNames<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
    /// The number that the next key of the same name starts trying at, so that many equal keys cost no search from 2 each.
    next: HashMap<Cow<'a, str>, usize>,
}

/// Up to here comparing with each is quicker than hashing.
const FEW: usize = 16;

impl<'a> KeyNames<'a> {
    /// Gives the name for a key as it stands escaped in the source.
    pub fn name(&mut self, escaped: &'a str) -> Cow<'a, str> {
        self.plain(unescape(escaped))
    }

    /// Gives the name for a key without escapes.
    pub fn plain(&mut self, key: Cow<'a, str>) -> Cow<'a, str> {
        let base = acceptable(key);
        let mut name = base.clone();
        if self.is_taken(&base) {
            let mut n = self.next.get(&base).copied().unwrap_or(2);
            name = Cow::Owned(format!("{base}~{n}"));
            while self.is_taken(&name) {
                n += 1;
                name = Cow::Owned(format!("{base}~{n}"));
            }
            self.next.insert(base, n + 1);
        }
        if self.few.len() < FEW {
            self.few.push(name.clone());
        } else {
            self.many.insert(name.clone());
        }
        name
    }

    fn is_taken(&self, name: &str) -> bool {
        self.few.iter().any(|taken| taken == name)
            || (!self.many.is_empty() && self.many.contains(name))
    }
}

/// Replaces what no path can reach in a field name: nothing at all, or an empty part before, between or behind dots.
fn acceptable(key: Cow<'_, str>) -> Cow<'_, str> {
    let is_fine = key.len() <= MAX_KEY_BYTES && !key.split('.').any(|part| part.trim().is_empty());
    if is_fine {
        return key;
    }
    let key = floor_char(&key, MAX_KEY_BYTES);
    let parts: Vec<_> = key
        .split('.')
        .map(|part| if part.trim().is_empty() { "_" } else { part })
        .collect();
    Cow::Owned(parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) -> bool {
        let mut out = Vec::new();
        let mut writer = FlatWriter::new(&mut out);
        let raw = Scanner::new(json, usize::MAX).value().unwrap();
        writer.value(raw, 10, 0).unwrap();
        let cut = writer.cut();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        cut
    }

    #[test]
    fn copies_what_is_acceptable() {
        assert!(!check(
            r#"{"a": {"b" : [1, "x", true]}}"#,
            r#"{"a":{"b":[1,"x",true]}}"#
        ));
    }

    #[test]
    fn renames_keys_that_are_refused() {
        check(
            r#"{"":1,".":2,"a.":3,".a":4,"a..b":5,"a.b":6}"#,
            r#"{"_":1,"_._":2,"a._":3,"_.a":4,"a._.b":5,"a.b":6}"#,
        );
    }

    #[test]
    fn keeps_both_values_of_a_key_that_comes_twice() {
        check(r#"{"a":1,"a":2,"\u0061":3}"#, r#"{"a":1,"a~2":2,"a~3":3}"#);
    }

    #[test]
    fn names_a_hundred_thousand_equal_keys_without_searching() {
        let json = format!("{{{}}}", vec![r#""a":1"#; 100_000].join(","));
        let mut out = Vec::new();
        FlatWriter::new(&mut out)
            .value(Scanner::new(&json, 100).value().unwrap(), 10, 0)
            .unwrap();
        assert!(out.ends_with(br#""a~100000":1}"#));
    }

    #[test]
    fn drops_nulls_from_arrays() {
        check("[null,1,null]", "[1]");
    }

    #[test]
    fn keeps_numbers_beyond_i64_and_f64_as_text() {
        check(
            "[18446744073709551615,1e400,1.5]",
            r#"["18446744073709551615","1e400",1.5]"#,
        );
    }

    #[test]
    fn cuts_a_value_that_no_term_can_hold() {
        let long = "x".repeat(40_000);
        let mut out = Vec::new();
        let mut writer = FlatWriter::new(&mut out);
        writer
            .value(
                Raw {
                    kind: Kind::String,
                    text: &long,
                },
                10,
                0,
            )
            .unwrap();
        assert!(writer.cut());
        assert_eq!(out.len(), MAX_TERM_BYTES - 23 + 2);
    }

    #[test]
    fn turns_what_is_too_deep_into_text() {
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        let mut out = Vec::new();
        FlatWriter::new(&mut out)
            .value(Scanner::new(&deep, 100).value().unwrap(), 10, 0)
            .unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
        assert!(String::from_utf8(out).unwrap().contains('"'));
    }
}
