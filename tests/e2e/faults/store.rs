//! A store that refuses, breaks off, and shortens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sekisho_tests::aws::QueueOptions;
use sekisho_tests::proxy::{Fault, Request};

use crate::chance::Chance;
use crate::logs;
use crate::site::Site;
use crate::world::World;

sekisho_tests::cases!(World;a_store_that_breaks_off_loses_nothing);

const SLOW_DOWN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
const FAULTS: u64 = 60;

async fn a_store_that_breaks_off_loses_nothing(world: Arc<World>) -> Result<()> {
    let queue = QueueOptions {
        visibility: Duration::from_secs(20),
        max_receives: 50,
    };
    let mut site = Site::new(&world, "broken-store", queue).await?;
    for number in 0..15 {
        site.put(logs::flows(2, number, 40)?).await?;
        site.put(logs::requests(2, number, 10)).await?;
    }
    let mut chance = Chance::new("broken store")?;
    let faults = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&faults);
    world.to_aws.rule(move |request| {
        let is_chosen = is_read(request) && chance.below(2) == 0;
        if !is_chosen || counted.load(Ordering::Relaxed) >= FAULTS {
            return Fault::Pass;
        }
        counted.fetch_add(1, Ordering::Relaxed);
        match chance.below(7) {
            0 => Fault::Answer(503, SLOW_DOWN),
            1 => Fault::Cut,
            2 => Fault::Lose,
            3 => Fault::Abort(0.1),
            4 => Fault::Abort(0.9),
            _ => Fault::Truncate(0.5),
        }
    });
    let began = Instant::now();
    let consumer = site.consumer(10, Duration::from_secs(20), &[]);
    let quiet = site.quiet(&[&consumer]).await;
    world.to_aws.calm();
    let tally = consumer.stop()?;
    quiet?;
    let faults = faults.load(Ordering::Relaxed);
    println!(
        "broken store: {} objects, {} records, {faults} faults of reads, {} ms; {}",
        site.objects,
        site.records(),
        began.elapsed().as_millis(),
        tally.line()
    );
    ensure!(faults >= 20, "only {faults} faults");
    site.complete().await
}

/// Tells whether an object of the input is read.
fn is_read(request: &Request) -> bool {
    request.method == "GET" && request.path.contains("/AWSLogs/")
}
