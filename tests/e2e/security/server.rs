//! A server for one request, which it keeps as it came.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};

/// A request as it was on the wire.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case, in the order of the wire.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }
}

/// Takes one request and gives the status and the body that the caller makes of it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<Result<Request>>,
}

impl Server {
    pub(crate) fn start(
        answer: impl FnOnce(&Request) -> Result<(u16, String)> + Send + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept()?;
            let mut stream = BufReader::new(stream);
            let request = read(&mut stream)?;
            let (status, body) = answer(&request)?;
            write!(
                stream.get_mut(),
                "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )?;
            Ok(request)
        });
        Ok(Self { address, thread })
    }

    /// Gives the request, once the client has its answer.
    pub(crate) fn taken(self) -> Result<Request> {
        let joined = self.thread.join();
        joined.map_err(|_panic| anyhow!("the server panicked"))?
    }
}

fn read(stream: &mut impl std::io::BufRead) -> Result<Request> {
    let mut lines = stream.by_ref().lines();
    let first = lines.next().context("no request")??;
    let mut words = first.split(' ');
    let method = words.next().context("no method")?.to_owned();
    let target = words.next().context("no target")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        ..Request::default()
    };
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("no header")?;
        let header = (name.to_ascii_lowercase(), value.to_owned());
        request.headers.push(header);
    }
    let length = request.header("content-length").unwrap_or("0").trim();
    request.body = vec![0; length.parse()?];
    stream.read_exact(&mut request.body)?;
    Ok(request)
}
