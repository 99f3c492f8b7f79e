//! [`ClusterState`]: whether the cluster can take what would be sent back.

use std::collections::BTreeMap;

use sekisho_bulk::{ApiAnswer, ClusterApi, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::chain;

/// Whether the cluster can take what would be sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterState {
    /// It can.
    Ready,
    /// It cannot, or does not say.
    Closed {
        /// Why, for people.
        reason: String,
    },
}

const HEALTH: &str = "/_cluster/health?filter_path=status";
const BLOCKS: &str = "/_cluster/state/blocks?filter_path=blocks";
const SETTINGS: &str = "/_cluster/settings?flat_settings=true";
const STORAGE: &str = "/_nodes/stats/fs?filter_path=nodes.*.name,nodes.*.roles,nodes.*.fs.total";
const ALLOCATION: &str = "/_cat/allocation?format=json&bytes=b";

impl ClusterState {
    /// Asks for health, blocks and free storage on each data node.
    pub async fn ask(cluster: &dyn ClusterApi, free_storage_percent: u8) -> Self {
        let asked = async {
            check_health(&get(cluster, HEALTH).await?)?;
            check_blocks(cluster).await?;
            check_storage(cluster, free_storage_percent).await
        };
        match asked.await {
            Ok(()) => Self::Ready,
            Err(reason) => Self::Closed { reason },
        }
    }

    /// Why it takes nothing; `None` where it does.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::Closed { reason } => Some(reason),
        }
    }
}

/// A reason why nothing is sent is an answer here, no error.
type Asked<T> = Result<T, String>;

async fn call(cluster: &dyn ClusterApi, path: &str) -> Asked<ApiAnswer> {
    let answer = cluster.call(Method::Get, path, None).await;
    answer.map_err(|error| chain(&error))
}

async fn get<T: DeserializeOwned>(cluster: &dyn ClusterApi, path: &str) -> Asked<T> {
    read(path, &call(cluster, path).await?)
}

fn read<T: DeserializeOwned>(path: &str, answer: &ApiAnswer) -> Asked<T> {
    let refused = || {
        let grant = match answer.status {
            401 | 403 => "; grant `cluster_monitor` to the role",
            _ => "",
        };
        format!(
            "`GET {path}` was answered with {}: {}{grant}",
            answer.status,
            answer.excerpt()
        )
    };
    if answer.status != 200 {
        return Err(refused());
    }
    serde_json::from_slice(&answer.body).map_err(|_other_shape| refused())
}

#[derive(Deserialize)]
struct Health {
    status: String,
}

fn check_health(health: &Health) -> Asked<()> {
    match health.status.as_str() {
        "green" | "yellow" => Ok(()),
        status => Err(format!("the cluster's health is `{status}`")),
    }
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    blocks: Blocks,
}

#[derive(Deserialize, Default)]
struct Blocks {
    #[serde(default)]
    global: BTreeMap<String, Block>,
    #[serde(default)]
    indices: BTreeMap<String, BTreeMap<String, Block>>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(default)]
    description: String,
    #[serde(default)]
    levels: Vec<String>,
}

/// What a full disk puts on every index of the node; other blocks of an index are its own matter, like those of retired indices.
const FLOOD_STAGE: &str = "12";

async fn check_blocks(cluster: &dyn ClusterApi) -> Asked<()> {
    let answer = call(cluster, BLOCKS).await?;
    if answer.status == 200 {
        return no_blocks(&read::<State>(BLOCKS, &answer)?.blocks);
    }
    // Where a domain keeps its state to itself, its settings still say what blocks all of it.
    let settings = get::<BTreeMap<String, serde_json::Value>>(cluster, SETTINGS).await?;
    let sections = settings.values().filter_map(|section| section.as_object());
    let mut set = sections
        .flatten()
        .filter(|(name, value)| name.starts_with("cluster.blocks.read_only") && is_true(value));
    match set.next() {
        Some((name, _)) => Err(format!("`{name}` is set")),
        None => Ok(()),
    }
}

fn is_true(value: &serde_json::Value) -> bool {
    value == true || value == "true"
}

fn no_blocks(blocks: &Blocks) -> Asked<()> {
    let writes = |block: &&Block| block.levels.iter().any(|level| level == "write");
    if let Some(block) = blocks.global.values().find(writes) {
        return Err(format!("the cluster is blocked: {}", block.description));
    }
    let full = blocks.indices.iter();
    let mut full = full.filter(|(_, blocks)| blocks.contains_key(FLOOD_STAGE));
    match full.next() {
        Some((index, _)) => Err(format!("index `{index}` is blocked since a disk is full")),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
struct NodesStats {
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    name: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    fs: Option<FileSystem>,
}

#[derive(Deserialize)]
struct FileSystem {
    total: Option<Total>,
}

#[derive(Deserialize)]
struct Total {
    total_in_bytes: Option<u64>,
    available_in_bytes: Option<u64>,
}

/// A row of `_cat`, which writes numbers as texts.
#[derive(Deserialize)]
struct Allocation {
    node: Option<String>,
    #[serde(rename = "disk.total")]
    total: Option<String>,
    #[serde(rename = "disk.avail")]
    available: Option<String>,
}

/// The storage of one data node.
struct Storage {
    node: String,
    total: u64,
    available: u64,
}

async fn check_storage(cluster: &dyn ClusterApi, percent: u8) -> Asked<()> {
    let answer = call(cluster, STORAGE).await?;
    let mut data_nodes: Vec<Storage> = match answer.status {
        200 => of_nodes(read(STORAGE, &answer)?),
        _ => Vec::new(),
    };
    if data_nodes.is_empty() {
        let rows: Vec<Allocation> = get(cluster, ALLOCATION).await?;
        data_nodes = rows.into_iter().filter_map(Allocation::storage).collect();
    }
    if data_nodes.is_empty() {
        return Err("no data node says how much storage is free".to_owned());
    }
    let short = |node: &&Storage| {
        u128::from(node.available) * 100 < u128::from(node.total) * u128::from(percent)
    };
    match data_nodes.iter().find(short) {
        None => Ok(()),
        Some(node) => Err(format!(
            "node `{}` has {} % of its storage free, less than the {percent} % of `replay.free_storage_percent`",
            node.node,
            u128::from(node.available) * 100 / u128::from(node.total.max(1)),
        )),
    }
}

fn of_nodes(stats: NodesStats) -> Vec<Storage> {
    let storage = |(id, node): (String, Node)| {
        // UltraWarm and cluster manager nodes hold nothing that is written.
        let is_data = node.roles.is_empty() || node.roles.iter().any(|role| is_data(role));
        let total = node.fs?.total.filter(|_| is_data)?;
        Some(Storage {
            node: node.name.unwrap_or(id),
            total: total.total_in_bytes.filter(|bytes| *bytes > 0)?,
            available: total.available_in_bytes?,
        })
    };
    stats.nodes.into_iter().filter_map(storage).collect()
}

fn is_data(role: &str) -> bool {
    role == "data" || role.starts_with("data_")
}

impl Allocation {
    /// `None` for the row of shards without a node.
    fn storage(self) -> Option<Storage> {
        Some(Storage {
            node: self.node?,
            total: self.total?.parse().ok().filter(|bytes| *bytes > 0)?,
            available: self.available?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests;
