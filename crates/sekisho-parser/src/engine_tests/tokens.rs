//! `[[tokens]]`: text into fields.

use serde_json::json;

use super::*;

fn spec(rest: &str) -> String {
    format!("[record]\nformat = \"lines\"\n{rest}")
}

fn line(rest: &str, text: &str) -> Made {
    let catalog = catalog(&spec(rest), None, None, ParserSettings::default())
        .unwrap_or_else(|error| panic!("{error}\n{rest}"));
    records(&catalog, KEY, text.as_bytes()).remove(0)
}

/// Checks what a line becomes, all of it below `other`.
#[track_caller]
fn check(rest: &str, text: &str, expected: &Value) {
    let made = line(rest, text);
    assert!(
        matches!(made.outcome, Outcome::Document(_)),
        "{:?}",
        made.outcome
    );
    assert_eq!(
        made.document["aws"]["test"]["other"], *expected,
        "{rest}\n{text}"
    );
}

/// Checks that a line is raw, and why.
#[track_caller]
fn check_raw(rest: &str, text: &str, expected: &str) {
    match line(rest, text).outcome {
        Outcome::Raw { reason, .. } => assert_eq!(reason, expected),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_refused(rest: &str, expected: &str) {
    let error = catalog(&spec(rest), None, None, ParserSettings::default()).unwrap_err();
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn delimited_columns() {
    let tokens = "[[tokens]]\ndelimited = [\"a\", \"b\", \"c\"]\n";
    check(tokens, "1 - 3", &json!({"a": "1", "c": "3"}));
    check(
        tokens,
        "1 2 3 4 5",
        &json!({"a": "1", "b": "2", "c": "3", "column_4": "4", "column_5": "5"}),
    );
    check_raw(
        tokens,
        "1 2",
        "the text ends after 2 columns, where `c` was expected; at least 3 are needed",
    );
    let tabs = "[[tokens]]\ndelimited = [\"a\", \"b\"]\nseparator = \"\\t\"\nrequire = 1\n";
    check(tabs, "x y\tz", &json!({"a": "x y", "b": "z"}));
    check(tabs, "x", &json!({"a": "x"}));
}

#[test]
fn quoted_columns() {
    let tokens = "[[tokens]]\nquoted = [\"time\", \"request\", \"agent\", \"peer\"]\n";
    let all = |request: &str, agent: &str| json!({"time": "10/Oct/2026:13:55:36 +0900", "request": request, "agent": agent, "peer": "[2001:db8::1]:443"});
    let time = "[10/Oct/2026:13:55:36 +0900]";
    let peer = "[2001:db8::1]:443";
    check(
        tokens,
        &format!("{time} \"GET / HTTP/1.1\" \"a b\" {peer}"),
        &all("GET / HTTP/1.1", "a b"),
    );
    check(
        tokens,
        &format!(r#"{time} "GET /"x"z \" y" "a\\" {peer}"#),
        &all(r#"GET /"x"z " y"#, r"a\"),
    );
    // A value that ends in a backslash nobody escaped.
    check(
        tokens,
        &format!(r#"{time} "GET /\" "C:\" {peer}"#),
        &all(r"GET /\", r"C:\"),
    );
    check_raw(
        tokens,
        &format!("{time} \"GET / HTTP/1.1 \"a b {peer}"),
        "the quote before column `request` is never closed",
    );
    check_raw(
        tokens,
        &format!("{time} x"),
        "the text ends after 2 columns, where `agent` was expected; at least 4 are needed",
    );
}

#[test]
fn csv_columns() {
    let tokens = "[[tokens]]\ncsv = [\"a\", \"b\", \"c\"]\n";
    check(
        tokens,
        r#"1,"x, ""y""",z,4"#,
        &json!({"a": "1", "b": "x, \"y\"", "c": "z", "column_4": "4"}),
    );
    check(tokens, r#"a"b,"c"d,"#, &json!({"a": "a\"b", "b": "cd"}));
    check_raw(
        tokens,
        r#"1,"x,2,3"#,
        "the quote before column `b` is never closed",
    );
}

#[test]
fn free_pairs() {
    let tokens = "[[tokens]]\nkv = {}\n";
    check(
        tokens,
        r#"a=1 b="x \"y\" z" word a=2 c.d=e= =x"#,
        &json!({"a": "1", "b": "x \"y\" z", "column_3": "word", "a~2": "2", "c.d": "e=", "column_6": "=x"}),
    );
    check(tokens, r#"a="x b=2"#, &json!({"a": "\"x", "b": "2"}));
    check_raw(
        tokens,
        "nothing here",
        "the text has 0 pairs of the form `name=value`, expected at least 1",
    );
    check(
        "[[tokens]]\nkv = { separator = \", \", assign = \": \" }\n",
        r#"client: 192.0.2.1, server: _, request: "GET /a, b HTTP/1.1""#,
        &json!({"client": "192.0.2.1", "server": "_", "request": "GET /a, b HTTP/1.1"}),
    );
}

#[test]
fn dissected_text() {
    let tokens = "[[tokens]]\ndissect = '%{time->} %{host} %{}[%{pid}]: %{text}'\n";
    check(
        tokens,
        "12:00:01   web1 sshd[42]: a [b]: c",
        &json!({"time": "12:00:01", "host": "web1", "pid": "42", "text": "a [b]: c"}),
    );
    check_raw(
        tokens,
        "12:00:01 web1 sshd: x",
        "`[` was expected behind `%{}`",
    );
    check(
        "[[tokens]]\ndissect = '<%{a}>'\n",
        "<x>y>",
        &json!({"a": "x>y"}),
    );
    check_raw(
        "[[tokens]]\ndissect = '<%{a}>'\n",
        "x",
        "the text does not begin with `<`",
    );
}

const CEF: &str = r"CEF:0|Trend \| Micro|Deep Security|20.0|4000000|Eicar\\Test|6|";

fn cef(expected: &Value) -> Value {
    let mut all = json!({
        "cef.version": "0", "cef.device_vendor": "Trend | Micro", "cef.device_product": "Deep Security",
        "cef.device_version": "20.0", "cef.device_event_class_id": "4000000", "cef.name": r"Eicar\Test", "cef.severity": "6",
    });
    let all_members = all.as_object_mut().unwrap();
    all_members.extend(expected.as_object().unwrap().clone());
    all
}

#[test]
fn cef_with_and_without_syslog() {
    let tokens = "[[tokens]]\ncef = true\n";
    check(
        tokens,
        &format!(r"{CEF}src=192.0.2.1 msg=a \= b | c=d\nx  cs1=value cs1Label=Host ID"),
        &cef(
            &json!({"src": "192.0.2.1", "msg": "a = b |", "c": "d\nx", "cs1": "value", "cs1Label": "Host ID", "Host ID": "value"}),
        ),
    );
    check(
        tokens,
        &format!("<134>Nov 23 12:00:00 dsm.example.com {CEF}act=Reset"),
        &cef(&json!({"syslog": "<134>Nov 23 12:00:00 dsm.example.com", "act": "Reset"})),
    );
    check(
        tokens,
        &format!("{CEF}broken"),
        &cef(&json!({"column_8": "broken"})),
    );
    check(tokens, CEF.trim_end_matches('|'), &cef(&json!({})));
    // A name that should have escaped its `|`.
    let made = line(tokens, "CEF:0|v|p|1|100|a|b|5|x=1");
    assert_eq!(made.document["aws"]["test"]["other"]["cef.name"], "a|b");
    assert_eq!(made.document["aws"]["test"]["other"]["x"], "1");
    check_raw(
        tokens,
        "CEF:0|v|p|1",
        "the CEF header ends before `cef.device_event_class_id`",
    );
    check_raw(
        tokens,
        "hello",
        "the text has no `CEF:`, so there is no `cef.version`",
    );
}

#[test]
fn fields_below_an_object_are_written_once() {
    let made = line(
        "[[tokens]]\ncef = true\n[types]\n\"cef.name\" = \"keyword\"\n\"cef.severity\" = \"long\"\n\"cef.device_product\" = \"long\"\n[fields]\n\"source.ip\" = \"src\"\n\"observer.vendor\" = \"cef.device_vendor\"\n",
        &format!("{CEF}src=192.0.2.1 x=y"),
    );
    let own = &made.document["aws"]["test"];
    assert_eq!(own["cef"], json!({"name": r"Eicar\Test", "severity": 6}));
    assert_eq!(
        own["other"],
        json!({"cef.version": "0", "cef.device_product": "Deep Security", "cef.device_version": "20.0", "cef.device_event_class_id": "4000000", "x": "y"})
    );
    assert_eq!(made.document["source"]["ip"], "192.0.2.1");
    assert_eq!(made.document["observer"]["vendor"], "Trend | Micro");
}

#[test]
fn a_regular_expression() {
    let tokens = "[[tokens]]\nregex = '^(?<a>\\d+)(?: (?<b>x))?$'\n";
    check(tokens, "1 x", &json!({"a": "1", "b": "x"}));
    check(tokens, "1", &json!({"a": "1"}));
    check_raw(
        tokens,
        "y",
        "the text does not match the `regex` of `[[tokens]]`",
    );
}

#[test]
fn alternatives_and_fields_of_fields() {
    let tokens = r#"
[[tokens]]
when   = { starts_with = "h2 " }
quoted = ["type", "time", "request"]
[[tokens]]
delimited = ["time", "message"]
separator = "|"
[[tokens]]
from    = "request"
dissect = "%{method} %{url} %{version}"
[[tokens]]
from    = "message"
dissect = "user %{user}"
[[tokens]]
from    = "message"
dissect = "host %{host}"
"#;
    check(
        tokens,
        "h2 now \"GET / HTTP/2\"",
        &json!({"type": "h2", "time": "now", "method": "GET", "url": "/", "version": "HTTP/2"}),
    );
    check(
        tokens,
        "h2 now \"-\"",
        &json!({"type": "h2", "time": "now"}),
    );
    check(
        tokens,
        "h2 now \"\\\"\u{1} y\"",
        &json!({"type": "h2", "time": "now", "request": "\"\u{1} y"}),
    );
    check(tokens, "now|host a", &json!({"time": "now", "host": "a"}));
    check(tokens, "now|x", &json!({"time": "now", "message": "x"}));
    check_raw(
        tokens,
        "h2 now",
        "the text ends after 2 columns, where `request` was expected; at least 3 are needed",
    );
    let made = line(
        &format!("{tokens}[fields]\n\"event.reason\" = \"message\"\n\"user.name\" = \"user\"\n"),
        "now|user \u{3042}",
    );
    assert_eq!(made.document["event"]["reason"], "user \u{3042}");
    assert_eq!(made.document["user"]["name"], "\u{3042}");
    assert_eq!(
        made.document["aws"]["test"]["other"],
        json!({"time": "now"})
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    check_refused(
        "[[tokens]]\nfrom = \"x\"\nkv = {}\n",
        ":12: no step before this one gives `x`",
    );
    check_refused(
        "[[tokens]]\ndelimited = [\"a\"]\ncef = true\n",
        "give exactly one of `delimited`, `quoted`, `csv`, `kv`, `dissect`, `cef = true` and `regex`",
    );
    check_refused(
        "[[tokens]]\ndelimited = [\"peer\"]\n[fields]\n\"source.ip\" = \"peerr\"\n",
        ":15: no step of `[[tokens]]` gives `peerr`; did you mean `peer`?",
    );
    check_refused(
        "[[tokens]]\ndelimited = [\"a\", \"a\"]\n",
        "`a` is named twice",
    );
    check_refused(
        "[[tokens]]\ndissect = \"%{a}%{b}\"\n",
        "`dissect`: nothing stands between `%{b}` and the field before it",
    );
}

#[test]
fn an_installation_names_the_columns_that_the_parser_cannot_know() {
    let tokens = "[[tokens]]\ndissect = \"%{a} %{b}\\\"%{rest}\"\n[[tokens]]\nfrom = \"rest\"\nquoted = []\n[addresses]\npeer = \"a\"\nforwarded = \"xff\"\n";
    let line = |columns: &[&str], text: &str| {
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        let named = !columns.is_empty();
        let settings = ParserSettings {
            default_columns: named
                .then(|| ("aws.test".to_owned(), columns))
                .into_iter()
                .collect(),
            ..ParserSettings::default()
        };
        let catalog = catalog(&spec(tokens), None, None, settings).unwrap();
        records(&catalog, KEY, text.as_bytes()).remove(0).document
    };
    let text = "10.0.0.1 x\" 0.120 \"203.0.113.9\"";
    let document = line(&["time", "xff"], text);
    assert_eq!(document["client"]["ip"], "203.0.113.9");
    let other = json!({"b": "x", "time": "0.120", "xff": "203.0.113.9"});
    assert_eq!(document["aws"]["test"]["other"], other);
    // Nobody believes a column that nobody named, and what does not fit stays whole.
    for columns in [[].as_slice(), &["time", "xff", "more"]] {
        let document = line(columns, text);
        assert_eq!(document["client"]["ip"], "10.0.0.1");
        let rest = json!({"b": "x", "rest": " 0.120 \"203.0.113.9\""});
        assert_eq!(document["aws"]["test"]["other"], rest);
    }
}

#[test]
fn base64_is_unpacked_and_its_secrets_go_too() {
    let tokens = "[[tokens]]\ndelimited = [\"a\", \"packet\"]\n[[tokens]]\nfrom = \"packet\"\ndecode = \"base64\"\nregex = '(?s)^(?<line>[^\\r\\n]*)\\r\\n(?<rest>.*)$'\n";
    let packet =
        "GET /?password=s3cr3t&q=1 HTTP/1.1\r\nHost: www.example.com\r\nCookie: id=s3cr3t\r\n\r\n";
    let packed = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, packet);
    for packed in [packed.as_str(), packed.trim_end_matches('=')] {
        let made = line(tokens, &format!("x {packed}"));
        let expected = json!({"a": "x", "line": "GET /?password=[redacted]&q=1 HTTP/1.1", "rest": "Host: www.example.com\r\nCookie: [redacted]\r\n\r\n"});
        assert_eq!(made.document["aws"]["test"]["other"], expected);
        assert!(!made.document.to_string().contains("s3cr3t"));
    }
    check(
        tokens,
        "x no*base64",
        &json!({"a": "x", "packet": "no*base64"}),
    );
    check_refused(
        "[[tokens]]\ndecode = \"base64\"\nkv = {}\n",
        "`decode` is for a field; give `from`",
    );
}
