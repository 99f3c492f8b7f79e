//! `_index`: prefix, the source's index name and a day that content cannot push around.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::DocumentError;

/// How the index names of an installation are made.
#[derive(Debug, Clone)]
pub struct IndexNaming {
    prefix: String,
    timezone: Tz,
    days_before: u64,
    days_after: u64,
}

/// How often a source gets a new index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// `-YYYY.MM.DD`
    #[default]
    Daily,
    /// `-YYYY.MM`, for small sources.
    Monthly,
}

/// Where a record's day came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaySource {
    /// The record's own time.
    Record,
    /// The object's date: the record has no time, or one outside the window.
    Object,
}

/// The day that a document is filed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexDay {
    /// The date in the installation's zone.
    pub date: NaiveDate,
    /// Whether the record's own time decided.
    pub source: DaySource,
}

impl IndexNaming {
    /// Checks the prefix and the zone.
    ///
    /// `days_before` and `days_after` bound how far a record's own time may lie from its object's date: log content, which attackers write, cannot open a thousand indices.
    ///
    /// # Errors
    /// When OpenSearch would refuse a name with this prefix, or the zone is unknown.
    pub fn new(
        prefix: &str,
        timezone: &str,
        days_before: u64,
        days_after: u64,
    ) -> Result<Self, DocumentError> {
        check_index_name(prefix)?;
        let timezone = timezone
            .parse()
            .ok()
            .ok_or_else(|| DocumentError::TimeZone {
                name: timezone.to_owned(),
            })?;
        Ok(Self {
            prefix: prefix.to_owned(),
            timezone,
            days_before,
            days_after,
        })
    }

    /// Gives the day that an instant falls on in the installation's zone.
    pub fn local_date(&self, time: DateTime<Utc>) -> NaiveDate {
        time.with_timezone(&self.timezone).date_naive()
    }

    /// Decides the day of a record: its own if it lies in the window around the object's date, else the object's.
    pub fn day(&self, object: NaiveDate, record: Option<DateTime<Utc>>) -> IndexDay {
        let first = object
            .checked_sub_days(Days::new(self.days_before))
            .unwrap_or(NaiveDate::MIN);
        let last = object
            .checked_add_days(Days::new(self.days_after))
            .unwrap_or(NaiveDate::MAX);
        match record.map(|time| self.local_date(time)) {
            Some(date) if (first..=last).contains(&date) => IndexDay {
                date,
                source: DaySource::Record,
            },
            _ => IndexDay {
                date: object,
                source: DaySource::Object,
            },
        }
    }

    /// Gives the full name: prefix, index and day.
    pub fn name(&self, index: &str, rotation: Rotation, date: NaiveDate) -> String {
        let day = match rotation {
            Rotation::Daily => date.format("%Y.%m.%d"),
            Rotation::Monthly => date.format("%Y.%m"),
        };
        format!("{}{index}-{day}", self.prefix)
    }

    /// Gives the installation's prefix.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl Default for IndexNaming {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            timezone: Tz::UTC,
            days_before: 30,
            days_after: 2,
        }
    }
}

/// Checks a name or prefix against OpenSearch's rules for index names.
///
/// # Errors
/// When it holds a character that OpenSearch refuses, or starts with `-`, `_`, `+` or `.`.
pub fn check_index_name(name: &str) -> Result<(), DocumentError> {
    let refuse = |reason| {
        Err(DocumentError::IndexName {
            name: name.to_owned(),
            reason,
        })
    };
    if name.starts_with(['-', '_', '+', '.']) {
        return refuse("it starts with `-`, `_`, `+` or `.`");
    }
    if name
        .chars()
        .any(|c| c.is_uppercase() || c.is_whitespace() || "\\/*?\"<>|,#:%".contains(c))
    {
        return refuse(
            "it holds an upper-case letter, a space or one of \\ / * ? \" < > | , # : %",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(zone: &str, object: &str, record: Option<&str>) -> (String, DaySource) {
        let naming = IndexNaming::new("", zone, 30, 2).unwrap();
        let day = naming.day(object.parse().unwrap(), record.map(time));
        (naming.name("log-x", Rotation::Daily, day.date), day.source)
    }

    #[test]
    fn follows_the_record_inside_the_window() {
        assert_eq!(
            day("UTC", "2026-11-23", Some("2026-11-22T23:59:59Z")),
            ("log-x-2026.11.22".into(), DaySource::Record)
        );
        assert_eq!(
            day("UTC", "2026-11-23", Some("2026-10-24T00:00:00Z")),
            ("log-x-2026.10.24".into(), DaySource::Record)
        );
        assert_eq!(
            day("UTC", "2026-11-23", Some("2026-11-25T23:00:00Z")),
            ("log-x-2026.11.25".into(), DaySource::Record)
        );
    }

    #[test]
    fn follows_the_object_outside_it_or_without_a_time() {
        for record in [
            Some("2026-10-23T23:59:59Z"),
            Some("2026-11-26T00:00:00Z"),
            Some("9999-12-31T00:00:00Z"),
            None,
        ] {
            assert_eq!(
                day("UTC", "2026-11-23", record),
                ("log-x-2026.11.23".into(), DaySource::Object)
            );
        }
    }

    #[test]
    fn cuts_the_day_in_the_installation_zone() {
        assert_eq!(
            day("Asia/Tokyo", "2026-11-23", Some("2026-11-22T15:00:00Z")).0,
            "log-x-2026.11.23"
        );
    }

    #[test]
    fn opens_at_most_33_indices_however_the_records_lie() {
        let naming = IndexNaming::default();
        let object = "2026-11-23".parse().unwrap();
        let names: std::collections::HashSet<_> = (0..10_000)
            .map(|n| {
                naming
                    .day(
                        object,
                        Some(time("2010-01-01T00:00:00Z") + chrono::TimeDelta::days(n)),
                    )
                    .date
            })
            .collect();
        assert_eq!(names.len(), 33);
    }

    #[test]
    fn refuses_what_opensearch_refuses() {
        for bad in ["Log-", "a b", "_x", "a/b"] {
            assert!(IndexNaming::new(bad, "UTC", 30, 2).is_err(), "{bad}");
        }
        assert!(IndexNaming::new("", "Asia/Tokio", 30, 2).is_err());
        let naming = IndexNaming::new("team-", "UTC", 30, 2).unwrap();
        assert_eq!(
            naming.name("log-x", Rotation::Monthly, "2026-11-23".parse().unwrap()),
            "team-log-x-2026.11"
        );
    }
}
