//! The fingerprint of the rules that slices of one object must share.

use super::*;

fn rules(spec: &str) -> String {
    let catalog = catalog(spec, None, None, ParserSettings::default()).unwrap();
    let plan = catalog.plan(context("a/b.json"), b"").unwrap();
    plan.rules()
}

#[test]
fn the_fingerprint_moves_with_identity_and_time_and_with_nothing_else() {
    let spec = |types: &str, unique_by: &str, from: &str| {
        rules(&format!(
            "[record]\nformat = \"ndjson\"\nunique_by = [\"{unique_by}\"]\n[timestamp]\nfrom = \"{from}\"\n{types}"
        ))
    };
    let usual = spec("", "id", "time");
    assert_eq!(usual, spec("[types]\n\"a\" = \"long\"\n", "id", "time"));
    assert_ne!(usual, spec("", "other", "time"));
    assert_ne!(usual, spec("", "id", "other"));
}
