//! The mark in bodies that the server rewrites: version and hash in their description.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::TEMPLATE_VERSION;

/// Gives the hash of a body, keys sorted.
pub(crate) fn hash(body: &Value) -> String {
    let digest = Sha256::digest(body.to_string());
    let bytes = digest.iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// Gives the version that all marks carry.
pub(crate) fn version() -> String {
    let (major, minor) = TEMPLATE_VERSION;
    format!("{major}.{minor}")
}

/// Adds a description with version and hash of everything else.
pub(crate) fn describe(mut body: Value, what: &str) -> Value {
    let mark = format!("Sekisho {} {}: {what}", version(), hash(&body));
    if let Value::Object(fields) = &mut body {
        fields.insert("description".to_owned(), Value::String(mark));
    }
    body
}

/// Whether a description is one of ours, of whatever version.
pub(crate) fn is_ours(body: &Value) -> bool {
    let description = body.get("description").and_then(Value::as_str);
    description.is_some_and(|text| text.starts_with("Sekisho "))
}

/// Whether two bodies carry the same mark.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    is_ours(one) && one.get("description") == other.get("description")
}
