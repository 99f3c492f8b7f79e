//! Folders of this run below `target/`, and the removal of those that ended processes left.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

/// Gives a folder of `target/` in the workspace, shared by every target directory.
pub(crate) fn shared(name: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut above = own.ancestors();
    let root = above.find(|folder| folder.join("Cargo.lock").is_file());
    root.unwrap_or(own).join("target").join(name)
}

/// Makes a folder of this process's own below `root`, told from its others by a number and `suffix`.
pub(crate) fn run_folder(root: &Path, suffix: &str) -> Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let runs = root.join("run");
    fs::create_dir_all(&runs)?;
    for entry in fs::read_dir(&runs)?.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    let folder = runs
        .canonicalize()?
        .join(format!("{process}-{number}-{suffix}"));
    fs::create_dir_all(folder.join("tmp"))?;
    Ok(folder)
}
