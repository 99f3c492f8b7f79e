//! The days that index names end with.

use chrono::{Datelike as _, Days, Months, NaiveDate};

/// Gives the first and the last day that an index covers: `…-YYYY.MM.DD` or `…-YYYY.MM`, also behind `-late`.
pub(crate) fn covered(index: &str) -> Option<(NaiveDate, NaiveDate)> {
    let name = index.strip_suffix("-late").unwrap_or(index);
    let (_, date) = name.rsplit_once('-')?;
    let mut parts = date.split('.');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    if let Some(day) = parts.next() {
        let day = NaiveDate::from_ymd_opt(year, month, day.parse().ok()?)?;
        return Some((day, day));
    }
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    let next = first.checked_add_months(Months::new(1))?;
    Some((first, next.pred_opt()?))
}

/// How many months a pattern names at most; more are not worth it.
const MOST_MONTHS: usize = 8;

/// Gives patterns for the indices, below these ones, whose days lie at most so many days from what `indices` cover; `None` where that cannot be said, or leaves nothing out.
///
/// A look-up by ids asks every shard of its pattern: a year of indices must not be asked for a week's documents.
pub(crate) fn around<'i>(
    patterns: &[String],
    indices: impl IntoIterator<Item = &'i str>,
    days: u64,
) -> Option<String> {
    let mut span: Option<(NaiveDate, NaiveDate)> = None;
    for index in indices {
        let (first, last) = covered(index)?;
        span = Some(span.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
    }
    let (first, last) = span?;
    let first = first.checked_sub_days(Days::new(days))?;
    let last = last.checked_add_days(Days::new(days))?;
    let mut month = first.with_day(1)?;
    let mut months = Vec::new();
    while month <= last {
        months.push(month.format("%Y.%m").to_string());
        month = month.checked_add_months(Months::new(1))?;
        if months.len() > MOST_MONTHS {
            return None;
        }
    }
    let all = patterns.iter().flat_map(|pattern| {
        months
            .iter()
            .map(move |month| format!("{pattern}-{month}*"))
    });
    Some(all.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_days() {
        for (index, expected) in [
            ("log-aws-x-2026.11.23", Some(("2026-11-23", "2026-11-23"))),
            (
                "p-log-x-2026.11.23-late",
                Some(("2026-11-23", "2026-11-23")),
            ),
            ("log-x-2026.02", Some(("2026-02-01", "2026-02-28"))),
            ("log-x-2026.13.01", None),
            ("log-x", None),
            ("log", None),
        ] {
            let day = |text: &str| text.parse::<NaiveDate>().unwrap();
            let expected = expected.map(|(first, last)| (day(first), day(last)));
            assert_eq!(covered(index), expected, "{index}");
        }
    }

    #[test]
    fn patterns_name_months() {
        let patterns = ["log-*".to_owned()];
        let of = |indices: &[&str], days| around(&patterns, indices.iter().copied(), days);
        assert_eq!(
            of(&["log-a-2026.11.23", "log-a-2026.12.01"], 32).unwrap(),
            "log-*-2026.10*,log-*-2026.11*,log-*-2026.12*,log-*-2027.01*"
        );
        assert_eq!(of(&["log-a-2026.11.23", "log-a"], 32), None);
        assert_eq!(of(&["log-a-2026.11.23"], 365), None);
        assert_eq!(of(&[], 32), None);
    }
}
