//! As much of an HTTP/1.1 server as the agent's calls need.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a port may stay in use.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) from: SocketAddr,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An answer.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) fn json<T: Serialize>(value: &T) -> Response {
    bytes(200, serde_json::to_vec(value).unwrap())
}

pub(super) fn bytes(status: u16, body: Vec<u8>) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body,
    }
}

/// A listening server; dropped, it closes its port and every connection at once.
pub(super) struct Listener {
    port: u16,
    closed: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Listener {
    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the accept.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        for stream in self.open.lock().unwrap().drain(..) {
            stream.shutdown(std::net::Shutdown::Both).ok();
        }
    }
}

/// Binds a port that was given back just now. A program that another test starts in the same
/// moment holds a copy of the old socket until it runs.
pub(super) fn bound<T>(bind: impl Fn() -> io::Result<T>) -> T {
    let begun = Instant::now();
    loop {
        match bind() {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            bound => return bound.unwrap(),
        }
    }
}

/// Listens on a loopback port, 0 for any.
pub(super) fn listen(
    port: u16,
    answer: impl Fn(Request) -> Response + Send + Sync + 'static,
) -> Listener {
    let listener = bound(|| TcpListener::bind(("127.0.0.1", port)));
    let port = listener.local_addr().unwrap().port();
    let closed = Arc::new(AtomicBool::new(false));
    let open: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let (is_closed, streams) = (Arc::clone(&closed), Arc::clone(&open));
    let answer = Arc::new(answer);
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if is_closed.load(Ordering::SeqCst) {
                return;
            }
            streams.lock().unwrap().push(stream.try_clone().unwrap());
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || converse(&stream, &*answer));
        }
    });
    Listener {
        port,
        closed,
        open,
        thread: Some(thread),
    }
}

fn converse(stream: &TcpStream, answer: &dyn Fn(Request) -> Response) -> Option<()> {
    let from = stream.peer_addr().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let path = line.split_whitespace().nth(1)?.to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let len = headers
            .get("content-length")
            .map_or(0, |l| l.parse().unwrap());
        let mut body = vec![0; len];
        reader.read_exact(&mut body).ok()?;
        let response = answer(Request {
            path,
            from,
            headers,
            body,
        });
        let mut out = format!("HTTP/1.1 {} x\r\n", response.status);
        for (name, value) in &response.headers {
            write!(out, "{name}: {value}\r\n").ok()?;
        }
        write!(out, "content-length: {}\r\n\r\n", response.body.len()).ok()?;
        let mut stream = stream;
        stream.write_all(out.as_bytes()).ok()?;
        stream.write_all(&response.body).ok()?;
    }
}
