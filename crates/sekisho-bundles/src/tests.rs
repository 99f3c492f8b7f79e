//! Publishing, going back, and the set in work, against a store in memory that changes and fails on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use sekisho_parser::{Catalog, ParserFiles, ParserSettings, Route};

use crate::{
    Bundle, BundleError, BundleStore, Draft, Found, History, OnlyIf, POINTER_KEY, Parsers, Put,
    StoreError,
};

#[derive(Default)]
struct Memory {
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// Which keys cannot be read.
    broken: Mutex<Option<&'static str>>,
    reads: Mutex<Vec<String>>,
}

impl Memory {
    /// Changes an object behind everybody's back.
    fn set(&self, key: &str, bytes: Option<Bytes>) {
        let mut objects = self.objects.lock().unwrap();
        match bytes {
            Some(bytes) => objects.insert(key.to_owned(), bytes),
            None => objects.remove(key),
        };
    }
}

fn etag(bytes: &Bytes) -> String {
    format!(
        "{:x}-{}",
        bytes.len(),
        bytes.iter().map(|b| u64::from(*b)).sum::<u64>()
    )
}

#[async_trait]
impl BundleStore for Memory {
    async fn get(&self, key: &str, unless: Option<&str>) -> Result<Found, StoreError> {
        self.reads.lock().unwrap().push(key.to_owned());
        if self
            .broken
            .lock()
            .unwrap()
            .is_some_and(|part| key.contains(part))
        {
            return Err("no answer".into());
        }
        Ok(match self.objects.lock().unwrap().get(key) {
            None => Found::Nothing,
            Some(bytes) if unless == Some(&etag(bytes)) => Found::Unchanged,
            Some(bytes) => Found::Object {
                bytes: bytes.clone(),
                etag: etag(bytes),
            },
        })
    }

