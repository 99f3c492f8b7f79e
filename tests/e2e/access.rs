//! What `sekisho apply` puts into secured nodes of the oldest and the newest supported version: each role does its work and nothing else.
//!
//! This binary runs itself as the command, so that its environment is its own.

#[path = "access/apply.rs"]
mod apply;
#[path = "access/commands.rs"]
mod commands;
#[path = "access/readers.rs"]
mod readers;
#[path = "access/table.rs"]
mod table;

use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser as _;
use libtest_mimic::{Arguments, Trial};
use sekisho_aws::connect_cluster;
use sekisho_bulk::Method;
use sekisho_cli::Finish;
use sekisho_cli::args::Cli;
use sekisho_cluster::{Report, Wanted, carry_out, plan};
use sekisho_config::{Auth, OpenSearchSettings, Settings};
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_tests::aws::Aws;
use sekisho_tests::node::{ADMIN, Node, Version, setting};
use sekisho_tests::opensearch::Cluster;
use serde_json::json;
use tokio::runtime::Runtime;

/// Turns this binary into the command.
const AS_COMMAND: &str = "SEKISHO_TEST_AS_COMMAND";
const PASSWORD: &str = "Kawasemi-7-hisui-rail";
/// The five roles, and so five users.
const ROLES: [&str; 5] = ["ingest", "replay", "reload", "apply", "reader"];

/// A secured node as an installation sees it.
#[derive(Clone)]
struct World {
    url: String,
    ca_file: PathBuf,
    aws: Arc<Aws>,
}

type Running = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Names a case after its function.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[(&str, fn(crate::World) -> crate::Running)] =
            &[$((stringify!($name), |world| Box::pin($name(world)))),*];
    };
}
pub(crate) use cases;

fn main() -> Result<ExitCode> {
    if setting(AS_COMMAND).is_some() {
        // As the command's own `main` does.
        return Ok(match sekisho_cli::run(Cli::parse()) {
            Ok(Finish::Clean) => ExitCode::SUCCESS,
            Ok(Finish::Left) => ExitCode::from(1),
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::from(2)
            }
        });
    }
    let mut arguments = Arguments::from_args();
    // The cases of a version share one node, which the first of them starts.
    arguments.test_threads = Some(1);
    let runtime = Arc::new(Runtime::new()?);
    let groups = [
        ("apply", apply::CASES),
        ("table", table::CASES),
        ("readers", readers::CASES),
        ("commands", commands::CASES),
    ];
    let aws: Arc<OnceLock<Result<Arc<Aws>, String>>> = Arc::default();
    let mut nodes = Vec::new();
    let mut trials = Vec::new();
    for version in Version::SECURED {
        let node: Arc<OnceLock<Result<Node, String>>> = Arc::default();
        nodes.push(Arc::clone(&node));
        let all = groups.iter();
        let all = all.flat_map(|(group, cases)| cases.iter().map(move |case| (group, case)));
        for (group, &(name, case)) in all {
            let (node, aws, runtime) = (Arc::clone(&node), Arc::clone(&aws), Arc::clone(&runtime));
            let name = format!("{}::{group}::{name}", version.number());
            trials.push(Trial::test(name, move || {
                let node = node.get_or_init(|| Node::start(version).map_err(|e| format!("{e:#}")));
                let node = node.as_ref().map_err(|error| anyhow!("{error}"))?;
                let aws =
                    aws.get_or_init(|| Aws::start().map(Arc::new).map_err(|e| format!("{e:#}")));
                let world = World {
                    url: node.url().to_owned(),
                    ca_file: node.ca_file().context("the node has no certificate")?,
                    aws: Arc::clone(aws.as_ref().map_err(|error| anyhow!("{error}"))?),
                };
                let done = runtime.block_on(case(world));
                done.map_err(|error| format!("{error:#}").into())
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(nodes);
    Ok(conclusion.exit_code())
}

impl World {
    fn opensearch(&self, (username, password): (&str, &str)) -> Result<OpenSearchSettings> {
        Ok(OpenSearchSettings {
            url: self.url.clone(),
            auth: Auth::Basic,
            username: username.to_owned(),
            password: password.to_owned().into(),
            ca_file: self.ca_file.to_str().context("a path")?.to_owned(),
            ..OpenSearchSettings::default()
        })
    }

    async fn connect(&self, login: (&str, &str)) -> Result<Cluster> {
        let transport = connect_cluster(&self.opensearch(login)?).await?;
        Ok(Cluster::over(transport))
    }

    async fn admin(&self) -> Result<Cluster> {
        self.connect(ADMIN).await
    }

    /// Connects as the user who holds a role and nothing else.
    async fn user(&self, role: &str) -> Result<Cluster> {
        self.connect((role, PASSWORD)).await
    }

    /// Makes the five users, without any role.
    async fn make_users(&self) -> Result<()> {
        let admin = self.admin().await?;
        for role in ROLES {
            let path = format!("/_plugins/_security/api/internalusers/{role}");
            let login = json!({ "password": PASSWORD });
            admin.must(Method::Put, &path, Some(login)).await?;
        }
        Ok(())
    }

    /// Puts what these settings want, as the administrator; nothing may fail.
    async fn apply(&self, settings: &Settings) -> Result<Report> {
        let admin = self.admin().await?;
        let plan = plan(admin.transport(), &wanted(settings)?).await?;
        let report = carry_out(admin.transport(), &plan).await?;
        let failed: Vec<_> = report.failed().collect();
        ensure!(failed.is_empty(), "{failed:#?}");
        Ok(report)
    }

    /// Makes users and roles, and gives each user its role.
    async fn set_up(&self) -> Result<()> {
        self.make_users().await?;
        self.apply(&settings()).await.map(drop)
    }
}

/// Settings that give each user its role.
fn settings() -> Settings {
    let mut settings = Settings::default();
    let access = &mut settings.access;
    let lists = [
        &mut access.ingest_roles,
        &mut access.replay_roles,
        &mut access.reload_roles,
        &mut access.apply_roles,
        &mut access.reader_roles,
    ];
    for (list, role) in lists.into_iter().zip(ROLES) {
        list.push(format!("user:{role}"));
    }
    settings
}

fn wanted(settings: &Settings) -> Result<Wanted> {
    let catalog = Catalog::builtin(ParserSettings::default())?;
    Ok(Wanted::new(settings, &catalog.mappings()?)?)
}
