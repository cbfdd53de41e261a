//! Servers that fail: right bytes or a clear error, never a poisoned cache.

use std::time::Duration;

use pidoop::progress::{Event, Reporter};
use pidoop::source::{HttpOptions, Location, Request};
use rstest::rstest;

use super::{Place, options, request, sample, sha256, sha512};
use crate::support::notes::Notes;
use crate::support::server::{Answer, Length, Ranges, Server};

#[test]
fn a_download_is_kept_and_not_fetched_twice() {
    let (place, server) = (Place::new(), Server::new());
    let body = sample(3_000_000);
    let url = server.serve("/x.tgz", [Answer::file(body.clone())]);
    let request = request(&[&url], sha256(&body));
    let (reporter, heard) = Notes::reporter();
    let first = place.fetcher().obtain(&request, &reporter).unwrap();
    assert_eq!(fs_err::read(&first.path).unwrap(), body);
    assert_eq!(first.from, url);
    assert_eq!(heard.titles(), ["fetching thing"]);
    assert!(matches!(
        heard.all().last(),
        Some(Event::TaskFinished {
            done: 3_000_000,
            ..
        })
    ));
    let again = place.fetcher().obtain(&request, &reporter).unwrap();
    assert_eq!(again, first);
    assert_eq!(heard.titles().len(), 1, "it is not read again either");
    assert_eq!(server.hits("/x.tgz"), 1);
    assert!(crate::support::world::names(&place.cache().join("downloads")).is_empty());
}

/// What a server does, what is said of it, and how often it is asked.
#[rstest]
#[case::cut_every_time(Answer::file(sample(100)).etag(None).cut(9), "the connection broke off", 3)]
#[case::cut_in_a_chunk(Answer::file(sample(100)).length(Length::Chunked).cut(9), "broke off", 3)]
#[case::shorter_than_said(Answer::file("x").length(Length::Wrong(100)).ranges(Ranges::Unknown), "broke off", 3)]
#[case::longer_than_said(
    Answer::file("right and more").length(Length::Wrong(4)),
    "is damaged, incomplete or another release",
    1
)]
#[case::wrong(Answer::file("another release"), "another release than expected", 1)]
#[case::login_page(
    Answer::file("<!DOCTYPE html><title>Log in</title>"),
    "is a web page",
    1
)]
#[case::circle(
    Answer::redirect("/x"),
    "redirects in a circle, by http://127.0.0.1",
    1
)]
#[case::nowhere(
    Answer::redirect("http://127.0.0.1:1/y"),
    "it redirects to http://127.0.0.1:1/y: nothing listens there",
    1
)]
#[case::no_address(Answer::redirect("gopher://h/x"), "redirects to no address", 1)]
#[case::no_location(Answer::status(302), "redirects to no address", 1)]
#[case::redirect_to_missing(Answer::redirect("/absent"), "/absent: there is no such file (404)", 1)]
#[case::busy(Answer::status(503), "answered 503", 3)]
#[case::too_many_requests(Answer::status(429), "asked too often (429)", 3)]
#[case::private(Answer::status(403), "refused (403)", 1)]
#[case::missing(Answer::status(404), "no such file (404)", 1)]
#[case::silent(Answer::silence(), "did not answer in time", 3)]
#[case::odd_range(Answer::status(206), "answered 206", 1)]
fn every_failure_is_told_and_leaves_nothing(
    #[case] answer: Answer,
    #[case] words: &str,
    #[case] hits: usize,
    #[values(true, false)] pinned: bool,
) {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [answer]);
    let digest = if pinned { sha256(b"right") } else { None };
    let options = HttpOptions {
        // Waited for in vain only where nothing comes.
        patience: Duration::from_millis(if words.contains("in time") {
            300
        } else {
            20_000
        }),
        ..options()
    };
    let fetcher = place.fetcher_with(&options);
    let result = fetcher.obtain(&request(&[&url], digest), &Reporter::silent());
    let is_about_bytes = words.contains("release") || words.contains("web page");
    if !pinned && is_about_bytes {
        // Nobody said what it should be, so what came is taken.
        result.unwrap();
        return;
    }
    let error = result.unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.to_string().contains(&url), "{error}");
    assert!(error.is_environment());
    assert_eq!(server.hits("/x"), hits);
    place.holds_no_file();
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let (place, server) = (Place::new(), Server::new());
    server.serve("/end", [Answer::file("x")]);
    server.serve("/d/a", [Answer::redirect("../b?c=1")]);
    server.serve("/b?c=1", [Answer::redirect(&server.url("/end"))]);
    let got = place.bytes(&request(&[&server.url("/d/a")], None));
    assert_eq!(got, b"x");
    for step in 0..20 {
        let next = format!("/step{}", step + 1);
        server.serve(&format!("/step{step}"), [Answer::redirect(&next)]);
    }
    let said = place.obtain(&request(&[&server.url("/step0")], None));
    let said = said.unwrap_err().to_string();
    assert!(said.contains("redirects more than 10 times"), "{said}");
    assert_eq!(server.hits("/step10"), 1);
    assert_eq!(server.hits("/step11"), 0);
}

