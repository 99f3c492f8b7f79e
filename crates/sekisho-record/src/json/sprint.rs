//! The fast lane of the walk: whole tokens of well-formed JSON, far from any edge.
//!
//! It stops before anything unusual (a line break, an error, a token that the window cuts off, the depth limit) and leaves that to the careful walk, so what it does can only be quicker, never different.

use memchr::memchr3;

use super::token::{Expect, is_word};
use super::value::Value;

/// Strings are looked through eight bytes at a time up to here; behind it, `memchr` pays for its call.
const SHORT_BYTES: usize = 64;

/// Walks whole tokens from `at`; gives where it stopped, and whether the value ended there.
pub(super) fn sprint(
    value: &mut Value,
    bytes: &[u8],
    origin: u64,
    mut at: usize,
    max_depth: usize,
) -> (usize, bool) {
    let mut ended = false;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' => {
                at += 1;
                continue;
            }
            b'"' => string(value, bytes, origin, at),
            b',' if value.expect == Expect::CommaOrEnd => {
                value.expect = match value.stack.last() {
                    Some(b'{') => Expect::Key,
                    _ => Expect::Value,
                };
                Some(at + 1)
            }
            b':' if value.expect == Expect::Colon => {
                value.expect = Expect::Value;
                Some(at + 1)
            }
            b'{' | b'[' if value.stack.len() < max_depth => open(value, byte, at),
            b'}' => close(value, b'{', Expect::KeyOrEnd, at),
            b']' => close(value, b'[', Expect::ValueOrEnd, at),
            _ => word(value, bytes, at),
        };
        let Some(end) = end else {
            break;
        };
        at = end;
        if byte != b'"' {
            value.unquote = None;
        }
        if value.stack.is_empty() {
            ended = true;
            break;
        }
    }
    (at, ended)
}

fn string(value: &mut Value, bytes: &[u8], origin: u64, at: usize) -> Option<usize> {
    let next = match value.expect {
        Expect::Key | Expect::KeyOrEnd => Expect::Colon,
        Expect::Value | Expect::ValueOrEnd => Expect::CommaOrEnd,
        _ => return None,
    };
    let end = string_end(bytes, at + 1)?;
    value.expect = next;
    value.quote = origin + at as u64;
    value.unquote = Some(origin + end as u64 - 1);
    Some(end)
}

fn open(value: &mut Value, bracket: u8, at: usize) -> Option<usize> {
    if !matches!(value.expect, Expect::Value | Expect::ValueOrEnd) {
        return None;
    }
    value.stack.push(bracket);
    value.expect = match bracket {
        b'{' => Expect::KeyOrEnd,
        _ => Expect::ValueOrEnd,
    };
    Some(at + 1)
}

fn close(value: &mut Value, opening: u8, when_empty: Expect, at: usize) -> Option<usize> {
    if value.expect != Expect::CommaOrEnd && value.expect != when_empty {
        return None;
    }
    value.stack.pop_if(|open| *open == opening)?;
    value.expect = Expect::CommaOrEnd;
    Some(at + 1)
}

fn word(value: &mut Value, bytes: &[u8], at: usize) -> Option<usize> {
    if !matches!(value.expect, Expect::Value | Expect::ValueOrEnd) {
        return None;
    }
    let rest = bytes.get(at..)?;
    let length = rest.iter().position(|byte| !is_word(*byte))?;
    // A line break or a bracket is no word at all.
    if length == 0 {
        return None;
    }
    value.expect = Expect::CommaOrEnd;
    Some(at + length)
}

/// Gives the index behind the closing quote; none where a line break or the end of the bytes comes before it.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let start = at;
    loop {
        let rest = bytes.get(at..)?;
        let found = if at - start < SHORT_BYTES {
            match rest.first_chunk().map(special) {
                Some(8) => {
                    at += 8;
                    continue;
                }
                Some(index) => index,
                None => memchr3(b'"', b'\\', b'\n', rest)?,
            }
        } else {
            memchr3(b'"', b'\\', b'\n', rest)?
        };
        at += found;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' if *bytes.get(at + 1)? != b'\n' => at += 2,
            _ => return None,
        }
    }
}

/// Gives the index of the first quote, backslash or line break, 8 for none.
fn special(bytes: &[u8; 8]) -> usize {
    let word = u64::from_le_bytes(*bytes);
    let found = equals(word, b'"') | equals(word, b'\\') | equals(word, b'\n');
    (found.trailing_zeros() / 8) as usize
}

/// Marks the high bit of each byte that equals; marks above the lowest one may be wrong.
fn equals(word: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zero_where_equal = word ^ (ONES * u64::from(byte));
    zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::string_end;

    #[track_caller]
    fn check(text: &str, expected: Option<usize>) {
        assert_eq!(string_end(text.as_bytes(), 0), expected, "{text:?}");
    }

    #[test]
    fn a_string_ends_at_its_quote() {
        check("", None);
        check("\"", Some(1));
        check("1234567\"", Some(8));
        check("12345678\"x", Some(9));
        check("12\\\"45678\"x\"", Some(10));
        check("1234567\\\"x\"", Some(11));
        check("1234567\\", None);
        check("1\\\\\"", Some(4));
        check("1\n\"", None);
        check("1\\\n\"", None);
        check(
            &format!("{}\\\"{}\"", "x".repeat(70), "y".repeat(70)),
            Some(143),
        );
        check("日本語テキスト\"", Some(22));
    }
}
