//! `cargo xtask sample`: the main job on the repository's own sample logs, without a server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{Workspace, build_release, say};

/// Builds `sekisho`, lays the samples out under the keys that they stand for, and loads them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let samples = workspace.root().join("target/samples");
    let objects = lay_out(workspace.root(), &samples)?;
    build_release(workspace)?;
    let sekisho = workspace.target().join("release/sekisho");
    let shown = sekisho.strip_prefix(workspace.root()).unwrap_or(&sekisho);
    let shown = shown.display();
    say(&format!(
        "\n{objects} sample objects lie in target/samples, each under its key.\n\n$ {shown} load target/samples --to target/sample-output --replace"
    ));
    load(workspace.command(
        &sekisho,
        [
            "load",
            "target/samples",
            "--to",
            "target/sample-output",
            "--replace",
        ],
    ))?;
    say(&format!(
        "
Some samples are broken on purpose, so some records are raw or quarantined; nothing is missing from the sum.
The documents are in target/sample-output, one file per daily index. For example:

  head -1 target/sample-output/log-aws-*.ndjson

The same into OpenSearch (2.19 or newer), index templates first:

  {shown} apply --to https://user:password@search.example.com
  {shown} load target/samples --to https://user:password@search.example.com"
    ));
    Ok(())
}

/// Loads; the exit code 1 says that some records are raw or quarantined, which the samples want.
fn load(mut command: Command) -> Result<()> {
    let status = command.status().context("cannot run `sekisho`")?;
    match status.code() {
        Some(0 | 1) => Ok(()),
        _ => bail!("`sekisho load` failed ({status})"),
    }
}

/// Copies each case's sample to its key below a folder; gives how many.
pub(crate) fn lay_out(root: &Path, samples: &Path) -> Result<usize> {
    if samples.exists() {
        fs::remove_dir_all(samples)?;
    }
    let mut objects = 0;
    for case in cases(&root.join("parsers"))? {
        let text = fs::read_to_string(case.join("case.toml"))?;
        // Such a case shows a setting that `load` does not have here.
        if text.contains("[settings]") {
            continue;
        }
        let key = key(&text).with_context(|| format!("no `key` in `{}`", case.display()))?;
        let mut object = samples.join(key);
        if object.exists() {
            let name = case.file_name().unwrap_or_default();
            object = samples.join(name).join(key);
        }
        for sample in ["sample.log", "sample.log.gz"] {
            let sample = case.join(sample);
            if sample.is_file() {
                fs::create_dir_all(object.parent().unwrap_or(samples))?;
                fs::copy(&sample, &object)
                    .with_context(|| format!("cannot copy to `{}`", object.display()))?;
                objects += 1;
            }
        }
    }
    Ok(objects)
}

/// Finds every case: `<module>/<dataset>/tests/<case>`.
fn cases(parsers: &Path) -> Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for module in folders(parsers)? {
        for dataset in folders(&module)? {
            cases.extend(folders(&dataset.join("tests"))?);
        }
    }
    Ok(cases)
}

/// Lists the folders in a folder, sorted; none where it does not exist.
pub(crate) fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    if !parent.is_dir() {
        return Ok(Vec::new());
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Reads `key = "…"` of a `case.toml`; keys of samples need no escapes.
fn key(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.starts_with("key"))?;
    let (_, value) = line.split_once('=')?;
    let value = value.trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let key = value.strip_prefix(quote)?.strip_suffix(quote)?;
    (!key.contains('\\')).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keys() {
        assert_eq!(key("key = \"a/b c.gz\"\n[settings]\n"), Some("a/b c.gz"));
        assert_eq!(key("last_modified = \"x\"\nkey = 'a'"), Some("a"));
        assert_eq!(key("key = \"a\\u0020\""), None);
        assert_eq!(key(""), None);
    }
}
