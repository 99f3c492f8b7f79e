//! Strings into JSON text, from plain text or from text that is escaped already.

use std::borrow::Cow;

/// Writes plain text as a JSON string with its quotes.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Writes plain text as a JSON string, cut at a character so that it holds at most `max_bytes` bytes of text; tells whether it was cut.
pub fn write_text_cut(out: &mut Vec<u8>, text: &str, max_bytes: usize) -> bool {
    let cut = floor_char(text, max_bytes);
    write_text(out, cut);
    cut.len() < text.len()
}

/// Writes text that stands escaped between the quotes of a JSON source, with its quotes.
///
/// Copies it as it is, unless it holds what OpenSearch or the line protocol of `_bulk` cannot take: a raw control character or a lone surrogate.
pub fn write_escaped(out: &mut Vec<u8>, escaped: &str) {
    if is_clean(escaped) {
        out.push(b'"');
        out.extend_from_slice(escaped.as_bytes());
        out.push(b'"');
    } else {
        write_text(out, &unescape(escaped));
    }
}

/// Resolves JSON's escapes; a lone surrogate becomes U+FFFD.
pub fn unescape(escaped: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', escaped.as_bytes()) else {
        return Cow::Borrowed(escaped);
    };
    let mut text = String::with_capacity(escaped.len());
    text.push_str(escaped.get(..first).unwrap_or_default());
    let mut rest = escaped.get(first..).unwrap_or_default();
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(rest.get(..at).unwrap_or_default());
        let (c, used) = resolve(rest.get(at..).unwrap_or_default());
        text.push(c);
        rest = rest.get(at + used..).unwrap_or_default();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Resolves the escape at the start of `text`; gives the character and how many bytes it took.
fn resolve(text: &str) -> (char, usize) {
    let simple = |c| (c, 2);
    match text.as_bytes().get(1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'u') => resolve_unicode(text),
        Some(other) if other.is_ascii() => simple(char::from(*other)),
        _ => (char::REPLACEMENT_CHARACTER, text.len()),
    }
}

fn resolve_unicode(text: &str) -> (char, usize) {
    let unit = |at: usize| {
        text.get(at..at + 4)
            .and_then(|hex| u16::from_str_radix(hex, 16).ok())
    };
    let Some(high) = unit(2) else {
        return (char::REPLACEMENT_CHARACTER, text.len());
    };
    let low = text
        .get(6..8)
        .filter(|start| *start == "\\u")
        .and_then(|_| unit(8));
    let pair = low.and_then(|low| {
        char::decode_utf16([high, low])
            .next()?
            .ok()
            .filter(|c| c.len_utf16() == 2)
    });
    match (pair, char::from_u32(u32::from(high))) {
        (Some(c), _) => (c, 12),
        (None, Some(c)) => (c, 6),
        (None, None) => (char::REPLACEMENT_CHARACTER, 6),
    }
}

/// Tells whether escaped text can be copied as it is.
fn is_clean(escaped: &str) -> bool {
    let bytes = escaped.as_bytes();
    let controls = bytes.iter().any(|b| *b < 0x20);
    // `\ud…` starts a surrogate, paired or not: rare enough to always take the slow path.
    let surrogates = memchr::memmem::find(bytes, b"\\ud").is_some()
        || memchr::memmem::find(bytes, b"\\uD").is_some();
    !controls && !surrogates
}

fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
        if escape.is_empty() {
            let hex = |n: u8| {
                char::from_digit(u32::from(n), 16).map_or(b'0', |c| u8::try_from(c).unwrap_or(b'0'))
            };
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[hex(byte >> 4), hex(byte & 15)]);
        } else {
            out.extend_from_slice(escape);
        }
        copied = at + 1;
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
}

/// Cuts text to at most `max_bytes` bytes at a character boundary.
pub(super) fn floor_char(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn replaces_lone_surrogates_and_keeps_pairs() {
        assert_eq!(unescape(r"a\ud83d\ude00b"), "a😀b");
        assert_eq!(unescape(r"a\ud800b"), "a\u{fffd}b");
        assert_eq!(unescape(r"\udc00\ud800"), "\u{fffd}\u{fffd}");
        assert_eq!(
            written(|out| write_escaped(out, r"x\ud800")),
            "\"x\u{fffd}\""
        );
    }

    #[test]
    fn never_writes_a_raw_newline() {
        assert_eq!(written(|out| write_escaped(out, "a\nb")), r#""a\nb""#);
        assert_eq!(
            written(|out| write_text(out, "\u{0}\u{1f}\"\\")),
            r#""\u0000\u001f\"\\""#
        );
    }

    #[test]
    fn cuts_at_a_character() {
        let mut out = Vec::new();
        assert!(write_text_cut(&mut out, "日本語", 4));
        assert_eq!(out, "\"日\"".as_bytes());
    }

    proptest! {
        #[test]
        fn text_survives(text in any::<String>()) {
            let json = written(|out| write_text(out, &text));
            prop_assert_eq!(&serde_json::from_str::<String>(&json).unwrap(), &text);
            prop_assert_eq!(unescape(json.get(1..json.len() - 1).unwrap()), text);
        }
    }
}
