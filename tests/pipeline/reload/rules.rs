//! [`Rules`]: what the parser of these tests knows, before and after it is fixed.

use std::sync::Arc;

use sekisho_parser::{Catalog, ParserFiles, ParserSettings};

/// A parser of lines like `{"n":1,"id":"a","at":"2026-11-20T01:00:00Z"}`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules<'a> {
    /// What a record must have, or it is raw.
    pub(crate) require: &'a str,
    /// The field with its time.
    pub(crate) time: &'a str,
    pub(crate) by_content: bool,
    /// Leaves out the record with this `n`.
    pub(crate) excluded: Option<u32>,
}

impl Rules<'static> {
    /// Knows no record.
    pub(crate) const BROKEN: Self = Self {
        require: "wrong",
        time: "put",
        by_content: false,
        excluded: None,
    };

    /// Knows each, but by position and by the time of another field.
    pub(crate) const OLD: Self = Self {
        require: "n",
        ..Self::BROKEN
    };

    /// Knows each, and its time.
    pub(crate) const FIXED: Self = Self {
        require: "n",
        time: "at",
        ..Self::BROKEN
    };

    /// Knows, too, which records are one fact.
    pub(crate) const BY_CONTENT: Self = Self {
        by_content: true,
        ..Self::FIXED
    };
}

impl Rules<'_> {
    pub(crate) fn catalog(self) -> Arc<Catalog> {
        let Self {
            require,
            time,
            by_content,
            excluded,
            ..
        } = self;
        let unique_by = if by_content {
            "unique_by = [\"id\"]"
        } else {
            ""
        };
        let exclude = excluded.map_or(String::new(), |n| {
            format!(
                "[[exclude]]\nname = \"one\"\nwhen = [{{ field = \"n\", equals = \"{n}\" }}]\nreason = \"nobody needs it\"\n"
            )
        });
        let spec = format!(
            r#"
[source]
dataset = "test.app"
title = "A source of these tests"
reference = "https://www.example.com/"
index = "log-test-app"
[match]
keys = ["app/**"]
[record]
format = "ndjson"
require = ["{require}"]
{unique_by}
[timestamp]
from = "{time}"
formats = ["rfc3339"]
[types]
"n" = "keyword"
[fields]
"event.id" = "id"
[constants]
"event.kind" = "event"
{exclude}"#
        );
        let files = ParserFiles {
            folder: "test/app".to_owned(),
            spec,
            ..ParserFiles::default()
        };
        Arc::new(Catalog::from_files(vec![files], ParserSettings::default()).unwrap())
    }
}

/// Gives this many lines; `at` is their day, `put` that of the object or the day before.
pub(crate) fn lines(count: u32, at: &str) -> String {
    let line = |n: u32| {
        let put = 22 + n % 2;
        format!(
            "{{\"n\":\"{n}\",\"id\":\"i{n}\",\"at\":\"{at}T01:00:00Z\",\"put\":\"2026-11-{put}T01:00:00Z\"}}\n"
        )
    };
    (1..=count).map(line).collect()
}
