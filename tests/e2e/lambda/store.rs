//! The product's own S3 code against a store that speaks S3.

use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use sekisho_config::QuarantineSettings;
use sekisho_event::ObjectRef;
use sekisho_object::{ErrorClass, ObjectStore};
use sekisho_pipeline::{Digest, QuarantineEntry};

use crate::world::World;

sekisho_tests::cases!(
    World;
    a_read_is_pinned_by_etag,
    a_read_is_pinned_by_version,
    a_large_body_streams_whole,
    a_listing_is_whole,
    the_quarantine_keeps_one_entry,
);

async fn bucket(world: &World, name: &str) -> Result<aws_sdk_s3::Client> {
    let s3 = world.aws.s3();
    s3.create_bucket().bucket(name).send().await?;
    Ok(s3)
}

async fn read(world: &World, object: ObjectRef) -> Result<Vec<u8>, ErrorClass> {
    let store = world.session().store();
    let open = store.open(&object).await.map_err(|error| error.class())?;
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        open.body.into_read().read_to_end(&mut bytes).map(|_| bytes)
    });
    read.await
        .ok()
        .and_then(Result::ok)
        .ok_or(ErrorClass::Retry)
}

async fn a_read_is_pinned_by_etag(world: Arc<World>) -> Result<()> {
    let s3 = bucket(&world, "etag").await?;
    let put = || s3.put_object().bucket("etag").key("a b+c/日本");
    let first = put().body(b"one".to_vec().into()).send().await?;
    let etag = first
        .e_tag()
        .context("no etag")?
        .trim_matches('"')
        .to_owned();
    let object = ObjectRef {
        etag: Some(etag),
        ..ObjectRef::new("etag", "a b+c/日本")
    };
    ensure!(read(&world, object.clone()).await == Ok(b"one".to_vec()));
    put().body(b"two".to_vec().into()).send().await?;
    ensure!(read(&world, object).await == Err(ErrorClass::Superseded));
    ensure!(read(&world, ObjectRef::new("etag", "a b+c/日本")).await == Ok(b"two".to_vec()));
    ensure!(read(&world, ObjectRef::new("etag", "gone")).await == Err(ErrorClass::Missing));
    ensure!(read(&world, ObjectRef::new("no-such-bucket", "k")).await == Err(ErrorClass::Missing));
    Ok(())
}

async fn a_read_is_pinned_by_version(world: Arc<World>) -> Result<()> {
    let s3 = bucket(&world, "versions").await?;
    let versioning = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    s3.put_bucket_versioning()
        .bucket("versions")
        .versioning_configuration(versioning)
        .send()
        .await?;
    let put = || s3.put_object().bucket("versions").key("k");
    let first = put().body(b"one".to_vec().into()).send().await?;
    put().body(b"two".to_vec().into()).send().await?;
    let version_id = first.version_id().map(str::to_owned);
    ensure!(version_id.is_some(), "the bucket keeps no versions");
    let object = ObjectRef {
        version_id,
        ..ObjectRef::new("versions", "k")
    };
    ensure!(read(&world, object).await == Ok(b"one".to_vec()));
    Ok(())
}

async fn a_large_body_streams_whole(world: Arc<World>) -> Result<()> {
    let s3 = bucket(&world, "large").await?;
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    s3.put_object()
        .bucket("large")
        .key("k")
        .body(bytes.clone().into())
        .send()
        .await?;
    ensure!(read(&world, ObjectRef::new("large", "k")).await == Ok(bytes));
    Ok(())
}

async fn a_listing_is_whole(world: Arc<World>) -> Result<()> {
    let s3 = bucket(&world, "listing").await?;
    for number in 0..1_003 {
        s3.put_object()
            .bucket("listing")
            .key(format!("p/{number:04}"))
            .body(b"x".to_vec().into())
            .send()
            .await?;
    }
    for key in ["p/a b+c%2F日本", "p/folder/", "q/other"] {
        let body = if key.ends_with('/') {
            Vec::new()
        } else {
            b"x".to_vec()
        };
        s3.put_object()
            .bucket("listing")
            .key(key)
            .body(body.into())
            .send()
            .await?;
    }
    let mut list = world.session().list("s3://listing/p/".parse()?);
    let mut objects = Vec::new();
    while let Some(page) = list.next_page().await? {
        objects.extend(page);
    }
    ensure!(objects.len() == 1_004, "{} objects", objects.len());
    ensure!(
        objects.iter().any(|object| object.key == "p/a b+c%2F日本"),
        "a key came altered"
    );
    ensure!(
        objects
            .iter()
            .all(|object| object.etag.is_some() && object.size == Some(1)),
        "a pin is missing"
    );
    Ok(())
}

async fn the_quarantine_keeps_one_entry(world: Arc<World>) -> Result<()> {
    let s3 = bucket(&world, "kept").await?;
    let settings = QuarantineSettings {
        bucket: "kept".to_owned(),
        prefix: "quarantine/".to_owned(),
    };
    let quarantine = world.session().quarantine(&settings);
    let entry = QuarantineEntry {
        object: ObjectRef::new("b", "k"),
        offset: 3,
        length: 2,
        reason: "too long".to_owned(),
        parser: "aws.waf".to_owned(),
        bytes: b"ab".to_vec(),
        digest: Digest::of(b"ab"),
    };
    for _ in 0..2 {
        quarantine.put(entry.clone()).await?;
    }
    let listed = s3
        .list_objects_v2()
        .bucket("kept")
        .prefix("quarantine/b/")
        .send()
        .await?;
    ensure!(
        listed.contents().len() == 1,
        "{} entries",
        listed.contents().len()
    );
    Ok(())
}
