//! Times as sources write them, into UTC.

use chrono::format::{Item, Numeric, Parsed, StrftimeItems};
use chrono::{DateTime, Datelike as _, LocalResult, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;

/// One way to write a time.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TimeFormat {
    /// RFC 3339; a missing zone is the parser's `timezone`.
    Rfc3339,
    /// Seconds, or by their magnitude milli-, micro- or nanoseconds, since 1970.
    Epoch,
    /// Seconds since 1970, with a fraction or without.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
    /// `strftime` as chrono knows it.
    Pattern(String),
    /// The same without a year, as syslog writes times.
    Yearless(String),
}

/// The formats of a parser, tried in order.
#[derive(Debug, Clone)]
pub(crate) struct TimeFormats {
    formats: Vec<TimeFormat>,
    timezone: Tz,
    /// A time that carries no year is the one nearest to this.
    near: Option<NaiveDateTime>,
}

impl Default for TimeFormats {
    fn default() -> Self {
        Self {
            formats: vec![TimeFormat::Rfc3339, TimeFormat::Epoch],
            timezone: Tz::UTC,
            near: None,
        }
    }
}

impl TimeFormats {
    /// Reads the names of `[timestamp] formats`; the error says what is wrong with one of them.
    pub(crate) fn new(names: &[String], timezone: Option<&str>) -> Result<Self, String> {
        let zone = timezone.unwrap_or("UTC");
        let timezone = zone.parse().ok().ok_or_else(|| {
            format!("unknown time zone `{zone}`; use an IANA name such as `UTC` or `Asia/Tokyo`")
        })?;
        let formats = names
            .iter()
            .map(|name| format(name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            formats,
            timezone,
            near: None,
        })
    }

    /// Gives the formats for an object of a known time (UTC): what is written without a year happened around it.
    pub(crate) fn near(&self, time: NaiveDateTime) -> Self {
        Self {
            near: Some(time),
            ..self.clone()
        }
    }

    /// Gives the formats with the zone of this installation's servers, for times that carry none.
    pub(crate) fn in_zone(self, timezone: Option<Tz>) -> Self {
        Self {
            timezone: timezone.unwrap_or(self.timezone),
            ..self
        }
    }

    /// Reads a time by the first format that fits.
    pub(crate) fn parse(&self, text: &str) -> Option<DateTime<Utc>> {
        self.formats
            .iter()
            .find_map(|format| self.parse_as(format, text))
    }

    fn parse_as(&self, format: &TimeFormat, text: &str) -> Option<DateTime<Utc>> {
        match format {
            TimeFormat::Rfc3339 => DateTime::parse_from_rfc3339(text)
                .map(|time| time.to_utc())
                .ok()
                .or_else(|| {
                    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
                        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"));
                    self.local(naive.ok()?)
                }),
            TimeFormat::Epoch => epoch(text, None),
            TimeFormat::EpochSeconds => epoch(text, Some(1_000_000_000)),
            TimeFormat::EpochMillis => epoch(text, Some(1_000_000)),
            TimeFormat::Pattern(pattern) => match DateTime::parse_from_str(text, pattern) {
                Ok(time) => Some(time.to_utc()),
                Err(_) => self.local(NaiveDateTime::parse_from_str(text, pattern).ok()?),
            },
            TimeFormat::Yearless(pattern) => self.yearless(pattern, text),
        }
    }

    /// Reads a time without a year, in the year that brings it nearest to the object's time; so the turn of the year is none.
    fn yearless(&self, pattern: &str, text: &str) -> Option<DateTime<Utc>> {
        let near = self.near?;
        let mut parsed = Parsed::new();
        chrono::format::parse(&mut parsed, text, StrftimeItems::new(pattern)).ok()?;
        let years = near.year() - 1..=near.year() + 1;
        years
            .filter_map(|year| {
                let mut parsed = parsed.clone();
                // The 29th of February is no day of most years.
                parsed.set_year(i64::from(year)).ok()?;
                match parsed.to_datetime() {
                    Ok(time) => Some(time.to_utc()),
                    Err(_) => self.local(parsed.to_naive_datetime_with_offset(0).ok()?),
                }
            })
            .min_by_key(|time| (time.naive_utc() - near).abs())
    }

    /// Places a time that carries no zone; in the hour that clocks repeat the earlier one is meant.
    fn local(&self, naive: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.timezone.from_local_datetime(&naive) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.to_utc()),
            LocalResult::None => None,
        }
    }
}

fn format(name: &str) -> Result<TimeFormat, String> {
    Ok(match name {
        "rfc3339" => TimeFormat::Rfc3339,
        "epoch" => TimeFormat::Epoch,
        "epoch_s" => TimeFormat::EpochSeconds,
        "epoch_ms" => TimeFormat::EpochMillis,
        pattern if pattern.contains('%') => {
            let broken = StrftimeItems::new(pattern).any(|item| item == Item::Error);
            if broken {
                return Err(format!("`{pattern}` is no strftime pattern"));
            }
            if has_year(pattern) {
                TimeFormat::Pattern(pattern.to_owned())
            } else {
                TimeFormat::Yearless(pattern.to_owned())
            }
        }
        other => {
            return Err(format!(
                "unknown time format `{other}`; use rfc3339, epoch, epoch_s, epoch_ms or a strftime pattern"
            ));
        }
    })
}

fn has_year(pattern: &str) -> bool {
    StrftimeItems::new(pattern).any(|item| {
        matches!(
            item,
            Item::Numeric(
                Numeric::Year | Numeric::YearMod100 | Numeric::IsoYear | Numeric::Timestamp,
                _
            ) | Item::Fixed(chrono::format::Fixed::RFC2822 | chrono::format::Fixed::RFC3339)
        )
    })
}

