//! A Lambda Runtime API in this process: hands events to the binary and takes its answers, byte for byte.
//!
//! The stand-ins read a malformed answer as success where AWS reads failure, so answers are looked at here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long the binary may take for one event.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A running function binary.
#[derive(Debug)]
pub struct Bootstrap {
    child: Child,
    events: Sender<String>,
    answers: Receiver<Answer>,
}

/// What the binary answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A response.
    Response(Value),
    /// An error of the invocation, or of the start.
    Error(Value),
}

impl Bootstrap {
    /// Starts the binary with nothing but this environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(binary: &Path, environment: &[(&str, String)]) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (events, waiting) = channel();
        let (answered, answers) = channel();
        thread::spawn(move || serve(&listener, waiting, &answered));
        let child = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "sekisho-ingest")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "g")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "s")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start `{}`", binary.display()))?;
        Ok(Self {
            child,
            events,
            answers,
        })
    }

    /// Hands over one event and waits for the answer.
    ///
    /// # Errors
    /// When none comes.
    pub fn invoke(&self, event: &Value) -> Result<Answer> {
        self.events
            .send(event.to_string())
            .ok()
            .context("the runtime API stopped")?;
        self.answers
            .recv_timeout(ANSWER_LIMIT)
            .context("the function did not answer")
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Serves each connection on a thread of its own: the client may open a second one while the first is idle.
fn serve(listener: &TcpListener, events: Receiver<String>, answers: &Sender<Answer>) {
    let events = Arc::new(Mutex::new(events));
    for stream in listener.incoming().flatten() {
        let (events, answers) = (Arc::clone(&events), answers.clone());
        thread::spawn(move || answer(&stream, &events, &answers));
    }
}

/// Serves one connection until the binary, or whoever waits for its answers, is gone.
fn answer(
    stream: &TcpStream,
    events: &Mutex<Receiver<String>>,
    answers: &Sender<Answer>,
) -> Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = request(&mut reader)? {
        if line.contains("/invocation/next") {
            let next = events.lock().ok().context("a connection panicked")?.recv();
            let Ok(event) = next else {
                bail!("no more events");
            };
            respond(stream, "200 OK", &event)?;
            continue;
        }
        let value = serde_json::from_slice(&body)?;
        let is_response = line.contains("/response");
        let sent = answers.send(if is_response {
            Answer::Response(value)
        } else {
            Answer::Error(value)
        });
        sent.ok().context("nobody waits")?;
        respond(stream, "202 Accepted", "")?;
    }
    Ok(())
}

fn request(reader: &mut BufReader<&TcpStream>) -> Result<Option<(String, Vec<u8>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    let mut chunked = false;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        chunked |= header == "transfer-encoding: chunked";
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if chunked {
        body = chunks(reader)?;
    }
    Ok(Some((line, body)))
}

fn chunks(reader: &mut BufReader<&TcpStream>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16)?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend(chunk.into_iter().take(size));
    }
}

fn respond(mut stream: &TcpStream, status: &str, body: &str) -> Result<()> {
    // 2100: no deadline presses.
    let head = format!(
        "HTTP/1.1 {status}\r\nLambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:111122223333:function:f\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    Ok(())
}
