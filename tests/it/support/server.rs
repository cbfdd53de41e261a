//! A web server on this machine that misbehaves as it is told.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the server answers one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    body: Vec<u8>,
    headers: Vec<String>,
    etag: Option<String>,
    modified: Option<String>,
    ranges: Ranges,
    length: Length,
    /// Sends so many bytes of the body, then closes the connection.
    cut: Option<usize>,
    /// Sends so many bytes at a time, with a pause between.
    pace: Option<(usize, Duration)>,
    /// Never answers, with the connection open.
    silent: bool,
}

/// What it does when only a part is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    /// As it should.
    Served,
    /// It sends everything.
    Unknown,
    /// It sends the part, though the file is another by now.
    Blind,
    /// It sends another part than was asked for.
    Shifted,
    /// It says that there is no such part.
    Refused,
}

/// What it says of the length of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// The truth.
    Right,
    /// Another.
    Wrong(usize),
    /// Nothing: the end of the connection is the end of the body.
    Unsaid,
    /// Nothing, but the body comes in chunks of which the last is marked.
    Chunked,
}

impl Answer {
    /// A file that does not change.
    pub(crate) fn file(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            headers: Vec::new(),
            etag: Some("\"v1\"".to_owned()),
            modified: None,
            ranges: Ranges::Served,
            length: Length::Right,
            cut: None,
            pace: None,
            silent: false,
        }
    }

    /// No file.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            etag: None,
            ..Self::file("")
        }
    }

    /// A file elsewhere.
    pub(crate) fn redirect(to: &str) -> Self {
        Self::status(302).header(&format!("Location: {to}"))
    }

    /// Nothing.
    pub(crate) fn silence() -> Self {
        Self {
            silent: true,
            ..Self::status(200)
        }
    }

    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    pub(crate) fn etag(mut self, etag: Option<&str>) -> Self {
        self.etag = etag.map(str::to_owned);
        self
    }

    pub(crate) fn modified(mut self, date: &str) -> Self {
        self.modified = Some(date.to_owned());
        self
    }

    pub(crate) fn ranges(mut self, ranges: Ranges) -> Self {
        self.ranges = ranges;
        self
    }

    pub(crate) fn length(mut self, length: Length) -> Self {
        self.length = length;
        self
    }

    pub(crate) fn cut(mut self, after: usize) -> Self {
        self.cut = Some(after);
        self
    }

    pub(crate) fn pace(mut self, bytes: usize, pause: Duration) -> Self {
        self.pace = Some((bytes, pause));
        self
    }
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) if_range: Option<String>,
}

#[derive(Default)]
struct State {
    /// What to answer to the first request for a path, the second, and so on;
    /// the last answer stays.
    answers: BTreeMap<String, Vec<Answer>>,
    seen: Vec<Seen>,
    /// Bytes of bodies that were sent.
    sent: u64,
}

/// The server. It serves as long as the process lives.
#[derive(Clone)]
pub(crate) struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            state: Arc::default(),
        };
        let state = server.state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = state.clone();
                // A client that has heard enough may be gone in the middle.
                std::thread::spawn(move || drop(serve(&stream, &state)));
            }
        });
        server
    }

    /// Serves `answers` one after the other at `path`, the last for ever; gives
    /// the address.
    pub(crate) fn serve<const N: usize>(&self, path: &str, answers: [Answer; N]) -> String {
        let mut state = self.state.lock().unwrap();
        state.answers.insert(path.to_owned(), answers.into());
        state.seen.retain(|seen| seen.path != path);
        self.url(path)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The requests for a path so far.
    pub(crate) fn seen(&self, path: &str) -> Vec<Seen> {
        let state = self.state.lock().unwrap();
        let here = state.seen.iter().filter(|seen| seen.path == path);
        here.cloned().collect()
    }

    /// How often a path was asked for.
    pub(crate) fn hits(&self, path: &str) -> usize {
        self.seen(path).len()
    }

    /// All requests so far.
    pub(crate) fn all_hits(&self) -> usize {
        self.state.lock().unwrap().seen.len()
    }

    /// Bytes of bodies sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.state.lock().unwrap().sent
    }
}

