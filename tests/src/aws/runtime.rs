//! A Lambda Runtime API in this process: hands events to the binary and takes its answers, byte for byte.
//!
//! The stand-ins read a malformed answer as success where AWS reads failure, so answers are looked at here.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long the binary may take for one event.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How often it is asked whether the binary still runs.
const LOOK: Duration = Duration::from_millis(20);

/// A running function binary.
#[derive(Debug)]
pub struct Bootstrap {
    child: Mutex<Child>,
    events: Sender<Invocation>,
    answers: Mutex<Receiver<Answer>>,
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

/// One event, and how long the function may take for it.
#[derive(Debug)]
struct Invocation {
    event: String,
    time: Duration,
}

/// What the binary answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A response.
    Response(Value),
    /// An error of the invocation, or of the start.
    Error(Value),
    /// None: the process ended.
    Ended,
}

impl Bootstrap {
    /// Starts the binary with nothing but this environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(binary: &Path, environment: &[(&str, String)]) -> Result<Self> {
        Self::start_logged(binary, environment, Stdio::null())
    }

    /// Starts the binary; its log goes behind what the file `log` already has.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with_log(
        binary: &Path,
        environment: &[(&str, String)],
        log: &Path,
    ) -> Result<Self> {
        let log = fs::File::options().create(true).append(true).open(log)?;
        Self::start_logged(binary, environment, log.into())
    }

    fn start_logged(binary: &Path, environment: &[(&str, String)], log: Stdio) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (events, waiting) = channel();
        let (answered, answers) = channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        thread::spawn(move || serve(&listener, waiting, &answered, &over));
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
            .stdout(log)
            .spawn()
            .with_context(|| format!("cannot start `{}`", binary.display()))?;
        Ok(Self {
            child: Mutex::new(child),
            events,
            answers: Mutex::new(answers),
            address,
            is_over,
        })
    }

    /// Hands over one event without a pressing deadline and waits for the answer.
    ///
    /// # Errors
    /// When none comes.
    pub fn invoke(&self, event: &Value) -> Result<Answer> {
        self.invoke_within(event, Duration::from_secs(900))
    }

    /// Hands over one event, says how long the function may take, and waits for the answer or the end of the process.
    ///
    /// # Errors
    /// When neither comes.
    pub fn invoke_within(&self, event: &Value, time: Duration) -> Result<Answer> {
        let event = event.to_string();
        self.events
            .send(Invocation { event, time })
            .ok()
            .context("the runtime API stopped")?;
        let answers = self.answers.lock().ok().context("a thread panicked")?;
        let started = Instant::now();
        while started.elapsed() < ANSWER_LIMIT {
            match answers.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) if self.is_running()? => {}
                // The last answer may have come before the end.
                Err(_) => return Ok(answers.try_recv().unwrap_or(Answer::Ended)),
            }
        }
        bail!("the function did not answer")
    }

    /// Ends the process as SIGKILL does.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn kill(&self) -> Result<()> {
        Ok(self.child()?.kill()?)
    }

    fn is_running(&self) -> Result<bool> {
        Ok(self.child()?.try_wait()?.is_none())
    }

    fn child(&self) -> Result<std::sync::MutexGuard<'_, Child>> {
        self.child.lock().ok().context("a thread panicked")
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child() {
            drop(child.kill());
            drop(child.wait());
        }
        // Wakes the listener, so that it sees the end.
        self.is_over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

/// Serves each connection on a thread of its own: the client may open a second one while the first is idle.
fn serve(
    listener: &TcpListener,
    events: Receiver<Invocation>,
    answers: &Sender<Answer>,
    is_over: &AtomicBool,
) {
    let events = Arc::new(Mutex::new(events));
    for stream in listener.incoming().flatten() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let (events, answers) = (Arc::clone(&events), answers.clone());
        thread::spawn(move || answer(&stream, &events, &answers));
    }
}

/// Serves one connection until the binary, or whoever waits for its answers, is gone.
fn answer(
    stream: &TcpStream,
    events: &Mutex<Receiver<Invocation>>,
    answers: &Sender<Answer>,
) -> Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = request(&mut reader)? {
        if line.contains("/invocation/next") {
            let next = events.lock().ok().context("a connection panicked")?.recv();
            let Ok(invocation) = next else {
                bail!("no more events");
            };
            respond(stream, "200 OK", &invocation.event, invocation.time)?;
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
        respond(stream, "202 Accepted", "", Duration::ZERO)?;
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

#[expect(
    clippy::disallowed_methods,
    reason = "the runtime API gives deadlines by the clock of the day"
)]
fn respond(mut stream: &TcpStream, status: &str, body: &str, time: Duration) -> Result<()> {
    let deadline = (SystemTime::now() + time).duration_since(SystemTime::UNIX_EPOCH)?;
    let head = format!(
        "HTTP/1.1 {status}\r\nLambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:111122223333:function:f\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        deadline.as_millis(),
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    Ok(())
}
