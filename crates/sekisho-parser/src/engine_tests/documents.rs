//! What becomes of fields, conditions, tables and scripts.

use super::*;

#[test]
fn writes_the_facts_that_every_document_has() {
    let made = one(
        "[timestamp]\nfrom = \"t\"\n",
        &json!({"t": "2026-11-22T23:00:00+09:00"}),
    );
    let expected = json!({
        "@timestamp": "2026-11-22T14:00:00Z",
        "ecs": {"version": "9.4.0"},
        "event": {"created": "2026-12-24T00:00:00Z", "dataset": "aws.test", "kind": "event", "module": "aws"},
        "log": {"file": {"path": format!("s3://b/{KEY}")}},
        "sekisho": {"etag": "e", "offset": 0, "parser": "aws.test@0.1.0"},
    });
    assert_eq!(made.document, expected);
    let Outcome::Document(head) = made.outcome else {
        panic!()
    };
    assert_eq!(&*head.index, "log-aws-test-2026.11.22");
}

#[test]
fn keeps_every_field_of_the_source_somewhere() {
    let spec = "[types]\n\"kind\" = \"keyword\"\n\"n\" = \"long\"\n\"open\" = \"flat_object\"\n\"a.b\" = \"ip\"\n[fields]\n\"event.action\" = \"name\"\n\"source.ip\" = \"address\"\n";
    let record = json!({"kind": "k", "n": "12", "open": {"x": 1}, "a": {"b": "192.0.2.1", "c": 2}, "name": "Act", "address": "nonsense", "extra": [1], "empty": "", "null": null});
    let document = one(spec, &record).document;
    assert_eq!(
        document["aws"]["test"],
        json!({"kind": "k", "n": 12, "open": {"x": 1}, "a": {"b": "192.0.2.1"}, "other": {"a": {"c": 2}, "address": "nonsense", "extra": [1], "empty": ""}})
    );
    assert_eq!(document["event"]["action"], "Act");
    assert_eq!(document["source"], Value::Null);
    assert_eq!(document["related"]["ip"], json!(["192.0.2.1"]));
}

#[test]
fn loses_nothing_of_an_array_where_one_value_is_taken() {
    let spec = "[timestamp]\nfrom = \"t\"\n[addresses]\npeer = \"ip\"\n";
    let times = json!(["2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"]);
    let addresses = json!(["192.0.2.1", "192.0.2.2"]);
    let document = one(spec, &json!({"t": times, "ip": addresses})).document;
    assert_eq!(document["@timestamp"], "2026-11-23T10:00:00Z");
    assert_eq!(document["source"]["ip"], "192.0.2.1");
    assert_eq!(
        document["aws"]["test"]["other"],
        json!({"t": times, "ip": addresses})
    );
}

#[test]
fn turns_pairs_into_a_map_once() {
    let spec = "[fields]\n\"aws.test.headers\" = { from = \"h.list\", map_by = [\"name\", \"value\"], as = \"flat_object\" }\n\"url.domain\" = \"h.list[name=host].value\"\n";
    let pairs = json!({"h": {"list": [{"name": "Host", "value": "a.example.com"}, {"name": "X", "value": "1"}, {"name": "x", "value": "2"}], "none": [], "empty": {}}});
    let document = one(spec, &pairs).document;
    assert_eq!(
        document["aws"]["test"],
        json!({"headers": {"host": "a.example.com", "x": ["1", "2"]}})
    );
    assert_eq!(document["url"]["domain"], "a.example.com");
    let more = json!({"h": {"list": [{"name": "a", "value": "b", "more": 1}]}});
    assert_eq!(
        one(spec, &more).document["aws"]["test"],
        json!({"headers": {"a": "b"}, "other": {"h.list": [{"name": "a", "value": "b", "more": 1}]}})
    );
}

