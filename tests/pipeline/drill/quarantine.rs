//! Quarantined records, read again after a fix.

use sekisho_tests::fake::{Rule, Symptom};

use crate::installation::{Installation, notification};

/// Refuses every document that holds this text, also raw.
fn refuse(drill: &Installation, text: &str) {
    drill.cluster.set_rules(vec![Rule {
        index: String::new(),
        field: "*".to_owned(),
        symptom: Symptom::Holds(text.to_owned()),
        named: false,
    }]);
}

async fn load(drill: &Installation, key: &str, texts: &[&str]) {
    let lines = texts
        .iter()
        .map(|text| format!("{{\"time\":\"2026-11-23T05:00:00Z\",\"id\":\"{text}\"}}\n"));
    let bytes: String = lines.collect();
    let object = drill.store.put("logs", key, bytes, drill.clock.time());
    drill.queue.put(notification(&object));
    drill.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_fixed_cause_empties_the_quarantine() {
    let drill = Installation::new(3);
    refuse(&drill, "bad");
    let texts = [
        "one",
        "bad two",
        "bad three",
        "four",
        "bad five",
        "worse six bad",
    ];
    load(&drill, "app/2026/11/23/a.log", &texts).await;
    load(&drill, "app/2026/11/23/gone.log", &["bad gone"]).await;
    load(&drill, "app/2026/11/23/newer.log", &["bad older"]).await;
    assert_eq!(drill.files.keys("quarantine/").len(), 6);
    assert_eq!(drill.documents().len(), 2);
    drill.store.remove("logs", "app/2026/11/23/gone.log");
    drill.put("app/2026/11/23/newer.log", "newer");

    // Not all of it is fixed.
    refuse(&drill, "worse");
    let report = drill.replay_quarantine().await;
    let counts = (
        report.done,
        report.stayed,
        report.source_gone,
        report.failed,
    );
    assert_eq!(counts, (3, 1, 2, 0), "{report:?}");
    let documents = drill.documents();
    assert_eq!(documents.len(), 5);
    assert!(documents.values().all(|count| *count == 1), "{documents:?}");
    let left = drill.files.keys("quarantine/");
    assert_eq!(left.len(), 3);
    let marked = left.iter().filter(|key| {
        let bytes = drill.files.bytes(key).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["source_gone"] == true
    });
    assert_eq!(marked.count(), 2);

    // Now it is; what is gone stays for people to read.
    drill.cluster.set_rules(Vec::new());
    let report = drill.replay_quarantine().await;
    assert_eq!((report.done, report.source_gone), (1, 2), "{report:?}");
    assert_eq!(drill.documents().len(), 6);
    assert_eq!(drill.files.keys("quarantine/").len(), 2);
}
