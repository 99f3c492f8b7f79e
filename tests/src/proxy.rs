//! An HTTP proxy that breaks what passes it: refuses, cuts, loses or shortens answers, and tells who asks for what.
//!
//! It takes one request per connection, so that no fault hits a neighbour, and forwards bodies as they are.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// No service takes longer in a test.
const PATIENCE: Duration = Duration::from_secs(60);
/// How SQS and STS write what is asked of them.
const CALLS: [&str; 2] = [
    "application/x-amz-json",
    "application/x-www-form-urlencoded",
];

/// What passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query as they were sent.
    pub path: String,
    /// The `x-amz-target` header, by which SQS is asked; else empty.
    pub target: String,
    /// The access key id that signed it; else empty.
    pub access_key: String,
    /// The body of a call to SQS or STS, where they say what is asked; else empty.
    pub call: String,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// It passes.
    Pass,
    /// It passes after a while.
    Delay(Duration),
    /// It is answered with this status and body and goes no further.
    Answer(u16, &'static str),
    /// The connection is cut before it goes further.
    Cut,
    /// It is served, and the connection is cut before the answer.
    Lose,
    /// It is served, and the connection is cut after this part of the answer's body.
    Abort(f64),
    /// It is served, and the answer's body is shorter than it was, with a length that says so and without a checksum.
    Truncate(f64),
}

type Rule = Box<dyn FnMut(&Request) -> Fault + Send>;

/// A running proxy; it ends with the process.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: Mutex<SocketAddr>,
    rule: Mutex<Rule>,
    log: Mutex<Vec<Request>>,
    answered: Mutex<Vec<(Request, u16)>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    is_over: AtomicBool,
}

