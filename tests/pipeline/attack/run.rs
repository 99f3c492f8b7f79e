//! Runs cases, one seed each.

use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use sekisho_tests::fake::Document;

use crate::case::{Case, cases};
use crate::check::check;
use crate::storm::Figures;
use crate::world::World;

/// What CI runs.
const CASES: u64 = 250;

/// A build without optimization shrinks some dozen times a second.
const MAX_SHRINKS: u32 = 500;

/// And must not take for ever where a case never becomes quiet.
const MAX_SHRINK_MS: u32 = 20_000;

/// What all cases together met.
#[derive(Debug, Default)]
struct Sum {
    cases: u64,
    figures: Figures,
    documents: usize,
    quarantined: usize,
    parked: usize,
    slices: usize,
    /// Slices that do not begin at an object's start.
    continued: usize,
    /// Documents beside a retired index.
    late: usize,
    /// Requests of replay that deleted dead letters.
    dead_lettered: u64,
}

fn run(case: &Case, sum: Option<&Mutex<Sum>>) -> Result<(), (Vec<String>, String)> {
    let mut world = World::new(case);
    world.run();
    let wrong = check(&world);
    let installation = &world.installation;
    if let Some(sum) = sum {
        let count = |start: &str| {
            let held = installation
                .cluster
                .documents(|index| index.starts_with(start));
            held.len()
        };
        let mut sum = sum.lock().unwrap();
        sum.cases += 1;
        sum.figures += installation.storm.figures();
        let slices = installation
            .cluster
            .documents(|index| index.starts_with("sekisho-ledger-"));
        let is_continued = |slice: &&Document| slice.source["start"].as_u64() > Some(0);
        sum.continued += slices.values().filter(is_continued).count();
        sum.slices += slices.len();
        sum.documents += count("log-");
        sum.late += installation
            .cluster
            .documents(|index| index.ends_with("-late"))
            .len();
        let deletes = installation.dead_letters.requests();
        sum.dead_lettered += deletes.get("delete").copied().unwrap_or_default();
        sum.quarantined += installation.files.keys("quarantine/").len();
        sum.parked += installation.files.keys("parked/").len();
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err((wrong, installation.storm.trace()))
}

/// Runs the case of one seed; where it fails, the smallest that still does.
fn seeded(seed: u64, sum: &Mutex<Sum>) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        max_shrink_iters: MAX_SHRINKS,
        max_shrink_time: MAX_SHRINK_MS,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, random);
    let tree = cases().new_tree(&mut runner).unwrap();
    let first = Mutex::new(Some(sum));
    let last = Mutex::new(String::new());
    let ended = runner.run_one(tree, |case| {
        let sum = first.lock().unwrap().take();
        run(&case, sum).map_err(|(wrong, trace)| {
            let wrong = wrong.join("\n");
            *last.lock().unwrap() = format!("{wrong}\n\n{trace}");
            TestCaseError::fail(wrong)
        })
    });
    match ended {
        Ok(_) => Ok(()),
        Err(TestError::Fail(_, case)) => {
            // The last case that was tried need not be the smallest one that fails.
            let (wrong, trace) = run(&case, None).err().unwrap_or_else(|| {
                let last = last.lock().unwrap().clone();
                (vec!["it passes when run again".to_owned()], last)
            });
            Err(format!(
                "seed {seed} (SEKISHO_ATTACK_SEED={seed} SEKISHO_ATTACK_CASES=1)\n{}\n\n{trace}\n\nWRONG with seed {seed}:\n{}",
                show(&case),
                wrong.join("\n")
            ))
        }
        Err(TestError::Abort(reason)) => Err(format!("seed {seed}: {reason}")),
    }
}

/// A line for each object.
fn show(case: &Case) -> String {
    let mut lines: Vec<String> = case.objects.iter().map(|one| format!("{one:?}")).collect();
    let Case {
        weather,
        limits,
        steps,
        versioned,
        oddities,
        ..
    } = case;
    lines.push(format!("{weather:?}"));
    lines.push(format!("{limits:?}"));
    lines.push(format!(
        "steps: {steps}, versioned: {versioned}, {oddities:?}"
    ));
    lines.join("\n")
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a test runs is no setting of the product"
)]
fn of_environment<T: FromStr>(name: &str, default: T) -> T {
    let value = std::env::var(name).ok();
    value.and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn nothing_is_lost_and_nothing_doubled_whatever_fails() {
    let first: u64 = of_environment("SEKISHO_ATTACK_SEED", 1);
    let last = first + of_environment("SEKISHO_ATTACK_CASES", CASES);
    let next = AtomicU64::new(first);
    let sum = Mutex::new(Sum::default());
    let failed = Mutex::new(Vec::new());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while failed.lock().unwrap().is_empty() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        break;
                    }
                    if let Err(text) = seeded(seed, &sum) {
                        failed.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap();
    println!("{sum:?} in {:.1?}", start.elapsed());
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
