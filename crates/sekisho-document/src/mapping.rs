//! [`SourceMapping`]: what an index template must know of a source.

use crate::FieldType;

/// The fields that the documents of one source may carry, and the indices that hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMapping {
    /// `event.dataset`.
    pub dataset: String,
    /// The index name without prefix and day.
    pub index: String,
    /// Every field that the parser can write, dotted, sorted: ECS fields and the source's own under `<module>.`.
    pub fields: Vec<(String, FieldType)>,
}
