//! [`Explain`]: which lines of a parser decided about a document.

use std::io::{self, Write};

use anyhow::Result;
use sekisho_document::DocumentHead;
use sekisho_parser::{Catalog, FieldUse, Parser, Purpose};

use crate::cases::Json;

/// What a parser's lines do, for one record after the other.
#[derive(Debug, Default)]
pub(crate) struct Explain {
    file: String,
    uses: Vec<FieldUse>,
}

impl Explain {
    pub(crate) fn new(catalog: &Catalog, parser: &Parser) -> Result<Self> {
        Ok(Self {
            file: format!("{}/parser.toml", parser.folder()),
            uses: parser.uses(catalog.settings())?,
        })
    }

    /// Tells where a document goes and which line filled each of its fields.
    pub(crate) fn document(
        &self,
        offset: u64,
        head: &DocumentHead,
        body: &[u8],
        err: &mut dyn Write,
    ) -> io::Result<()> {
        let DocumentHead { id, index, .. } = head;
        writeln!(err, "byte {offset}: `_id` {id} in `{index}`")?;
        let Ok(document) = Json::read(&String::from_utf8_lossy(body)) else {
            return Ok(());
        };
        for FieldUse {
            path,
            line,
            purpose,
        } in &self.uses
        {
            let (target, verb) = match purpose {
                Purpose::Field(field) => (field.as_str(), "from"),
                Purpose::Lookup(field) => (field.as_str(), "looked up by"),
                Purpose::Timestamp => ("@timestamp", "from"),
                Purpose::Addresses => ("source.address", "by the address rule from"),
                Purpose::Type(_) | Purpose::Condition => continue,
            };
            if let Some(value) = document.at(target) {
                let value = value.write();
                writeln!(
                    err,
                    "  {}:{line} {target} = {value} ({verb} `{path}`)",
                    self.file
                )?;
            }
        }
        Ok(())
    }

    /// Names the file of an `[[exclude]]` rule.
    pub(crate) fn rule(&self, rule: &str) -> Option<String> {
        (!self.file.is_empty()).then(|| format!(" ([[exclude]] `{rule}` of {})", self.file))
    }
}
