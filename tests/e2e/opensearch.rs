//! Real OpenSearch nodes of the oldest and the newest supported version: what `_bulk` answers, what the templates take, what users find.

#[path = "opensearch/bulk.rs"]
mod bulk;
#[path = "opensearch/documents.rs"]
mod documents;
#[path = "opensearch/emitter.rs"]
mod emitter;
#[path = "opensearch/golden.rs"]
mod golden;
#[path = "opensearch/ledger.rs"]
mod ledger;
#[path = "opensearch/peers.rs"]
mod peers;
#[path = "opensearch/plan.rs"]
mod plan;
#[path = "opensearch/reload.rs"]
mod reload;
#[path = "opensearch/retired.rs"]
mod retired;
#[path = "opensearch/samples.rs"]
mod samples;
#[path = "opensearch/stories.rs"]
mod stories;
#[path = "opensearch/templates.rs"]
mod templates;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use sekisho_tests::node::{Node, Version};
use sekisho_tests::opensearch::Cluster;
use tokio::runtime::Runtime;

/// One case: it gets a cluster for itself while it runs.
type Case = (&'static str, fn(Cluster) -> Running);
type Running = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Names a case after its function.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[crate::Case] =
            &[$((stringify!($name), |cluster| Box::pin($name(cluster)))),*];
    };
}
pub(crate) use cases;

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // Some cases change settings of the whole cluster.
    arguments.test_threads = Some(1);
    let groups = [
        ("bulk", bulk::CASES),
        ("documents", documents::CASES),
        ("retired", retired::CASES),
        ("peers", peers::CASES),
        ("reload", reload::CASES),
        ("emitter", emitter::CASES),
        ("templates", templates::CASES),
        ("plan", plan::CASES),
        ("ledger", ledger::CASES),
        ("golden", golden::CASES),
        ("stories", stories::CASES),
    ];
    let nodes = match arguments.list {
        true => Vec::new(),
        false => Node::start_all()?,
    };
    let runtime = Arc::new(Runtime::new()?);
    let mut trials = Vec::new();
    for version in Version::ALL {
        let node = nodes.iter().find(|node| node.version() == version);
        if node.is_none() && !arguments.list {
            continue;
        }
        let url = node.map(|node| node.url().to_owned()).unwrap_or_default();
        for (group, cases) in groups {
            for &(name, case) in cases {
                let (url, runtime) = (url.clone(), Arc::clone(&runtime));
                let name = format!("{}::{group}::{name}", version.number());
                trials.push(Trial::test(name, move || {
                    let cluster = Cluster::connect(&url)?;
                    runtime
                        .block_on(case(cluster))
                        .map_err(|error| format!("{error:#}").into())
                }));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(nodes);
    Ok(conclusion.exit_code())
}
