//! [`ReplayReport`]: the table of causes, and what was done.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::cause::Cause;
use crate::error::{ReplayError, chain};

/// What was done with the messages of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Row {
    /// Sent back to the queue.
    pub sent_back: u64,
    /// Parked until somebody asks for them.
    pub parked: u64,
    /// Parked until the cluster takes writes, then they return by themselves.
    pub waiting: u64,
    /// Deleted, since nothing of them is missing.
    pub deleted: u64,
    /// Left where they were.
    pub left: u64,
}

/// Why a run ended.
#[derive(Debug, Default)]
pub enum End {
    /// Nothing was left to look at.
    #[default]
    Empty,
    /// The time was up.
    TimeUp,
    /// So many messages were looked at as were asked for.
    Limit,
    /// As many messages are hidden as one run may hide.
    Full,
    /// Something that every message needs did not work.
    Failed(ReplayError),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing left"),
            Self::TimeUp => f.write_str("time up"),
            Self::Limit => f.write_str("limit reached"),
            Self::Full => f.write_str("too many messages to leave in one run"),
            Self::Failed(error) => f.write_str(&chain(error)),
        }
    }
}

impl Serialize for End {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a run found and did; after a look, what it would have done.
#[derive(Debug, Default, Serialize)]
pub struct ReplayReport {
    /// By cause.
    pub causes: BTreeMap<Cause, Row>,
    /// Messages of unclear cause that were left where they were: notes or objects could not be asked for, or the cluster takes nothing.
    pub left: u64,
    /// Parked messages that were sent back.
    pub returned: u64,
    /// Notes that could not be deleted; they do no harm.
    pub notes_left: u64,
    /// Why the cluster takes nothing; `None` where it does.
    pub closed: Option<String>,
    /// Why the run ended.
    pub end: End,
}

impl ReplayReport {
    /// How many messages were looked at.
    pub fn messages(&self) -> u64 {
        let rows = self.causes.values();
        let known: u64 = rows.map(Row::sum).sum();
        known + self.left
    }

    /// Sums up one column.
    pub fn total(&self, column: impl Fn(&Row) -> u64) -> u64 {
        self.causes.values().map(column).sum()
    }

    pub(crate) fn row(&mut self, cause: Cause) -> &mut Row {
        self.causes.entry(cause).or_default()
    }
}

impl Row {
    fn sum(&self) -> u64 {
        self.sent_back + self.parked + self.waiting + self.deleted + self.left
    }
}

/// The table for people.
impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "cause", "sent back", "parked", "waiting", "deleted", "left"
        )?;
        for (cause, row) in &self.causes {
            writeln!(
                f,
                "{cause:<12}{:>10}{:>10}{:>10}{:>10}{:>10}",
                row.sent_back, row.parked, row.waiting, row.deleted, row.left
            )?;
        }
        if self.left > 0 {
            writeln!(f, "{:<12}{:>50}", "not told", self.left)?;
        }
        if self.returned > 0 {
            writeln!(f, "{} parked messages were sent back", self.returned)?;
        }
        if let Some(reason) = &self.closed {
            writeln!(f, "nothing is sent back: {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_table_and_json() {
        let mut report = ReplayReport::default();
        report.row(Cause::State).sent_back = 12;
        report.row(Cause::Missing).parked = 1;
        report.left = 3;
        assert_eq!(report.messages(), 16);
        let table = report.to_string();
        assert!(
            table.contains("state               12         0"),
            "{table}"
        );
        assert!(table.lines().last().unwrap().ends_with(" 3"), "{table}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["causes"]["missing"]["parked"], 1);
        assert_eq!(json["end"], "nothing left");
    }
}
