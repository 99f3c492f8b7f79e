//! Structured fuzzing: each family of formats is fed what its format means something by, and every parser mutations of its own samples.
//!
//! Whatever the bytes are: nothing panics, nothing costs its square, every record ends as document, raw, excluded or quarantined with a reason, and its neighbours stay what they are.
//! `SEKISHO_FUZZ_SECONDS` makes each family run so long from a new seed; without it each runs a few inputs of a fixed one.

mod families;
mod input;
mod read;

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use sekisho_cli::cases::Case;
use sekisho_parser::{Catalog, ParserFiles, ParserSettings};
use serde_json::Value;

use families::{FAMILIES, Family};
use input::Random;
use read::documents;

const PARSERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../parsers");

/// The key under which a family's small parser reads.
const KEY: &str = "test/2026/11/23/x.log";

/// How many inputs each family is fed where nobody asks for more.
const N_INPUTS: u64 = 60;

/// The longest sample that is mutated.
const SAMPLE_BYTES: usize = 64 << 10;

fn main() {
    let arguments = Arguments::from_args();
    let families = FAMILIES
        .iter()
        .map(|family| Trial::test(family.name, || report(small_parser(family))));
    let sources = Trial::test("sources", || report(sources()));
    libtest_mimic::run(&arguments, families.chain([sources]).collect()).exit();
}

fn report(result: Result<()>) -> Result<(), Failed> {
    result.map_err(|error| format!("{error:#}").into())
}

/// Feeds inputs from one seed after the other; the failure names the seed and shows the input.
fn run(mut check: impl FnMut(&mut Random, &mut Vec<u8>) -> Result<()>) -> Result<()> {
    let asked = std::env::var_os("SEKISHO_FUZZ_SECONDS");
    let seconds = asked.and_then(|seconds| seconds.to_str()?.parse().ok());
    let first = seconds.map_or(1, |_: u64| RandomState::new().build_hasher().finish() >> 1);
    let started = Instant::now();
    let mut n_inputs = 0;
    loop {
        let is_over = match seconds {
            Some(seconds) => started.elapsed() > Duration::from_secs(seconds),
            None => n_inputs == N_INPUTS,
        };
        if is_over {
            return Ok(());
        }
        let seed = first + n_inputs;
        n_inputs += 1;
        let mut input = Vec::new();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            check(&mut Random::new(seed), &mut input)
        }));
        let Err(error) = ended.unwrap_or_else(|_| Err(anyhow!("it panicked"))) else {
            continue;
        };
        let mut shown = input.escape_ascii().to_string();
        shown.truncate(4000);
        return Err(error.context(format!("seed {seed}, after {n_inputs} inputs: {shown}")));
    }
}

fn small_parser(family: &Family) -> Result<()> {
    let files = ParserFiles {
        folder: "aws/test".to_owned(),
        spec: family.parser(),
        ..ParserFiles::default()
    };
    let settings = ParserSettings {
        max_record_bytes: 256 << 10,
        ..ParserSettings::default()
    };
    let catalog = Catalog::from_files(vec![files], settings)?;
    let expected = of(&documents(
        &catalog,
        KEY,
        [family.header, family.good, "\n"].concat().as_bytes(),
    )?);
    ensure!(
        expected.len() == 1 && expected[0]["event"]["kind"] != "pipeline_error",
        "the good record gives {expected:?}"
    );
    run(|random, input| {
        *input = random.text(family.pieces);
        documents(&catalog, KEY, input)?;
        let hostile = random.line(family.pieces);
        *input = [
            family.header.as_bytes(),
            family.good.as_bytes(),
            b"\n",
            family.start.as_bytes(),
            &hostile,
            b"\n",
            family.good.as_bytes(),
            b"\n",
        ]
        .concat();
        let made = of(&documents(&catalog, KEY, input)?);
        ensure!(
            made.first() == expected.first(),
            "the record before became {:?}",
            made.first()
        );
        ensure!(
            !family.is_lines || made.last() == expected.last(),
            "the record behind became {:?}",
            made.last()
        );
        ensure!(
            !family.is_lines || made.len() <= 3,
            "{} records",
            made.len()
        );
        Ok(())
    })
}

/// Documents without what their place gives them.
fn of(documents: &[Value]) -> Vec<Value> {
    let mut documents = documents.to_vec();
    for document in &mut documents {
        if let Some(sekisho) = document["sekisho"].as_object_mut() {
            sekisho.remove("offset");
        }
    }
    documents
}

/// Every parser under mutations of its own samples.
fn sources() -> Result<()> {
    let catalog = Catalog::from_dir(Path::new(PARSERS), ParserSettings::default())?;
    let mut samples = Vec::new();
    for case in Case::find(Path::new(PARSERS), "")? {
        let Ok(mut sample) = fs::read(case.folder.join("sample.log")) else {
            continue;
        };
        sample.truncate(SAMPLE_BYTES);
        samples.push((key(&case.folder)?, sample));
    }
    run(|random, input| {
        let Some((key, sample)) = samples.get(random.below(samples.len())) else {
            bail!("no case has a `sample.log`");
        };
        *input = random.mutated(sample);
        // An unreadable archive is refused as a whole: the magic bytes of one may come about.
        match documents(&catalog, key, input) {
            Err(error) if error.to_string().contains("cannot open") => Ok(()),
            ended => ended.map(drop),
        }
    })
}

/// The key of a case.
fn key(folder: &Path) -> Result<String> {
    let text = fs::read_to_string(folder.join("case.toml"))?;
    let case: toml_edit::DocumentMut = text.parse()?;
    let key = case.get("key").and_then(|key| key.as_str());
    Ok(key.unwrap_or(KEY).to_owned())
}
