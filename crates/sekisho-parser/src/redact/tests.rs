//! Each form that a secret comes in.

use super::*;

fn check(text: &str, expected: &str) {
    let redactor = Redactor::default();
    assert_eq!(redactor.text(text), expected, "{text}");
    let again = redactor.text(expected);
    assert!(
        matches!(again, Cow::Borrowed(_)) || again == expected,
        "{again}"
    );
}

#[test]
fn json_keeps_its_structure() {
    for (text, expected) in [
        (
            r#"{"Cookie":"a=b; c=d","x":1}"#,
            r#"{"Cookie":"[redacted]","x":1}"#,
        ),
        (
            r#"{"headers":[{"name":"Host","value":"a"},{"name":"Authorization","value":"Bearer x"}]}"#,
            r#"{"headers":[{"name":"Host","value":"a"},{"name":"Authorization","value":"[redacted]"}]}"#,
        ),
        (
            r#"{"value":"token=1 Bearer x","type":9,"name":"set-cookie"}"#,
            r#"{"value":"[redacted]","type":9,"name":"set-cookie"}"#,
        ),
        (
            r#"[["Host","a"],["Cookie","b","c"]]"#,
            r#"[["Host","a"],["Cookie","[redacted]","[redacted]"]]"#,
        ),
        (
            r#"{"password":123,"api_key":{"a":["b",null,true]}}"#,
            r#"{"password":"[redacted]","api_key":{"a":["[redacted]",null,true]}}"#,
        ),
        (
            r#"{"coo\u006bie":"x","b":"?access_token\u003da\u0026b=c"}"#,
            r#"{"coo\u006bie":"[redacted]","b":"?access_token=[redacted]&b=c"}"#,
        ),
        (
            r#"{"Message":"{\"authorization\":\"Basic x\",\"n\":\"ü\"}"}"#,
            r#"{"Message":"{\"authorization\":\"[redacted]\",\"n\":\"ü\"}"}"#,
        ),
        (
            r#"{"a":"GET\nAuthorization: Bearer \"x\" y\nHost: b"}"#,
            r#"{"a":"GET\nAuthorization: [redacted]\nHost: b"}"#,
        ),
        (
            r#"{"url":"https:\/\/me:pass@example.com\/x"}"#,
            r#"{"url":"https://me:[redacted]@example.com/x"}"#,
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn text_is_read_by_patterns() {
    for (text, expected) in [
        (
            "Authorization: Bearer abc def\r\nHost: x",
            "Authorization: [redacted]\r\nHost: x",
        ),
        (
            "GET /a?x=1&access_token=abc&y=2 HTTP/1.1",
            "GET /a?x=1&access_token=[redacted]&y=2 HTTP/1.1",
        ),
        (
            "/a?X-Amz-Signature=0a&X-Amz-Security-Token=b%2F",
            "/a?X-Amz-Signature=[redacted]&X-Amz-Security-Token=[redacted]",
        ),
        (
            "/r?to=https%3A%2F%2Fa%3Ftoken%3Dabc%26b%3D1",
            "/r?to=https%3A%2F%2Fa%3Ftoken%3D[redacted]%26b%3D1",
        ),
        (
            "curl -H 'Authorization: Basic x' https://b",
            "curl -H 'Authorization: [redacted]' https://b",
        ),
        (
            "password=x;user=y cookie=a=b; c=d z",
            "password=[redacted];user=y cookie=[redacted] z",
        ),
        (
            r#"{"a":1,"password" : "x","b":{"#,
            r#"{"a":1,"password" : "[redacted]","b":{"#,
        ),
        (
            r#"x {"name":"Cookie","value":"a\"b"} y"#,
            r#"x {"name":"Cookie","value":"[redacted]"} y"#,
        ),
        (
            r#"{\"cookie\":\"a\\\"b\",\"c\":1"#,
            r#"{\"cookie\":\"[redacted]\",\"c\":1"#,
        ),
        (
            "ftp://me:p:w@h/ https://me@h postgres://a:b@c:1/d",
            "ftp://me:[redacted]@h/ https://me@h postgres://a:[redacted]@c:1/d",
        ),
        (
            "http_cookie=\"a b\" cs(Cookie)=x PASSWORD = y",
            "http_cookie=\"[redacted]\" cs(Cookie)=[redacted] PASSWORD = [redacted]",
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn names_are_found_in_any_spelling() {
    let redactor = Redactor::default();
    for name in super::names::Names::default().written() {
        for odd in [0, 1] {
            let spelled: String = name
                .chars()
                .enumerate()
                .map(|(n, c)| match n % 2 == odd {
                    true => c.to_ascii_uppercase(),
                    false => c,
                })
                .collect();
            for n_before in [0, 1015, 1016, 1020, 1023, 1024, 2036] {
                let before = ".".repeat(n_before);
                let text = format!("{before} {spelled}=s3cr3t");
                let expected = format!("{before} {spelled}=[redacted]");
                assert_eq!(redactor.text(&text), expected);
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    let redactor = Redactor::default();
    for text in [
        r#"{"nextToken":"a","SignatureVersion":"SigV4","signature":"ET SCAN","token":"b"}"#,
        r#"{"labels":["awswaf:managed:token:absent"]}"#,
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-b",
        "Failed password for root from 192.0.2.1 port 1",
        r#"{"password":null,"cookie":"","authorization":"-"}"#,
        "https://example.com/a@b:c https://me@example.com",
        "password= &token=&x=1",
        "signature: ET SCAN",
    ] {
        let redacted = redactor.text(text);
        assert_eq!(redacted, text);
        assert!(matches!(redacted, Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn names_are_added_and_kept() {
    let list = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
    let redactor = Redactor::new(
        &list(&["X-Session", "pin"]),
        &list(&["code"]),
        &list(&["set_cookie"]),
    )
    .unwrap();
    for (text, expected) in [
        ("x-session: abc", "x-session: [redacted]"),
        (r#"{"PIN":7}"#, r#"{"PIN":"[redacted]"}"#),
        ("?code=1&a=2", "?code=[redacted]&a=2"),
        ("Set-Cookie: a", "Set-Cookie: a"),
        ("code: a", "code: a"),
    ] {
        assert_eq!(redactor.text(text), expected);
    }
    let wrong = Redactor::new(&[], &[], &list(&["set-cooky"])).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "`set-cooky` in `redact.keep` is no name that is redacted; did you mean `set-cookie`?"
    );
    let wrong = Redactor::new(&list(&["a b"]), &[], &[]).unwrap_err();
    assert!(wrong.to_string().contains("redact.fields"), "{wrong}");
}

#[test]
fn bytes_that_are_no_text_are_read_by_patterns_too() {
    let redacted = Redactor::default()
        .bytes(b"\xff\xfe{\"password\":\"x\"")
        .into_owned();
    assert_eq!(redacted, b"\xff\xfe{\"password\":\"[redacted]\"");
}

#[test]
fn hostile_nesting_costs_no_stack_and_little_time() {
    let redactor = Redactor::default();
    let deep = format!(
        "{}\"password\":\"hunter2\"{}",
        "{\"a\":".repeat(100_000),
        "}".repeat(100_000)
    );
    assert!(!redactor.text(&deep).contains("hunter2"));
    let pairs = format!(
        "{}\"hunter2\"{}",
        r#"{"value":"#.repeat(200),
        r#","name":"cookie"}"#.repeat(200)
    );
    assert!(!redactor.text(&pairs).contains("hunter2"));
}

#[test]
fn json_in_texts_of_json_costs_no_stack() {
    let mut text = format!(
        "{{\"cookie\":\"s3cr3t\",\"a\":{}1{}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    for _ in 0..6 {
        text = serde_json::json!({ "text": text }).to_string();
        let redacted = Redactor::default().text(&text).into_owned();
        assert!(!redacted.contains("s3cr3t"), "{redacted}");
    }
}
