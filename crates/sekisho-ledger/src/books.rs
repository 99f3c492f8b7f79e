//! [`Books`]: how the records of one attempt ended.

use std::fmt;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// How many records an object held and how each of them ended.
///
/// `records` and `skipped` are counted by framing, the outcomes by the parser and by the verdicts of the destination: two independent counts of the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Books {
    /// Records that framing gave.
    pub records: u64,
    /// Headers, blank lines and comments; outside the sum.
    pub skipped: u64,
    /// Documents written.
    pub indexed: u64,
    /// Documents written for records that did not parse.
    pub raw: u64,
    /// Documents that were there already.
    pub duplicate: u64,
    /// Records left out by a named rule.
    pub excluded: u64,
    /// Records that cannot be indexed even raw.
    pub quarantined: u64,
}

impl Books {
    /// Adds up the outcomes.
    pub fn outcomes(&self) -> u64 {
        self.indexed + self.raw + self.duplicate + self.excluded + self.quarantined
    }

    /// Tells whether every record has exactly one outcome.
    pub fn balanced(&self) -> bool {
        self.records == self.outcomes()
    }
}

impl AddAssign for Books {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.skipped += other.skipped;
        self.indexed += other.indexed;
        self.raw += other.raw;
        self.duplicate += other.duplicate;
        self.excluded += other.excluded;
        self.quarantined += other.quarantined;
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            records,
            indexed,
            raw,
            duplicate,
            excluded,
            quarantined,
            ..
        } = self;
        let sign = if self.balanced() { "=" } else { "≠" };
        write!(
            f,
            "{records} records {sign} {indexed} indexed + {raw} raw + {duplicate} duplicate + {excluded} excluded + {quarantined} quarantined"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_and_show_the_sum() {
        let mut books = Books {
            records: 3,
            skipped: 9,
            indexed: 2,
            ..Books::default()
        };
        assert!(!books.balanced());
        assert_eq!(
            books.to_string(),
            "3 records ≠ 2 indexed + 0 raw + 0 duplicate + 0 excluded + 0 quarantined"
        );
        books += Books {
            excluded: 1,
            ..Books::default()
        };
        assert!(books.balanced());
    }
}