#[test]
fn puts_another_shape_than_declared_into_other() {
    let spec = "[types]\n\"k\" = \"keyword\"\n\"open\" = \"flat_object\"\n\"a.b\" = \"keyword\"\n\"n\" = \"long\"\n";
    let document = one(
        spec,
        &json!({"k": {"x": 1}, "open": "text", "a": "text", "n": 1.5}),
    )
    .document;
    assert_eq!(
        document["aws"]["test"],
        json!({"other": {"k": {"x": 1}, "open": "text", "a": "text", "n": 1.5}})
    );
}

#[test]
fn takes_the_first_usable_source_and_applies_steps() {
    let spec = r#"[fields]
"user.name" = ["a", "b"]
"http.version" = { from = "v", strip_prefix = "HTTP/" }
"event.duration" = { from = "s", multiply = 1000000 }
"rule.name" = { from = "arn", after_last = "/" }
"network.transport" = { from = "p", map = { "6" = "tcp" } }
"url.path" = { from = "u", url_decode = true }
"source.ip" = { from = "ip", as = "ip", else = "source.address" }
"host.ip" = { all = ["l[].ip", "ip2"] }
"aws.test.mail" = { from = "who", extract = '[^/]+@[^/]+', as = "keyword" }
"cloud.account.id" = "@key.account"
"#;
    let record = json!({"a": "-", "b": "x", "v": "HTTP/1.1", "s": 2, "arn": "a/b/c", "p": 6, "u": "/a%20b", "ip": "svc.example.com", "l": [{"ip": "192.0.2.1"}, {"ip": "192.0.2.1"}], "ip2": "2001:db8::1", "who": "role/me@example.com"});
    let document = one(spec, &record).document;
    assert_eq!(document["user"]["name"], "x");
    assert_eq!(document["http"]["version"], "1.1");
    assert_eq!(document["event"]["duration"], 2_000_000);
    assert_eq!(document["rule"]["name"], "c");
    assert_eq!(document["network"]["transport"], "tcp");
    assert_eq!(document["url"]["path"], "/a b");
    assert_eq!(document["source"], json!({"address": "svc.example.com"}));
    assert_eq!(document["host"]["ip"], json!(["192.0.2.1", "2001:db8::1"]));
    assert_eq!(document["aws"]["test"]["mail"], "me@example.com");
    assert_eq!(document["cloud"]["account"]["id"], "111122223333");
    assert_eq!(
        document["related"],
        json!({"ip": ["192.0.2.1", "2001:db8::1"], "user": ["x"]})
    );
}

#[test]
fn decides_by_conditions_and_tables() {
    let spec = r#"[constants]
"event.category" = ["web"]
[[when]]
field = "error"
exists = true
set = { "event.outcome" = "failure", "error.code" = { from = "error" } }
otherwise = { "event.outcome" = "success" }
[[when]]
any = [{ field = "n", greater_than = 400 }, { field = "name", starts_with = "del", ignore_case = true }]
append = { "event.category" = "iam", "related.user" = { from = "who" } }
[lookup.types]
from = ["name", "ro"]
table = "table.csv"
[[exclude]]
name = "health"
when = [{ field = "agent", contains = "health" }]
reason = "health checks"
"#;
    let table = "name,ro,event.type\nDeleteUser,*,user|deletion\nGet*,true,access\n*,*,info\n";
    let catalog = catalog(
        &json_spec(spec),
        None,
        Some(table),
        ParserSettings::default(),
    )
    .unwrap();
    let delete = one_of(
        &catalog,
        &json!({"name": "DeleteUser", "error": "Denied", "who": "w"}),
    )
    .document;
    assert_eq!(delete["event"]["outcome"], "failure");
    assert_eq!(delete["event"]["category"], json!(["web", "iam"]));
    assert_eq!(delete["event"]["type"], json!(["user", "deletion"]));
    assert_eq!(delete["related"]["user"], json!(["w"]));
    let get = one_of(&catalog, &json!({"name": "GetUser", "ro": true, "n": 5})).document;
    assert_eq!(get["event"]["outcome"], "success");
    assert_eq!(get["event"]["type"], json!(["access"]));
    assert_eq!(get["event"]["category"], json!(["web"]));
    assert_eq!(
        one_of(&catalog, &json!({"agent": "a health check"})).outcome,
        Outcome::Excluded {
            rule: "health".into()
        }
    );
}

