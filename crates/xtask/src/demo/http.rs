//! One HTTP request over loopback: so little that no client crate is worth its compile time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The simulated account waits for the function that it invokes.
const LIMIT: Duration = Duration::from_secs(120);

/// Makes a request and gives the body of an answer that is a success.
pub(super) fn call(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<String> {
    let rest = url.strip_prefix("http://").context("no http:// address")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let stream = TcpStream::connect(host);
    let mut stream = stream.with_context(|| format!("cannot reach `{host}`"))?;
    stream.set_read_timeout(Some(LIMIT))?;
    // 1.0: an answer in one piece.
    let mut head = format!(
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("`{method} {url}` answered {status}: {body:.300}");
    }
    Ok(body.to_owned())
}

/// Encodes what a path cannot carry as it is.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_keys() {
        assert_eq!(encode("a b+c/日.gz"), "a%20b%2Bc/%E6%97%A5.gz");
    }
}
