//! [`Scanner`]: walks JSON text, validates what it passes, and hands out slices of it.

/// The kind of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `"…"`
    String,
    /// A number, of any size.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
    /// `{…}`
    Object,
    /// `[…]`
    Array,
}

/// A JSON value as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its text; for a string what is between the quotes, still escaped.
    pub text: &'a str,
}

/// Where and why a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not JSON at byte {at}: {what}")]
pub struct JsonFault {
    /// Offset in the text.
    pub at: usize,
    /// What was expected or found.
    pub what: &'static str,
}

/// A cursor over JSON text.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    max_depth: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning; values nested deeper than `max_depth` are a fault.
    pub fn new(text: &'a str, max_depth: usize) -> Self {
        Self {
            text,
            at: 0,
            max_depth,
        }
    }

    /// Gives the offset of the next byte.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Skips white space and gives the next byte without taking it.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes the next byte after white space, which must be `want`.
    ///
    /// # Errors
    /// When another byte or the end stands there.
    pub fn expect(&mut self, want: u8, what: &'static str) -> Result<(), JsonFault> {
        if self.peek() == Some(want) {
            self.at += 1;
            return Ok(());
        }
        Err(self.fault(what))
    }

    /// Takes the opening brace of an object; then call [`Self::next_key`] until it gives `None`.
    ///
    /// # Errors
    /// When the next value is no object.
    pub fn open_object(&mut self) -> Result<(), JsonFault> {
        self.expect(b'{', "expected an object")
    }

    /// Takes the next key and its colon, or the closing brace; `first` tells whether a comma must precede.
    ///
    /// # Errors
    /// When the text breaks JSON's grammar.
    pub fn next_key(&mut self, first: bool) -> Result<Option<&'a str>, JsonFault> {
        if !self.next_member(first, b'}')? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a key"));
        }
        let key = self.string()?;
        self.expect(b':', "expected `:`")?;
        Ok(Some(key))
    }

    /// Takes the opening bracket of an array; then call [`Self::next_element`] before each value until it gives `false`.
    ///
    /// # Errors
    /// When the next value is no array.
    pub fn open_array(&mut self) -> Result<(), JsonFault> {
        self.expect(b'[', "expected an array")
    }

    /// Tells whether another element follows, taking the comma or the closing bracket.
    ///
    /// # Errors
    /// When the text breaks JSON's grammar.
    pub fn next_element(&mut self, first: bool) -> Result<bool, JsonFault> {
        self.next_member(first, b']')
    }

    fn next_member(&mut self, first: bool, close: u8) -> Result<bool, JsonFault> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                if self.peek() == Some(close) {
                    return Err(self.fault("a comma before the end"));
                }
                Ok(true)
            }
            Some(_) if first => Ok(true),
            Some(_) => Err(self.fault("expected `,`")),
            None => Err(self.fault("the text ends inside a value")),
        }
    }

    /// Takes the next value whole.
    ///
    /// # Errors
    /// When it is no JSON value.
    pub fn value(&mut self) -> Result<Raw<'a>, JsonFault> {
        self.value_at(0)
    }

    /// Checks that nothing but white space is left.
    ///
    /// # Errors
    /// When something is.
    pub fn end(&mut self) -> Result<(), JsonFault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault("something follows the value")),
        }
    }

    fn value_at(&mut self, depth: usize) -> Result<Raw<'a>, JsonFault> {
        if depth > self.max_depth {
            return Err(self.fault("nested too deep"));
        }
        let first = self.peek();
        let start = self.at;
        let kind = match first {
            Some(b'"') => {
                let text = self.string()?;
                return Ok(Raw {
                    kind: Kind::String,
                    text,
                });
            }
            Some(b'{') => {
                self.at += 1;
                let mut first = true;
                while self.next_key(first)?.is_some() {
                    self.value_at(depth + 1)?;
                    first = false;
                }
                Kind::Object
            }
            Some(b'[') => {
                self.at += 1;
                let mut first = true;
                while self.next_element(first)? {
                    self.value_at(depth + 1)?;
                    first = false;
                }
                Kind::Array
            }
            Some(b't') => self.word("true", Kind::Bool)?,
            Some(b'f') => self.word("false", Kind::Bool)?,
            Some(b'n') => self.word("null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(self.fault("expected a value")),
        };
        Ok(Raw {
            kind,
            text: self.since(start),
        })
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, JsonFault> {
        if self.text.get(self.at..self.at + word.len()) != Some(word) {
            return Err(self.fault("expected true, false or null"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn number(&mut self) -> Result<Kind, JsonFault> {
        let start = self.at;
        self.take(b"-");
        let leading_zero = self.text.as_bytes().get(self.at) == Some(&b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            self.at = start;
            return Err(self.fault("not a number"));
        }
        if self.take(b".") && self.digits() == 0 {
            return Err(self.fault("a digit must follow the point"));
        }
        if self.take(b"eE") {
            self.take(b"+-");
            if self.digits() == 0 {
                return Err(self.fault("a digit must follow the exponent"));
            }
        }
        Ok(Kind::Number)
    }

    fn take(&mut self, any_of: &[u8]) -> bool {
        let found = self
            .text
            .as_bytes()
            .get(self.at)
            .is_some_and(|b| any_of.contains(b));
        self.at += usize::from(found);
        found
    }

    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let n = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += n;
        n
    }

    /// Takes a string that starts here and gives what is between the quotes.
    fn string(&mut self) -> Result<&'a str, JsonFault> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(self.fault("a string without its closing quote"));
            };
            at += found;
            if bytes.get(at) == Some(&b'"') {
                self.at = at + 1;
                return Ok(self.text.get(start..at).unwrap_or_default());
            }
            at = self.escape(at)?;
        }
    }

    /// Checks the escape at `at` and gives the offset behind it.
    fn escape(&self, at: usize) -> Result<usize, JsonFault> {
        let bytes = self.text.as_bytes();
        match bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u')
                if bytes
                    .get(at + 2..at + 6)
                    .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                Ok(at + 6)
            }
            _ => Err(JsonFault {
                at,
                what: "an escape that JSON does not know",
            }),
        }
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn fault(&self, what: &'static str) -> JsonFault {
        JsonFault { at: self.at, what }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Result<Raw<'_>, JsonFault> {
        let mut scanner = Scanner::new(text, 100);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    #[test]
    fn takes_values_as_they_stand() {
        assert_eq!(
            value(" {\"a\" : [1, 2]} ").unwrap(),
            Raw {
                kind: Kind::Object,
                text: "{\"a\" : [1, 2]}"
            }
        );
        assert_eq!(
            value(r#""a\"b""#).unwrap(),
            Raw {
                kind: Kind::String,
                text: r#"a\"b"#
            }
        );
        assert_eq!(
            value("123456789012345678901234567890").unwrap().kind,
            Kind::Number
        );
        assert_eq!(value(r#""\ud800""#).unwrap().kind, Kind::String);
    }

    #[test]
    fn refuses_what_is_no_json() {
        for bad in [
            "",
            "{",
            "{\"a\":}",
            "[1,]",
            "[1 2]",
            "{\"a\" 1}",
            "{a:1}",
            "tru",
            "01",
            "1.",
            "1e",
            "-",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "{} {}",
            "{,}",
            "{\"a\":1,}",
            "'a'",
        ] {
            assert!(value(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn refuses_depth_without_recursing_into_it() {
        assert_eq!(
            value(&"[".repeat(1_000_000)).unwrap_err().what,
            "nested too deep"
        );
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9a-z\\. -]{0,24}"#) {
            let oracle = serde_json::from_str::<&serde_json::value::RawValue>(&text);
            prop_assert_eq!(value(&text).is_ok(), oracle.is_ok(), "{}", text);
        }
    }
}
