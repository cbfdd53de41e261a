//! Mirrors: directories of files, and other servers.

use pidoop::progress::Reporter;
use pidoop::source::{Algorithm, Mirror, Request, Sidecar};

use super::{Place, request, sample, sha256};
use crate::support::notes::Notes;
use crate::support::server::{Answer, Server};

impl Place {
    fn fetcher_by(&self, mirrors: &[&str]) -> pidoop::source::Fetcher {
        let mut fetcher = self.fetcher();
        let mirror = |text: &&str| Mirror::parse(text, &self.root, None).unwrap();
        fetcher.mirrors = mirrors.iter().map(mirror).collect();
        fetcher
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }
}

#[test]
fn a_directory_is_asked_first_and_its_files_are_kept() {
    let (place, server) = (Place::new(), Server::new());
    let body = sample(5000);
    place.put("mirror/a+b.tgz", &body);
    let request = request(&[&server.url("/d/a%2Bb.tgz?x=1")], sha256(&body));
    let silent = Reporter::silent();
    let got = place.fetcher_by(&["mirror"]).obtain(&request, &silent);
    assert_eq!(fs_err::read(got.unwrap().path).unwrap(), body);
    assert_eq!(server.all_hits(), 0);
    // It is in the cache now, whatever becomes of the directory.
    fs_err::remove_dir_all(place.path("mirror")).unwrap();
    assert_eq!(place.bytes(&request), body);
}

#[test]
fn digests_decide_over_mirrors() {
    let (place, server) = (Place::new(), Server::new());
    place.put("mirror/x", b"old release");
    let there = server.serve("/mirror/x", [Answer::file("poisoned")]);
    let url = server.serve("/x", [Answer::file("right")]);
    let mirror = there.strip_suffix("/x").unwrap().to_owned();
    let fetcher = place.fetcher_by(&["mirror", &mirror]);
    let request = request(&[&url], sha256(b"right"));
    let got = fetcher.obtain(&request, &Reporter::silent()).unwrap();
    assert_eq!(got.from, url);
    assert_eq!(server.hits("/mirror/x"), 1);
    // When nobody has the right one, all are told of.
    let wanted = Request {
        digest: sha256(b"another"),
        ..request
    };
    let said = fetcher.obtain(&wanted, &Reporter::silent()).unwrap_err();
    let said = said.to_string();
    assert!(said.contains("any of 3 places"), "{said}");
    for place in [place.path("mirror/x").as_str(), &there, &url] {
        assert!(said.contains(place), "{said}");
    }
}

#[test]
fn a_wrong_copy_does_not_cost_what_a_server_gave() {
    let (place, server) = (Place::new(), Server::new());
    let body = sample(200_000);
    let cut = Answer::file(body.clone()).cut(150_000);
    let gone = Answer::status(404);
    let url = server.serve("/x", [cut, gone, Answer::file(body.clone())]);
    let request = request(&[&url], sha256(&body));
    place.obtain(&request).unwrap_err();
    place.put("mirror/x", b"old release");
    let fetcher = place.fetcher_by(&["mirror"]);
    fetcher.obtain(&request, &Reporter::silent()).unwrap();
    assert_eq!(server.sent(), 200_000);
}

#[test]
fn a_mirror_that_is_down_does_not_matter() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [Answer::file("x")]);
    let fetcher = place.fetcher_by(&["http://127.0.0.1:1/pub", &server.url("/empty")]);
    let request = request(&[&url], sha256(b"x"));
    let got = fetcher.obtain(&request, &Reporter::silent()).unwrap();
    assert_eq!(got.from, url);
}

#[test]
fn offline_directories_count_and_servers_do_not() {
    let (place, server) = (Place::new(), Server::new());
    server.serve("/mirror/x", [Answer::file("x")]);
    let request = request(&["https://nowhere.invalid/x"], sha256(b"x"));
    let mut fetcher = place.fetcher_by(&[&server.url("/mirror")]);
    fetcher.offline = true;
    fetcher.obtain(&request, &Reporter::silent()).unwrap_err();
    assert_eq!(server.all_hits(), 0);
    place.put("usb/x", b"x");
    let mut fetcher = place.fetcher_by(&[&server.url("/mirror"), "usb"]);
    fetcher.offline = true;
    fetcher.obtain(&request, &Reporter::silent()).unwrap();
    assert_eq!(server.all_hits(), 0);
}

#[test]
fn checksum_files_lie_in_mirrors_too() {
    let place = Place::new();
    place.put("usb/x", b"x");
    let wanted = Request {
        sidecar: Some(Sidecar {
            algorithm: Algorithm::Sha256,
            urls: vec!["https://nowhere.invalid/x.sha256".to_owned()],
        }),
        ..request(&["https://nowhere.invalid/x"], None)
    };
    let mut fetcher = place.fetcher_by(&["usb"]);
    fetcher.offline = true;
    let said = fetcher.obtain(&wanted, &Reporter::silent()).unwrap_err();
    let said = said.to_string();
    assert!(said.contains("checksum is missing"), "{said}");
    assert!(said.contains("in no mirror directory"), "{said}");
    place.put(
        "usb/x.sha256",
        format!("{}  x\n", sha256(b"x").unwrap()).as_bytes(),
    );
    let (reporter, heard) = Notes::reporter();
    fetcher.obtain(&wanted, &reporter).unwrap();
    assert_eq!(heard.text(), "");
}
