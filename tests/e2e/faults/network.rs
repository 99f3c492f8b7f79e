//! Requests that fail now and then, before or after the service has done what they ask.

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

sekisho_tests::cases!(
    World;
    every_request_fails_now_and_then,
    a_slow_cluster_delays_no_object_for_ever,
);

/// One of so many requests fails.
const ONE_OF: u64 = 6;

async fn every_request_fails_now_and_then(world: Arc<World>) -> Result<()> {
    let queue = QueueOptions {
        visibility: Duration::from_secs(15),
        max_receives: 200,
    };
    let mut site = Site::new(&world, "shaky", queue).await?;
    for number in 0..40 {
        site.put(logs::flows(9, number, 30)?).await?;
    }
    let faults = Arc::new(AtomicU64::new(0));
    let rule = |case: &str, status, body| -> Result<_> {
        let mut chance = Chance::new(case)?;
        let faults = Arc::clone(&faults);
        Ok(move |_: &Request| {
            if chance.below(ONE_OF) > 0 {
                return Fault::Pass;
            }
            faults.fetch_add(1, Ordering::Relaxed);
            match chance.below(5) {
                0 => Fault::Answer(status, body),
                1 => Fault::Cut,
                2 => Fault::Lose,
                3 => Fault::Abort(0.5),
                _ => Fault::Delay(Duration::from_millis(200)),
            }
        })
    };
    world.to_aws.rule(rule("shaky aws", 503, "")?);
    world.to_cluster.rule(rule("shaky cluster", 429, "")?);
    world.to_aws.passed();
    world.to_cluster.passed();
    let began = Instant::now();
    let consumer = site.consumer(10, Duration::from_secs(15), &[]);
    let quiet = site.quiet(&[&consumer]).await;
    world.to_aws.calm();
    world.to_cluster.calm();
    let tally = consumer.stop()?;
    quiet?;
    let (at_aws, at_cluster) = (
        world.to_aws.passed().0.len(),
        world.to_cluster.passed().0.len(),
    );
    let faults = faults.load(Ordering::Relaxed);
    println!(
        "shaky: {} records, {faults} faults of {at_aws} requests to AWS and {at_cluster} to the cluster, {} ms; {}",
        site.records(),
        began.elapsed().as_millis(),
        tally.line()
    );
    ensure!(faults >= 15, "only {faults} faults");
    site.complete().await
}

/// What is read until the time is up takes longer to write than the time that is left.
async fn a_slow_cluster_delays_no_object_for_ever(world: Arc<World>) -> Result<()> {
    let time = Duration::from_secs(4);
    let queue = QueueOptions {
        visibility: time,
        max_receives: 10,
    };
    let mut site = Site::new(&world, "slow", queue).await?;
    site.put(logs::flows(10, 0, 800)?).await?;
    let settings = [
        ("SEKISHO_DELIVERY_RESERVE_MS", "2000"),
        ("SEKISHO_BULK_MAX_BULK_BYTES", "16384"),
        ("SEKISHO_BULK_IN_FLIGHT", "1"),
        ("SEKISHO_LIMITS_BUFFERED_BYTES", "65536"),
    ];
    let began = Instant::now();
    world
        .to_cluster
        .rule(|request| match request.path.as_str() {
            path if path.contains("/_bulk") => Fault::Delay(Duration::from_millis(100)),
            _ => Fault::Pass,
        });
    let consumer = site.consumer(10, time, &settings);
    let quiet = site.quiet(&[&consumer]).await;
    world.to_cluster.calm();
    let tally = consumer.stop()?;
    quiet?;
    println!(
        "slow: {} records in {} slices, {} ms; {}",
        site.records(),
        site.entries().await?.len(),
        began.elapsed().as_millis(),
        tally.line()
    );
    site.complete().await
}
