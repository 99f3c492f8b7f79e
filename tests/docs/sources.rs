//! The list of sources for `parsers/README.md`.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use sekisho_cli::cases::Case;
use sekisho_parser::Catalog;

/// Lists every parser with its index, its keys and the number of its cases.
pub(crate) fn list(catalog: &Catalog, root: &Path) -> Result<String> {
    let mut text =
        String::from("| source | what | index | keys | cases |\n| --- | --- | --- | --- | --- |\n");
    for parser in catalog.parsers() {
        let keys: Vec<String> = parser.keys().map(|key| format!("`{key}`")).collect();
        let cases = Case::find(&root.join("parsers"), &format!("{}/", parser.dataset()))?;
        writeln!(
            text,
            "| [{}]({}/README.md) | [{}]({}) | `{}-*` | {} | {} |",
            parser.dataset(),
            parser.folder(),
            parser.title(),
            parser.reference(),
            parser.index(),
            keys.join("<br>"),
            cases.len()
        )?;
    }
    Ok(text)
}
