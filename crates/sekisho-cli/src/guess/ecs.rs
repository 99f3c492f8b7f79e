//! Which ECS field a field of the sample may be, by its name and its values.

use sekisho_document::ecs;

use super::fields::Field;

/// What the values must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Anything,
    Ip,
    Port,
    Status,
    Method,
    Path,
    Url,
    Email,
    Number,
    Account,
    Transport,
    Text,
}

/// One ECS field and the names under which logs know it, in lower case without punctuation.
struct Rule {
    target: &'static str,
    needs: Needs,
    names: &'static [&'static str],
}

const fn rule(target: &'static str, needs: Needs, names: &'static [&'static str]) -> Rule {
    Rule {
        target,
        needs,
        names,
    }
}

/// The first rule that a field satisfies names it.
#[rustfmt::skip]
const RULES: &[Rule] = &[
    rule(PEER, Needs::Ip, &["remoteaddr", "remoteip", "remoteaddress", "clientip", "clientaddr", "clientaddress", "client", "cip", "sourceip", "srcip", "src", "saddr", "srcaddr", "sourceaddress", "sourceipaddress", "calleripaddress", "callerip", "ipaddress", "ipaddr", "ip", "peer", "source"]),
    rule("destination.ip", Needs::Ip, &["dst", "dstip", "dest", "destip", "daddr", "dstaddr", "destinationip", "destinationaddress", "serverip", "serveraddr", "sip", "targetip", "upstreamip"]),
    rule("source.port", Needs::Port, &["srcport", "sport", "sourceport", "clientport", "remoteport", "spt", "cport"]),
    rule("destination.port", Needs::Port, &["dstport", "dport", "destport", "destinationport", "serverport", "dpt"]),
    rule("user.email", Needs::Email, &["user", "username", "useremail", "email", "mail", "login", "actor", "principal", "account", "subject", "userid", "useridentity"]),
    rule("user.name", Needs::Text, &["user", "username", "login", "loginname", "actor", "actorname", "principal", "account", "accountname", "subject", "remoteuser", "usr", "suser", "authuser"]),
    rule("user.id", Needs::Anything, &["userid", "uid", "actorid", "principalid", "accountid", "sub"]),
    rule("http.response.status_code", Needs::Status, &["status", "statuscode", "httpstatus", "httpstatuscode", "responsecode", "responsestatus", "code", "scstatus"]),
    rule("http.request.method", Needs::Method, &["method", "httpmethod", "requestmethod", "verb", "csmethod"]),
    rule("user_agent.original", Needs::Text, &["useragent", "httpuseragent", "agent", "ua", "csuseragent"]),
    rule("url.full", Needs::Url, &["url", "uri", "requesturl", "requesturi", "fullurl", "link"]),
    rule("url.original", Needs::Path, &["url", "uri", "requesturl", "requesturi", "requestpath", "path", "target", "csuristem", "endpoint", "route"]),
    rule("url.query", Needs::Text, &["query", "querystring", "csuriquery"]),
    rule("url.domain", Needs::Text, &["vhost", "virtualhost", "hostheader", "httphost", "authority", "domain"]),
    rule("http.request.referrer", Needs::Text, &["referer", "referrer", "httpreferer", "csreferer"]),
    rule("http.request.id", Needs::Anything, &["requestid", "reqid", "xrequestid", "correlationid"]),
    rule("http.response.body.bytes", Needs::Number, &["bodybytessent", "responsesize", "responsebytes", "scbytes", "bytessent"]),
    rule("http.request.body.bytes", Needs::Number, &["requestsize", "requestbytes", "requestlength", "csbytes"]),
    rule("source.bytes", Needs::Number, &["bytesin", "inbytes", "bytesreceived", "srcbytes"]),
    rule("destination.bytes", Needs::Number, &["bytesout", "outbytes", "dstbytes"]),
    rule("network.bytes", Needs::Number, &["bytes", "totalbytes"]),
    rule("network.packets", Needs::Number, &["packets", "totalpackets"]),
    rule("network.transport", Needs::Transport, &["protocol", "proto", "transport", "ipprotocol"]),
    rule("network.protocol", Needs::Text, &["app", "application", "appprotocol", "service"]),
    rule("trace.id", Needs::Anything, &["traceid", "xraytraceid", "amzntraceid"]),
    rule("span.id", Needs::Anything, &["spanid"]),
    rule("transaction.id", Needs::Anything, &["transactionid", "txid"]),
    rule("event.id", Needs::Anything, &["eventid", "eventuuid", "logid", "id", "uuid"]),
    rule("event.action", Needs::Text, &["action", "eventaction", "eventname", "event", "eventtype", "operation", "op", "activity", "command", "act"]),
    rule("event.reason", Needs::Text, &["reason", "failurereason", "statusreason", "cause"]),
    rule("error.code", Needs::Anything, &["errorcode", "errno"]),
    rule("error.message", Needs::Text, &["errormessage", "error", "err", "exception"]),
    rule("log.level", Needs::Text, &["level", "loglevel", "severity", "lvl", "priority"]),
    rule("log.logger", Needs::Text, &["logger", "loggername"]),
    rule("host.name", Needs::Text, &["host", "hostname", "computer", "computername", "machine", "node", "server", "device", "devicename", "dvchost"]),
    rule("service.name", Needs::Text, &["service", "servicename", "applicationname", "appname"]),
    rule("process.name", Needs::Text, &["process", "processname", "program", "programname"]),
    rule("process.pid", Needs::Number, &["pid", "processid"]),
    rule("process.executable", Needs::Text, &["executable", "processpath", "image"]),
    rule("process.command_line", Needs::Text, &["commandline", "cmdline", "cmd"]),
    rule("file.path", Needs::Text, &["file", "filepath", "filename", "objectpath"]),
    rule("rule.name", Needs::Text, &["rule", "rulename", "policy", "policyname", "signature"]),
    rule("rule.id", Needs::Anything, &["ruleid", "policyid", "signatureid"]),
    rule("cloud.account.id", Needs::Account, &["accountid", "awsaccountid", "account", "cloudaccountid", "owner"]),
    rule("cloud.region", Needs::Text, &["region", "awsregion", "cloudregion"]),
    rule("group.name", Needs::Text, &["group", "groupname"]),
    rule("message", Needs::Text, &["message", "msg"]),
    rule("tls.version", Needs::Text, &["tlsversion", "sslprotocol", "sslversion"]),
    rule("tls.cipher", Needs::Text, &["cipher", "sslcipher", "tlscipher", "ciphersuite"]),
];

/// Stands for the contract on addresses: the peer that the device saw.
pub(crate) const PEER: &str = "[addresses] peer";
/// Names under which a forwarded-for header is logged.
const FORWARDED: [&str; 4] = ["xforwardedfor", "httpxforwardedfor", "forwardedfor", "xff"];
/// Names of how something ended.
const OUTCOMES: [&str; 7] = [
    "outcome",
    "result",
    "eventoutcome",
    "success",
    "succeeded",
    "decision",
    "status",
];
const SUCCESS: [&str; 11] = [
    "success",
    "succeeded",
    "successful",
    "ok",
    "allow",
    "allowed",
    "accept",
    "accepted",
    "granted",
    "pass",
    "true",
];
const FAILURE: [&str; 14] = [
    "failure", "failed", "fail", "error", "deny", "denied", "reject", "rejected", "refused",
    "block", "blocked", "drop", "dropped", "false",
];

/// Lower case without punctuation.
pub(crate) fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// The names of a field, the most telling first: its whole path, its last two keys, its last key.
fn names(field: &Field) -> Vec<String> {
    let keys = &field.keys;
    let behind = |n: usize| keys.get(keys.len().saturating_sub(n)..).unwrap_or_default();
    let mut names: Vec<String> = [keys.len(), 2, 1]
        .map(|n| plain(&behind(n).concat()))
        .into();
    names.dedup();
    names
}

/// Every ECS field that this may be, the likeliest first.
pub(crate) fn candidates(field: &Field) -> Vec<&'static str> {
    let path = field.keys.join(".");
    if let Some(exact) = ecs::field(&path).filter(|exact| is_writable(exact.name)) {
        return vec![exact.name];
    }
    let mut found = Vec::new();
    for name in names(field) {
        let rules = RULES
            .iter()
            .filter(|rule| rule.names.contains(&name.as_str()));
        for rule in rules.filter(|rule| satisfies(field, rule.needs)) {
            if !found.contains(&rule.target) {
                found.push(rule.target);
            }
        }
    }
    found
}

