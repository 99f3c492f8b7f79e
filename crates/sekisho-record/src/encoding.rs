//! [`Encoding`]: how the bytes of lines are text.

use std::borrow::Cow;

use encoding_rs::{EUC_JP, SHIFT_JIS, UTF_16LE};

use crate::frame::{Format, Quotes};
use crate::line::BOM;

/// The byte order mark of UTF-16LE.
const WIDE_BOM: &[u8] = b"\xFF\xFE";

/// How the bytes of lines are text; records keep their bytes as they stand in the object, so that offsets count those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// Shift_JIS with the characters of Windows (CP932).
    ShiftJis,
    /// EUC-JP.
    EucJp,
    /// UTF-16, little end first.
    Utf16Le,
}

impl Encoding {
    /// Believes the byte order mark of an object's first bytes more than what was said of them.
    #[must_use]
    pub fn marked(self, head: &[u8]) -> Self {
        match head {
            _ if head.starts_with(BOM) => Self::Utf8,
            _ if head.starts_with(WIDE_BOM) => Self::Utf16Le,
            _ => self,
        }
    }

    /// Tells whether lines of this encoding can be framed so.
    #[must_use]
    pub fn reads(self, format: &Format) -> bool {
        match format {
            Format::Json { .. } | Format::CloudwatchLogs | Format::Ndjson => self == Self::Utf8,
            Format::Multiline(_) | Format::Csv { .. } => self != Self::Utf16Le,
            Format::Delimited(delimited) => {
                self != Self::Utf16Le || delimited.quotes == Quotes::None
            }
            Format::Lines => true,
        }
    }

    /// Reads bytes as text; what is none becomes U+FFFD.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        let encoding = match self {
            Self::Utf8 => return String::from_utf8_lossy(bytes),
            Self::ShiftJis => SHIFT_JIS,
            Self::EucJp => EUC_JP,
            Self::Utf16Le => UTF_16LE,
        };
        encoding.decode_without_bom_handling(bytes).0
    }

    /// Takes away what carries no text: the mark before a line, and the CR of its end.
    pub(crate) fn trimmed(self, line: &[u8]) -> (usize, &[u8]) {
        let (mark, end) = match self {
            Self::Utf16Le => (WIDE_BOM, b"\r\0".as_slice()),
            Self::Utf8 | Self::ShiftJis | Self::EucJp => (BOM, b"\r".as_slice()),
        };
        let text = line.strip_prefix(mark).unwrap_or(line);
        let passed = line.len() - text.len();
        (passed, text.strip_suffix(end).unwrap_or(text))
    }

    /// Tells whether a line holds nothing but white space.
    pub(crate) fn is_blank(self, line: &[u8]) -> bool {
        match self {
            Self::Utf16Le => line
                .chunks(2)
                .all(|unit| matches!(unit, [b' ' | b'\t' | b'\r', 0])),
            Self::Utf8 | Self::ShiftJis | Self::EucJp => {
                line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
            }
        }
    }
}