/// Reads a number as a time; `unit` is the length of one in nanoseconds, or its magnitude decides.
fn epoch(text: &str, unit: Option<i128>) -> Option<DateTime<Utc>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i128 = whole.parse().ok()?;
    // Seconds reach 11 digits in the year 5138, milliseconds had 12 in 1973: the ranges do not meet for any log.
    let unit = unit.unwrap_or(match whole.unsigned_abs() {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    });
    let digits: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(9)
        .collect();
    let part = digits.parse::<i128>().ok()? * unit / 1_000_000_000;
    let nanos = whole.checked_mul(unit)?.checked_add(part)?;
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    DateTime::from_timestamp(
        seconds,
        u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?,
    )
}

/// Writes a time as OpenSearch's `date` takes it, or gives nothing where it cannot store it.
pub(crate) fn write_time(time: DateTime<Utc>) -> Option<String> {
    // `strict_date_optional_time` takes years of four digits.
    let storable = (0..=9999).contains(&chrono::Datelike::year(&time));
    storable.then(|| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(formats: &[&str], zone: Option<&str>, text: &str, expected: Option<&str>) {
        let names: Vec<_> = formats.iter().map(|name| (*name).to_owned()).collect();
        let time = TimeFormats::new(&names, zone)
            .unwrap()
            .parse(text)
            .and_then(write_time);
        assert_eq!(time.as_deref(), expected, "{text}");
    }

    #[test]
    fn reads_rfc3339() {
        check(
            &["rfc3339"],
            None,
            "2026-11-23T10:15:00Z",
            Some("2026-11-23T10:15:00Z"),
        );
        check(
            &["rfc3339"],
            None,
            "2026-11-23T10:15:00.123456+09:00",
            Some("2026-11-23T01:15:00.123456Z"),
        );
        check(
            &["rfc3339"],
            Some("Asia/Tokyo"),
            "2026-11-23T10:15:00",
            Some("2026-11-23T01:15:00Z"),
        );
        check(&["rfc3339"], None, "yesterday", None);
        check(
            &["rfc3339"],
            None,
            "0000-01-01T00:00:00Z",
            Some("0000-01-01T00:00:00Z"),
        );
        check(
            &["rfc3339"],
            None,
            "9999-12-31T23:59:59Z",
            Some("9999-12-31T23:59:59Z"),
        );
        check(&["rfc3339"], None, "+10000-01-01T00:00:00Z", None);
    }

    #[test]
    fn tells_the_unit_of_an_epoch_by_its_size() {
        for text in [
            "1795428900",
            "1795428900000",
            "1795428900000000",
            "1795428900000000000",
        ] {
            check(&["epoch"], None, text, Some("2026-11-23T10:15:00Z"));
        }
        check(
            &["epoch_ms"],
            None,
            "1795428900123",
            Some("2026-11-23T10:15:00.123Z"),
        );
        check(
            &["epoch_s"],
            None,
            "1795428900.5",
            Some("2026-11-23T10:15:00.500Z"),
        );
        check(&["epoch"], None, "99999999999999999999999999", None);
    }

    #[test]
    fn reads_patterns_with_and_without_a_zone() {
        check(
            &["%d/%b/%Y:%H:%M:%S %z"],
            None,
            "23/Nov/2026:19:15:00 +0900",
            Some("2026-11-23T10:15:00Z"),
        );
        check(
            &["%Y/%m/%d %H:%M:%S"],
            Some("Asia/Tokyo"),
            "2026/11/23 19:15:00",
            Some("2026-11-23T10:15:00Z"),
        );
    }

    #[test]
    fn finds_the_year_that_a_time_does_not_carry() {
        let read = |near: &str, zone: Option<&str>, text: &str| {
            let names = ["%b %e %H:%M:%S".to_owned()];
            let formats = TimeFormats::new(&names, zone).unwrap();
            let near = NaiveDateTime::parse_from_str(near, "%Y-%m-%d %H:%M").unwrap();
            formats.near(near).parse(text).and_then(write_time)
        };
        for (near, zone, text, expected) in [
            (
                "2026-11-23 12:00",
                None,
                "Nov  3 10:15:00",
                "2026-11-03T10:15:00Z",
            ),
            (
                "2027-01-01 00:05",
                None,
                "Dec 31 23:59:59",
                "2026-12-31T23:59:59Z",
            ),
            (
                "2026-12-31 23:59",
                None,
                "Jan  1 00:00:01",
                "2027-01-01T00:00:01Z",
            ),
            (
                "2027-01-01 00:05",
                Some("Asia/Tokyo"),
                "Jan  1 08:59:00",
                "2026-12-31T23:59:00Z",
            ),
            (
                "2029-02-01 00:00",
                None,
                "Feb 29 10:15:00",
                "2028-02-29T10:15:00Z",
            ),
        ] {
            assert_eq!(read(near, zone, text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(
            read("2027-03-01 00:00", None, "Feb 29 10:15:00"),
            Some("2028-02-29T10:15:00Z".to_owned())
        );
        assert_eq!(read("2026-11-23 12:00", None, "Nov 31 10:15:00"), None);
        check(&["%b %e %H:%M:%S"], None, "Nov 23 10:15:00", None);
    }

    #[test]
    fn refuses_unknown_names() {
        assert!(TimeFormats::new(&["iso".to_owned()], None).is_err());
        assert!(TimeFormats::new(&["%Q".to_owned()], None).is_err());
        assert!(TimeFormats::new(&[], Some("Asia/Tokio")).is_err());
    }
}
