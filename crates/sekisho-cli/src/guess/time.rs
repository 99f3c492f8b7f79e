//! How a time is written.

use chrono::{DateTime, NaiveDateTime};

/// A way to write a time, as `[timestamp] formats` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeFormat {
    /// The name.
    pub(crate) name: &'static str,
    /// Whether it says its zone.
    pub(crate) has_zone: bool,
    /// The same digits under the other reading, where there are two.
    pub(crate) or: Option<&'static str>,
}

/// `strftime` patterns with a zone, then those without.
const WITH_ZONE: [&str; 6] = [
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f%z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y/%m/%d %H:%M:%S%.f %z",
];

const WITHOUT_ZONE: [(&str, Option<&str>); 10] = [
    ("%Y/%m/%d %H:%M:%S%.f", None),
    ("%Y-%m-%d %H:%M:%S,%3f", None),
    ("%Y%m%d%H%M%S", None),
    ("%Y%m%dT%H%M%S", None),
    ("%d/%b/%Y:%H:%M:%S", None),
    ("%d-%b-%Y %H:%M:%S", None),
    ("%a %b %e %H:%M:%S %Y", None),
    ("%m/%d/%Y %H:%M:%S", Some("%d/%m/%Y %H:%M:%S")),
    ("%d/%m/%Y %H:%M:%S", Some("%m/%d/%Y %H:%M:%S")),
    ("%d.%m.%Y %H:%M:%S", None),
];

/// Finds the way in which all values are written.
pub(crate) fn time_format(values: &[&str]) -> Option<TimeFormat> {
    if values.is_empty() {
        return None;
    }
    let all = |reads: &dyn Fn(&str) -> bool| values.iter().all(|value| reads(value));
    let known = |name, has_zone, or| Some(TimeFormat { name, has_zone, or });
    if all(&|text| DateTime::parse_from_rfc3339(text).is_ok()) {
        return known("rfc3339", true, None);
    }
    if all(&is_plain) {
        return known("rfc3339", false, None);
    }
    if all(&is_epoch) {
        return known("epoch", true, None);
    }
    // Syslog writes no year.
    if all(&|text| {
        NaiveDateTime::parse_from_str(&format!("2024 {text}"), "%Y %b %e %H:%M:%S").is_ok()
    }) {
        return known("%b %e %H:%M:%S", false, None);
    }
    for pattern in WITH_ZONE {
        if all(&|text| DateTime::parse_from_str(text, pattern).is_ok()) {
            return known(pattern, true, None);
        }
    }
    for (pattern, or) in WITHOUT_ZONE {
        let reads =
            |pattern: &str| all(&|text| NaiveDateTime::parse_from_str(text, pattern).is_ok());
        if reads(pattern) {
            return known(pattern, false, or.filter(|or| reads(or)));
        }
    }
    None
}

/// RFC 3339 without a zone, which `rfc3339` reads too.
fn is_plain(text: &str) -> bool {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
        || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").is_ok()
}

/// A number of seconds, or of thousandths and so on of them, between 2001 and 2065.
fn is_epoch(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number(whole)
        && is_number(fraction)
        && matches!(whole.len(), 10 | 13 | 16 | 19)
        && matches!(whole.as_bytes().first(), Some(b'1' | b'2'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_how_times_are_written() {
        for (text, name, has_zone) in [
            ("2026-11-23T01:02:03Z", "rfc3339", true),
            ("2026-11-23T01:02:03.123456+09:00", "rfc3339", true),
            ("2026-11-23 01:02:03.5", "rfc3339", false),
            ("1795395600", "epoch", true),
            ("1795395600123", "epoch", true),
            ("1795395600.123", "epoch", true),
            ("23/Nov/2026:01:02:03 +0000", "%d/%b/%Y:%H:%M:%S %z", true),
            ("2026/11/23 01:02:03", "%Y/%m/%d %H:%M:%S%.f", false),
            ("2026-11-23 01:02:03,123", "%Y-%m-%d %H:%M:%S,%3f", false),
            ("20261123010203", "%Y%m%d%H%M%S", false),
        ] {
            let found = time_format(&[text]);
            assert_eq!(
                found.map(|f| (f.name, f.has_zone)),
                Some((name, has_zone)),
                "{text}"
            );
        }
        for text in ["", "12", "yesterday", "192.0.2.1", "111122223333", "v1.2"] {
            assert_eq!(time_format(&[text]), None, "{text}");
        }
    }

    #[test]
    fn all_values_decide() {
        let found = time_format(&["11/12/2026 01:02:03", "12/11/2026 01:02:03"]).unwrap();
        assert_eq!(found.or, Some("%d/%m/%Y %H:%M:%S"));
        let found = time_format(&["11/12/2026 01:02:03", "23/11/2026 01:02:03"]).unwrap();
        assert_eq!((found.name, found.or), ("%d/%m/%Y %H:%M:%S", None));
    }
}
