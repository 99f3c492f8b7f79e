//! [`Entries`]: a table whose keys are the author's own words, in file order and with their place.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use toml::Spanned;

/// One line of such a table.
#[derive(Debug)]
pub(crate) struct Entry<T> {
    /// The key.
    pub(crate) key: String,
    /// Byte offset of the key in the file.
    pub(crate) at: usize,
    /// The value.
    pub(crate) value: T,
}

/// A table in file order.
#[derive(Debug)]
pub(crate) struct Entries<T>(pub(crate) Vec<Entry<T>>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Entries<T> {
    /// Walks the lines in file order.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Entry<T>> {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let at = key.span().start;
            entries.push(Entry {
                key: key.into_inner(),
                at,
                value: map.next_value()?,
            });
        }
        Ok(Entries(entries))
    }
}
