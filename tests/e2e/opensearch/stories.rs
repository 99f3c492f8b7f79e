//! The questions that a security team asks, over documents of several sources on a real node: each has positives and near misses.

use std::sync::Arc;

use anyhow::{Result, ensure};
use chrono::DateTime;
use sekisho_bulk::BulkSettings;
use sekisho_ledger::NoLedger;
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_pipeline::{
    NoQuarantine, Pipeline, PipelineSettings, Stages, SystemClock, TimeLimit, Work, object_limits,
};
use sekisho_tests::fake::{Calm, FakeStore};
use sekisho_tests::opensearch::Cluster;
use serde_json::{Value, json};

use crate::samples::{access, balanced, event, intrusion, request, script};

crate::cases![
    what_root_changed,
    which_attacks_passed_the_web_acl,
    who_reads_a_bucket_directly,
    who_floods_a_site,
];

const ALL: &str = "log-*";
const SHOP_ALB: &str = "AWSLogs/111122223333/elasticloadbalancing/ap-northeast-1/2026/11/23/111122223333_elasticloadbalancing_ap-northeast-1_app.shop.50dc6c495c0c9188_20261123T0010Z_192.0.2.250_4m2zqrt7.log";
const SHOP_WAF: &str = "AWSLogs/111122223333/WAFLogs/ap-northeast-1/shop/2026/11/23/00/05/111122223333_waflogs_ap-northeast-1_shop_20261123T0005Z_0a1b2c3d.log";
const TRAIL: &str = "AWSLogs/111122223333/CloudTrail/ap-northeast-1/2026/11/23/111122223333_CloudTrail_ap-northeast-1_20261123T0015Z_abc.json";
const S3_ACCESS: &str = "s3-logs/2026-11-23-00-15-02-0A1B2C3D4E5F6789";
const IPS: &str = "logs/ds_agent/2026/11/23/ds_agent.log";
const NGINX: &str = "web/nginx/access/2026/11/23/access.log";

/// The sources of a shop, delivered.
struct Shop(Cluster);

impl Shop {
    async fn open(cluster: Cluster, objects: &[(&str, String)]) -> Result<Self> {
        cluster.delete(ALL).await?;
        let catalog = Arc::new(Catalog::builtin(ParserSettings::default())?);
        cluster.apply(&catalog.mappings()?).await?;
        let store = FakeStore::new(Arc::new(Calm), false);
        let work = objects.iter().map(|(key, text)| {
            let bytes = text.clone().into_bytes();
            Work::from(store.put("logs", key, bytes, DateTime::UNIX_EPOCH))
        });
        let work = work.collect();
        let stages = Stages {
            store: Arc::new(store.clone()),
            catalog,
            destination: Arc::new(cluster.destination(BulkSettings::default())),
            quarantine: Arc::new(NoQuarantine),
            ledger: Arc::new(NoLedger),
            continuations: None,
            clock: Arc::new(SystemClock),
        };
        let limits = object_limits(&sekisho_config::Settings::default());
        let pipeline = Pipeline::new(stages, limits, PipelineSettings::default());
        for report in pipeline.run(work, TimeLimit::default()).await {
            let books = report.books;
            ensure!(report.error.is_none(), "{:?}", report.error);
            ensure!(
                books.indexed == books.records,
                "{books} {:?}",
                report.reasons
            );
        }
        cluster.refresh().await?;
        Ok(Self(cluster))
    }

    /// Counts what a query finds by the values of a field, each as `value=count`, in the order of the values.
    async fn by(&self, field: &str, query: &Value) -> Result<Vec<String>> {
        let counts = json!({ "a": { "terms": { "field": field, "size": 100, "order": { "_key": "asc" } } } });
        let body = json!({ "size": 0, "query": query, "aggs": counts });
        let answer = self.0.search(ALL, body).await?;
        Ok(buckets(&answer["aggregations"]["a"])
            .iter()
            .map(|bucket| format!("{}={}", shown(bucket), bucket["doc_count"]))
            .collect())
    }
}

