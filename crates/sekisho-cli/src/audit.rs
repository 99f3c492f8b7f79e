//! `sekisho audit`: the objects of a bucket against the ledger.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sekisho_aws::{Session, connect_cluster};
use sekisho_bulk::check_version;
use sekisho_config::{QuarantineSettings, Settings};
use sekisho_event::ObjectRef;
use sekisho_ledger::{ClusterLedger, Finding, FindingKind, Ledger, ListedObject};
use sekisho_pipeline::{Clock as _, QuarantineEntry, SystemClock};
use serde_json::json;

use crate::Finish;
use crate::args::AuditArgs;
use crate::select::Selection;
use crate::setup::{Setup, runtime};

/// How many findings are told one by one.
const TOLD_FINDINGS: u64 = 100;

/// Prints what is wrong: to stderr for people, to stdout as JSON lines.
pub(crate) fn audit(args: &AuditArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let mut settings = setup.settings()?;
    if let Some(url) = &args.to {
        settings.opensearch.url.clone_from(url);
    }
    if !settings.ledger.enabled {
        bail!("`ledger.enabled` is false, so there is nothing to audit; set it to true");
    }
    let catalog = setup.catalog(&settings)?;
    let since = args.since.map(|since| since.time(SystemClock.now()));
    let mut selection = Selection::new(&settings, since, None)?;
    let mut report = Report::new(setup.json, out);
    runtime()?.block_on(async {
        let ledger = connect(&settings).await?;
        let session = Session::connect(&settings).await;
        let mut pages = session.list(args.from.clone());
        while let Some(mut page) = pages.next_page().await? {
            page.retain(|object| selection.takes(object, &catalog));
            let objects: Vec<_> = page.iter().filter_map(ListedObject::of).collect();
            if objects.len() < page.len() {
                bail!("the listing of `{}` gives no `LastModified`", args.from);
            }
            let mut findings = sekisho_ledger::audit(&*ledger, &objects)
                .await
                .context("cannot ask the ledger")?;
            leave_out_replayed(&mut findings, &session, &settings).await?;
            report.add(objects.len(), &findings)?;
        }
        anyhow::Ok(())
    })?;
    report.end(&selection)
}

async fn connect(settings: &Settings) -> Result<Arc<dyn Ledger>> {
    let cluster = connect_cluster(&settings.opensearch).await?;
    check_version(&cluster).await?;
    let prefix = settings.index.prefix.clone();
    Ok(Arc::new(ClusterLedger::new(Arc::new(cluster), prefix)))
}

/// The ledger never forgets that a record was quarantined; whether it still is, the quarantine knows.
async fn leave_out_replayed(
    findings: &mut Vec<Finding>,
    session: &Session,
    settings: &Settings,
) -> Result<()> {
    let QuarantineSettings { bucket, prefix } = &settings.quarantine;
    if bucket.is_empty() {
        return Ok(());
    }
    let files = session.files(&settings.quarantine);
    let mut kept = Vec::with_capacity(findings.len());
    for finding in findings.drain(..) {
        let is_left = match finding.kind {
            FindingKind::Quarantined => {
                let object = ObjectRef {
                    etag: finding.object.etag.clone(),
                    ..ObjectRef::new(&finding.object.bucket, &finding.object.key)
                };
                let folder = format!("{prefix}{}", QuarantineEntry::folder(&object));
                let page = files.list(&folder, None).await;
                let page = page.context("cannot look into the quarantine")?;
                !page.keys.is_empty()
            }
            _ => true,
        };
        if is_left {
            kept.push(finding);
        }
    }
    *findings = kept;
    Ok(())
}

/// Tells findings as they come and counts them: a bucket may have more than memory holds.
struct Report<'o> {
    json: bool,
    out: &'o mut dyn Write,
    objects: u64,
    findings: u64,
    kinds: BTreeMap<FindingKind, u64>,
}

impl<'o> Report<'o> {
    fn new(json: bool, out: &'o mut dyn Write) -> Self {
        Self {
            json,
            out,
            objects: 0,
            findings: 0,
            kinds: BTreeMap::new(),
        }
    }

    fn add(&mut self, n_objects: usize, findings: &[Finding]) -> Result<()> {
        self.objects += u64::try_from(n_objects)?;
        for finding in findings {
            self.findings += 1;
            *self.kinds.entry(finding.kind).or_default() += 1;
            if self.json {
                writeln!(self.out, "{}", as_json(finding))?;
            } else if self.findings <= TOLD_FINDINGS {
                tell(finding, &mut io::stderr())?;
            }
        }
        Ok(())
    }

    fn end(self, selection: &Selection) -> Result<Finish> {
        let left_out = &selection.left_out;
        if self.json {
            let kinds: BTreeMap<_, _> = self
                .kinds
                .iter()
                .map(|(kind, n)| (kind.as_str(), n))
                .collect();
            let all = json!({ "objects": self.objects, "findings": kinds, "left_out": left_out });
            writeln!(self.out, "{}", json!({ "summary": all }))?;
            return Ok(Finish::clean_if(self.findings == 0));
        }
        let mut err = io::stderr();
        if self.findings > TOLD_FINDINGS {
            let more = self.findings - TOLD_FINDINGS;
            writeln!(err, "… and {more} more findings; `--json` lists them all")?;
        }
        writeln!(
            err,
            "{} objects; left out: {} ignored, {} excluded, {} older",
            self.objects, left_out.ignored, left_out.excluded, left_out.other_times
        )?;
        for (kind, count) in &self.kinds {
            writeln!(err, "{:<11}  {count:>9}", kind.as_str())?;
        }
        if self.findings == 0 {
            writeln!(err, "every object is in the ledger, whole and balanced")?;
        }
        Ok(Finish::clean_if(self.findings == 0))
    }
}

fn tell(finding: &Finding, err: &mut dyn Write) -> io::Result<()> {
    let Finding {
        object,
        kind,
        detail,
    } = finding;
    let remedy = finding.remedy();
    writeln!(
        err,
        "{:<11}  {object}\n             {detail}\n             → {remedy}",
        kind.as_str()
    )
}

fn as_json(finding: &Finding) -> serde_json::Value {
    let object = &finding.object;
    json!({
        "kind": finding.kind,
        "object": object.to_string(),
        "etag": object.etag,
        "last_modified": object.last_modified,
        "detail": finding.detail,
        "remedy": finding.remedy(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding {
            object: ListedObject {
                bucket: "logs".into(),
                key: "a b".into(),
                etag: Some("e".into()),
                last_modified: "2026-11-23T00:00:00Z".parse().unwrap(),
            },
            kind: FindingKind::Raw,
            detail: "2 records did not parse".into(),
        }
    }

    #[test]
    fn people_read_object_detail_and_remedy() {
        let mut text = Vec::new();
        tell(&finding(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for word in [
            "raw ",
            "s3://logs/a b",
            "2 records",
            "→ fix or add its parser",
        ] {
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn machines_read_a_line_a_finding_and_one_for_the_sum() {
        let mut out = Vec::new();
        let mut report = Report::new(true, &mut out);
        report.add(3, &[finding()]).unwrap();
        let selection = Selection::new(&Settings::default(), None, None).unwrap();
        assert_eq!(report.end(&selection).unwrap(), Finish::Left);
        let lines: Vec<serde_json::Value> = String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["kind"], "raw");
        assert_eq!(lines[1]["summary"]["objects"], 3);
        assert_eq!(lines[1]["summary"]["findings"], json!({ "raw": 1 }));
    }
}
