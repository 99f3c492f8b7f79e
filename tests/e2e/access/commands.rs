//! The commands by the users who run them: load and audit, reload, the look of replay.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use sekisho_replay::ClusterState;

use crate::{AS_COMMAND, PASSWORD, World};

crate::cases![
    load_reload_and_audit_run_by_their_roles,
    replay_sees_that_the_cluster_can_take_documents,
];

const KEY: &str = "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/11/23/111122223333_vpcflowlogs_us-east-1_fl-0a1b2c3d_20261123T0000Z_0a1b2c3d.log";

/// Two flows and a line that is none.
const FLOWS: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
    2 111122223333 eni-0a1b2c3d 192.0.2.10 198.51.100.1 50123 443 6 12 3456 1795392000 1795392060 ACCEPT OK\n\
    2 111122223333 eni-0a1b2c3d 192.0.2.11 198.51.100.1 50124 443 6 12 3456 1795392000 1795392060 REJECT OK\n\
    broken\n";

fn run(world: &World, user: &str, arguments: &[&str]) -> Result<(i32, String)> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .env(AS_COMMAND, "1")
        .envs(world.aws.environment())
        .env("SEKISHO_OPENSEARCH_URL", &world.url)
        .env("SEKISHO_OPENSEARCH_AUTH", "basic")
        .env("SEKISHO_OPENSEARCH_USERNAME", user)
        .env("SEKISHO_OPENSEARCH_PASSWORD", PASSWORD)
        .env("SEKISHO_OPENSEARCH_CA_FILE", &world.ca_file)
        .arg("--json")
        .args(arguments);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output()?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr)
    );
    Ok((status.code().context("it was killed")?, text))
}

async fn load_reload_and_audit_run_by_their_roles(world: World) -> Result<()> {
    world.set_up().await?;
    let admin = world.admin().await?;
    admin.delete("log-*,sekisho-ledger-*").await?;
    // One bucket for each node.
    let bucket = format!(
        "access-{}",
        world.url.rsplit(':').next().unwrap_or_default()
    );
    let s3 = world.aws.s3();
    s3.create_bucket().bucket(&bucket).send().await?;
    let put = s3.put_object().bucket(&bucket).key(KEY);
    put.body(FLOWS.as_bytes().to_vec().into()).send().await?;
    let from = format!("s3://{bucket}");
    let url = world.url.as_str();
    // A reader changes nothing, and is told why.
    let (code, text) = run(&world, "reader", &["load", &from, "--to", url])?;
    ensure!(code == 2 && text.contains("403"), "{code} {text}");
    // One line is raw.
    let (code, text) = run(&world, "ingest", &["load", &from, "--to", url])?;
    ensure!(
        code == 1 && text.contains("\"indexed\":2") && text.contains("\"raw\":1"),
        "{code} {text}"
    );
    let (code, text) = run(&world, "ingest", &["audit", &from, "--to", url])?;
    ensure!(code == 1 && text.contains("raw"), "{code} {text}");
    // The ingest role cannot replace.
    let (code, text) = run(&world, "ingest", &["reload", &from, "--to", url])?;
    ensure!(
        code == 1 && text.contains("no permissions for [indices:admin/refresh]"),
        "{code} {text}"
    );
    let (code, text) = run(&world, "reload", &["reload", &from, "--to", url])?;
    ensure!(code == 1 && text.contains("\"indexed\":2"), "{code} {text}");
    ensure!(!text.contains("no permissions"), "{text}");
    Ok(())
}

async fn replay_sees_that_the_cluster_can_take_documents(world: World) -> Result<()> {
    world.set_up().await?;
    let replay = world.user("replay").await?;
    let state = ClusterState::ask(replay.transport(), 0).await;
    ensure!(state == ClusterState::Ready, "{state:?}");
    let ingest = world.user("ingest").await?;
    let state = ClusterState::ask(ingest.transport(), 0).await;
    ensure!(
        state.reason().is_some_and(|reason| reason.contains("403")),
        "{state:?}"
    );
    Ok(())
}