    async fn put(&self, key: &str, bytes: Bytes, only_if: OnlyIf) -> Result<Put, StoreError> {
        let mut objects = self.objects.lock().unwrap();
        let is = match (&only_if, objects.get(key)) {
            (OnlyIf::Absent, None) => true,
            (OnlyIf::Etag(expected), Some(now)) => *expected == etag(now),
            _ => false,
        };
        if !is {
            return Ok(Put::Refused);
        }
        objects.insert(key.to_owned(), bytes);
        Ok(Put::Done)
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-24T08:00:00Z".parse().unwrap()
}

fn builtin() -> Catalog {
    Catalog::from_files(
        vec![files("acme.all", "**/x/**")],
        ParserSettings::default(),
    )
    .unwrap()
}

fn files(dataset: &str, key: &str) -> ParserFiles {
    let spec = format!(
        "[source]\ndataset = \"{dataset}\"\ntitle = \"x\"\nreference = \"https://example.com\"\nindex = \"log-{}\"\n[match]\nkeys = [\"{key}\"]\n[record]\nformat = \"lines\"\n",
        dataset.replace('.', "-")
    );
    ParserFiles {
        folder: dataset.replace('.', "/"),
        spec,
        ..ParserFiles::default()
    }
}

async fn publish(store: &Memory, dataset: &str, key: &str) -> Result<Draft, BundleError> {
    let draft = Draft::publish(store, &builtin(), files(dataset, key), now()).await?;
    draft.commit(store).await?;
    Ok(draft)
}

fn route(catalog: &Catalog, key: &str) -> String {
    match catalog.route(key) {
        Route::Parser(choice, _) => choice.parser.dataset().to_owned(),
        Route::Held(held) => format!("held {}", held.dataset()),
        Route::Excluded { .. } => "excluded".to_owned(),
        Route::Unclaimed => "unclaimed".to_owned(),
    }
}

fn running(store: &Arc<Memory>) -> Parsers {
    let store = Arc::clone(store) as Arc<dyn BundleStore>;
    Parsers::new(Arc::new(builtin()), store, Duration::from_secs(60))
}

async fn routes(parsers: &Parsers, keys: [&str; 2]) -> [String; 2] {
    let current = parsers.current().await.unwrap();
    keys.map(|key| route(&current.catalog, key))
}

#[test]
fn equal_folders_have_equal_digests_and_a_bundle_gives_back_its_folder() {
    let mut folder = files("acme.door", "door/**");
    folder.tables.insert("a.csv".to_owned(), "k,v\n".to_owned());
    folder.script = Some(".x = 1".to_owned());
    let bundle = Bundle::new(folder.clone());
    assert_eq!(bundle.digest(), Bundle::new(folder.clone()).digest());
    assert_eq!(bundle.digest().len(), 64);
    let text = String::from_utf8(bundle.to_bytes().to_vec()).unwrap();
    assert!(
        text.starts_with(r#"{"engine":1,"files":{"a.csv":"#),
        "{text}"
    );
    let parser = Bundle::read(&bundle.to_bytes(), &bundle.digest()).unwrap();
    assert_eq!(*parser.files(), folder);
    folder.spec.push('\n');
    assert_ne!(bundle.digest(), Bundle::new(folder).digest());
}

#[tokio::test]
async fn publish_adds_versions_and_rollback_returns_to_where_each_came_from() {
    let store = Memory::default();
    publish(&store, "acme.door", "door/**").await.unwrap();
    publish(&store, "acme.gate", "gate/**").await.unwrap();
    let again = publish(&store, "acme.gate", "gate/**").await.unwrap();
    assert!(!again.changes);
    let base = builtin();
    let back = |to| Draft::roll_back(&store, &base, to);
    async fn current(store: &Memory) -> (u64, usize) {
        let pointer = History::read(store).await.unwrap().pointer;
        (pointer.current, pointer.parsers().len())
    }
    assert_eq!(current(&store).await, (2, 2));
    let draft = back(None).await.unwrap();
    assert_eq!(route(&draft.before.catalog, "gate/a"), "acme.gate");
    assert_eq!(route(&draft.after.catalog, "gate/a"), "unclaimed");
    draft.commit(&store).await.unwrap();
    assert_eq!(current(&store).await, (1, 1));
    publish(&store, "acme.yard", "yard/**").await.unwrap();
    assert_eq!(current(&store).await, (3, 2));
    for expected in [(1, 1), (0, 0)] {
        back(None).await.unwrap().commit(&store).await.unwrap();
        assert_eq!(current(&store).await, expected);
    }
    assert!(matches!(
        back(None).await,
        Err(BundleError::NoVersion { .. })
    ));
    assert!(matches!(
        back(Some(9)).await,
        Err(BundleError::NoVersion { .. })
    ));
    back(Some(3)).await.unwrap().commit(&store).await.unwrap();
    assert_eq!(current(&store).await, (3, 2));
    let draft = Draft::withdraw(&store, &base, "acme.door", now());
    let draft = draft.await.unwrap();
    assert_eq!(route(&draft.after.catalog, "yard/a"), "acme.yard");
    draft.commit(&store).await.unwrap();
    assert_eq!(current(&store).await, (4, 1));
    let again = Draft::withdraw(&store, &base, "acme.door", now()).await;
    assert!(matches!(again, Err(BundleError::NoVersion { .. })));
}

#[tokio::test]
async fn two_publishers_do_not_overwrite_each_other() {
    let store = Memory::default();
    for first in ["acme.door", "acme.gate"] {
        let key = format!("{first}/**");
        let base = builtin();
        let slow = Draft::publish(&store, &base, files("acme.yard", "yard/**"), now());
        let slow = slow.await.unwrap();
        publish(&store, first, &key).await.unwrap();
        assert!(matches!(slow.commit(&store).await, Err(BundleError::Moved)));
    }
}

#[tokio::test]
async fn a_tie_is_not_published() {
    let store = Memory::default();
    let tie = publish(&store, "acme.door", "**/x/**").await;
    assert!(matches!(tie, Err(BundleError::Unfit(_))));
    let broken = publish(&store, "acme.door", "[").await;
    assert!(matches!(broken, Err(BundleError::Parser { .. })));
    assert!(store.objects.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_published_is_in_work_within_a_minute_and_asked_for_no_oftener() {
    let store = Arc::new(Memory::default());
    let parsers = running(&store);
    let keys = ["door/a", "a/x/b"];
    assert_eq!(routes(&parsers, keys).await, ["unclaimed", "acme.all"]);
    publish(&store, "acme.door", "door/**").await.unwrap();
    store.reads.lock().unwrap().clear();
    assert_eq!(routes(&parsers, keys).await, ["unclaimed", "acme.all"]);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(routes(&parsers, keys).await, ["acme.door", "acme.all"]);
    assert_eq!(store.reads.lock().unwrap().len(), 2);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(routes(&parsers, keys).await, ["acme.door", "acme.all"]);
    assert_eq!(store.reads.lock().unwrap().len(), 3, "the bundle is known");
}

#[tokio::test(start_paused = true)]
async fn a_bad_bundle_holds_its_own_keys_until_it_is_mended() {
    let store = Arc::new(Memory::default());
    publish(&store, "acme.door", "door/**").await.unwrap();
    publish(&store, "acme.gate", "gate/**").await.unwrap();
    let good = files("acme.door", "door/**");
    let bundle = Bundle::new(good);
    let key = Bundle::key(&bundle.digest());
    let newer = |text: String| text.replacen("\"engine\":1", "\"engine\":99", 1);
    let text = String::from_utf8(bundle.to_bytes().to_vec()).unwrap();
    for (bytes, word) in [
        (Some(newer(text.clone())), "somebody changed them"),
        (None, "is not there"),
    ] {
        store.set(&key, bytes.map(Bytes::from));
        let parsers = running(&store);
        let current = parsers.current().await.unwrap();
        assert_eq!(current.refused.len(), 1);
        assert_eq!(current.refused[0].object, key);
        assert!(current.refused[0].reason.contains(word), "{current:?}");
        assert!(
            current.refused[0]
                .reason
                .contains("sekisho parser rollback")
        );
        let keys = ["door/x/a", "gate/a"];
        assert_eq!(
            routes(&parsers, keys).await,
            ["held acme.door", "acme.gate"]
        );
        store.set(&key, Some(bundle.to_bytes()));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(routes(&parsers, keys).await, ["acme.door", "acme.gate"]);
        assert!(parsers.current().await.unwrap().refused.is_empty());
    }
}

#[test]
fn a_bundle_of_a_newer_engine_says_so_whatever_else_it_holds() {
    let text = r#"{"engine":99,"parts":[]}"#;
    let digest: String = {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let error = Bundle::read(text.as_bytes(), &digest).unwrap_err();
    assert!(error.to_string().contains("needs engine 99"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn without_the_pointer_a_running_process_goes_on_and_a_new_one_waits() {
    let store = Arc::new(Memory::default());
    publish(&store, "acme.door", "door/**").await.unwrap();
    let parsers = running(&store);
    let keys = ["door/a", "a/x/b"];
    let known = ["acme.door", "acme.all"];
    assert_eq!(routes(&parsers, keys).await, known);
    *store.broken.lock().unwrap() = Some("current");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(routes(&parsers, keys).await, known);
    let refused = parsers.current().await.unwrap().refused;
    assert_eq!(refused[0].object, POINTER_KEY);
    assert!(refused[0].reason.contains("no answer"), "{refused:?}");
    assert!(running(&store).current().await.is_err());
    *store.broken.lock().unwrap() = None;
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(parsers.current().await.unwrap().refused.is_empty());
    for bytes in [
        None,
        Some("{}"),
        Some(r#"{"format":2,"current":0,"versions":[]}"#),
    ] {
        store.set(POINTER_KEY, bytes.map(Bytes::from));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(routes(&parsers, keys).await, known);
        assert_eq!(parsers.current().await.unwrap().refused.len(), 1);
    }
}
