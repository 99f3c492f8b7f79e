//! The connection with real parts: TLS, logins and roles on a node with the security plugin, and SigV4 checked by other code than signs it.

#[path = "security/ledger.rs"]
mod ledger;
#[path = "security/node.rs"]
mod node;
#[path = "security/server.rs"]
mod server;
#[path = "security/signature.rs"]
mod signature;
#[path = "security/sigv4.rs"]
mod sigv4;

use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow};
use libtest_mimic::{Arguments, Trial};
use sekisho_bulk::BulkBatch;
use sekisho_tests::node::{Node, Version};
use sekisho_tests::opensearch::add;
use tokio::runtime::Runtime;

/// A secured node as a user sees it.
struct Secured {
    url: String,
    ca_file: PathBuf,
}

type Running = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Names a case after its function.
macro_rules! cases {
    ($take:ty: $($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[(&str, fn($take) -> crate::Running)] =
            &[$((stringify!($name), |taken| Box::pin($name(taken)))),*];
    };
}
pub(crate) use cases;

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // The cases share one node, which the first of them starts.
    arguments.test_threads = Some(1);
    let runtime = Arc::new(Runtime::new()?);
    let started: Arc<OnceLock<Result<Node, String>>> = Arc::default();
    let mut trials = Vec::new();
    let of_node = [("node", node::CASES), ("ledger", ledger::CASES)];
    let of_node = of_node
        .into_iter()
        .flat_map(|(group, cases)| cases.iter().map(move |case| (group, case)));
    for (group, &(name, case)) in of_node {
        let (started, runtime) = (Arc::clone(&started), Arc::clone(&runtime));
        trials.push(Trial::test(format!("{group}::{name}"), move || {
            let node = started.get_or_init(|| {
                Node::start(Version::Secured).map_err(|error| format!("{error:#}"))
            });
            let node = node.as_ref().map_err(|error| anyhow!("{error}"))?;
            let secured = Secured {
                url: node.url().to_owned(),
                ca_file: node.ca_file().context("the node has no certificate")?,
            };
            let done = runtime.block_on(case(secured));
            done.map_err(|error| format!("{error:#}").into())
        }));
    }
    for &(name, case) in sigv4::CASES {
        let runtime = Arc::clone(&runtime);
        trials.push(Trial::test(format!("sigv4::{name}"), move || {
            let done = runtime.block_on(case(()));
            done.map_err(|error| format!("{error:#}").into())
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(started);
    Ok(conclusion.exit_code())
}

/// One small document for each of these indices.
fn batch(indices: &[&str]) -> Result<BulkBatch> {
    let mut batch = BulkBatch::default();
    for index in indices {
        let body = r#"{"event":{"kind":"event"},"@timestamp":"2026-11-23T01:02:03.000Z","message":"日本語"}"#;
        add(&mut batch, index, body)?;
    }
    Ok(batch)
}
