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

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use sekisho_parser::{Catalog, Parser, ParserSettings};

/// The repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let root = Path::new(ROOT);
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
        page::between(
            &root.join("parsers/README.md"),
            "sources",
            &sources::list(&catalog, root)?,
        )
    }));
    trials.push(Trial::test("COMMANDS.md", move || {
        page::whole(
            &root.join("crates/sekisho-cli/COMMANDS.md"),
            &commands::page(),
        )
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn fields(catalog: &Catalog, parser: &Parser) -> Result<(), Failed> {
    let folder = Path::new(ROOT).join("parsers").join(parser.folder());
    let (text, mut faults) = fields::page(parser, catalog.settings(), &folder)?;
    let records = samples::records(catalog, parser.dataset(), Path::new(ROOT))?;
    faults.extend(samples::unexercised(parser, catalog.settings(), &records)?);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    page::whole(&folder.join("FIELDS.md"), &text)
}
