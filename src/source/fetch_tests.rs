//! Fetching from a server on this machine that misbehaves on request.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8Path;

use super::testing::scratch;
use super::*;
use crate::progress::{Event, Recorded, Reporter};

/// What the server does when a path is asked for.
#[derive(Clone)]
enum Answer {
    Body(Vec<u8>),
    Status(u16),
    Redirect(String),
    /// Announces `.0` bytes, sends `.1` and closes.
    Cut(usize, Vec<u8>),
    /// A chunked body that ends in the middle.
    CutChunked(Vec<u8>),
    /// Nothing at all, with the connection left open.
    Silence,
    /// `Content-Encoding: gzip` on what is a gzip file anyway.
    MarkedGzip(Vec<u8>),
    /// The first answer once, then the second.
    Then(Box<Answer>, Box<Answer>),
}

#[derive(Clone)]
struct Server {
    address: String,
    hits: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Server {
    fn new(answers: &[(&str, Answer)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = Self {
            address,
            hits: Arc::default(),
        };
        let answers: BTreeMap<String, Answer> = answers
            .iter()
            .map(|(path, answer)| ((*path).to_owned(), answer.clone()))
            .collect();
        let hits = server.hits.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, hits) = (answers.clone(), hits.clone());
                std::thread::spawn(move || serve(stream, &answers, &hits));
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn hits(&self, path: &str) -> usize {
        self.hits
            .lock()
            .unwrap()
            .get(path)
            .copied()
            .unwrap_or_default()
    }
}

fn serve(
    stream: TcpStream,
    answers: &BTreeMap<String, Answer>,
    hits: &Mutex<BTreeMap<String, usize>>,
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().unwrap().unwrap();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    while !lines.next().unwrap().unwrap().is_empty() {}
    let hit = {
        let mut hits = hits.lock().unwrap();
        let count = hits.entry(path.clone()).or_default();
        *count += 1;
        *count
    };
    let answer = answers.get(&path).cloned().unwrap_or(Answer::Status(404));
    answer_with(stream, answer, hit);
}

fn answer_with(mut stream: TcpStream, answer: Answer, hit: usize) {
    let mut send = |head: String, body: &[u8]| {
        // A client that has heard enough may be gone.
        let _ = stream.write_all(format!("HTTP/1.1 {head}Connection: close\r\n\r\n").as_bytes());
        let _ = stream.write_all(body);
    };
    match answer {
        Answer::Body(body) => send(
            format!("200 OK\r\nContent-Length: {}\r\n", body.len()),
            &body,
        ),
        Answer::Status(code) => send(format!("{code} Whatever\r\nContent-Length: 0\r\n"), b""),
        Answer::Redirect(to) => {
            send(
                format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n"),
                b"",
            );
        }
        Answer::Cut(length, body) => send(format!("200 OK\r\nContent-Length: {length}\r\n"), &body),
        Answer::CutChunked(body) => {
            let mut chunk = format!("{:x}\r\n", body.len() + 10).into_bytes();
            chunk.extend(body);
            send(
                "200 OK\r\nTransfer-Encoding: chunked\r\n".to_owned(),
                &chunk,
            );
        }
        Answer::Silence => std::thread::sleep(Duration::from_secs(20)),
        Answer::MarkedGzip(body) => send(
            format!(
                "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n",
                body.len()
            ),
            &body,
        ),
        Answer::Then(first, then) => {
            answer_with(stream, if hit == 1 { *first } else { *then }, hit);
        }
    }
}

fn options() -> HttpOptions {
    HttpOptions {
        environment_proxy: false,
        pause: Duration::from_millis(1),
        patience: Duration::from_millis(400),
        ..HttpOptions::default()
    }
}

fn fetcher(root: &Utf8Path) -> Fetcher {
    Fetcher::new(Cache::open(&root.join("cache")).unwrap(), &options()).unwrap()
}

fn request(urls: &[String], digest: Option<Digest>) -> Request {
    let locations = urls.iter().cloned().map(Location::Url).collect();
    Request {
        name: "thing".to_owned(),
        locations,
        digest,
        sidecar: None,
    }
}

fn sha256(bytes: &[u8]) -> Option<Digest> {
    Some(Digest::Sha256(Sha256::of(bytes)))
}

fn sha512(bytes: &[u8]) -> Digest {
    let mut digester = Digester::new(Some(Algorithm::Sha512));
    digester.update(bytes);
    digester.finish().of(Algorithm::Sha512).unwrap()
}

fn nothing_cached(root: &Utf8Path) {
    for part in ["blobs", "partial"] {
        let left: Vec<_> = root
            .join("cache")
            .join(part)
            .read_dir_utf8()
            .unwrap()
            .collect();
        assert!(left.is_empty(), "{part}: {left:?}");
    }
}

#[test]
fn a_download_is_kept_and_not_fetched_twice() {
    let (_dir, root) = scratch();
    let body = vec![7; 3_000_000];
    let server = Server::new(&[("/x.tgz", Answer::Body(body.clone()))]);
    let request = request(&[server.url("/x.tgz")], sha256(&body));
    let (reporter, events) = Recorded::reporter();
    let first = fetcher(&root).obtain(&request, &reporter).unwrap();
    assert_eq!(fs::read(&first.path).unwrap(), body);
    assert_eq!((first.size, first.sha256), (3_000_000, Sha256::of(&body)));
    assert_eq!(first.from, server.url("/x.tgz"));
    assert_eq!(events.titles(), ["fetching thing"]);
    assert!(matches!(
        events.all().last(),
        Some(Event::TaskFinished {
            done: 3_000_000,
            ..
        })
    ));
    let again = fetcher(&root).obtain(&request, &reporter).unwrap();
    assert_eq!(again, first);
    assert_eq!(server.hits("/x.tgz"), 1);
}

#[test]
fn the_second_address_answers_when_the_first_has_moved() {
    let (_dir, root) = scratch();
    let server = Server::new(&[("/old/x", Answer::Body(b"x".to_vec()))]);
    let urls = [server.url("/new/x"), server.url("/old/x")];
    let got = fetcher(&root)
        .obtain(&request(&urls, sha256(b"x")), &Reporter::silent())
        .unwrap();
    assert_eq!(got.from, urls[1]);
    assert_eq!(
        server.hits("/new/x"),
        1,
        "a missing file is not asked for again"
    );
}

#[test]
fn every_failure_is_told_and_leaves_nothing() {
    let (_dir, root) = scratch();
    let server = Server::new(&[
        ("/cut", Answer::Cut(100, b"only this".to_vec())),
        ("/chunked", Answer::CutChunked(b"only this".to_vec())),
        ("/wrong", Answer::Body(b"another release".to_vec())),
        (
            "/page",
            Answer::Body(b"<!DOCTYPE html><title>Log in</title>".to_vec()),
        ),
        ("/loop", Answer::Redirect("/loop".to_owned())),
        ("/busy", Answer::Status(503)),
        ("/private", Answer::Status(403)),
        ("/silent", Answer::Silence),
    ]);
    let cases = [
        ("/cut", "broke off", 3),
        ("/chunked", "broke off", 3),
        ("/wrong", "another release than expected", 1),
        ("/page", "is a web page", 1),
        ("/loop", "redirects in a circle", 11),
        ("/busy", "answered 503", 3),
        ("/private", "refused (403)", 1),
        ("/silent", "in time", 3),
        ("/absent", "no such file (404)", 1),
    ];
    for (path, words, hits) in cases {
        let request = request(&[server.url(path)], sha256(b"right"));
        let error = fetcher(&root)
            .obtain(&request, &Reporter::silent())
            .unwrap_err();
        assert!(error.to_string().contains(words), "{path}: {error}");
        assert!(
            error.to_string().contains(&server.url(path)),
            "{path}: {error}"
        );
        assert!(error.is_environment());
        assert_eq!(server.hits(path), hits, "{path}");
        nothing_cached(&root);
    }
}

#[test]
fn a_passing_failure_is_waited_out() {
    let (_dir, root) = scratch();
    let body = Answer::Body(b"whole".to_vec());
    let first = Answer::Cut(5, b"who".to_vec());
    let server = Server::new(&[("/x", Answer::Then(first.into(), body.into()))]);
    let request = request(&[server.url("/x")], None);
    let got = fetcher(&root)
        .obtain(&request, &Reporter::silent())
        .unwrap();
    assert_eq!(fs::read(got.path).unwrap(), b"whole");
}

#[test]
fn a_redirect_is_followed_and_bytes_stay_as_published() {
    let (_dir, root) = scratch();
    let gzip = [&b"\x1f\x8b"[..], &[0; 40]].concat();
    let server = Server::new(&[
        ("/latest", Answer::Redirect("/x.gz".to_owned())),
        ("/x.gz", Answer::MarkedGzip(gzip.clone())),
    ]);
    let request = request(&[server.url("/latest")], sha256(&gzip));
    let got = fetcher(&root)
        .obtain(&request, &Reporter::silent())
        .unwrap();
    assert_eq!(fs::read(got.path).unwrap(), gzip);
}

#[test]
fn the_published_checksum_decides() {
    let (_dir, root) = scratch();
    let line = |bytes: &[u8]| format!("SHA512 (x-RC1.tgz) = {}\n", sha512(bytes)).into_bytes();
    let server = Server::new(&[
        ("/x.tgz", Answer::Body(b"x".to_vec())),
        ("/x.tgz.sha512", Answer::Body(line(b"x"))),
        ("/bad.sha512", Answer::Body(line(b"y"))),
    ]);
    let with_sidecars = |paths: &[&str]| Request {
        sidecar: Some(Sidecar {
            algorithm: Algorithm::Sha512,
            urls: paths.iter().map(|path| server.url(path)).collect(),
        }),
        ..request(&[server.url("/x.tgz")], None)
    };
    let obtain = |request: &Request| fetcher(&root).obtain(request, &Reporter::silent());

    let error = obtain(&with_sidecars(&["/bad.sha512"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("SHA-512 is"), "{error}");
    let error = obtain(&with_sidecars(&["/none.sha512"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("published checksum is missing"), "{error}");
    nothing_cached(&root);

    let got = obtain(&with_sidecars(&["/none.sha512", "/x.tgz.sha512"])).unwrap();
    let by_digest = request(&["http://127.0.0.1:9/gone".to_owned()], Some(sha512(b"x")));
    assert_eq!(
        obtain(&by_digest).unwrap(),
        got,
        "a SHA-512 finds the same file in the cache"
    );
}

#[test]
fn offline_takes_only_what_is_there_and_refresh_asks_again() {
    let (_dir, root) = scratch();
    let answer = Answer::Then(
        Answer::Body(b"old".to_vec()).into(),
        Answer::Body(b"new".to_vec()).into(),
    );
    let server = Server::new(&[("/x", answer)]);
    let request = request(&[server.url("/x")], None);
    let mut fetcher = fetcher(&root);
    fetcher.offline = true;
    let error = fetcher
        .obtain(&request, &Reporter::silent())
        .unwrap_err()
        .to_string();
    assert!(error.contains("offline"), "{error}");
    fetcher.offline = false;
    let read = |fetcher: &Fetcher| {
        fs::read(fetcher.obtain(&request, &Reporter::silent()).unwrap().path).unwrap()
    };
    assert_eq!(read(&fetcher), b"old");
    assert_eq!(read(&fetcher), b"old");
    fetcher.refresh = true;
    assert_eq!(read(&fetcher), b"new");
}

#[test]
fn two_at_once_fetch_once() {
    let (_dir, root) = scratch();
    let body = vec![1; 2_000_000];
    let server = Server::new(&[("/x", Answer::Body(body.clone()))]);
    let request = request(&[server.url("/x")], sha256(&body));
    let obtained = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                fetcher(&root)
                    .obtain(&request, &Reporter::silent())
                    .unwrap();
                obtained.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(obtained.into_inner(), 4);
    assert_eq!(server.hits("/x"), 1);
}

#[test]
fn a_local_file_is_read_once_until_it_changes() {
    let (_dir, root) = scratch();
    let path = root.join("x.tgz");
    fs::write(&path, b"one").unwrap();
    let wanted = |digest| Request {
        name: "thing".to_owned(),
        locations: vec![Location::Path(path.clone())],
        digest,
        sidecar: None,
    };
    let (reporter, events) = Recorded::reporter();
    let fetcher = fetcher(&root);
    let got = fetcher.obtain(&wanted(None), &reporter).unwrap();
    assert_eq!(
        (got.path.clone(), got.sha256, got.size),
        (path.clone(), Sha256::of(b"one"), 3)
    );
    fetcher.obtain(&wanted(sha256(b"one")), &reporter).unwrap();
    assert_eq!(events.titles(), ["reading x.tgz"]);
    fetcher
        .obtain(&wanted(Some(sha512(b"one"))), &reporter)
        .unwrap();
    fetcher
        .obtain(&wanted(Some(sha512(b"one"))), &reporter)
        .unwrap();
    assert_eq!(
        events.titles().len(),
        2,
        "the SHA-512 was not known and then was"
    );
    fs::write(&path, b"two").unwrap();
    assert_eq!(
        fetcher.obtain(&wanted(None), &reporter).unwrap().sha256,
        Sha256::of(b"two")
    );
    let error = fetcher
        .obtain(&wanted(sha256(b"one")), &reporter)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("expected") && error.contains(path.as_str()),
        "{error}"
    );
    assert_eq!(
        root.join("cache/blobs").read_dir_utf8().unwrap().count(),
        0,
        "no copy is made"
    );
}

#[test]
fn what_is_no_file_is_said() {
    let (_dir, root) = scratch();
    let paths = ["absent", "."].map(|name| Location::Path(root.join(name)));
    let request = Request {
        name: "java".to_owned(),
        locations: paths.into(),
        digest: None,
        sidecar: None,
    };
    let error = fetcher(&root)
        .obtain(&request, &Reporter::silent())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no such file") && error.contains("is a directory"),
        "{error}"
    );
}
