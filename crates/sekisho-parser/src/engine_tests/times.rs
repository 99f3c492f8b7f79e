//! Where a record's time comes from, and which zone it means.

use chrono_tz::Tz;

use super::*;

fn made_in(zone: Option<Tz>, spec: &str, record: &Value) -> Made {
    let settings = ParserSettings {
        timezones: zone
            .map(|zone| ("aws.test".into(), zone))
            .into_iter()
            .collect(),
        ..ParserSettings::default()
    };
    one_of(
        &catalog(&json_spec(spec), None, None, settings).unwrap(),
        record,
    )
}

#[test]
fn a_time_of_two_columns_is_joined_and_stands_in_other_only_where_one_is_absent() {
    let spec = "[timestamp]\nfrom = [\"ms\", [\"date\", \"time\"]]\nformats = [\"epoch_ms\", \"rfc3339\"]\n";
    let time = |record: &Value| {
        let document = one(spec, record).document;
        let other = document["aws"]["test"]["other"].clone();
        (document["@timestamp"].as_str().map(str::to_owned), other)
    };
    let joined = json!({"date": "2026-11-23", "time": "10:00:01"});
    let expected = Some("2026-11-23T10:00:01Z".to_owned());
    assert_eq!(time(&joined), (expected, Value::Null));
    let both = json!({"ms": "1795428000000", "date": "2026-11-23", "time": "10:00:01"});
    let expected = Some("2026-11-23T10:00:00Z".to_owned());
    let left = json!({"date": "2026-11-23", "time": "10:00:01"});
    assert_eq!(time(&both), (expected, left));
    let (_, other) = time(&json!({"date": "2026-11-23"}));
    assert_eq!(other, json!({"date": "2026-11-23"}));
}

#[test]
fn a_source_has_the_zone_of_its_servers() {
    let spec = "[timestamp]\nfrom = \"t\"\ntimezone = \"Europe/Paris\"\n";
    let at = |zone, time: &str| {
        let made = made_in(zone, spec, &json!({"t": time}));
        made.document["@timestamp"].clone()
    };
    let local = "2026-11-23 10:00:00";
    assert_eq!(at(None, local), "2026-11-23T09:00:00Z");
    assert_eq!(at(Some(Tz::Asia__Tokyo), local), "2026-11-23T01:00:00Z");
    let zoned = "2026-11-23T10:00:00+02:00";
    assert_eq!(at(Some(Tz::Asia__Tokyo), zoned), "2026-11-23T08:00:00Z");
}

#[test]
fn forwarded_addresses_may_be_percent_encoded() {
    let spec = "[addresses]\npeer = \"peer\"\nforwarded = \"xff\"\n";
    let record = json!({"peer": "10.0.0.1", "xff": "198.51.100.1,%20203.0.113.9"});
    let document = one(spec, &record).document;
    assert_eq!(document["client"]["ip"], "203.0.113.9");
}
