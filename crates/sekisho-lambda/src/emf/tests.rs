//! What is written, checked against the rules of the format.

use std::collections::BTreeSet;

use super::*;
use crate::metric::Function;

/// The rules of the format's JSON schema, and its limits in words.
#[track_caller]
fn check(document: &str) -> Json {
    assert!(document.len() <= 256 * 1024 && !document.contains('\n'));
    let root: Json = serde_json::from_str(document).unwrap();
    let members = |json: &Json, expected: &[&str]| {
        let found: BTreeSet<_> = json.as_object().unwrap().keys().cloned().collect();
        let expected: BTreeSet<_> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    };
    members(&root["_aws"], &["Timestamp", "CloudWatchMetrics"]);
    assert!(root["_aws"]["Timestamp"].is_u64());
    for directive in root["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        members(directive, &["Namespace", "Dimensions", "Metrics"]);
        let namespace = directive["Namespace"].as_str().unwrap();
        assert!((1..=256).contains(&namespace.len()));
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for name in sets.iter().flat_map(|set| set.as_array().unwrap()) {
            let name = name.as_str().unwrap();
            assert!((1..=250).contains(&name.len()));
            let value = root[name].as_str().unwrap();
            assert!((1..=1024).contains(&value.len()));
        }
        assert!(sets.iter().all(|set| set.as_array().unwrap().len() <= 30));
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            members(metric, &["Name", "Unit"]);
            let name = metric["Name"].as_str().unwrap();
            assert!((1..=1024).contains(&name.len()));
            let units = ["Count", "Bytes", "Milliseconds", "Seconds"];
            assert!(units.contains(&metric["Unit"].as_str().unwrap()));
            match &root[name] {
                Json::Array(values) => {
                    assert!(
                        (1..=100).contains(&values.len()) && values.iter().all(Json::is_number)
                    );
                }
                value => assert!(value.is_number(), "{name}"),
            }
        }
    }
    root
}

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 5_000_000).unwrap()
}

#[test]
fn numbers_are_written_also_as_zero_and_samples_only_where_there_are_some() {
    let mut numbers = Numbers::new(Function::Ingest);
    numbers.add(Metric::Records, 7);
    numbers.sample(Metric::DeliveryDelay, Duration::from_millis(12_345));
    numbers.add_of("aws.waf", Metric::SourceRecords, 7);
    numbers.add_of("aws.waf", Metric::SourceRecords, 1);
    let documents = documents(&numbers, "sekisho", at());
    let [all, source] = documents.as_slice() else {
        panic!("{documents:?}")
    };
    let all = check(all);
    assert_eq!(all["_aws"]["Timestamp"], 1_780_000_000_005_u64);
    assert_eq!(all["Installation"], "sekisho");
    assert_eq!((&all["Records"], &all["Indexed"]), (&json!(7), &json!(0)));
    assert_eq!(all["BrakedSeconds"], 0);
    assert_eq!(all["DeliveryDelay"], json!([12.345]));
    let absent = ["ObjectMilliseconds", "SourceRecords", "Parked", "Source"];
    assert!(absent.iter().all(|name| all.get(name).is_none()));
    let source = check(source);
    assert_eq!(source["Source"], "aws.waf");
    assert_eq!(source["SourceRecords"], 8);
    assert_eq!(source["SourceRaw"], 0);
}

#[test]
fn the_bytes_of_a_document() {
    let mut numbers = Numbers::new(Function::Apply);
    numbers.add(Metric::ApplyChanged, 3);
    let expected = json!({
        "_aws": {
            "Timestamp": 1_780_000_000_005_u64,
            "CloudWatchMetrics": [{
                "Namespace": "Sekisho",
                "Dimensions": [["Installation"]],
                "Metrics": [
                    {"Name": "ApplyFailed", "Unit": "Count"},
                    {"Name": "ApplyChanged", "Unit": "Count"},
                ],
            }],
        },
        "Installation": "siem",
        "ApplyFailed": 0,
        "ApplyChanged": 3,
    });
    let documents = documents(&numbers, "siem", at());
    assert_eq!(documents.len(), 1);
    assert_eq!(check(&documents[0]), expected);
}

#[test]
fn a_million_samples_are_a_hundred_with_the_least_and_the_greatest() {
    let mut numbers = Numbers::new(Function::Ingest);
    for n in 0..1_000_000_u64 {
        numbers.sample(Metric::ObjectMilliseconds, Duration::from_millis(n ^ 1));
    }
    let root = check(&documents(&numbers, "sekisho", at())[0]);
    let values = root["ObjectMilliseconds"].as_array().unwrap();
    assert_eq!(values.len(), 100);
    assert_eq!((&values[0], &values[99]), (&json!(0), &json!(999_999)));
    assert!(values[50].as_u64().unwrap().abs_diff(505_050) < 2);
}

#[test]
fn every_number_of_each_function_is_one_document() {
    for function in [Function::Ingest, Function::Replay, Function::Apply] {
        let root = check(&documents(&Numbers::new(function), "x", at())[0]);
        for metric in Metric::ALL.iter().filter(|one| one.function() == function) {
            let is_written = metric.shape() == crate::metric::Shape::Number
                && metric.dimensions() == Dimensions::Installation;
            assert_eq!(root.get(metric.name()).is_some(), is_written, "{metric:?}");
        }
    }
}
