//! What clusters answer, and what follows.

use async_trait::async_trait;
use bytes::Bytes;
use sekisho_bulk::BulkError;

use super::*;

/// Answers each path with a status and a body; 404 where nothing is set.
struct Answers(Vec<(&'static str, u16, &'static str)>);

#[async_trait]
impl ClusterApi for Answers {
    async fn call(&self, _: Method, path: &str, _: Option<Bytes>) -> Result<ApiAnswer, BulkError> {
        let found = self.0.iter().find(|(start, ..)| path.starts_with(start));
        let (status, body) = found.map_or((404, ""), |(_, status, body)| (*status, *body));
        Ok(ApiAnswer {
            status,
            body: Bytes::from_static(body.as_bytes()),
        })
    }
}

const GREEN: (&str, u16, &str) = ("/_cluster/health", 200, r#"{"status":"green"}"#);
const FREE: (&str, u16, &str) = (
    "/_nodes/stats/fs",
    200,
    r#"{"nodes":{"x":{"name":"n1","roles":["data","ingest"],"fs":{"total":{"total_in_bytes":1000,"free_in_bytes":900,"available_in_bytes":300}}},
        "y":{"name":"m1","roles":["cluster_manager"],"fs":{"total":{"total_in_bytes":1000,"available_in_bytes":10}}}}}"#,
);
const NO_BLOCKS: (&str, u16, &str) = ("/_cluster/state/blocks", 200, "{}");

#[track_caller]
fn check(answers: &[(&'static str, u16, &'static str)], expected: Option<&str>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let state = runtime.block_on(ClusterState::ask(&Answers(answers.to_vec()), 25));
    match (state.reason(), expected) {
        (None, None) => {}
        (Some(reason), Some(expected)) => assert!(reason.contains(expected), "{reason}"),
        (reason, _) => panic!("{reason:?}, not {expected:?}"),
    }
}

#[test]
fn a_healthy_cluster_is_ready() {
    check(&[GREEN, NO_BLOCKS, FREE], None);
}

#[test]
fn health_and_permission_are_named() {
    let red = ("/_cluster/health", 200, r#"{"status":"red"}"#);
    check(&[red, NO_BLOCKS, FREE], Some("health is `red`"));
    let denied = ("/_cluster/health", 403, "no permissions");
    check(&[denied], Some("grant `cluster_monitor`"));
    check(&[], Some("404"));
}

#[test]
fn blocks_of_all_are_told_from_blocks_of_one() {
    let global = (
        "/_cluster/state/blocks",
        200,
        r#"{"blocks":{"global":{"6":{"description":"cluster read-only (api)","retryable":false,"levels":["write","metadata_write"]}}}}"#,
    );
    check(&[GREEN, global, FREE], Some("cluster read-only (api)"));
    let full = (
        "/_cluster/state/blocks",
        200,
        r#"{"blocks":{"indices":{"log-a-2026.11.23":{"12":{"description":"disk usage exceeded flood-stage watermark","levels":["write"]}}}}}"#,
    );
    check(&[GREEN, full, FREE], Some("a disk is full"));
    let retired = (
        "/_cluster/state/blocks",
        200,
        r#"{"blocks":{"indices":{"log-a-2026.10.01":{"8":{"description":"index write (api)","levels":["write"]}}}}}"#,
    );
    check(&[GREEN, retired, FREE], None);
}

#[test]
fn a_domain_that_hides_its_state_is_asked_otherwise() {
    let settings = (
        "/_cluster/settings",
        200,
        r#"{"persistent":{"cluster.blocks.read_only":"true"},"transient":{}}"#,
    );
    check(
        &[GREEN, settings, FREE],
        Some("`cluster.blocks.read_only` is set"),
    );
    let none = (
        "/_cluster/settings",
        200,
        r#"{"persistent":{},"transient":{}}"#,
    );
    let allocation = (
        "/_cat/allocation",
        200,
        r#"[{"node":"n1","disk.total":"1000","disk.avail":"240"},{"node":"UNASSIGNED","disk.total":null,"disk.avail":null}]"#,
    );
    check(
        &[GREEN, none, allocation],
        Some("node `n1` has 24 % of its storage free"),
    );
}

#[test]
fn little_storage_is_enough_to_wait() {
    let full = (
        "/_nodes/stats/fs",
        200,
        r#"{"nodes":{"x":{"name":"n1","roles":["data"],"fs":{"total":{"total_in_bytes":1000,"available_in_bytes":249}}}}}"#,
    );
    check(&[GREEN, NO_BLOCKS, full], Some("less than the 25 %"));
}
