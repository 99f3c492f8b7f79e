//! [`Layout`]: which indices of the installation take no part in a reload.

use std::collections::HashSet;

use chrono::{DateTime, Days, Utc};
use sekisho_bulk::{ApiAnswer, BulkError, ClusterApi, Method};
use serde::Deserialize;

use crate::days::covered;
use crate::patience::patiently;

/// How long an index takes documents behind the last day that it covers, and a day for the zones.
const DAYS_WRITABLE: u64 = 22;

/// The indices that are retired or closed.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Marked by the lifecycle and readable.
    retired: HashSet<String>,
    /// Nobody can say what is in them.
    closed: HashSet<String>,
}

#[derive(Deserialize)]
struct Resolved {
    indices: Vec<Index>,
}

#[derive(Deserialize)]
struct Index {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    attributes: Vec<String>,
}

impl Layout {
    /// Asks for all indices of these patterns.
    pub(crate) async fn ask(
        api: &dyn ClusterApi,
        patterns: &str,
        mark: &str,
    ) -> Result<Self, BulkError> {
        let path = format!("/_resolve/index/{patterns}?expand_wildcards=all");
        let call = || format!("GET {path}");
        let ask = || async {
            let answer = api.call(Method::Get, &path, None).await?;
            match answer.status {
                200 => Ok(answer),
                status => Err(BulkError::Refused {
                    call: call(),
                    status,
                    reason: answer.excerpt(),
                }),
            }
        };
        let answer: ApiAnswer = patiently(ask).await?;
        let resolved: Resolved =
            serde_json::from_slice(&answer.body).map_err(|source| BulkError::Unreadable {
                call: call(),
                source,
            })?;
        let mut layout = Self::default();
        for index in resolved.indices {
            if index.attributes.iter().any(|state| state == "closed") {
                layout.closed.insert(index.name);
            } else if index.aliases.iter().any(|alias| alias == mark) {
                layout.retired.insert(index.name);
            }
        }
        Ok(layout)
    }

    pub(crate) fn is_retired(&self, index: &str) -> bool {
        self.retired.contains(index)
    }

    pub(crate) fn is_closed(&self, index: &str) -> bool {
        self.closed.contains(index)
    }

    pub(crate) fn has_retired(&self) -> bool {
        !self.retired.is_empty()
    }

    pub(crate) fn retired(&self) -> impl Iterator<Item = &str> {
        self.retired.iter().map(String::as_str)
    }

    /// Gives a closed index that may hold documents of an object: one that was open when the object was put, as far as is known.
    pub(crate) fn may_hide(&self, put: Option<DateTime<Utc>>) -> Option<&str> {
        let may = |index: &&String| match (put, covered(index)) {
            (Some(put), Some((_, last))) => last
                .checked_add_days(Days::new(DAYS_WRITABLE))
                .is_none_or(|end| end >= put.date_naive()),
            _ => true,
        };
        self.closed.iter().filter(may).min().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_index_hides_what_came_while_it_was_open() {
        let layout = Layout {
            retired: HashSet::new(),
            closed: HashSet::from(["log-x-2026.10.01".to_owned()]),
        };
        let hides = |text: &str| layout.may_hide(Some(text.parse().unwrap()));
        assert_eq!(hides("2026-10-02T00:00:00Z"), Some("log-x-2026.10.01"));
        assert_eq!(hides("2026-10-23T00:00:00Z"), Some("log-x-2026.10.01"));
        assert_eq!(hides("2026-10-24T00:00:00Z"), None);
        assert_eq!(layout.may_hide(None), Some("log-x-2026.10.01"));
        assert_eq!(Layout::default().may_hide(None), None);
    }
}
