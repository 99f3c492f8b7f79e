//! What the sources of a shop write: a request as the web ACL, the balancer, the IPS and S3 log it, and an event of CloudTrail.

use serde_json::{Value, json};

/// A request in which the web ACL's rule against scripts matched, as it logs it.
pub(crate) fn script(second: u32, client: &str, path: &str, blocks: bool) -> String {
    let found =
        json!({ "conditionType": "XSS", "location": "QUERY_STRING", "matchedData": ["<script"] });
    let mut record: Value =
        serde_json::from_str(&request(second, client, "ALLOW", "Default_Action"))
            .unwrap_or_default();
    record["httpRequest"]["uri"] = json!(path);
    if blocks {
        record["action"] = json!("BLOCK");
        record["terminatingRuleId"] = json!("NoXss");
        record["terminatingRuleMatchDetails"] = json!([found]);
    } else {
        record["nonTerminatingMatchingRules"] =
            json!([{ "ruleId": "NoXss", "action": "COUNT", "ruleMatchDetails": [found] }]);
    }
    format!("{record}\n")
}

/// What the IPS on the web server made of a request behind the balancer.
pub(crate) fn intrusion(minute: u32, forwarded: &str, path: &str, act: &str) -> String {
    let packet = format!(
        "GET {path}?q=%3Cscript%3E HTTP/1.1\r\nHost: shop.example.com\r\nX-Forwarded-For: {forwarded}\r\n\r\n"
    );
    let packet = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, packet)
        .replace('=', "\\=");
    format!(
        "<134>Nov 23 00:{minute:02}:30 dsmhost CEF:0|Trend Micro|Deep Security Agent|20.0.0.877|1000552|Generic Cross Site Scripting (XSS) Prevention|8|cn1=1 cn1Label=Host ID dvchost=web-1.example.com src=10.0.1.20 dst=10.0.2.30 in=1093 proto=TCP spt=49786 dpt=80 cnt=1 act={act} TrendMicroDsPacketData={packet}\n"
    )
}

/// A line of S3's access log.
pub(crate) fn access(requester: &str, key: &str, status: u16, agent: &str) -> String {
    let error = match status {
        403 => "AccessDenied",
        404 => "NoSuchKey",
        _ => "-",
    };
    format!(
        "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be shop-data [23/Nov/2026:00:05:02 +0000] 198.51.100.7 {requester} 3E57427F3EXAMPLE REST.GET.OBJECT {key} \"GET /{key} HTTP/1.1\" {status} {error} 2662 3462 70 10 \"-\" \"{agent}\" - hostid= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader shop-data.s3.ap-northeast-1.amazonaws.com TLSv1.2 - - ap-northeast-1\n"
    )
}

/// A request as the web ACL logs it.
pub(crate) fn request(second: u32, client: &str, action: &str, rule: &str) -> String {
    let kind = if rule == "Default_Action" {
        "REGULAR"
    } else {
        "RATE_BASED"
    };
    let time = 1_795_392_300_000_u64 + u64::from(second) * 1000;
    let record = json!({
        "timestamp": time, "formatVersion": 1, "webaclId": "arn:aws:wafv2:ap-northeast-1:111122223333:regional/webacl/shop/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "terminatingRuleId": rule, "terminatingRuleType": kind, "action": action, "terminatingRuleMatchDetails": [],
        "httpSourceName": "ALB", "httpSourceId": "111122223333-app/shop/0123456789abcdef", "ruleGroupList": [], "rateBasedRuleList": [], "nonTerminatingMatchingRules": [],
        "httpRequest": { "clientIp": client, "country": "JP", "headers": [{ "name": "Host", "value": "shop.example.com" }], "uri": "/login", "args": "", "httpVersion": "HTTP/2.0", "httpMethod": "POST", "requestId": format!("1-6922502c-{second:024}") },
    });
    format!("{record}\n")
}

/// The same behind the balancer.
pub(crate) fn balanced(second: u32, client: &str, status: u16) -> String {
    format!(
        "https 2026-11-23T00:05:{second:02}.186641Z app/shop/50dc6c495c0c9188 {client}:51234 10.0.1.5:8080 0.001 0.048 0.000 {status} {status} 412 1000 \"POST https://shop.example.com:443/login HTTP/2.0\" \"-\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:ap-northeast-1:111122223333:targetgroup/web/73e2d6bc24d8a067 \"Root=1-692250ae-23a8c76965a2ef7629b185e3\" \"shop.example.com\" \"-\" 10 2026-11-23T00:05:{second:02}.137000Z \"forward\" \"-\" \"-\" \"10.0.1.5:8080\" \"{status}\" \"-\" \"-\" TID_3180a73013c8ca4bac2f731159d4b0fe \"-\" \"-\" \"-\"\n"
    )
}

/// A CloudTrail event: some members of its identity, and what differs from a quiet read.
pub(crate) fn event(n: u32, identity: Value, more: Value) -> Value {
    let mut event = json!({
        "eventVersion": "1.11", "eventTime": format!("2026-11-23T00:05:{:02}Z", n % 60), "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers", "readOnly": true, "eventType": "AwsApiCall", "eventCategory": "Management", "managementEvent": true,
        "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.64", "userAgent": "aws-cli/2.31.4",
        "eventID": format!("00000000-0000-4000-8000-{n:012}"), "recipientAccountId": "111122223333",
    });
    event["userIdentity"] = identity;
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event
}
