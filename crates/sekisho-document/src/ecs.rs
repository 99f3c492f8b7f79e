//! The pinned Elastic Common Schema field list.
//!
//! Origin: ECS 9.4, `generated/ecs/ecs_flat.yml` of the elastic/ecs repository (Apache-2.0), reduced to name, type, array, allowed values and expected event types in `config/ecs-9.4-fields.json`.

use crate::FieldType;

include!(concat!(env!("OUT_DIR"), "/ecs_fields.rs"));

/// The version of the list, as `ecs.version` carries it.
pub const VERSION: &str = "9.4.0";

/// One ECS field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EcsField {
    /// The dotted name.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldType,
    /// Whether ECS says that the field should hold an array.
    pub array: bool,
    /// The only values that ECS allows, empty where any value is.
    pub allowed: &'static [&'static str],
}

/// Looks a field up by its dotted name.
pub fn field(name: &str) -> Option<&'static EcsField> {
    let at = FIELDS.binary_search_by(|field| field.name.cmp(name)).ok()?;
    FIELDS.get(at)
}

/// Gives every field, sorted by name.
pub fn fields() -> &'static [EcsField] {
    FIELDS
}

/// Gives the `event.type` values that ECS expects beside an `event.category`, or `None` for a category that it does not know.
pub fn expected_types(category: &str) -> Option<&'static [&'static str]> {
    EXPECTED_TYPES
        .iter()
        .find(|(name, _)| *name == category)
        .map(|(_, types)| *types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_fields_by_name() {
        assert_eq!(field("source.ip").map(|f| f.kind), Some(FieldType::Ip));
        assert!(field("event.category").is_some_and(|f| f.array && f.allowed.contains(&"web")));
        assert_eq!(field("source.address").map(|f| f.array), Some(false));
        assert_eq!(field("source.ipp"), None);
    }

    #[test]
    fn knows_expected_event_types() {
        assert!(expected_types("network").is_some_and(|types| types.contains(&"connection")));
        assert_eq!(expected_types("nothing"), None);
    }
}
