//! Processes that end at any moment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sekisho_tests::aws::QueueOptions;
use sekisho_tests::proxy::{Fault, Request};
use serde_json::Value;

use crate::chance::Chance;
use crate::consumer::Victim;
use crate::logs;
use crate::site::Site;
use crate::world::World;

sekisho_tests::cases!(World;killed_at_any_moment, a_killer_object_ends_alone);

const KILLS: u64 = 60;

/// Kills the function at requests that the seed chooses, before or after the service has seen them.
struct Reaper {
    chance: Chance,
    victim: Victim,
    /// How many requests pass before the next kill.
    left: u64,
    kills: Arc<AtomicU64>,
}

impl Reaper {
    fn meet(&mut self) -> Fault {
        if self.kills.load(Ordering::Relaxed) >= KILLS {
            return Fault::Pass;
        }
        if self.left > 0 {
            self.left -= 1;
            return Fault::Pass;
        }
        // Some live long enough to hand an object on.
        let longest = if self.chance.below(4) == 0 { 120 } else { 20 };
        self.left = self.chance.below(longest);
        if self.chance.below(4) == 0 {
            let (victim, kills) = (self.victim.clone(), Arc::clone(&self.kills));
            let pause = Duration::from_millis(self.chance.below(60));
            std::thread::spawn(move || {
                std::thread::sleep(pause);
                kills.fetch_add(u64::from(victim.kill()), Ordering::Relaxed);
            });
            return Fault::Pass;
        }
        let has_killed = self.victim.kill();
        self.kills
            .fetch_add(u64::from(has_killed), Ordering::Relaxed);
        // Either the service has seen the last request, or it has not.
        match self.chance.below(2) {
            0 => Fault::Cut,
            _ => Fault::Pass,
        }
    }
}

async fn killed_at_any_moment(world: Arc<World>) -> Result<()> {
    let time = Duration::from_secs(3);
    let queue = QueueOptions {
        visibility: time,
        max_receives: 1000,
    };
    let mut site = Site::new(&world, "killed", queue).await?;
    // Too long for one invocation, packed and plain.
    site.put(logs::flows(3, 1000, 5000)?).await?;
    site.put(logs::flows(3, 1001, 5000)?).await?;
    site.put(logs::requests(3, 1000, 1500)).await?;
    let settings = [
        ("SEKISHO_DELIVERY_RESERVE_MS", "1500"),
        ("SEKISHO_BULK_MAX_BULK_BYTES", "65536"),
        ("SEKISHO_BULK_IN_FLIGHT", "2"),
        ("SEKISHO_LIMITS_BUFFERED_BYTES", "65536"),
    ];
    let began = Instant::now();
    let consumer = site.consumer(10, time, &settings);
    let kills = Arc::new(AtomicU64::new(0));
    let reaper = Arc::new(Mutex::new(Reaper {
        chance: Chance::new("killed")?,
        victim: consumer.victim.clone(),
        left: 10,
        kills: Arc::clone(&kills),
    }));
    watch(&world, &reaper);
    let mut number = 0;
    // New objects come while processes die.
    while kills.load(Ordering::Relaxed) < KILLS && began.elapsed() < Duration::from_secs(120) {
        consumer.check()?;
        if world.aws.waiting(&site.deployment.queue_url).await? < 12 {
            site.put(logs::flows(3, number, 20)?).await?;
            number += 1;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let storm = began.elapsed();
    let quiet = site.quiet(&[&consumer]).await;
    world.to_aws.calm();
    world.to_cluster.calm();
    let tally = consumer.stop()?;
    quiet?;
    let kills = kills.load(Ordering::Relaxed);
    let entries = site.entries().await?;
    let (reads, _) = world.to_aws.passed();
    let reads = reads.iter().filter(|request| is_read(request)).count();
    println!(
        "killed: {kills} kills in {} ms, quiet after {} ms; {} objects, {} records, {} slices, {reads} GETs; {}",
        storm.as_millis(),
        began.elapsed().as_millis(),
        site.objects,
        site.records(),
        entries.len(),
        tally.line()
    );
    ensure!(kills >= 50, "only {kills} kills");
    ensure!(
        entries.len() as u64 >= site.objects + 2,
        "no continuations: {} slices of {} objects",
        entries.len(),
        site.objects
    );
    site.complete().await?;
    let again: Vec<_> = entries
        .iter()
        .filter(|entry| entry["attempts"] != 1)
        .collect();
    ensure!(
        again.is_empty(),
        "slices that were read after their books were closed: {again:#?}"
    );
    Ok(())
}

/// Lets the reaper see every request of the function; writes take a while, so that objects outlast an invocation.
fn watch(world: &World, reaper: &Arc<Mutex<Reaper>>) {
    let meet = |reaper: &Mutex<Reaper>| match reaper.lock() {
        Ok(mut reaper) => reaper.meet(),
        Err(_) => Fault::Pass,
    };
    let at_aws = Arc::clone(reaper);
    world.to_aws.passed();
    world.to_aws.rule(move |_| meet(&at_aws));
    let at_cluster = Arc::clone(reaper);
    world
        .to_cluster
        .rule(move |request| match meet(&at_cluster) {
            Fault::Pass if request.path.contains("/_bulk") => {
                Fault::Delay(Duration::from_millis(50))
            }
            fault => fault,
        });
}

async fn a_killer_object_ends_alone(world: Arc<World>) -> Result<()> {
    let time = Duration::from_secs(20);
    let queue = QueueOptions {
        visibility: time,
        max_receives: 10,
    };
    let mut site = Site::new(&world, "killer", queue).await?;
    let mut killer = String::new();
    for number in 0..100 {
        let log = logs::flows(4, number, 5)?;
        if number == 50 {
            killer.clone_from(&log.key);
            let key = log.key.as_str();
            world.aws.put(&site.deployment, key, &log.bytes).await?;
        } else {
            site.put(log).await?;
        }
    }
    let began = Instant::now();
    let consumer = site.consumer(100, time, &[]);
    let (victim, key) = (consumer.victim.clone(), killer.clone());
    let deaths = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&deaths);
    world.to_aws.passed();
    world.to_aws.rule(move |request| {
        if request.path.contains(&key) {
            counted.fetch_add(u64::from(victim.kill()), Ordering::Relaxed);
            return Fault::Cut;
        }
        Fault::Pass
    });
    let quiet = site.quiet(&[&consumer]).await;
    world.to_aws.calm();
    let tally = consumer.stop()?;
    quiet?;
    let (passed, _) = world.to_aws.passed();
    let reads = passed.iter().filter(|request| is_read(request)).count();
    println!(
        "killer: {} deaths, {reads} GETs of {} objects, {} ms; {}",
        deaths.load(Ordering::Relaxed),
        site.objects + 1,
        began.elapsed().as_millis(),
        tally.line()
    );
    let dead = world.aws.dead_letters(&site.deployment).await?;
    let keys: Vec<_> = dead.iter().map(|body| key_of(body)).collect();
    ensure!(
        keys == [killer.clone()],
        "dead-lettered: {} {keys:?}",
        keys.len()
    );
    site.indexed_once().await?;
    site.audited(&[&killer]).await?;
    site.nothing_quarantined().await
}

fn key_of(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let key = body.pointer("/Records/0/s3/object/key");
    key.and_then(Value::as_str)
        .unwrap_or(&body.to_string())
        .to_owned()
}

/// Tells whether an object of the input is read.
fn is_read(request: &Request) -> bool {
    request.method == "GET" && request.path.contains("/AWSLogs/")
}