/// The engine writes these itself, or ECS allows only some values.
fn is_writable(name: &str) -> bool {
    let engine = [
        "@timestamp",
        "ecs.version",
        "event.ingested",
        "event.module",
        "event.dataset",
        "event.original",
        "log.file.path",
    ];
    let allowed = ecs::field(name).is_some_and(|field| !field.allowed.is_empty());
    !engine.contains(&name) && !allowed && !name.starts_with("related.")
}

/// Whether it is a header of forwarded addresses.
pub(crate) fn is_forwarded(field: &Field) -> bool {
    names(field)
        .iter()
        .any(|name| FORWARDED.contains(&name.as_str()))
}

/// How each value of an outcome reads in ECS, where all are known words and the name is one for outcomes.
pub(crate) fn outcomes(field: &Field) -> Option<Vec<(String, &'static str)>> {
    if !OUTCOMES.contains(&plain(field.name()).as_str()) || field.is_list {
        return None;
    }
    let read = |value: &String| {
        let word = value.to_ascii_lowercase();
        match word.as_str() {
            known if SUCCESS.contains(&known) => Some((word, "success")),
            known if FAILURE.contains(&known) => Some((word, "failure")),
            _ => None,
        }
    };
    let mut words = field.values.iter().map(read).collect::<Option<Vec<_>>>()?;
    words.sort();
    words.dedup();
    (!words.is_empty()).then_some(words)
}

