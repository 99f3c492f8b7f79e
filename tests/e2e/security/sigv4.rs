//! Requests signed with AWS credentials, taken by a server that works every signature out itself.

use std::io::Read as _;

use anyhow::{Context, Result, ensure};
use aws_config::Region;
use aws_credential_types::provider::SharedCredentialsProvider;
use sekisho_bulk::{
    Auth, ClusterApi as _, ConnectSettings, Credentials, Method, OpenSearchTransport, Verdict,
};
use sekisho_object::{ObjectLimits, decompress};
use sekisho_tests::opensearch::Cluster;
use serde_json::{Value, json};

use crate::batch;
use crate::server::{Request, Server};
use crate::signature::{Claim, body_hash, expected};

crate::cases![():
    the_verifier_agrees_with_the_published_example,
    bulk_bodies_are_signed_as_sent,
    calls_with_odd_paths_are_signed,
    a_wrong_secret_is_a_state_fault,
];

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE//token+of=a/session==";
const REGION: &str = "ap-northeast-1";

fn transport(server: &Server, gzip: bool, secret: &str) -> Result<OpenSearchTransport> {
    let credentials =
        aws_credential_types::Credentials::new(KEY_ID, secret, Some(TOKEN.into()), None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    Ok(OpenSearchTransport::new(ConnectSettings {
        auth: Auth::SigV4(Credentials::AwsSigV4(provider, Region::new(REGION))),
        gzip,
        ..ConnectSettings::new(format!("http://{}", server.address))
    })?)
}

/// Checks all that a domain checks.
fn verify(request: &Request) -> Result<()> {
    let claim = Claim::read(request)?;
    let scope = (claim.key_id, claim.region, claim.service);
    ensure!(scope == (KEY_ID, REGION, "es"), "{scope:?}");
    for name in [
        "host",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
    ] {
        ensure!(claim.signed_headers.contains(&name), "{name} is not signed");
    }
    let header = |name| request.header(name).map(str::trim);
    ensure!(header("x-amz-security-token") == Some(TOKEN));
    ensure!(header("x-amz-content-sha256") == Some(body_hash(request).as_str()));
    let expected = expected(request, &claim, SECRET)?;
    ensure!(
        claim.signature == expected,
        "{} is not {expected}",
        claim.signature
    );
    Ok(())
}

/// Refuses as a domain does, or answers that every item was created.
fn answer(request: &Request) -> Result<(u16, String)> {
    if verify(request).is_err() {
        let message =
            "The request signature we calculated does not match the signature you provided.";
        return Ok((403, json!({ "message": message }).to_string()));
    }
    let mut items = Vec::new();
    for line in text(request)?.lines().step_by(2) {
        let line: Value = serde_json::from_str(line)?;
        let id = line.pointer("/create/_id").context("no id")?;
        items.push(json!({ "create": { "_id": id, "status": 201 } }));
    }
    Ok((200, json!({ "errors": false, "items": items }).to_string()))
}

/// The lines of the body, which its magic bytes say how to read.
fn text(request: &Request) -> Result<String> {
    let mut text = String::new();
    let limits = ObjectLimits {
        max_compressed_bytes: 1 << 20,
        max_decompressed_bytes: 1 << 20,
        max_ratio: 1_000,
        max_entries: 1_000,
    };
    decompress(request.body.as_slice(), &limits)?.read_to_string(&mut text)?;
    Ok(text)
}

/// The example of AWS's description: its request, key and signature.
async fn the_verifier_agrees_with_the_published_example((): ()) -> Result<()> {
    let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    let headers = [
        (
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        ),
        ("host", "iam.amazonaws.com".to_owned()),
        ("x-amz-date", "20150830T123600Z".to_owned()),
        (
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={KEY_ID}/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
            ),
        ),
    ];
    let request = Request {
        method: "GET".into(),
        path: "/".into(),
        query: "Version=2010-05-08&Action=ListUsers".into(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body: Vec::new(),
    };
    let claim = Claim::read(&request)?;
    ensure!(claim.signature == expected(&request, &claim, SECRET)?);
    Ok(())
}

async fn bulk_bodies_are_signed_as_sent((): ()) -> Result<()> {
    for gzip in [true, false] {
        let server = Server::start(answer)?;
        let cluster = Cluster::over(transport(&server, gzip, SECRET)?);
        let batch = batch(&["log-aws-demo-2026.11.23", "log-aws-demo-2026.11.22"])?;
        let verdicts = cluster.write(&batch).await?;
        let request = server.taken()?;
        verify(&request).with_context(|| format!("gzip {gzip}: {request:?}"))?;
        ensure!(
            verdicts == [Verdict::Indexed, Verdict::Indexed],
            "{verdicts:?}"
        );
        let target = (request.method.as_str(), request.path.as_str());
        ensure!(target == ("POST", "/_bulk"), "{target:?}");
        let encoding = request.header("content-encoding").map(str::trim);
        ensure!(encoding == gzip.then_some("gzip"), "{encoding:?}");
        ensure!(request.body.starts_with(&[0x1f, 0x8b]) == gzip);
        let text = text(&request)?;
        ensure!(
            text.contains(r#""_index":"log-aws-demo-2026.11.23""#),
            "{text}"
        );
    }
    Ok(())
}

async fn calls_with_odd_paths_are_signed((): ()) -> Result<()> {
    for (method, path, body) in [
        (Method::Get, "/", None),
        (
            Method::Put,
            "/_index_template/sekisho-log-aws-demo",
            Some("{}"),
        ),
        (
            Method::Delete,
            "/log-*,-log-aws%20x?expand_wildcards=all&b=a*%2Cc",
            None,
        ),
    ] {
        let server = Server::start(|_| Ok((200, "{}".into())))?;
        let transport = transport(&server, true, SECRET)?;
        transport.call(method, path, body.map(Into::into)).await?;
        let request = server.taken()?;
        verify(&request).with_context(|| format!("{path}: {request:?}"))?;
    }
    Ok(())
}

async fn a_wrong_secret_is_a_state_fault((): ()) -> Result<()> {
    for gzip in [true, false] {
        let server = Server::start(answer)?;
        let cluster = Cluster::over(transport(&server, gzip, "another secret")?);
        let verdicts = cluster.write(&batch(&["log-a", "log-b"])?).await?;
        server.taken()?;
        for verdict in &verdicts {
            let Verdict::StateFault { reason } = verdict else {
                anyhow::bail!("no state fault: {verdict:?}");
            };
            for word in ["signature", "`opensearch.region`"] {
                ensure!(reason.contains(word), "no `{word}` in `{reason}`");
            }
        }
        ensure!(verdicts.len() == 2);
    }
    Ok(())
}
