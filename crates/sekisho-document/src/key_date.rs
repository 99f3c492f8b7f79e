//! The date that an object's key carries: what a record's day is measured against, since it never changes when the object is copied or put again.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

type Shape = fn(&[u8]) -> Option<NaiveDateTime>;

/// Finds the date (and, where there is one, the time of day) in a decoded key.
///
/// Shapes, the most precise first, and within a shape the leftmost:
/// `20261123T1015Z` (CloudTrail, VPC flow), `2026-11-23-10-15-00` (Firehose, S3 access), `/2026/11/23/`, `year=2026/month=11/day=23`, `2026-11-23`, `20261123`.
pub fn key_date(key: &str) -> Option<NaiveDateTime> {
    let key = key.as_bytes();
    let shapes: [Shape; 6] = [compact_time, dashed_time, path, hive, dashed, compact];
    shapes.iter().find_map(|shape| {
        (0..key.len())
            .filter(|at| {
                at.checked_sub(1)
                    .and_then(|before| key.get(before))
                    .is_none_or(|b| !b.is_ascii_digit())
            })
            .find_map(|at| shape(key.get(at..)?))
    })
}

fn compact_time(text: &[u8]) -> Option<NaiveDateTime> {
    let (y, m, d) = (
        digits(text, 0, 4)?,
        digits(text, 4, 2)?,
        digits(text, 6, 2)?,
    );
    literal(text, 8, b"T")?;
    let (hour, minute) = (digits(text, 9, 2)?, digits(text, 11, 2)?);
    Some(date(y, m, d)?.and_time(time(hour, minute, digits(text, 13, 2).unwrap_or(0))?))
}

fn dashed_time(text: &[u8]) -> Option<NaiveDateTime> {
    let day = dashed(text)?.date();
    literal(text, 10, b"-").or_else(|| literal(text, 10, b"T"))?;
    let (hour, minute) = (digits(text, 11, 2)?, digits(text, 14, 2)?);
    Some(day.and_time(time(hour, minute, digits(text, 17, 2).unwrap_or(0))?))
}

fn path(text: &[u8]) -> Option<NaiveDateTime> {
    let day = separated(text, b"/")?;
    end(text, 10)?;
    Some(day.into())
}

fn dashed(text: &[u8]) -> Option<NaiveDateTime> {
    let day = separated(text, b"-")?;
    end(text, 10)?;
    Some(day.into())
}

fn hive(text: &[u8]) -> Option<NaiveDateTime> {
    literal(text, 0, b"year=")?;
    literal(text, 9, b"/month=")?;
    literal(text, 18, b"/day=")?;
    Some(
        date(
            digits(text, 5, 4)?,
            digits(text, 16, 2)?,
            digits(text, 23, 2)?,
        )?
        .into(),
    )
}

fn compact(text: &[u8]) -> Option<NaiveDateTime> {
    end(text, 8)?;
    Some(
        date(
            digits(text, 0, 4)?,
            digits(text, 4, 2)?,
            digits(text, 6, 2)?,
        )?
        .into(),
    )
}

fn separated(text: &[u8], by: &[u8]) -> Option<NaiveDate> {
    literal(text, 4, by)?;
    literal(text, 7, by)?;
    date(
        digits(text, 0, 4)?,
        digits(text, 5, 2)?,
        digits(text, 8, 2)?,
    )
}

fn literal(text: &[u8], at: usize, want: &[u8]) -> Option<()> {
    (text.get(at..at + want.len())? == want).then_some(())
}

fn end(text: &[u8], at: usize) -> Option<()> {
    text.get(at)
        .is_none_or(|b| !b.is_ascii_digit())
        .then_some(())
}

fn digits(text: &[u8], at: usize, n: usize) -> Option<u32> {
    text.get(at..at + n)?.iter().try_fold(0, |sum: u32, b| {
        b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0'))
    })
}

fn date(y: u32, m: u32, d: u32) -> Option<NaiveDate> {
    // A number outside these years is an account, a port or a counter.
    (1990..=2099)
        .contains(&y)
        .then(|| NaiveDate::from_ymd_opt(i32::try_from(y).ok()?, m, d))?
}

fn time(hour: u32, minute: u32, second: u32) -> Option<NaiveTime> {
    NaiveTime::from_hms_opt(hour, minute, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, expected: Option<&str>) {
        assert_eq!(
            key_date(key).map(|d| d.to_string()).as_deref(),
            expected,
            "{key}"
        );
    }

    #[test]
    fn finds_each_shape() {
        check(
            "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_us-east-1_20261123T1015Z_x.json.gz",
            Some("2026-11-23 10:15:00"),
        );
        check(
            "aws-waf-logs-x/2026/11/23/10/aws-waf-logs-x-1-2026-11-23-10-15-07-uuid",
            Some("2026-11-23 10:15:07"),
        );
        check("logs/2026/11/23/file", Some("2026-11-23 00:00:00"));
        check(
            "x/year=2026/month=11/day=23/hour=10/f",
            Some("2026-11-23 00:00:00"),
        );
        check("app-2026-11-23.log", Some("2026-11-23 00:00:00"));
        check("app.20261123.log", Some("2026-11-23 00:00:00"));
    }

    #[test]
    fn takes_the_most_precise_and_no_other_number() {
        check(
            "backup-2020-01-01/vpcflowlogs/20261123T0005Z_abc.log.gz",
            Some("2026-11-23 00:05:00"),
        );
        check("AWSLogs/111120261123/x", None);
        check("app/12345678/x", None);
        check("app/20261399/x", None);
        check("", None);
    }
}
