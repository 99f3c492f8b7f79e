//! What becomes of request lines, URLs, user agents and statuses.

use super::*;

fn url(spec: &str, record: &Value, expected: Value) -> Value {
    let document = one(spec, record).document;
    assert_eq!(document["url"], expected, "{record}");
    document
}

const URL: &str = "[url]\nfull = \"u\"\n";

#[test]
fn splits_an_absolute_url_and_keeps_it() {
    // The password is hidden before anything is read, by redaction.
    let text =
        "HTTPS://alice:[redacted]@WWW.Example.com:443/a%20b/%2e%2e/x%2Ephp?q=1%27+or+1&r#top";
    let document = url(
        URL,
        &json!({ "u": text }),
        json!({
            "original": text, "scheme": "https", "username": "alice", "domain": "www.example.com",
            "path": "/a%20b/%2e%2e/x%2Ephp", "query": "q=1%27+or+1&r", "fragment": "top", "extension": "php",
        }),
    );
    assert_eq!(
        document["aws"]["test"],
        json!({"url_decoded": {"path": "/a b/../x.php", "query": "q=1' or 1&r"}})
    );
    assert_eq!(document["related"]["hosts"], json!(["www.example.com"]));
}

#[test]
fn keeps_what_is_no_url_as_it_is() {
    for text in ["*", "\u{1}\u{fffd}", "example.com/x", "javascript:alert(1)"] {
        let document = url(URL, &json!({ "u": text }), json!({ "original": text }));
        assert_eq!(document["aws"], Value::Null);
    }
    url(
        URL,
        &json!({"u": "http://host:80-"}),
        json!({"original": "http://host:80-", "scheme": "http", "domain": "host"}),
    );
    let bracketed = url(
        URL,
        &json!({"u": "https://[2001:DB8::1]:8443/"}),
        json!({"original": "https://[2001:DB8::1]:8443/", "scheme": "https", "domain": "[2001:db8::1]", "port": 8443, "path": "/"}),
    );
    assert_eq!(bracketed["related"]["ip"], json!(["2001:db8::1"]));
}

const PARTS: &str = "[url]\nscheme = \"s\"\ndomain = [\"h\", \"sni\"]\nport = \"p\"\npath = \"u\"\nquery = \"q\"\nfragment = \"f\"\n";

#[test]
fn puts_parts_together() {
    url(
        PARTS,
        &json!({"s": "HTTP", "h": "a.example.com:80", "u": "/a.js", "q": "x=1", "f": "y"}),
        json!({"original": "/a.js?x=1#y", "scheme": "http", "domain": "a.example.com", "path": "/a.js", "query": "x=1", "fragment": "y", "extension": "js"}),
    );
    url(
        PARTS,
        &json!({"h": "-", "sni": "b.example.com", "p": "8080"}),
        json!({"domain": "b.example.com", "port": 8080}),
    );
}

#[test]
fn leaves_parts_that_do_not_fit_in_other() {
    let record =
        json!({"s": "<s>", "h": "a b", "sni": ["x.example.com", "y"], "p": 99999, "u": "/"});
    let document = url(
        PARTS,
        &record,
        json!({"original": "/", "domain": "x.example.com", "path": "/"}),
    );
    assert_eq!(
        document["aws"]["test"]["other"],
        json!({"s": "<s>", "h": "a b", "sni": ["x.example.com", "y"], "p": 99999})
    );
}

const REQUEST: &str = "[request]\nline = \"r\"\n[url]\ndomain = \"h\"\n";

#[test]
fn splits_a_request_line() {
    let document = url(
        REQUEST,
        &json!({"r": "GET /a?b HTTP/1.1", "h": "a.example.com"}),
        json!({"original": "/a?b", "domain": "a.example.com", "path": "/a", "query": "b"}),
    );
    assert_eq!(
        document["http"],
        json!({"request": {"method": "GET"}, "version": "1.1"})
    );
    url(
        REQUEST,
        &json!({"r": "CONNECT proxy.example.com:443 HTTP/1.1"}),
        json!({"original": "proxy.example.com:443", "domain": "proxy.example.com", "port": 443}),
    );
    for noise in ["\\x16\\x03\\x01", "- -", "quit\r\nX-Evil: 1"] {
        let document = url(
            REQUEST,
            &json!({ "r": noise }),
            json!({ "original": noise }),
        );
        assert_eq!(document["http"], Value::Null);
    }
}

#[test]
fn reads_user_agents() {
    let spec = "[user_agent]\nfrom = \"a\"\nurl_decode = true\n";
    let document = one(spec, &json!({"a": "curl/8.4.0%20x"})).document;
    assert_eq!(
        document["user_agent"],
        json!({"original": "curl/8.4.0 x", "name": "curl", "version": "8.4.0"})
    );
    assert_eq!(
        one(spec, &json!({"a": "-"})).document["user_agent"],
        Value::Null
    );
}

#[test]
fn decides_the_outcome_by_the_status() {
    let spec = "[outcome]\nstatus = \"s\"\n[constants]\n\"event.category\" = [\"web\"]\n\"event.type\" = [\"access\"]\n";
    for (status, outcome, code, kinds) in [
        ("200", "success", json!(200), json!(["access"])),
        ("304", "success", json!(304), json!(["access"])),
        ("404", "failure", json!(404), json!(["access"])),
        ("499", "failure", json!(499), json!(["access"])),
        ("502", "failure", json!(502), json!(["access", "error"])),
        ("000", "unknown", Value::Null, json!(["access"])),
        ("-", "unknown", Value::Null, json!(["access"])),
        ("99999", "unknown", Value::Null, json!(["access"])),
    ] {
        let document = one(spec, &json!({ "s": status })).document;
        assert_eq!(document["event"]["outcome"], outcome, "{status}");
        assert_eq!(document["event"]["type"], kinds, "{status}");
        assert_eq!(
            document["http"]["response"]["status_code"], code,
            "{status}"
        );
    }
    let plain = "[outcome]\nstatus = \"s\"\n[constants]\n\"event.category\" = [\"configuration\"]\n\"event.type\" = [\"access\"]\n";
    let document = one(plain, &json!({"s": 503})).document;
    assert_eq!(document["event"]["type"], json!(["access"]));
}
