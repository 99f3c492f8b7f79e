//! Decodes keys as S3 notifications and listings write them.

use percent_encoding::percent_decode_str;

use crate::error::MessageError;

/// Decodes a key from an S3 notification or a URL-encoded listing: `+` is a space, then percent sequences; [AWS calls it URL-encoded][1].
///
/// # Errors
/// When the decoded bytes are not UTF-8.
///
/// [1]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
pub fn decode(key: &str) -> Result<String, MessageError> {
    // A plus sign of the key itself arrives as `%2B`, so spaces first.
    let spaced = key.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(MessageError::KeyNotUtf8 {
            key: key.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encoded: &str, expected: &str) {
        assert_eq!(decode(encoded).unwrap(), expected);
    }

    #[test]
    fn plus_is_a_space_and_a_plus_is_escaped() {
        check("AWSLogs/a+b%2Bc/x.gz", "AWSLogs/a b+c/x.gz");
        check("a%20b", "a b");
    }

    #[test]
    fn an_escaped_slash_is_a_slash() {
        check("AWSLogs%2F1%2Fx", "AWSLogs/1/x");
    }

    #[test]
    fn percent_signs_are_decoded_once() {
        check("a%252Fb", "a%2Fb");
        check("100%25", "100%");
    }

    #[test]
    fn japanese_keeps_its_normal_form() {
        check("%E3%81%8C.log", "\u{304c}.log");
        check("%E3%81%8B%E3%82%99.log", "\u{304b}\u{3099}.log");
        check("%E6%97%A5%E6%9C%AC%E8%AA%9E", "日本語");
        check("日本語", "日本語");
    }

    #[test]
    fn equals_signs_of_partitioned_keys_stay() {
        check("year%3D2026/month=11/x", "year=2026/month=11/x");
    }

    #[test]
    fn other_bytes_than_utf8_are_an_error() {
        let message = decode("a%FFb").unwrap_err().to_string();
        assert!(message.starts_with("key `a%FFb` is not UTF-8"), "{message}");
    }
}
