//! The document: ECS fields and their types, `_id`, index name, and the JSON text that leaves us.
//!
//! **Invariant:** `_id` and `_index` are pure functions of the object's identity, the record and the parser; nothing here reads a clock or does I/O.

pub mod ecs;
mod error;
mod field_type;
mod head;
mod id;
mod index;
pub mod json;
mod key_date;
mod mapping;
mod repair;

pub use error::DocumentError;
pub use field_type::FieldType;
pub use head::DocumentHead;
pub use id::{DocumentId, ObjectIdentity};
pub use index::{DaySource, IndexDay, IndexNaming, Rotation, check_index_name};
pub use key_date::key_date;
pub use mapping::SourceMapping;
pub use repair::{Repaired, repair};
