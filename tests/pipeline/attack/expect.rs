//! What must be there in the end, by construction of the objects alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use sekisho_event::ObjectRef;

use crate::case::Source;
use crate::records::{Fate, Made, TODAY};

/// What makes a document one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity {
    /// Address of the object, offset of the record, its token.
    Position(String, u64, String),
    /// Dataset, `event.id`.
    Content(String, String),
}

/// Whether something must or may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    May,
    Must,
}

/// A version of an object that was put.
#[derive(Debug, Clone)]
pub(crate) struct Put {
    pub(crate) object: ObjectRef,
    pub(crate) source: Source,
    pub(crate) dated: bool,
    pub(crate) made: Made,
    pub(crate) at: DateTime<Utc>,
    /// Overwritten or removed before it may have been read.
    pub(crate) need: Need,
    pub(crate) removed: bool,
}

/// A document by identity and base index.
pub(crate) type Place = (Identity, String);

/// A quarantine entry: address, ETag and offset.
pub(crate) type Position = (String, String, u64);

/// A document that must or may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) need: Need,
    pub(crate) raw: bool,
}

/// What must be there in the end.
#[derive(Debug, Default)]
pub(crate) struct Expectation {
    pub(crate) documents: BTreeMap<Place, Expected>,
    pub(crate) quarantine: BTreeMap<Position, Need>,
    /// Addresses of objects with raw records, and with quarantined ones.
    pub(crate) raw: BTreeSet<String>,
    pub(crate) quarantined: BTreeSet<String>,
    /// Records of an index that was closed: each is there or in quarantine.
    pub(crate) either: Vec<(Place, Position)>,
    /// Objects of which some records may be quarantined, instead of raw, since their index is closed.
    pub(crate) perhaps_quarantined: BTreeSet<String>,
    pub(crate) perhaps_raw: BTreeSet<String>,
    /// Every object and how many records its newest version has.
    pub(crate) records: BTreeMap<String, u64>,
}

impl Expectation {
    /// `closed` are the indices that were closed at some time.
    pub(crate) fn of(puts: &[Put], closed: &BTreeSet<String>) -> Self {
        let mut all = Self::default();
        for put in puts {
            all.add(put, closed);
        }
        all
    }

    fn add(&mut self, put: &Put, closed: &BTreeSet<String>) {
        let address = put.object.to_string();
        let etag = put.object.etag.clone().unwrap_or_default();
        let object_day = if put.dated {
            TODAY.parse().unwrap()
        } else {
            put.at.date_naive()
        };
        let is_newest = put.need == Need::Must;
        if is_newest {
            let records = put.made.records.len() as u64;
            self.records.insert(address.clone(), records);
        }
        for record in &put.made.records {
            let position = (address.clone(), etag.clone(), record.offset);
            match record.fate {
                Fate::Excluded => {}
                Fate::Quarantined => {
                    raise(
                        self.quarantine.entry(position).or_insert(Need::May),
                        put.need,
                    );
                    if is_newest {
                        self.quarantined.insert(address.clone());
                    }
                }
                Fate::Indexed | Fate::Raw => {
                    let index = |day: NaiveDate| {
                        format!("{}-{}", put.source.index(), day.format("%Y.%m.%d"))
                    };
                    let tried = index(record.day.unwrap_or(object_day));
                    let raw = record.fate == Fate::Raw;
                    let index = if raw {
                        index(object_day)
                    } else {
                        tried.clone()
                    };
                    let token = record.token.clone();
                    let identity = if record.by_content {
                        Identity::Content(put.source.dataset().to_owned(), token)
                    } else {
                        Identity::Position(address.clone(), record.offset, token)
                    };
                    let mut need = put.need;
                    if closed.contains(&tried) {
                        // Either it was written before, or nobody can say whether it was.
                        if need == Need::Must {
                            let place = (identity.clone(), index.clone());
                            self.either.push((place, position.clone()));
                        }
                        need = Need::May;
                        self.quarantine.entry(position).or_insert(Need::May);
                        self.perhaps_quarantined.insert(address.clone());
                        if raw {
                            self.perhaps_raw.insert(address.clone());
                        }
                    }
                    if raw && is_newest && need == Need::Must {
                        self.raw.insert(address.clone());
                    }
                    let expected = Expected {
                        need: Need::May,
                        raw,
                    };
                    let expected = self.documents.entry((identity, index)).or_insert(expected);
                    raise(&mut expected.need, need);
                }
            }
        }
        if let Some(cut) = put.made.cut {
            let entry = self.quarantine.entry((address.clone(), etag, cut));
            raise(entry.or_insert(Need::May), put.need);
            if is_newest {
                self.quarantined.insert(address);
            }
        }
    }
}

fn raise(need: &mut Need, to: Need) {
    *need = (*need).max(to);
}
