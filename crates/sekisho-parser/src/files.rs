//! [`ParserFiles`]: the text of one parser folder, from the binary or from disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::ParserError;

/// The text of one parser folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParserFiles {
    /// The folder, relative to the parsers folder, for messages.
    pub folder: String,
    /// `parser.toml`
    pub spec: String,
    /// `transform.vrl`
    pub script: Option<String>,
    /// Lookup tables by file name.
    pub tables: BTreeMap<String, String>,
}

impl ParserFiles {
    /// Reads one folder.
    ///
    /// # Errors
    /// When a file in it cannot be read.
    pub fn read(root: &Path, folder: &Path) -> Result<Self, ParserError> {
        let mut files = Self {
            folder: folder
                .strip_prefix(root)
                .unwrap_or(folder)
                .to_string_lossy()
                .into_owned(),
            ..Self::default()
        };
        for path in list(folder)? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            match name.as_str() {
                "parser.toml" => files.spec = text(&path)?,
                "transform.vrl" => files.script = Some(text(&path)?),
                "vendor-fields.csv" => {}
                _ if name.ends_with(".csv") => {
                    files.tables.insert(name, text(&path)?);
                }
                _ => {}
            }
        }
        Ok(files)
    }

    /// Reads every `<module>/<dataset>/` folder that holds a `parser.toml`.
    ///
    /// # Errors
    /// When a folder or file cannot be read.
    pub fn read_all(root: &Path) -> Result<Vec<Self>, ParserError> {
        let mut all = Vec::new();
        for module in list(root)?.into_iter().filter(|path| path.is_dir()) {
            for folder in list(&module)?
                .into_iter()
                .filter(|path| path.join("parser.toml").is_file())
            {
                all.push(Self::read(root, &folder)?);
            }
        }
        Ok(all)
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, ParserError> {
    let failed = |source| ParserError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn text(path: &Path) -> Result<String, ParserError> {
    fs::read_to_string(path).map_err(|source| ParserError::Read {
        path: path.to_owned(),
        source,
    })
}
