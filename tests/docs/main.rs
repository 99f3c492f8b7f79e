//! The generated pages: `FIELDS.md` of each parser, the list of sources in `parsers/README.md`, and the commands.
//!
//! They are checked here; `cargo xtask docs` (`UPDATE_EXPECT=1`) writes them.
//! A field of the vendor's page without a place, and a declared path that no case exercises, are failures of their own that no writing mends.

mod commands;
mod fields;
mod page;
mod path;
mod samples;
mod sources;
mod vendor;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use sekisho_parser::{Catalog, Parser, ParserSettings};

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let root = root();
    let catalog = Arc::new(Catalog::from_dir(
        &root.join("parsers"),
        ParserSettings::default(),
    )?);
    let mut trials = Vec::new();
    for parser in catalog.parsers() {
        let (catalog, parser) = (Arc::clone(&catalog), Arc::clone(parser));
        let name = format!("{}/FIELDS.md", parser.dataset());
        trials.push(Trial::test(name, move || fields(&catalog, &parser)));
    }
    trials.push(Trial::test("parsers/README.md", move || {
        let page = root.join("parsers/README.md");
        page::between(&page, "sources", &sources::list(&catalog, &root)?)
    }));
    trials.push(Trial::test("COMMANDS.md", || {
        let page = crate::root().join("crates/sekisho-cli/COMMANDS.md");
        page::whole(&page, &commands::page())
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The repository.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

fn fields(catalog: &Catalog, parser: &Parser) -> Result<(), Failed> {
    let root = root();
    let folder = root.join("parsers").join(parser.folder());
    let (text, mut faults) = fields::page(parser, catalog.settings(), &folder)?;
    let records = samples::records(catalog, parser.dataset(), &root)?;
    faults.extend(samples::unexercised(parser, catalog.settings(), &records)?);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    page::whole(&folder.join("FIELDS.md"), &text)
}