#[test]
fn the_second_address_answers_when_the_first_has_moved() {
    let (place, server) = (Place::new(), Server::new());
    let old = server.serve("/archive/x", [Answer::file("x")]);
    let urls = [server.url("/current/x"), old.clone()];
    let request = request(&[&urls[0], &urls[1]], sha256(b"x"));
    assert_eq!(place.obtain(&request).unwrap().from, old);
    assert_eq!(server.hits("/current/x"), 1, "it is not asked for again");
}

#[test]
fn all_addresses_are_told_of_when_none_will_do() {
    let (place, server) = (Place::new(), Server::new());
    let wrong = server.serve("/b", [Answer::file("y")]);
    let urls = [server.url("/a"), wrong, "http://127.0.0.1:1/c".to_owned()];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let said = place.obtain(&request(&urls, sha256(b"x")));
    let said = said.unwrap_err().to_string();
    let reasons = [
        "any of 3 places",
        "(404)",
        "another release",
        "nothing listens",
    ];
    for words in urls.into_iter().chain(reasons) {
        assert!(said.contains(words), "{words} is not in {said}");
    }
    place.holds_no_file();
}

#[test]
fn a_drip_is_given_up_and_a_slow_line_is_not() {
    let (place, server) = (Place::new(), Server::new());
    let body = sample(4000);
    let drip = Answer::file(body.clone()).pace(1, Duration::from_millis(100));
    let url = server.serve("/x", [drip]);
    let options = HttpOptions {
        tries: 2,
        least: 400,
        window: Duration::from_secs(2),
        ..options()
    };
    let (reporter, heard) = Notes::reporter();
    let request = request(&[&url], sha256(&body));
    let fetcher = place.fetcher_with(&options);
    let said = fetcher.obtain(&request, &reporter).unwrap_err().to_string();
    assert!(said.contains("less than 400 bytes in 2 seconds"), "{said}");
    place.holds_no_file();
    // What had come is not lost: the second try went on behind it.
    assert!(heard.text().contains("at hand"), "{}", heard.text());
    assert!(server.seen("/x")[1].range.is_some());

    // Faster than the least, though slow: it gets there.
    let slow = Answer::file(body.clone()).pace(500, Duration::from_millis(40));
    server.serve("/x", [slow]);
    let fetcher = place.fetcher_with(&options);
    let got = fetcher.obtain(&request, &Reporter::silent()).unwrap();
    assert_eq!(fs_err::read(got.path).unwrap(), body);
}

#[test]
fn bytes_stay_as_published() {
    let (place, server) = (Place::new(), Server::new());
    let gzip = [&b"\x1f\x8b"[..], &sample(40)].concat();
    let marked = Answer::file(gzip.clone()).header("Content-Encoding: gzip");
    let url = server.serve("/x.gz", [marked]);
    assert_eq!(place.bytes(&request(&[&url], sha256(&gzip))), gzip);
}

#[test]
fn a_length_that_is_known_is_compared_before_anything_comes() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [Answer::file(sample(5000))]);
    let request = Request {
        size: Some(4999),
        ..request(&[&url], sha256(b"x"))
    };
    let said = place.obtain(&request).unwrap_err().to_string();
    assert!(
        said.contains("has 5000 bytes, but the request says 4999"),
        "{said}"
    );
    // One that does not tell its length is stopped where it should have ended.
    server.serve("/x", [Answer::file(sample(5000)).length(Length::Chunked)]);
    let said = place.obtain(&request).unwrap_err().to_string();
    assert!(said.contains("goes on behind the 4999 bytes"), "{said}");
    place.holds_no_file();
}