fn satisfies(field: &Field, needs: Needs) -> bool {
    if field.is_tree() || field.is_mixed() {
        return false;
    }
    let number = |text: &str| text.parse::<u64>().ok();
    let in_range =
        |text: &str, least, most| number(text).is_some_and(|n| (least..=most).contains(&n));
    match needs {
        Needs::Anything => true,
        Needs::Ip => field.is_ip(),
        Needs::Port => field.all(|text| in_range(text, 0, 65_535)),
        Needs::Status => field.all(|text| in_range(text, 100, 599)),
        Needs::Method => field.all(is_method),
        Needs::Path => field.all(|text| text.starts_with('/') || text.contains("://")),
        Needs::Url => field.all(|text| text.contains("://")),
        Needs::Email => field.all(|text| text.contains('@') && !text.contains(' ')),
        Needs::Number => field.is_integer(),
        Needs::Account => field.all(|text| text.len() == 12 && number(text).is_some()),
        Needs::Transport => field.all(|text| {
            let known = ["tcp", "udp", "icmp", "ipv6-icmp", "sctp", "gre", "esp"];
            known.contains(&text.to_ascii_lowercase().as_str())
        }),
        Needs::Text => !field.all(|text| text.parse::<f64>().is_ok()) && !field.is_ip(),
    }
}

fn is_method(text: &str) -> bool {
    let known = [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT",
    ];
    known.contains(&text.to_ascii_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::super::fields::fields;
    use super::*;
    use crate::cases::Json;

    #[track_caller]
    fn check(record: &str, expected: &[&str]) {
        let found = fields(&[Json::read(record).unwrap()]);
        assert_eq!(candidates(&found[0]), expected);
    }

    #[test]
    fn names_and_values_decide_together() {
        check(r#"{"remote_addr":"192.0.2.1"}"#, &[PEER]);
        check(r#"{"remote_addr":"unknown"}"#, &[]);
        check(r#"{"status":404}"#, &["http.response.status_code"]);
        check(r#"{"status":"open"}"#, &[]);
        check(r#"{"user":"a@example.com"}"#, &["user.email", "user.name"]);
        check(r#"{"user":{"name":"a"}}"#, &["user.name"]);
        check(r#"{"request":{"method":"GET"}}"#, &["http.request.method"]);
        check(r#"{"account":"111122223333"}"#, &["cloud.account.id"]);
        check(
            r#"{"url":"https://example.com/"}"#,
            &["url.full", "url.original"],
        );
        check(r#"{"event":{"category":"x"}}"#, &[]);
    }

    #[test]
    fn every_target_is_ecs() {
        for rule in RULES.iter().filter(|rule| rule.target != PEER) {
            assert!(ecs::field(rule.target).is_some(), "{}", rule.target);
        }
    }

    #[test]
    fn outcomes_are_words_that_are_known() {
        let field = |text: &str| fields(&[Json::read(text).unwrap()]).remove(0);
        assert_eq!(
            outcomes(&field(r#"{"result":"OK"}"#)),
            Some(vec![("ok".to_owned(), "success")])
        );
        assert_eq!(outcomes(&field(r#"{"result":"maybe"}"#)), None);
        assert_eq!(outcomes(&field(r#"{"name":"ok"}"#)), None);
    }
}
