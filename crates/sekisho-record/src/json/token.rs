//! The tokens of JSON: what the grammar allows next, and where in a token the bytes of a window end.

use memchr::memchr3;

/// What the grammar allows next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    /// Beyond the depth limit, where no stack is kept.
    Anything,
}

/// Where in a token the walk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    None,
    Word,
    String,
    /// Behind a backslash in a string.
    Escape,
}

/// How a look for the end of a string ends.
pub(super) enum InString {
    Closed,
    LineBreak,
    More,
}

impl Token {
    /// Continues a string; `at` ends behind its closing quote or behind the line break.
    pub(super) fn read_string(&mut self, bytes: &[u8], at: &mut usize) -> InString {
        loop {
            if *self == Self::Escape {
                match bytes.get(*at) {
                    None => return InString::More,
                    // A line break cannot be escaped: it ends the string like any other.
                    Some(b'\n') => {}
                    Some(_) => *at += 1,
                }
                *self = Self::String;
            }
            let rest = bytes.get(*at..).unwrap_or_default();
            let Some(length) = memchr3(b'"', b'\\', b'\n', rest) else {
                *at = bytes.len();
                return InString::More;
            };
            *at += length + 1;
            match rest.get(length) {
                Some(b'"') => return InString::Closed,
                Some(b'\n') => return InString::LineBreak,
                _ => *self = Self::Escape,
            }
        }
    }
}

impl Expect {
    /// What is wrong with a token that is not allowed.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Value | Self::ValueOrEnd | Self::Anything => "a value expected",
            Self::Key | Self::KeyOrEnd => "a key expected",
            Self::Colon => "`:` expected behind a key",
            Self::CommaOrEnd => "`,` or a closing bracket expected",
        }
    }
}

/// Says whether a byte can stand in a number or literal: all but white space and what has a meaning of its own.
pub(super) fn is_word(byte: u8) -> bool {
    let others = match byte {
        0..64 => OTHERS_LOW >> byte,
        64..128 => OTHERS_HIGH >> (byte - 64),
        128.. => 0,
    };
    others & 1 == 0
}

/// The bits of the bytes below 64 that are no word; a mask, since this is asked for every byte of a number.
const OTHERS_LOW: u64 =
    1 << b' ' | 1 << b'\t' | 1 << b'\r' | 1 << b'\n' | 1 << b'"' | 1 << b':' | 1 << b',';

/// The bits of the bytes from 64 on that are no word.
const OTHERS_HIGH: u64 = 1 << (b'{' - 64) | 1 << (b'}' - 64) | 1 << (b'[' - 64) | 1 << (b']' - 64);
