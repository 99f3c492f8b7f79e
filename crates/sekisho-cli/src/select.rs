//! Which objects of a listing a command looks at: a [`Moment`] as a user writes it, and the choice by key and time.

use std::str::FromStr;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sekisho_config::Settings;
use sekisho_event::{IgnoredKeys, ObjectRef};
use sekisho_parser::{Catalog, Route};
use serde::Serialize;

/// A time as a user writes it: `2026-11-23T00:00:00Z`, or `7d` for so many days ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// That time.
    At(DateTime<Utc>),
    /// So many days before now.
    DaysAgo(u16),
}

/// A text that is no [`Moment`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no time; write it like `2026-11-23T00:00:00Z`, or `7d` for seven days ago")]
pub struct MomentError(String);

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        if let Some(days) = days {
            return Ok(Self::DaysAgo(days));
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self::At(time.to_utc()))
            .map_err(|_no_time| MomentError(text.to_owned()))
    }
}

impl Moment {
    /// Gives the time.
    pub(crate) fn time(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            Self::DaysAgo(days) => now - TimeDelta::days(days.into()),
        }
    }
}

/// How many objects of a listing were left out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct LeftOut {
    /// By `ignore.keys`, or as folders.
    pub(crate) ignored: u64,
    /// By a parser's `exclude`.
    pub(crate) excluded: u64,
    /// By `--since` and `--until`.
    pub(crate) other_times: u64,
}

/// Decides object by object, and counts.
pub(crate) struct Selection {
    ignored: IgnoredKeys,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    pub(crate) left_out: LeftOut,
}

impl Selection {
    /// Takes the installation's ignored keys and the time of `LastModified`: from `since` on, before `until`.
    pub(crate) fn new(
        settings: &Settings,
        since: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> Result<Self> {
        Ok(Self {
            ignored: IgnoredKeys::new(&settings.ignore.keys)?,
            since,
            until,
            left_out: LeftOut::default(),
        })
    }

    /// Tells whether the object is one to look at.
    pub(crate) fn takes(&mut self, object: &ObjectRef, catalog: &Catalog) -> bool {
        let left_out = &mut self.left_out;
        let counter = if object.is_folder() || self.ignored.matching(&object.key).is_some() {
            &mut left_out.ignored
        } else if matches!(catalog.route(&object.key), Route::Excluded { .. }) {
            &mut left_out.excluded
        } else if !is_within(object.event_time, self.since, self.until) {
            &mut left_out.other_times
        } else {
            return true;
        };
        *counter += 1;
        false
    }
}

/// An object without a time is looked at rather than lost.
fn is_within(
    time: Option<DateTime<Utc>>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> bool {
    let Some(time) = time else {
        return true;
    };
    since.is_none_or(|since| since <= time) && until.is_none_or(|until| time < until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_days() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let time = |text: &str| text.parse::<Moment>().map(|moment| moment.time(now));
        for (text, expected) in [
            ("7d", "2026-11-16T12:00:00Z"),
            ("0d", "2026-11-23T12:00:00Z"),
            ("2026-11-01T09:00:00+09:00", "2026-11-01T00:00:00Z"),
        ] {
            assert_eq!(
                time(text).unwrap().to_rfc3339(),
                expected.replace('Z', "+00:00")
            );
        }
        for text in ["", "d", "-1d", "yesterday", "2026-11-01"] {
            let error = time(text).unwrap_err().to_string();
            assert!(error.contains("7d"), "{error}");
        }
    }

    #[test]
    fn counts_what_it_leaves_out() {
        let mut settings = Settings::default();
        settings.ignore.keys = vec!["tmp/**".to_owned()];
        let at = |text: &str| Some(text.parse().unwrap());
        let mut selection = Selection::new(
            &settings,
            at("2026-11-02T00:00:00Z"),
            at("2026-11-03T00:00:00Z"),
        )
        .unwrap();
        let parsers = sekisho_pipeline::parser_settings(&settings).unwrap();
        let catalog = Catalog::from_files(Vec::new(), parsers).unwrap();
        let mut taken = Vec::new();
        for (key, time, size) in [
            ("a", "2026-11-01T23:59:59Z", 1),
            ("b", "2026-11-02T00:00:00Z", 1),
            ("c", "2026-11-03T00:00:00Z", 1),
            ("tmp/d", "2026-11-02T00:00:00Z", 1),
            ("e/", "2026-11-02T00:00:00Z", 0),
        ] {
            let object = ObjectRef {
                event_time: at(time),
                size: Some(size),
                ..ObjectRef::new("b", key)
            };
            if selection.takes(&object, &catalog) {
                taken.push(key);
            }
        }
        assert_eq!(taken, ["b"]);
        assert_eq!(
            selection.left_out,
            LeftOut {
                ignored: 2,
                excluded: 0,
                other_times: 2
            }
        );
    }
}
