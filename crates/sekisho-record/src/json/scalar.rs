//! Tells a JSON number or literal from other text.

/// Says whether a whole word is `true`, `false`, `null` or a number.
pub(crate) fn is_scalar(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"null") || is_number(word)
}

fn is_number(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"-").unwrap_or(word);
    let (integer, rest) = digits(word);
    if integer.is_empty() || (integer.len() > 1 && integer.starts_with(b"0")) {
        return false;
    }
    let rest = match rest.strip_prefix(b".").map(digits) {
        Some(([], _)) => return false,
        Some((_, rest)) => rest,
        None => rest,
    };
    let Some((b'e' | b'E', exponent)) = rest.split_first() else {
        return rest.is_empty();
    };
    let exponent = match exponent.split_first() {
        Some((b'+' | b'-', exponent)) => exponent,
        _ => exponent,
    };
    let (exponent, rest) = digits(exponent);
    !exponent.is_empty() && rest.is_empty()
}

fn digits(word: &[u8]) -> (&[u8], &[u8]) {
    let length = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    word.split_at_checked(length).unwrap_or((word, &[]))
}

#[cfg(test)]
mod tests {
    use super::is_scalar;

    #[test]
    fn agrees_with_serde_json() {
        let words = [
            "0", "-0", "01", "1.5", "1.", ".5", "1e5", "1E+5", "1e-5", "1e", "1e+", "-", "",
            "true", "True", "null", "nulls", "NaN", "1x", "1.5.5", "--1", "+1", "1e400",
        ];
        for word in words {
            let valid = serde_json::from_str::<Box<serde_json::value::RawValue>>(word).is_ok();
            assert_eq!(is_scalar(word.as_bytes()), valid, "`{word}`");
        }
    }
}
