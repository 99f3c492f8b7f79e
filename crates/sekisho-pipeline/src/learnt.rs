//! [`Learnt`]: which fields an index refuses, for as long as the process lives.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sekisho_document::{DocumentHead, repair};

/// One refused value may be one odd value; this many are a mapping.
const ENOUGH: u32 = 3;

/// An index that refuses more fields than this is beyond repair, and its documents go their way one by one.
const MOST_FIELDS: usize = 64;

/// Which fields an index refuses: without it every document would be refused once before it is repaired.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    /// Asked for every document, so that nobody waits for the lock while nothing was learnt.
    any: AtomicBool,
    fields: Mutex<HashMap<Arc<str>, HashMap<String, u32>>>,
}

impl Learnt {
    /// Notes a refusal.
    pub(crate) fn note(&self, index: &Arc<str>, field: &str) {
        let mut fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        let of_index = fields.entry(Arc::clone(index)).or_default();
        if of_index.len() >= MOST_FIELDS && !of_index.contains_key(field) {
            return;
        }
        let refusals = of_index.entry(field.to_owned()).or_default();
        *refusals += 1;
        if *refusals >= ENOUGH {
            self.any.store(true, Ordering::Relaxed);
        }
    }

    /// Moves what the index is known to refuse out of the document that stands in `buffer` from `start` on; gives its head and how many fields were moved.
    pub(crate) fn apply(
        &self,
        mut head: DocumentHead,
        namespace: &str,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> (DocumentHead, u8) {
        let mut moved = 0;
        if !self.any.load(Ordering::Relaxed) {
            return (head, moved);
        }
        for field in self.refused(&head.index) {
            let body = buffer.get(start..).unwrap_or_default();
            if let Some(repaired) = repair(body, namespace, &field) {
                buffer.truncate(start);
                buffer.extend_from_slice(&repaired.body);
                head.ingested_at = repaired.ingested_at;
                moved = 1;
            }
        }
        (head, moved)
    }

    fn refused(&self, index: &Arc<str>) -> Vec<String> {
        let fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        let of_index = fields.get(index).into_iter().flatten();
        let mut refused: Vec<_> = of_index
            .filter(|(_, refusals)| **refusals >= ENOUGH)
            .map(|(field, _)| field.clone())
            .collect();
        // The same document comes out whatever the order in which fields were learnt.
        refused.sort();
        refused
    }
}
