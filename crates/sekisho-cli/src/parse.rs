//! `sekisho parse`: the documents of files, in input order.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sekisho_document::DocumentHead;
use sekisho_event::ObjectRef;
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ObjectContext, Outcome, Route};
use sekisho_pipeline::{Clock, ObjectReader, Parsed, Step, SystemClock, object_limits};

use crate::Finish;
use crate::args::ParseArgs;
use crate::explain::Explain;
use crate::setup::Setup;

/// What it takes to parse one file after the other.
struct Run<'a> {
    args: &'a ParseArgs,
    catalog: &'a Catalog,
    limits: ObjectLimits,
    explain: Option<Explain>,
    clean: bool,
}

/// Prints the documents of the files.
pub(crate) fn parse(args: &ParseArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let settings = setup.settings()?;
    let catalog = setup.catalog(&settings)?;
    let route = catalog.route(&args.key);
    if args.explain {
        let text = crate::route::as_text(&catalog, &args.key, &route);
        writeln!(io::stderr(), "{}\n{text}", args.key)?;
    }
    if let Route::Excluded { .. } = route {
        let text = crate::route::as_text(&catalog, &args.key, &route);
        writeln!(io::stderr(), "{}", text.trim_start())?;
        return Ok(Finish::Clean);
    }
    let explain = match (&route, args.explain) {
        (Route::Parser(choice, _), true) => Some(Explain::new(Arc::clone(choice.parser))),
        _ => None,
    };
    let mut run = Run {
        args,
        catalog: &catalog,
        limits: object_limits(&settings),
        explain,
        clean: true,
    };
    let mut out = io::BufWriter::new(out);
    for file in &args.files {
        run.file(file, &mut out)
            .with_context(|| format!("in `{}`", file.display()))?;
    }
    out.flush()?;
    Ok(Finish::clean_if(run.clean))
}

impl Run<'_> {
    fn file(&mut self, path: &Path, out: &mut dyn Write) -> Result<()> {
        if path == Path::new("-") {
            return self.read(io::stdin().lock(), SystemClock.now(), out);
        }
        let file = File::open(path).context("cannot open the file")?;
        let modified = file.metadata().and_then(|meta| meta.modified());
        let modified = modified.context("cannot tell the file's time; give --last-modified")?;
        self.read(file, modified.into(), out)
    }

    fn read(
        &mut self,
        read: impl Read,
        modified: DateTime<Utc>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let ParseArgs { key, bucket, .. } = self.args;
        let object = ObjectRef::new(bucket, key);
        let context = ObjectContext {
            bucket: bucket.clone(),
            key: key.clone(),
            entry: None,
            etag: None,
            last_modified: self.args.last_modified.unwrap_or(modified),
        };
        let mut reader = ObjectReader::open(self.catalog, &object, context, &self.limits, read)?;
        if self.explain.is_some() {
            reader.explain();
        }
        let mut body = Vec::new();
        loop {
            body.clear();
            match reader.next(&mut body)? {
                Step::Record(parsed) => self.take(&parsed, &body, out)?,
                Step::Skipped | Step::Before | Step::Behind(_) => {}
                Step::End => break,
            }
        }
        if let Some(cut) = reader.cut() {
            self.clean = false;
            writeln!(io::stderr(), "byte {}: {}", cut.offset, cut.reason)?;
        }
        Ok(())
    }

    fn take(&mut self, parsed: &Parsed<'_>, body: &[u8], out: &mut dyn Write) -> Result<()> {
        let offset = parsed.offset;
        let mut err = io::stderr();
        match &parsed.outcome {
            Outcome::Document(head) => {
                self.print(head, "indexed", body, out)?;
                if let Some(explain) = &self.explain {
                    explain.document(parsed, head, body, &mut err)?;
                }
            }
            Outcome::Raw { head, reason } => {
                self.clean = false;
                self.print(head, "raw", body, out)?;
                writeln!(err, "byte {offset}: raw: {reason}")?;
            }
            Outcome::Excluded { rule } => {
                writeln!(err, "byte {offset}: excluded by rule `{rule}`")?;
                if let Some(explain) = &self.explain {
                    explain.excluded(parsed, &mut err)?;
                }
            }
            Outcome::Quarantined { reason } => {
                self.clean = false;
                writeln!(err, "byte {offset}: quarantined: {reason}")?;
            }
        }
        Ok(())
    }

    fn print(
        &self,
        head: &DocumentHead,
        outcome: &str,
        body: &[u8],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.args.meta {
            let (index, id) = (&head.index, head.id);
            write!(
                out,
                r#"{{"_index":"{index}","_id":"{id}","outcome":"{outcome}","_source":"#
            )?;
        }
        out.write_all(body)?;
        out.write_all(if self.args.meta { b"}\n" } else { b"\n" })
    }
}
