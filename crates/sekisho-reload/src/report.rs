//! [`ObjectReload`]: how the reload of one object ended.

use sekisho_pipeline::ObjectReport;
use serde::Serialize;

use crate::ReloadError;

/// How the reload of one object ended.
#[derive(Debug)]
pub struct ObjectReload {
    /// How it was read and written; records that were left as they are count as duplicates.
    pub report: ObjectReport,
    /// Records whose old documents nobody may replace.
    pub left: LeftRecords,
    /// Old documents that were deleted, beside those written over.
    pub deleted: u64,
    /// Old documents that stay since no new one stands for them.
    pub stayed: u64,
    /// Why the object's old documents are not all gone; the new ones are written.
    pub error: Option<ReloadError>,
}

/// Records that were left as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LeftRecords {
    /// How many.
    pub count: u64,
    /// How many of them since their documents may lie in a closed index: once that is open, a reload can replace them.
    pub hidden: u64,
    /// The first of them.
    pub first: Vec<Left>,
}

/// A record that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Its byte offset in the decompressed object.
    pub offset: u64,
    /// Why.
    pub reason: String,
}

impl LeftRecords {
    pub(crate) fn add(&mut self, offset: u64, reason: String, most: usize) {
        self.count += 1;
        if self.first.len() < most {
            self.first.push(Left { offset, reason });
        }
    }
}

impl ObjectReload {
    /// Tells whether every record has the document that the parsers of now make of it, and no other.
    pub fn clean(&self) -> bool {
        let Self {
            report,
            left,
            stayed,
            error,
            ..
        } = self;
        report.clean() && left.count == 0 && *stayed == 0 && error.is_none()
    }

    /// Tells whether the object has to be reloaded again.
    pub fn failed(&self) -> bool {
        self.report.error.is_some() || self.error.is_some()
    }
}
