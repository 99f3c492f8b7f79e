//! AWS Signature Version 4 as the receiving side works it out, from AWS's description and SHA-256 alone.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use anyhow::{Context, Result, ensure};
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use crate::server::Request;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What the `authorization` header says.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) key_id: &'a str,
    pub(crate) date: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) signed_headers: Vec<&'a str>,
    pub(crate) signature: &'a str,
}

impl<'a> Claim<'a> {
    pub(crate) fn read(request: &'a Request) -> Result<Self> {
        let header = request.header("authorization").context("unsigned")?.trim();
        let rest = header.strip_prefix(ALGORITHM).context("not version 4")?;
        let part = |name: &str| {
            let mut parts = rest.split(',').map(str::trim);
            parts
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
                .with_context(|| format!("no {name} in `{header}`"))
        };
        let scope: Vec<_> = part("Credential")?.split('/').collect();
        let [key_id, date, region, service, "aws4_request"] = *scope else {
            anyhow::bail!("no credential scope in `{header}`");
        };
        Ok(Self {
            key_id,
            date,
            region,
            service,
            signed_headers: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }
}

/// Works the signature out that the request should have.
pub(crate) fn expected(request: &Request, claim: &Claim<'_>, secret: &str) -> Result<String> {
    let canonical = canonical(request, &claim.signed_headers)?;
    let Claim {
        date,
        region,
        service,
        ..
    } = claim;
    let time = request.header("x-amz-date").context("no time")?.trim();
    ensure!(time.starts_with(date), "{time} is not on {date}");
    let text = format!(
        "{ALGORITHM}\n{time}\n{date}/{region}/{service}/aws4_request\n{}",
        hex(&Sha256::digest(canonical))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [date, region, service, "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    Ok(hex(&hmac(&key, text.as_bytes())))
}

fn canonical(request: &Request, signed: &[&str]) -> Result<String> {
    ensure!(signed.is_sorted(), "{signed:?} are not in order");
    let mut query: Vec<_> = request
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (recode(name), recode(value))
        })
        .collect();
    query.sort();
    let query: Vec<_> = query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut headers = String::new();
    for name in signed {
        let value = request
            .header(name)
            .with_context(|| format!("no header {name}"))?;
        let words: Vec<_> = value.split_ascii_whitespace().collect();
        headers.push_str(&format!("{name}:{}\n", words.join(" ")));
    }
    // Every service but S3 encodes the path as it was sent once more.
    let path: Vec<_> = request
        .path
        .split('/')
        .map(|part| encode(part.as_bytes()))
        .collect();
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        path.join("/"),
        query.join("&"),
        signed.join(";"),
        body_hash(request),
    ))
}

/// The hash of the body as it was sent.
pub(crate) fn body_hash(request: &Request) -> String {
    hex(&Sha256::digest(&request.body))
}

fn recode(text: &str) -> String {
    encode(&percent_decode_str(text).collect::<Vec<_>>())
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 2104 over SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut block = match key.len() {
        0..=BLOCK => key.to_vec(),
        _ => Sha256::digest(key).to_vec(),
    };
    block.resize(BLOCK, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<_>>();
    let inner = Sha256::digest([&pad(0x36), message].concat());
    Sha256::digest([&pad(0x5c), inner.as_slice()].concat()).to_vec()
}
