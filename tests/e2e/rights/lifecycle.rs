//! What a node with the plugin for lifecycles answers to apply; the real one is not to be had from the registries.

use sekisho_tests::proxy::{Fault, Request};

const API: &str = "/_plugins/_ism";
/// An index that no policy manages yet.
const UNMANAGED: &str =
    r#"{"log-aws-waf-2026.11.23":{"policy_id":null},"total_managed_indices":0}"#;

/// Answers what is asked of the plugin; the node answers the rest.
pub(crate) fn answer(request: &Request) -> Fault {
    let path = request.path.split('?').next().unwrap_or_default();
    let Some(path) = path.strip_prefix(API) else {
        return Fault::Pass;
    };
    match (request.method.as_str(), path) {
        ("GET", "/policies") => Fault::Answer(200, r#"{"policies":[],"total_policies":0}"#),
        ("GET", path) if path.starts_with("/explain/") => Fault::Answer(200, UNMANAGED),
        ("GET", _) => Fault::Answer(404, r#"{"error":"Policy not found"}"#),
        _ => Fault::Answer(200, r#"{"failures":false,"failed_indices":[]}"#),
    }
}