impl Proxy {
    /// Starts a proxy in front of `url`.
    ///
    /// # Errors
    /// When no port is free, or the address is none.
    pub fn start(url: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: Mutex::new(host(url)?),
            rule: Mutex::new(Box::new(|_| Fault::Pass)),
            log: Mutex::default(),
            answered: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&serving);
                // A cut connection is what this is for.
                thread::spawn(move || drop(shared.serve(&stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// Where to connect, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads to another address.
    ///
    /// # Errors
    /// When the address is none.
    pub fn lead_to(&self, url: &str) -> Result<()> {
        *lock(&self.shared.upstream) = host(url)?;
        Ok(())
    }

    /// Decides by `rule` what happens to each request from now on.
    pub fn rule(&self, rule: impl FnMut(&Request) -> Fault + Send + 'static) {
        *lock(&self.shared.rule) = Box::new(rule);
    }

    /// Lets everything pass from now on.
    pub fn calm(&self) {
        self.rule(|_| Fault::Pass);
    }

    /// Takes what has passed since the last time, and how many requests were under way at once at most.
    pub fn passed(&self) -> (Vec<Request>, usize) {
        let most = self.shared.most_at_once.swap(0, Ordering::Relaxed);
        (std::mem::take(&mut *lock(&self.shared.log)), most)
    }

    /// Takes what was answered since the last time, with the statuses.
    pub fn answered(&self) -> Vec<(Request, u16)> {
        std::mem::take(&mut *lock(&self.shared.answered))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it sees the end.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let Some((request, bytes)) = read(stream)? else {
            return Ok(());
        };
        lock(&self.log).push(request.clone());
        let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        let fault = (lock(&self.rule))(&request);
        let done = self.apply(stream, (&request, &bytes), &fault);
        self.at_once.fetch_sub(1, Ordering::Relaxed);
        done
    }

    fn apply(
        &self,
        mut stream: &TcpStream,
        (request, bytes): (&Request, &[u8]),
        fault: &Fault,
    ) -> Result<()> {
        match fault {
            Fault::Cut => return Ok(()),
            Fault::Answer(status, body) => {
                lock(&self.answered).push((request.clone(), *status));
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} Fault\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(head.as_bytes())?;
                stream.write_all(body.as_bytes())?;
                return Ok(stream.shutdown(Shutdown::Write)?);
            }
            Fault::Delay(time) => thread::sleep(*time),
            Fault::Pass | Fault::Lose | Fault::Abort(_) | Fault::Truncate(_) => {}
        }
        let answer = self.ask(bytes)?;
        lock(&self.answered).push((request.clone(), status(&answer)?));
        let answer = match fault {
            Fault::Lose => return Ok(()),
            Fault::Abort(part) => {
                let (head, body) = parts(&answer)?;
                [head, share(body, *part)].concat()
            }
            Fault::Truncate(part) => shortened(&answer, *part)?,
            _ => answer,
        };
        stream.write_all(&last(&answer)?)?;
        Ok(stream.shutdown(Shutdown::Write)?)
    }

    /// Sends a request that asks for the end of its connection, so that the answer ends with it.
    fn ask(&self, request: &[u8]) -> Result<Vec<u8>> {
        let address = *lock(&self.upstream);
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn host(url: &str) -> Result<SocketAddr> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    host.parse()
        .with_context(|| format!("`{url}` is no plain address"))
}

/// Reads one request whole, and makes it the last of its connection.
fn read(stream: &TcpStream) -> Result<Option<(Request, Vec<u8>)>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_default().to_owned();
    let mut request = Request {
        method: word(),
        path: word(),
        target: String::new(),
        access_key: String::new(),
        call: String::new(),
    };
    let mut bytes = line.clone().into_bytes();
    let (mut length, mut is_chunked, mut is_call) = (0, false, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let (name, value) = header.split_once(':').unwrap_or_default();
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "" => break,
            "connection" => continue,
            "content-length" => length = value.parse()?,
            "transfer-encoding" => is_chunked = value.eq_ignore_ascii_case("chunked"),
            "x-amz-target" => value.clone_into(&mut request.target),
            "authorization" => request.access_key = access_key(value),
            "content-type" => is_call = CALLS.iter().any(|call| value.starts_with(call)),
            // Bodies are small: whoever waits for a go-ahead gets it.
            "expect" => {
                let mut stream = stream;
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                continue;
            }
            _ => {}
        }
        bytes.extend_from_slice(header.as_bytes());
    }
    bytes.extend_from_slice(b"Connection: close\r\n\r\n");
    if is_chunked {
        chunks(&mut reader, &mut bytes)?;
    } else {
        let start = bytes.len();
        bytes.resize(start + length, 0);
        let body = bytes.get_mut(start..).unwrap_or_default();
        reader.read_exact(body)?;
        if is_call {
            request.call = String::from_utf8_lossy(body).into_owned();
        }
    }
    Ok(Some((request, bytes)))
}

/// Gives the access key id of a signature.
fn access_key(authorization: &str) -> String {
    let key = authorization.split_once("Credential=");
    let key = key.and_then(|(_, rest)| rest.split('/').next());
    key.unwrap_or_default().to_owned()
}

fn status(answer: &[u8]) -> Result<u16> {
    let line = answer.split(|byte| *byte == b'\r').next();
    let line = std::str::from_utf8(line.unwrap_or_default())?;
    let status = line.split(' ').nth(1).unwrap_or_default();
    status
        .parse()
        .with_context(|| format!("an answer without a status: `{line}`"))
}

/// Copies a chunked body as it is.
fn chunks(reader: &mut BufReader<&TcpStream>, bytes: &mut Vec<u8>) -> Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16)?;
        bytes.extend_from_slice(line.as_bytes());
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        bytes.extend_from_slice(&chunk);
        if size == 0 {
            return Ok(());
        }
    }
}

/// Splits an answer behind its head.
fn parts(answer: &[u8]) -> Result<(&[u8], &[u8])> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let end = end.context("an answer without a head")? + 4;
    Ok(answer.split_at(end))
}

/// Says in an answer that it ends its connection: the client would send its next request into the end.
fn last(answer: &[u8]) -> Result<Vec<u8>> {
    let (head, body) = parts(answer)?;
    let line = head.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
    let (line, headers) = head.split_at(line);
    Ok([line, b"Connection: close\r\n", headers, body].concat())
}

/// Gives the first part of a body.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a part of a small body"
)]
fn share(body: &[u8], part: f64) -> &[u8] {
    let length = (body.len() as f64 * part) as usize;
    body.get(..length).unwrap_or(body)
}

fn shortened(answer: &[u8], part: f64) -> Result<Vec<u8>> {
    let (head, body) = parts(answer)?;
    let body = share(body, part);
    let head = std::str::from_utf8(head)?;
    let lines = head.trim_end().lines();
    let mut short: String = lines
        .filter(|line| {
            let line = line.to_ascii_lowercase();
            !line.starts_with("content-length:") && !line.starts_with("x-amz-checksum-")
        })
        .flat_map(|line| [line, "\r\n"])
        .collect();
    short.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    Ok([short.as_bytes(), body].concat())
}
