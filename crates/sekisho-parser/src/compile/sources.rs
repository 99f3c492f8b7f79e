//! Paths of `parser.toml`, tied to where their values come from.

use super::{Compiler, place};
use crate::ParserError;
use crate::path::SourcePath;
use crate::program::{Root, Source};
use crate::spec::TextOrList;

impl Compiler<'_> {
    /// Reads paths whose value stands in the document and need not be repeated in `other`.
    pub(super) fn consumed(
        &mut self,
        paths: &TextOrList,
        key: &str,
    ) -> Result<Vec<Source>, ParserError> {
        let sources = self.sources(paths, place(self.file, key))?;
        sources.iter().for_each(|source| self.defer(source));
        Ok(sources)
    }

    pub(super) fn defer(&mut self, source: &Source) {
        if let (Root::Slot(slot), true) = (&source.root, source.tail.is_empty()) {
            self.schema.defer(*slot);
        }
    }

    pub(super) fn sources(
        &mut self,
        paths: &TextOrList,
        at: usize,
    ) -> Result<Vec<Source>, ParserError> {
        paths.0.iter().map(|path| self.source(path, at)).collect()
    }

    /// Ties a path to a slot of the record, a field of the document or a group of the key.
    pub(super) fn source(&mut self, path: &str, at: usize) -> Result<Source, ParserError> {
        let (root, tail) =
            match SourcePath::parse(path).map_err(|message| self.file.error(at, message))? {
                SourcePath::Record(segments) => {
                    let (keys, tail) = SourcePath::split(&segments);
                    (Root::Slot(self.schema.slot(&keys)), tail.to_vec())
                }
                SourcePath::Document(name) => {
                    let output = self.outputs.find(&name).ok_or_else(|| {
                        self.file.error(
                            at,
                            format!("nothing sets `{name}` before this line; set it first"),
                        )
                    })?;
                    (Root::Output(output), Vec::new())
                }
                SourcePath::Capture(group) => {
                    if !self.groups.contains(&group) {
                        return Err(self
                            .file
                            .error(at, format!("`[match] capture` has no group `{group}`")));
                    }
                    (Root::Capture(group), Vec::new())
                }
                SourcePath::Envelope(segments) => {
                    if self.spec.record.unwrap.is_empty() {
                        return Err(self.file.error(
                            at,
                            format!("`{path}` needs an envelope; name it in `[record] unwrap`"),
                        ));
                    }
                    let (keys, tail) = SourcePath::split(&segments);
                    (Root::Slot(self.schema.envelope_slot(&keys)), tail.to_vec())
                }
                SourcePath::Whole => (Root::Record, Vec::new()),
            };
        Ok(Source { root, tail })
    }
}