#[test]
fn runs_a_script_over_document_and_record() {
    let script = r#"
.user.name = upcase(string!(.user.name))
.event.type = ["info", string!(%deep.value)]
.aws.test.n = 7
"#;
    let spec = "[fields]\n\"user.name\" = \"who\"\n\"aws.test.n\" = { from = \"nothing\", as = \"long\" }\n";
    let with = |spec: &str| {
        catalog(
            &json_spec(spec),
            Some(script),
            None,
            ParserSettings::default(),
        )
        .unwrap()
    };
    let document = one_of(
        &with(spec),
        &json!({"who": "me", "deep": {"value": "start", "more": 1}}),
    )
    .document;
    assert_eq!(document["user"]["name"], "ME");
    assert_eq!(document["event"]["type"], json!(["info", "start"]));
    assert_eq!(document["aws"]["test"]["n"], 7);
    assert_eq!(document["related"]["user"], json!(["ME"]));
    let failed = one_of(&with(spec), &json!({"deep": {"value": "start"}}));
    assert!(
        matches!(&failed.outcome, Outcome::Raw { reason, .. } if reason.contains("transform.vrl"))
    );
    let gated = format!("{spec}[[when]]\nfield = \"go\"\nexists = true\ntransform = true\n");
    assert_eq!(
        one_of(&with(&gated), &json!({"who": "me"})).document["user"]["name"],
        "me"
    );
    assert_eq!(
        one_of(
            &with(&gated),
            &json!({"who": "me", "go": 1, "deep": {"value": "end"}})
        )
        .document["user"]["name"],
        "ME"
    );
}

#[test]
fn says_which_line_decided() {
    let spec = "[fields]\n\"user.name\" = [\"a\", \"b\"]\n[constants]\n\"event.kind\" = \"alert\"\n[[when]]\nfield = \"b\"\nexists = true\nset = { \"event.kind\" = \"event\" }\n[lookup.x]\nfrom = \"b\"\ntable = \"table.csv\"\n[[exclude]]\nname = \"none\"\nwhen = [{ field = \"drop\", exists = true }]\nreason = \"a test\"\n";
    let table = "b,event.action\nx,first\ny,second\n";
    let catalog = catalog(
        &json_spec(spec),
        None,
        Some(table),
        ParserSettings::default(),
    )
    .unwrap();
    let mut plan = catalog.plan(context(KEY), b"{}").unwrap();
    plan.explain();
    let mut decided = |record: &[u8]| {
        let frame = Frame::Record(Record {
            offset: 0,
            bytes: record,
            columns: None,
            envelope: None,
        });
        plan.parse(&frame, &mut Vec::new());
        plan.take_decisions()
            .into_iter()
            .map(|decision| {
                let line = catalog.parsers()[0].describe(decision.origin);
                (decision.field, line)
            })
            .collect::<Vec<_>>()
    };
    let name = "\"user.name\" = [\"a\", \"b\"]";
    let set = "set = { \"event.kind\" = \"event\" }";
    let by = |field: &str, line: String| (field.to_owned(), line);
    let expected = [
        by("event.kind", format!("aws/test/parser.toml:20 {set}")),
        by("user.name", format!("aws/test/parser.toml:14 {name}")),
        by("event.action", "aws/test/table.csv:3 y,second".to_owned()),
    ];
    assert_eq!(decided(br#"{"b":"y"}"#), expected);
    let excluded = decided(br#"{"drop":1}"#);
    assert_eq!(
        excluded,
        [by(
            "[[exclude]]",
            "aws/test/parser.toml:24 [[exclude]]".to_owned()
        )]
    );
}