#[test]
fn an_end_that_could_be_a_break_is_believed_only_with_a_digest() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [Answer::file("all of it").length(Length::Unsaid)]);
    let said = place.obtain(&request(&[&url], None)).unwrap_err();
    assert!(said.to_string().contains("give its sha256"), "{said}");
    let got = place.bytes(&request(&[&url], sha256(b"all of it")));
    assert_eq!(got, b"all of it");
    let chunked = server.serve("/y", [Answer::file("chunks").length(Length::Chunked)]);
    assert_eq!(place.bytes(&request(&[&chunked], None)), b"chunks");
}

#[test]
fn offline_nobody_is_asked() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [Answer::file("x")]);
    let request = request(&[&url], sha256(b"x"));
    let mut fetcher = place.fetcher();
    fetcher.offline = true;
    let said = fetcher.obtain(&request, &Reporter::silent()).unwrap_err();
    assert!(said.to_string().contains("this is offline"), "{said}");
    assert_eq!(server.all_hits(), 0);
    place.obtain(&request).unwrap();
    fetcher.obtain(&request, &Reporter::silent()).unwrap();
    assert_eq!(server.all_hits(), 1);
}

#[test]
fn an_address_is_asked_again_only_on_request() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [Answer::file("old"), Answer::file("new")]);
    let wanted = request(&[&url], None);
    assert_eq!(place.bytes(&wanted), b"old");
    assert_eq!(place.bytes(&wanted), b"old");
    let fresh = Request {
        fresh: true,
        ..wanted.clone()
    };
    assert_eq!(place.bytes(&fresh), b"new");
    assert_eq!(place.bytes(&wanted), b"new");
}

#[test]
fn two_at_once_fetch_once() {
    let (place, server) = (Place::new(), Server::new());
    let body = sample(2_000_000);
    let slow = Answer::file(body.clone()).pace(400_000, Duration::from_millis(10));
    let url = server.serve("/x", [slow]);
    // By another address, too: it is the content that counts.
    let other = server.serve("/y", [Answer::status(404)]);
    std::thread::scope(|scope| {
        for index in 0..4 {
            let urls = if index == 3 {
                [&other, &url]
            } else {
                [&url, &other]
            };
            let request = request(&urls.map(String::as_str), sha256(&body));
            let place = &place;
            scope.spawn(move || place.obtain(&request).unwrap());
        }
    });
    assert_eq!(server.hits("/x"), 1);
}

#[test]
fn a_file_in_the_cache_that_was_spoilt_is_fetched_anew() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [Answer::file("right")]);
    let request = request(&[&url], sha256(b"right"));
    let kept = place.obtain(&request).unwrap().path;
    fs_err::write(&kept, "wrong").unwrap();
    assert_eq!(place.bytes(&request), b"right");
    assert_eq!(server.hits("/x"), 2);
}

#[test]
fn a_local_file_is_read_once_until_it_changes() {
    let place = Place::new();
    let path = place.path("x.tgz");
    fs_err::write(&path, "one").unwrap();
    let wanted = |digest| Request {
        digest,
        ..Request::new("thing", vec![Location::Path(path.clone())])
    };
    let (reporter, heard) = Notes::reporter();
    let fetcher = place.fetcher();
    let obtain = |digest| fetcher.obtain(&wanted(digest), &reporter);
    let got = obtain(None).unwrap();
    assert_eq!((got.path.clone(), got.size), (path.clone(), 3));
    obtain(sha256(b"one")).unwrap();
    assert_eq!(heard.titles(), ["reading x.tgz"]);
    obtain(Some(sha512(b"one"))).unwrap();
    obtain(Some(sha512(b"one"))).unwrap();
    assert_eq!(heard.titles().len(), 2, "the SHA-512 was not known");
    fs_err::write(&path, "two").unwrap();
    let said = obtain(sha256(b"one")).unwrap_err().to_string();
    assert!(said.contains(path.as_str()), "{said}");
    assert_eq!(place.bytes(&wanted(None)), b"two");
    place.holds_no_file();
}

#[test]
fn what_is_no_file_is_said() {
    let place = Place::new();
    let paths = ["absent", "."].map(|name| Location::Path(place.path(name)));
    let said = place.obtain(&Request::new("java", paths.into()));
    let said = said.unwrap_err().to_string();
    assert!(
        said.contains("no such file") && said.contains("is a directory"),
        "{said}"
    );
}
