//! Fields that hold objects: lists of them, and points.

use super::*;

const ANSWERS: &str = "[fields]\n\"dns.answers\" = { all = \"answers\", members = { data = \"Rdata\", type = \"Type\", ttl = \"Ttl\" } }\n";

#[test]
fn makes_a_list_of_ecs_objects() {
    let record =
        json!({"answers": [{"Rdata": "192.0.2.1", "Type": "A", "Ttl": "60"}, {"Type": "TXT"}]});
    let document = one(ANSWERS, &record).document;
    assert_eq!(
        document["dns"]["answers"],
        json!([{"data": "192.0.2.1", "type": "A", "ttl": 60}, {"type": "TXT"}])
    );
    assert_eq!(document["aws"], Value::Null);
}

#[test]
fn keeps_what_the_members_do_not_take() {
    let answers = json!([{"Rdata": "a", "Class": "IN"}, "text", {"Ttl": "soon"}]);
    let document = one(ANSWERS, &json!({ "answers": answers })).document;
    assert_eq!(document["dns"]["answers"], json!([{"data": "a"}]));
    assert_eq!(document["aws"]["test"]["other"]["answers"], answers);
}

#[test]
fn declares_the_members_with_their_types() {
    let catalog = catalog(&json_spec(ANSWERS), None, None, ParserSettings::default()).unwrap();
    let mapping = catalog.mappings().unwrap().remove(0);
    let found: Vec<_> = mapping
        .fields
        .iter()
        .filter(|(name, _)| name.starts_with("dns."))
        .map(|(name, kind)| format!("{name} {kind}"))
        .collect();
    assert_eq!(
        found,
        [
            "dns.answers flat_object",
            "dns.answers.data keyword",
            "dns.answers.ttl long",
            "dns.answers.type keyword"
        ]
    );
}

#[test]
fn refuses_members_where_ecs_knows_none() {
    let field = |line: &str| refused(&format!("[fields]\n{line}\n"));
    assert!(
        field("\"source.ip\" = { from = \"a\", members = { x = \"y\" } }")
            .contains("is no list of objects in ECS")
    );
    assert!(
        field("\"dns.answers\" = { all = \"a\", members = { date = \"y\" } }")
            .contains("did you mean `dns.answers.data`?")
    );
    assert!(
        field("\"dns.answers\" = { all = \"a\", lower = true, members = { data = \"y\" } }")
            .contains("without other steps")
    );
}

#[test]
fn reads_points_by_any_name() {
    let spec = "[fields]\n\"source.geo.location\" = \"point\"\n";
    let point = |point: &Value| {
        let document = one(spec, &json!({ "point": point })).document;
        document["source"]["geo"]["location"].clone()
    };
    let expected = json!({"lat": 35.5, "lon": -139.25});
    assert_eq!(point(&json!({"lat": 35.5, "lon": -139.25})), expected);
    assert_eq!(point(&json!({"Lat": "35.5", "Lon": -139.25})), expected);
    assert_eq!(
        point(&json!({"latitude": 35.5, "longitude": -139.25})),
        expected
    );
    for wrong in [
        json!({"lat": 91, "lon": 0}),
        json!({"lat": 1}),
        json!("35,139"),
    ] {
        assert_eq!(point(&wrong), Value::Null, "{wrong}");
    }
}

#[test]
fn cuts_domain_names_where_they_were_registered() {
    let spec = "[fields]\n\"dns.question.registered_domain\" = { from = \"name\", domain = \"registered_domain\" }\n\"dns.question.subdomain\" = { from = \"name\", domain = \"subdomain\" }\n";
    let document = one(spec, &json!({"name": "a.www.example.co.jp."})).document;
    assert_eq!(
        document["dns"]["question"],
        json!({"registered_domain": "example.co.jp", "subdomain": "a.www"})
    );
}
