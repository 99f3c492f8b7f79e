//! A cluster that dies, refuses, and is slower than its load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sekisho_bulk::Method;
use sekisho_tests::aws::QueueOptions;
use sekisho_tests::node::End;
use sekisho_tests::proxy::Fault;
use serde_json::{Value, json};

use crate::consumer::Consumer;
use crate::logs;
use crate::site::Site;
use crate::world::World;

sekisho_tests::cases!(
    World;
    blocks_send_messages_back_until_they_are_lifted,
    a_retired_index_gets_a_late_one,
    a_node_killed_under_load,
    a_node_restarted_under_load_with_a_tiny_queue,
);

const TIME: Duration = Duration::from_secs(10);
const QUEUE: QueueOptions = QueueOptions {
    visibility: Duration::from_secs(10),
    max_receives: 100,
};

async fn set(world: &World, index: &str, setting: &str, value: Value) -> Result<()> {
    let path = format!("/{index}/_settings");
    let body = json!({ setting: value });
    world.cluster.must(Method::Put, &path, Some(body)).await?;
    Ok(())
}

/// Waits until the consumer has given back so many messages more.
async fn failures(consumer: &Consumer, more: u64) -> Result<()> {
    let (before, began) = (consumer.tally.failed(), Instant::now());
    while consumer.tally.failed() < before + more {
        consumer.check()?;
        ensure!(
            began.elapsed() < Duration::from_secs(30),
            "nothing is given back"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn blocks_send_messages_back_until_they_are_lifted(world: Arc<World>) -> Result<()> {
    let mut site = Site::new(&world, "blocked", QUEUE).await?;
    let consumer = site.consumer(10, TIME, &[]);
    site.put(logs::flows(5, 0, 20)?).await?;
    site.quiet(&[&consumer]).await?;
    let index = "log-aws-vpcflowlogs-2026.11.05";
    let mut number = 1;
    for block in ["index.blocks.write", "index.blocks.read_only_allow_delete"] {
        let began = Instant::now();
        set(&world, index, block, json!(true)).await?;
        for _ in 0..10 {
            site.put(logs::flows(5, number, 20)?).await?;
            number += 1;
        }
        failures(&consumer, 15).await?;
        site.nothing_quarantined().await?;
        let blocked = began.elapsed();
        set(&world, index, block, Value::Null).await?;
        site.quiet(&[&consumer]).await?;
        site.complete().await?;
        println!(
            "blocked: `{block}` for {} ms, all indexed {} ms after it was lifted; {}",
            blocked.as_millis(),
            (began.elapsed() - blocked).as_millis(),
            consumer.tally.line()
        );
    }
    consumer.stop()?;
    Ok(())
}

async fn a_retired_index_gets_a_late_one(world: Arc<World>) -> Result<()> {
    let mut site = Site::new(&world, "retired", QUEUE).await?;
    let consumer = site.consumer(10, TIME, &[]);
    for number in 0..5 {
        site.put(logs::flows(6, number, 20)?).await?;
    }
    site.quiet(&[&consumer]).await?;
    let index = "log-aws-vpcflowlogs-2026.11.06";
    let actions = json!({ "actions": [{ "add": { "index": index, "alias": "sekisho-retired" } }] });
    world
        .cluster
        .must(Method::Post, "/_aliases", Some(actions))
        .await?;
    set(&world, index, "index.blocks.write", json!(true)).await?;
    // The same ones again, and others.
    for number in 0..10 {
        let log = logs::flows(6, number, 20)?;
        let is_known = number < 5;
        site.put(log).await?;
        site.objects -= u64::from(is_known);
    }
    site.quiet(&[&consumer]).await?;
    site.complete().await?;
    let late = format!("{index}-late");
    let of_this = json!({ "prefix": { "log.file.path": "s3://retired/" } });
    let late = world.cluster.count(&late, of_this).await?;
    ensure!(late == 100, "{late} late documents, expected 100");
    let tally = consumer.stop()?;
    println!("retired: {late} late documents; {}", tally.line());
    Ok(())
}

/// Waits until so many bulk requests have passed; the last one is held back meanwhile, so that it is under way.
async fn writing(world: &World, requests: u64) -> Result<()> {
    let passed = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&passed);
    world.to_cluster.rule(move |request| {
        if !request.path.contains("/_bulk") {
            return Fault::Pass;
        }
        match counted.fetch_add(1, Ordering::Relaxed) {
            count if count + 1 >= requests => Fault::Delay(Duration::from_millis(100)),
            _ => Fault::Pass,
        }
    });
    let began = Instant::now();
    while passed.load(Ordering::Relaxed) < requests {
        ensure!(
            began.elapsed() < Duration::from_secs(60),
            "nothing is written"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn a_node_killed_under_load(world: Arc<World>) -> Result<()> {
    let mut site = Site::new(&world, "dying-node", QUEUE).await?;
    for number in 0..30 {
        site.put(logs::flows(7, number, 50)?).await?;
    }
    let began = Instant::now();
    let consumers = [site.consumer(5, TIME, &[]), site.consumer(5, TIME, &[])];
    writing(&world, 5).await?;
    world.stop_node(End::Kill)?;
    for number in 30..40 {
        site.put(logs::flows(7, number, 50)?).await?;
    }
    failures(&consumers[0], 5).await?;
    world.start_node(&[])?;
    let back = Instant::now();
    world.to_cluster.calm();
    let [first, second] = consumers;
    site.quiet(&[&first, &second]).await?;
    println!(
        "dying node: {} records, {} ms, quiet {} ms after the node was back; {}; {}",
        site.records(),
        began.elapsed().as_millis(),
        back.elapsed().as_millis(),
        first.stop()?.line(),
        second.stop()?.line()
    );
    site.complete().await
}

async fn a_node_restarted_under_load_with_a_tiny_queue(world: Arc<World>) -> Result<()> {
    let mut site = Site::new(&world, "tiny-queue", QUEUE).await?;
    for number in 0..20 {
        // Fifteen indices: one request is as many writes for the node.
        site.put(logs::flows_of_days(8, 15, number, 120)?).await?;
    }
    let began = Instant::now();
    let settings = [("SEKISHO_BULK_MAX_BULK_BYTES", "40000")];
    let consumers = [
        site.consumer(5, TIME, &settings),
        site.consumer(5, TIME, &settings),
    ];
    writing(&world, 5).await?;
    world.stop_node(End::Terminate)?;
    world.start_node(&[
        ("thread_pool.write.size", "1"),
        ("thread_pool.write.queue_size", "2"),
    ])?;
    world.to_cluster.calm();
    world.to_cluster.passed();
    let back = Instant::now();
    let [first, second] = consumers;
    site.quiet(&[&first, &second]).await?;
    let rejected = rejected(&world).await?;
    let (passed, at_once) = world.to_cluster.passed();
    let bulks = passed
        .iter()
        .filter(|request| request.path.contains("/_bulk"))
        .count();
    println!(
        "tiny queue: {} records, {rejected} writes rejected, {bulks} bulk requests, at most {at_once} at once, {} ms, quiet {} ms after the node was back; {}; {}",
        site.records(),
        began.elapsed().as_millis(),
        back.elapsed().as_millis(),
        first.stop()?.line(),
        second.stop()?.line()
    );
    ensure!(rejected > 20, "only {rejected} writes were rejected");
    // Two functions with four requests each would be eight, were it not for the rejections.
    ensure!(at_once < 8, "{at_once} requests at once");
    ensure!(bulks < 600, "a storm of {bulks} bulk requests");
    site.complete().await
}

/// How many writes the node has refused for its full queue.
async fn rejected(world: &World) -> Result<u64> {
    let stats = world
        .cluster
        .must(Method::Get, "/_nodes/stats/thread_pool", None)
        .await?;
    let nodes = stats.get("nodes").and_then(Value::as_object);
    let nodes = nodes.context("stats without nodes")?.values();
    Ok(nodes
        .filter_map(|node| node.pointer("/thread_pool/write/rejected")?.as_u64())
        .sum())
}
