//! Embeds the parser folders, so that a binary runs without files beside it.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const PARSERS: &str = "../../parsers";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PARSERS}");
    println!("cargo:rerun-if-changed=build.rs");
    let mut code = String::from("&[\n");
    for module in list(Path::new(PARSERS))? {
        for folder in list(&module)? {
            if folder.join("parser.toml").is_file() {
                embed(&folder, &mut code)?;
            }
        }
    }
    code.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("builtin.rs"), code)?;
    Ok(())
}

/// Writes one folder as `(folder, [(file, text)])`; samples and pages stay outside.
fn embed(folder: &Path, code: &mut String) -> Result<(), Box<dyn Error>> {
    writeln!(
        code,
        "({:?}, &[",
        folder.strip_prefix(PARSERS)?.to_string_lossy()
    )?;
    for path in list(folder)? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let wanted = name == "parser.toml"
            || name == "transform.vrl"
            || (name.ends_with(".csv") && name != "vendor-fields.csv");
        if wanted {
            writeln!(
                code,
                "({name:?}, include_str!({:?})),",
                fs::canonicalize(&path)?.to_string_lossy()
            )?;
        }
    }
    code.push_str("]),\n");
    Ok(())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
