//! `cargo xtask tidy`: the house rules that clippy cannot check.

mod markdown;
mod parsers;
mod rust;
mod words;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run::{Workspace, say};

/// A text file of the repository.
pub(crate) struct File {
    /// Its path below the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Names a fault at a line, counted from 1.
    pub(crate) fn fault(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    /// The lines with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// Checks every text file.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut faults = Vec::new();
    for file in &files {
        faults.extend(words::check(file));
        if file.path.ends_with(".rs") {
            faults.extend(rust::check(file));
        }
        if file.path.ends_with(".md") {
            faults.extend(markdown::check(file));
        }
        if file.path.ends_with("/parser.toml") {
            faults.extend(parsers::table_order(file));
        }
    }
    faults.extend(parsers::folders(&root.join("parsers"))?);
    faults.extend(parsers::crates(root)?);
    for fault in &faults {
        say(fault);
    }
    if faults.is_empty() {
        say(&format!("{} files are tidy", files.len()));
        return Ok(());
    }
    bail!("{} faults", faults.len())
}

/// Collects texts; samples and expectations are bytes as delivered, and bound to no rule.
fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
        let is_data =
            below.starts_with("parsers/") && below.contains("/tests/") && name != "case.toml";
        if matches!(
            name.as_ref(),
            "target" | ".git" | "node_modules" | "Cargo.lock" | "LICENSE"
        ) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if !is_data {
            let bytes = fs::read(&path).with_context(|| format!("cannot read `{below}`"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File {
                    path: below.replace('\\', "/"),
                    text,
                });
            }
        }
    }
    Ok(())
}