fn buckets(aggregation: &Value) -> &[Value] {
    aggregation["buckets"].as_array().map_or(&[], Vec::as_slice)
}

fn shown(bucket: &Value) -> String {
    let key = bucket.get("key_as_string").unwrap_or(&bucket["key"]);
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

#[track_caller]
fn check(found: &[String], expected: &[&str]) -> Result<()> {
    ensure!(found == expected, "found {found:?}, expected {expected:?}");
    Ok(())
}

fn trail(events: &[Value]) -> (&'static str, String) {
    (TRAIL, json!({ "Records": events }).to_string())
}

fn identity(kind: &str) -> Value {
    json!({ "type": kind, "principalId": "111122223333", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333" })
}

async fn what_root_changed(cluster: Cluster) -> Result<()> {
    let root = || identity("Root");
    let mut alias = root();
    alias["userName"] = json!("shop-account");
    let mut by_service = root();
    by_service["invokedBy"] = json!("backup.amazonaws.com");
    // A user may be called `root`, and a role may be too.
    let named_root = json!({ "type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/root", "accountId": "111122223333", "userName": "root" });
    let change = |name: &str| json!({ "eventName": name, "readOnly": false });
    let events = [
        event(1, root(), json!({})),
        event(2, root(), change("CreateAccessKey")),
        event(3, alias, change("PutUserPolicy")),
        event(
            4,
            root(),
            json!({ "eventName": "DeleteTrail", "eventSource": "cloudtrail.amazonaws.com", "readOnly": false, "errorCode": "AccessDenied" }),
        ),
        event(5, by_service, change("CreateUser")),
        event(
            6,
            root(),
            json!({ "eventName": "UpdateServerCertificate", "readOnly": false, "eventType": "AwsServiceEvent" }),
        ),
        event(7, named_root, change("CreateAccessKey")),
        event(
            8,
            root(),
            json!({ "eventName": "CreateUser", "readOnly": false, "eventTime": "2026-11-21T00:05:00Z" }),
        ),
    ];
    let shop = Shop::open(cluster, &[trail(&events)]).await?;
    let by_root = |read_only: bool| {
        json!({ "bool": {
            "filter": [
                { "term": { "aws.cloudtrail.userIdentity.type": "Root" } },
                { "term": { "aws.cloudtrail.readOnly": read_only } },
                { "range": { "@timestamp": { "gt": "2026-11-22T00:10:00Z", "lte": "2026-11-23T00:10:00Z" } } },
            ],
            "must_not": [
                { "exists": { "field": "aws.cloudtrail.userIdentity.invokedBy" } },
                { "term": { "aws.cloudtrail.eventType": "AwsServiceEvent" } },
            ],
        } })
    };
    check(
        &shop.by("event.action", &by_root(true)).await?,
        &["ListUsers=1"],
    )?;
    let changed = ["CreateAccessKey=1", "DeleteTrail=1", "PutUserPolicy=1"];
    check(&shop.by("event.action", &by_root(false)).await?, &changed)?;
    let outcomes = ["failure=1", "success=2"];
    check(&shop.by("event.outcome", &by_root(false)).await?, &outcomes)
}

async fn which_attacks_passed_the_web_acl(cluster: Cluster) -> Result<()> {
    let (blocked, detected, alone, late) =
        ("198.51.100.7", "203.0.113.9", "192.0.2.44", "192.0.2.45");
    let waf = [
        script(0, blocked, "/search", false),
        script(1, detected, "/find", false),
        script(2, alone, "/search", false),
        script(3, late, "/search", false),
        // What the ACL stopped never came to the server.
        script(4, detected, "/admin", true),
        request(5, blocked, "ALLOW", "Default_Action"),
    ];
    let ips = [
        intrusion(6, blocked, "/search", "Reset"),
        // The left-most address is the attacker's own text.
        intrusion(6, &format!("192.0.2.44, {detected}"), "/find", "IDS:Reset"),
        intrusion(30, late, "/search", "Reset"),
        intrusion(6, detected, "/other", "Reset"),
    ];
    let objects = [(SHOP_WAF, waf.concat()), (IPS, ips.concat())];
    let shop = Shop::open(cluster, &objects).await?;
    let passed = json!({
        "size": 100, "sort": ["@timestamp"],
        "query": { "bool": { "filter": [
            { "term": { "event.dataset": "aws.waf" } },
            { "term": { "aws.waf.conditionTypes": "XSS" } },
            { "term": { "event.type": "allowed" } },
        ] } },
    });
    let answer = shop.0.search(ALL, passed).await?;
    let mut found = Vec::new();
    for hit in answer["hits"]["hits"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
    {
        let request = &hit["_source"];
        let at = &request["@timestamp"];
        let near = |sign: &str| format!("{}||{sign}5m", at.as_str().unwrap_or_default());
        let same = json!({ "bool": { "filter": [
            { "term": { "event.dataset": "trendmicro.deep_security" } },
            { "term": { "client.ip": request["client"]["ip"] } },
            { "term": { "url.path": request["url"]["path"] } },
            { "range": { "@timestamp": { "gte": near("-"), "lte": near("+") } } },
        ] } });
        let verdicts = shop.by("event.action", &same).await?;
        found.push(format!(
            "{} {}",
            request["client"]["ip"].as_str().unwrap_or_default(),
            verdicts.join(" ")
        ));
    }
    check(
        &found,
        &[
            "198.51.100.7 Reset=1",
            "203.0.113.9 IDS:Reset=1",
            "192.0.2.44 ",
            "192.0.2.45 ",
        ],
    )
}

async fn who_reads_a_bucket_directly(cluster: Cluster) -> Result<()> {
    let app = "arn:aws:sts::111122223333:assumed-role/shop-app/i-0123456789abcdef0";
    let foreign = "arn:aws:iam::444455556666:user/mallory";
    let lines = [
        access("-", "export/users.csv", 200, "curl/8.4.0"),
        access("-", "export/users.csv", 403, "curl/8.4.0"),
        access("-", "export/gone.csv", 404, "curl/8.4.0"),
        access(foreign, "export/users.csv", 200, "aws-cli/2.31.4"),
        // Known, or through CloudFront with its origin access control.
        access(app, "export/users.csv", 200, "aws-sdk"),
        access(
            "svc:cloudfront.amazonaws.com",
            "export/users.csv",
            200,
            "Amazon CloudFront",
        ),
    ];
    let data = |n: u32, identity: Value, key: &str, more: Value| {
        let mut read = event(n, identity, more);
        read["eventSource"] = json!("s3.amazonaws.com");
        read["eventName"] = json!("GetObject");
        read["eventCategory"] = json!("Data");
        read["requestParameters"] = json!({ "bucketName": "shop-data", "key": key });
        read
    };
    let anonymous = json!({ "type": "AWSAccount", "principalId": "", "accountId": "anonymous" });
    let service = json!({ "type": "AWSService", "invokedBy": "cloudfront.amazonaws.com" });
    let denied = json!({ "errorCode": "AccessDenied" });
    let events = [
        data(1, anonymous.clone(), "export/users.csv", json!({})),
        data(2, anonymous, "export/users.csv", denied),
        data(3, service, "export/users.csv", json!({})),
    ];
    let objects = [(S3_ACCESS, lines.concat()), trail(&events)];
    let shop = Shop::open(cluster, &objects).await?;

    // One pair of fields names bucket and key, whoever logged the request.
    let bucket = json!({ "term": { "aws.s3.bucket.name": "shop-data" } });
    let by_dataset = ["aws.cloudtrail=3", "aws.s3access=6"];
    check(&shop.by("event.dataset", &bucket).await?, &by_dataset)?;

    let known = json!([
        { "term": { "cloud.account.id": "111122223333" } },
        { "prefix": { "user.id": "arn:aws:sts::111122223333:" } },
        { "prefix": { "user_agent.original": "Amazon CloudFront" } },
        { "exists": { "field": "aws.cloudtrail.userIdentity.invokedBy" } },
    ]);
    let logged = json!({ "bool": { "filter": [bucket, { "term": { "event.dataset": "aws.s3access" } }], "must_not": known } });
    let keys = ["export/gone.csv=1", "export/users.csv=3"];
    check(&shop.by("aws.s3.object.key", &logged).await?, &keys)?;
    let statuses = ["200=2", "403=1", "404=1"];
    check(
        &shop.by("http.response.status_code", &logged).await?,
        &statuses,
    )?;

    let trailed = json!({ "bool": { "filter": [bucket, { "term": { "aws.cloudtrail.userIdentity.accountId": "anonymous" } }] } });
    check(
        &shop.by("aws.s3.object.key", &trailed).await?,
        &["export/users.csv=2"],
    )?;
    let outcomes = ["failure=1", "success=1"];
    check(&shop.by("event.outcome", &trailed).await?, &outcomes)
}

async fn who_floods_a_site(cluster: Cluster) -> Result<()> {
    let (one, two, quiet) = ("198.51.100.7", "203.0.113.9", "192.0.2.44");
    let mut waf = String::new();
    let mut alb = String::new();
    let mut nginx = String::new();
    for n in 0..40 {
        let second = n % 60;
        waf += &request(
            second,
            one,
            if n < 30 { "ALLOW" } else { "BLOCK" },
            if n < 30 {
                "Default_Action"
            } else {
                "RatePerAddress"
            },
        );
        alb += &balanced(
            second,
            if n < 30 { one } else { two },
            if n < 30 { 200 } else { 503 },
        );
    }
    for n in 0..20 {
        // What the flood's second address sends goes past the balancer.
        nginx += &format!(
            "{two} - - [23/Nov/2026:00:05:{n:02} +0000] \"GET / HTTP/1.1\" 200 500 \"-\" \"-\"\n"
        );
    }
    waf += &request(30, quiet, "ALLOW", "Default_Action");
    alb += &balanced(30, quiet, 200);
    let objects = [(SHOP_WAF, waf), (SHOP_ALB, alb), (NGINX, nginx)];
    let shop = Shop::open(cluster, &objects).await?;

    let body = json!({
        "size": 0,
        "query": { "bool": { "filter": [
            { "term": { "event.category": "web" } },
            { "range": { "@timestamp": { "gte": "2026-11-23T00:05:00Z", "lt": "2026-11-23T00:06:00Z" } } },
        ] } },
        "aggs": { "minutes": { "date_histogram": { "field": "@timestamp", "fixed_interval": "1m" }, "aggs": {
            "clients": { "terms": { "field": "client.ip", "size": 2 }, "aggs": {
                "bytes": { "sum": { "field": "http.response.bytes" } },
                "statuses": { "terms": { "field": "http.response.status_code", "order": { "_key": "asc" } } },
                "rules": { "terms": { "field": "rule.name" } },
                "sources": { "terms": { "field": "event.dataset", "order": { "_key": "asc" } } },
            } },
        } } },
    });
    let answer = shop.0.search(ALL, body).await?;
    let minutes = buckets(&answer["aggregations"]["minutes"]);
    ensure!(minutes.len() == 1, "{answer}");
    let mut found = Vec::new();
    for client in buckets(&minutes[0]["clients"]) {
        let listed = |name: &str| {
            let buckets = buckets(&client[name]).iter();
            let shown: Vec<_> = buckets
                .map(|bucket| format!("{}={}", shown(bucket), bucket["doc_count"]))
                .collect();
            shown.join(" ")
        };
        found.push(format!(
            "{} {} requests, {} bytes; {}; {}; {}",
            shown(client),
            client["doc_count"],
            client["bytes"]["value"],
            listed("statuses"),
            listed("rules"),
            listed("sources")
        ));
    }
    check(
        &found,
        &[
            "198.51.100.7 70 requests, 30000.0 bytes; 200=30; RatePerAddress=10; aws.elb=30 aws.waf=40",
            "203.0.113.9 30 requests, 20000.0 bytes; 200=20 503=10; ; aws.elb=10 nginx.access=20",
        ],
    )
}