/// The first line of a request and its headers.
fn read_request(stream: &TcpStream) -> io::Result<(String, BTreeMap<String, String>)> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut line = || {
        lines
            .next()
            .unwrap_or(Err(io::ErrorKind::UnexpectedEof.into()))
    };
    let first = line()?;
    let mut headers = BTreeMap::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok((first, headers));
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let (first, headers) = read_request(stream)?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let seen = Seen {
        path: path.clone(),
        range: headers.get("range").cloned(),
        if_range: headers.get("if-range").cloned(),
    };
    let answer = {
        let mut state = state.lock().unwrap();
        state.seen.push(seen.clone());
        let count = state.seen.iter().filter(|other| other.path == path).count();
        let answers = state.answers.get(&path).map_or(&[][..], Vec::as_slice);
        let answer = answers.get(count - 1).or(answers.last());
        answer.cloned().unwrap_or_else(|| Answer::status(404))
    };
    if answer.silent {
        std::thread::sleep(Duration::from_secs(60));
        return Ok(());
    }
    let (head, body) = answer.to(&seen);
    let mut out = stream;
    out.write_all(head.as_bytes())?;
    send_body(&answer, &body, out, state)
}

fn send_body(
    answer: &Answer,
    body: &[u8],
    mut out: &TcpStream,
    state: &Mutex<State>,
) -> io::Result<()> {
    let sent = answer.cut.map_or(body.len(), |cut| cut.min(body.len()));
    let (bytes, pause) = answer.pace.unwrap_or((64 << 10, Duration::ZERO));
    for piece in body[..sent].chunks(bytes) {
        match answer.length {
            Length::Chunked => {
                write!(out, "{:x}\r\n", piece.len())?;
                out.write_all(piece)?;
                out.write_all(b"\r\n")?;
            }
            _ => out.write_all(piece)?,
        }
        state.lock().unwrap().sent += piece.len() as u64;
        std::thread::sleep(pause);
    }
    if matches!(answer.length, Length::Chunked) && answer.cut.is_none() {
        out.write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}

impl Answer {
    /// Head and body for a request.
    fn to(&self, seen: &Seen) -> (String, Vec<u8>) {
        let mut status = self.status;
        let mut body = self.body.clone();
        let mut lines = self.headers.clone();
        if let Some(first) = self.first_byte(seen) {
            let total = body.len();
            let first = match self.ranges {
                Ranges::Shifted => first.saturating_sub(1),
                _ => first,
            };
            if first >= total || self.ranges == Ranges::Refused {
                status = 416;
                body.clear();
                lines.push(format!("Content-Range: bytes */{total}"));
            } else {
                status = 206;
                body.drain(..first);
                lines.push(format!(
                    "Content-Range: bytes {first}-{}/{total}",
                    total - 1
                ));
            }
        }
        match self.length {
            Length::Right => lines.push(format!("Content-Length: {}", body.len())),
            Length::Wrong(length) => lines.push(format!("Content-Length: {length}")),
            Length::Unsaid => {}
            Length::Chunked => lines.push("Transfer-Encoding: chunked".to_owned()),
        }
        lines.extend(self.etag.iter().map(|etag| format!("ETag: {etag}")));
        let modified = self.modified.iter();
        lines.extend(modified.map(|date| format!("Last-Modified: {date}")));
        let head = lines.join("\r\n");
        (
            format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n{head}\r\n\r\n"),
            body,
        )
    }

    /// The byte that a request wants to begin at, if it gets a part.
    fn first_byte(&self, seen: &Seen) -> Option<usize> {
        if self.ranges == Ranges::Unknown || self.status != 200 {
            return None;
        }
        let range = seen.range.as_deref()?;
        let current = [&self.etag, &self.modified];
        let same = seen
            .if_range
            .as_ref()
            .is_none_or(|validator| current.iter().any(|now| now.as_ref() == Some(validator)));
        if !same && self.ranges != Ranges::Blind {
            return None;
        }
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    }
}

/// A proxy on this machine that makes tunnels.
pub(crate) struct TestProxy {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TestProxy {
    /// One that answers CONNECT with this status, and with 200 tunnels.
    pub(crate) fn new(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap().to_string(),
            asked: Arc::default(),
        };
        let asked = proxy.asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let asked = asked.clone();
                std::thread::spawn(move || drop(tunnel(&stream, status, &asked)));
            }
        });
        proxy
    }

    /// First lines of what it was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn tunnel(stream: &TcpStream, status: u16, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let (first, _) = read_request(stream)?;
    asked.lock().unwrap().push(first.clone());
    let mut out = stream;
    write!(out, "HTTP/1.1 {status} Whatever\r\n\r\n")?;
    if status != 200 {
        return Ok(());
    }
    let target = first.split(' ').nth(1).unwrap_or_default();
    let there = TcpStream::connect(target)?;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::copy(&mut &*stream, &mut &there);
        });
        let result = io::copy(&mut &there, &mut &*stream);
        // The other direction ends with it.
        let _ = stream.shutdown(std::net::Shutdown::Both);
        result.map(drop)
    })
}
