//! The entries of an archive: each is read as an object of its own, under its name.

use sekisho_document::ObjectIdentity;
use sekisho_record::Encoding;

use crate::outcome::ObjectContext;
use crate::plan::ObjectPlan;

impl ObjectPlan {
    /// Goes on with another entry of the archive that the object is.
    pub fn enter(&mut self, entry: Option<&str>) {
        self.object.entry = entry.map(str::to_owned);
        (self.identity, self.path) = place(&self.object);
        self.columns = None;
    }

    /// Tells whether the records are those of an archive's entry.
    pub fn is_entry(&self) -> bool {
        self.object.entry.is_some()
    }

    /// Tells whether a part of the object, read by itself, is the same text as in the whole: nothing but the parser says what encodes it.
    pub fn is_text_anywhere(&self) -> bool {
        let encoding = self.framing.encoding;
        encoding == self.program.framing.encoding && encoding != Encoding::Utf16Le
    }
}

/// Gives what names the records of an object: their identity, and `log.file.path`.
pub(crate) fn place(object: &ObjectContext) -> (ObjectIdentity, String) {
    let ObjectContext { bucket, key, .. } = object;
    let entry = object.entry.as_deref();
    let identity = ObjectIdentity::new(bucket, key, entry);
    let path = match entry {
        Some(entry) => format!("s3://{bucket}/{key}!/{entry}"),
        None => format!("s3://{bucket}/{key}"),
    };
    (identity, path)
}
