//! [`Explain`]: which line of a parser decided about each field of a document.

use std::io::{self, Write};
use std::sync::Arc;

use sekisho_document::DocumentHead;
use sekisho_parser::Parser;
use sekisho_pipeline::Parsed;

use crate::cases::Json;

/// Says of one record after the other which line decided.
#[derive(Debug)]
pub(crate) struct Explain {
    parser: Arc<Parser>,
}

impl Explain {
    pub(crate) fn new(parser: Arc<Parser>) -> Self {
        Self { parser }
    }

    /// Tells where a document goes and which line filled each of its fields.
    pub(crate) fn document(
        &self,
        parsed: &Parsed<'_>,
        head: &DocumentHead,
        body: &[u8],
        err: &mut dyn Write,
    ) -> io::Result<()> {
        let (DocumentHead { id, index, .. }, offset) = (head, parsed.offset);
        writeln!(err, "byte {offset}: `_id` {id} in `{index}`")?;
        let Ok(document) = Json::read(&String::from_utf8_lossy(body)) else {
            return Ok(());
        };
        for decision in &parsed.decisions {
            if let Some(value) = document.at(&decision.field) {
                let (field, value) = (&decision.field, value.write());
                let line = self.parser.describe(decision.origin);
                writeln!(err, "  {field} = {value}\n      {line}")?;
            }
        }
        Ok(())
    }

    /// Tells which line leaves a record out.
    pub(crate) fn excluded(&self, parsed: &Parsed<'_>, err: &mut dyn Write) -> io::Result<()> {
        for decision in &parsed.decisions {
            writeln!(err, "      {}", self.parser.describe(decision.origin))?;
        }
        Ok(())
    }
}
