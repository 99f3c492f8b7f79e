//! The fields that every document may carry, whatever its source.

use sekisho_document::FieldType::{self, Boolean, Keyword, Long};
use sekisho_document::ecs;

/// ECS fields of every source: what the engine writes, and what a raw document holds.
const SHARED: [&str; 22] = [
    "@timestamp",
    "message",
    "tags",
    "labels",
    "ecs.version",
    "error.code",
    "error.id",
    "error.message",
    "error.type",
    "log.file.path",
    "log.level",
    "log.logger",
    "cloud.provider",
    "cloud.region",
    "cloud.availability_zone",
    "cloud.account.id",
    "cloud.account.name",
    "cloud.service.name",
    "cloud.instance.id",
    "cloud.instance.name",
    "network.forwarded_ip",
    "host.name",
];

/// Every ECS field below these.
const SHARED_BELOW: [&str; 2] = ["event.", "related."];

/// Both ends of a connection; `geo` and `as` are typed now, so that enriching later needs no new indices.
const ENDS: [&str; 4] = ["source.", "destination.", "client.", "server."];
const OF_AN_END: [&str; 5] = ["address", "ip", "port", "as.", "geo."];

/// What the engine says of itself.
const OWN: [(&str, FieldType); 6] = [
    ("sekisho.offset", Long),
    ("sekisho.etag", Keyword),
    ("sekisho.parser", Keyword),
    ("sekisho.day", Keyword),
    ("sekisho.timestamp", Keyword),
    ("sekisho.truncated", Boolean),
];

/// Gives the fields of the component template that all sources share.
pub(crate) fn fields() -> impl Iterator<Item = (&'static str, FieldType)> {
    let shared = ecs::fields()
        .iter()
        .filter(|field| is_shared(field.name))
        .map(|field| (field.name, field.kind));
    shared.chain(OWN)
}

fn is_shared(name: &str) -> bool {
    let below = |parts: &[&str]| {
        parts
            .iter()
            .any(|part| part.ends_with('.') && name.starts_with(part))
    };
    let of_an_end = ENDS
        .iter()
        .find_map(|end| name.strip_prefix(end))
        .is_some_and(|rest| {
            OF_AN_END.iter().any(|part| match part.ends_with('.') {
                true => rest.starts_with(part),
                false => rest == *part,
            })
        });
    SHARED.contains(&name) || below(&SHARED_BELOW) || of_an_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shared_name_is_an_ecs_field() {
        for name in SHARED {
            assert!(ecs::field(name).is_some(), "{name}");
        }
    }

    #[test]
    fn holds_both_ends_and_stays_small() {
        let names: Vec<_> = fields().map(|(name, _)| name).collect();
        for name in [
            "source.geo.location",
            "client.as.number",
            "related.ip",
            "event.ingested",
        ] {
            assert!(names.contains(&name), "{name}");
        }
        assert!(!names.contains(&"source.user.name"));
        assert!(names.len() < 200, "{}", names.len());
    }
}
