//! Going on after a break.

use std::time::Duration;

use pidoop::progress::{Event, Reporter};
use pidoop::source::{HttpOptions, Request};
use rstest::rstest;

use super::{Place, half, options, request, sample, sha256, text};
use crate::support::notes::Notes;
use crate::support::server::{Answer, Length, Ranges, Seen, Server};

const LEN: usize = 300_000;
const CUT: usize = 100_000;

/// A server that breaks off the first time and then answers so.
fn broken(place: &str, then: Answer) -> (Server, String) {
    let server = Server::new();
    let first = Answer::file(sample(LEN)).cut(CUT);
    let url = server.serve(place, [first, then]);
    (server, url)
}

fn whole() -> Answer {
    Answer::file(sample(LEN))
}

fn asked(server: &Server) -> Vec<Seen> {
    server.seen("/x")
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let place = Place::new();
    let (server, url) = broken("/x", whole());
    let (reporter, heard) = Notes::reporter();
    let request = request(&[&url], sha256(&sample(LEN)));
    let got = place.fetcher().obtain(&request, &reporter).unwrap();
    assert_eq!(fs_err::read(got.path).unwrap(), sample(LEN));
    let asked = asked(&server);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].range.as_deref(), Some("bytes=100000-"));
    assert_eq!(asked[1].if_range.as_deref(), Some("\"v1\""));
    assert_eq!(server.sent(), LEN as u64, "no byte came twice");
    // One task from beginning to end.
    assert_eq!(heard.titles(), ["fetching thing"]);
    assert!(heard.text().contains("at hand"), "{}", heard.text());
    assert!(matches!(
        heard.all().last(),
        Some(Event::TaskFinished { done, .. }) if *done == LEN as u64
    ));
}

/// Whatever a server makes of the question for the rest, the bytes are right.
#[rstest]
#[case::no_ranges(whole().ranges(Ranges::Unknown), 2)]
#[case::another_part(whole().ranges(Ranges::Shifted), 3)]
#[case::refused(whole().ranges(Ranges::Refused), 3)]
#[case::no_length(whole().length(Length::Chunked), 2)]
#[case::tag_no_longer_told(whole().etag(None).ranges(Ranges::Blind), 2)]
#[case::tag_weak_now(whole().etag(Some("W/\"v1\"")).ranges(Ranges::Blind), 2)]
fn odd_answers_to_the_question_for_the_rest(
    #[case] then: Answer,
    #[case] hits: usize,
    #[values(true, false)] pinned: bool,
) {
    let place = Place::new();
    let (server, url) = broken("/x", then);
    let digest = if pinned { sha256(&sample(LEN)) } else { None };
    assert_eq!(place.bytes(&request(&[&url], digest)), sample(LEN));
    assert_eq!(asked(&server).len(), hits);
}

/// Without a tag the time of the last change vouches for the file; without
/// either, only a digest does.
#[rstest]
#[case::strong(Some("\"v1\""), None, true, true, Some("\"v1\""))]
#[case::weak(Some("W/\"v1\""), None, true, true, None)]
#[case::weak_unpinned(Some("W/\"v1\""), None, false, false, None)]
#[case::dated(
    None,
    Some("Wed, 21 Oct 2026 07:28:00 GMT"),
    false,
    true,
    Some("Wed, 21 Oct 2026 07:28:00 GMT")
)]
#[case::nothing(None, None, true, true, None)]
#[case::nothing_unpinned(None, None, false, false, None)]
fn something_must_vouch_for_the_rest(
    #[case] etag: Option<&str>,
    #[case] modified: Option<&str>,
    #[case] pinned: bool,
    #[case] goes_on: bool,
    #[case] if_range: Option<&str>,
) {
    let (place, server) = (Place::new(), Server::new());
    let answer = |cut: Option<usize>| {
        let answer = whole().etag(etag);
        let answer = modified.iter().fold(answer, |a, date| a.modified(date));
        cut.iter().fold(answer, |a, after| a.cut(*after))
    };
    let url = server.serve("/x", [answer(Some(CUT)), answer(None)]);
    let digest = if pinned { sha256(&sample(LEN)) } else { None };
    assert_eq!(place.bytes(&request(&[&url], digest)), sample(LEN));
    let second = &asked(&server)[1];
    assert_eq!(second.range.is_some(), goes_on);
    assert_eq!(second.if_range.as_deref(), if_range);
}

/// The file is another one when the rest is asked for.
#[rstest]
#[case::told(Ranges::Served, 2)]
#[case::not_heeded(Ranges::Blind, 3)]
fn a_file_that_changed_is_fetched_from_its_beginning(
    #[case] ranges: Ranges,
    #[case] hits: usize,
    #[values(true, false)] pinned: bool,
) {
    let place = Place::new();
    let mut new = sample(LEN);
    new.reverse();
    let changed = Answer::file(new.clone())
        .etag(Some("\"v2\""))
        .ranges(ranges);
    let (server, url) = broken("/x", changed);
    let digest = if pinned { sha256(&new) } else { None };
    assert_eq!(place.bytes(&request(&[&url], digest)), new);
    assert_eq!(asked(&server).len(), hits);
}

/// Pieces of two files, put together because nobody could tell: the digest
/// does, and the file is fetched whole.
#[test]
fn pieces_that_do_not_fit_are_thrown_away() {
    let (place, server) = (Place::new(), Server::new());
    let mut new = sample(LEN);
    new.reverse();
    let old = whole().etag(None).cut(CUT);
    let url = server.serve("/x", [old, Answer::file(new.clone()).etag(None)]);
    assert_eq!(place.bytes(&request(&[&url], sha256(&new))), new);
    let asked = asked(&server);
    assert_eq!(asked.len(), 3);
    assert!(asked[1].range.is_some() && asked[2].range.is_none());
}

#[test]
fn the_next_process_goes_on_where_the_last_stopped() {
    let (place, server) = (Place::new(), Server::new());
    let cut = whole().cut(CUT);
    let url = server.serve("/x", [cut.clone(), cut.clone(), cut, whole()]);
    let request = request(&[&url], sha256(&sample(LEN)));
    let once = HttpOptions {
        tries: 1,
        ..options()
    };
    let fetch = || {
        place
            .fetcher_with(&once)
            .obtain(&request, &Reporter::silent())
    };
    for kept in [CUT, 2 * CUT] {
        fetch().unwrap_err();
        let data = half(&place).join("data");
        assert_eq!(fs_err::metadata(data).unwrap().len(), kept as u64);
        place.holds_no_file();
    }
    // The third piece ends just where the file does.
    fetch().unwrap();
    assert_eq!(place.bytes(&request), sample(LEN));
    assert_eq!(server.sent(), LEN as u64);
}

#[test]
fn bytes_of_one_address_are_gone_on_with_at_another() {
    let (place, server) = (Place::new(), Server::new());
    let first = server.serve("/a", [whole().cut(CUT), Answer::status(404)]);
    let second = server.serve("/x", [whole()]);
    let request = request(&[&first, &second], sha256(&sample(LEN)));
    assert_eq!(place.bytes(&request), sample(LEN));
    let asked = asked(&server);
    assert_eq!(asked[0].range.as_deref(), Some("bytes=100000-"));
    // A tag of one server says nothing at another.
    assert_eq!(asked[0].if_range, None);
}

/// What is in the cache when a process begins may be anything.
#[rstest]
#[case::nothing(0, "")]
#[case::a_part(CUT, "")]
#[case::all(LEN, "")]
#[case::more(LEN + 7, "")]
#[case::damaged(CUT, "zeros")]
#[case::all_but_damaged(LEN, "zeros")]
#[case::damaged_note(CUT, "note")]
fn whatever_a_killed_process_left(#[case] len: usize, #[case] damage: &str) {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [whole().cut(1), whole()]);
    let wanted = request(&[&url], sha256(&sample(LEN)));
    let once = HttpOptions {
        tries: 1,
        ..options()
    };
    let result = place
        .fetcher_with(&once)
        .obtain(&wanted, &Reporter::silent());
    result.unwrap_err();
    let dir = half(&place);
    let mut left = sample(LEN + 7);
    left.truncate(len);
    match damage {
        // As after a power cut: the length was written, the bytes were not.
        "zeros" => left[len / 2..].fill(0),
        "note" => fs_err::write(dir.join("note.json"), "{\"url\":").unwrap(),
        _ => {}
    }
    fs_err::write(dir.join("data"), left).unwrap();
    let before = server.all_hits();
    assert_eq!(place.bytes(&wanted), sample(LEN));
    if len == LEN && damage.is_empty() {
        assert_eq!(server.all_hits(), before, "every byte was there");
    }
}

/// Without a digest nothing can tell whether all bytes reached the disk.
#[test]
fn without_a_digest_a_new_process_begins_anew() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [whole().cut(CUT), whole()]);
    let wanted = request(&[&url], None);
    let once = HttpOptions {
        tries: 1,
        ..options()
    };
    let result = place
        .fetcher_with(&once)
        .obtain(&wanted, &Reporter::silent());
    result.unwrap_err();
    assert_eq!(place.bytes(&wanted), sample(LEN));
    assert_eq!(asked(&server)[1].range, None);
}

#[test]
fn a_line_that_breaks_all_the_time_gets_there() {
    let (place, server) = (Place::new(), Server::new());
    let body = sample(12 << 20);
    // More often than it is tried in vain; but each time it gains.
    let url = server.serve("/x", [Answer::file(body.clone()).cut(2 << 20)]);
    let request = Request {
        size: Some(body.len() as u64),
        ..request(&[&url], sha256(&body))
    };
    assert_eq!(place.bytes(&request), body);
    assert_eq!(asked(&server).len(), 6);
    assert_eq!(server.sent(), body.len() as u64);
}

#[test]
fn a_break_is_waited_out_as_long_as_the_server_asks() {
    let (place, server) = (Place::new(), Server::new());
    let busy = Answer::status(503).header("Retry-After: 1");
    let url = server.serve("/x", [busy, whole()]);
    let begun = std::time::Instant::now();
    place.bytes(&request(&[&url], sha256(&sample(LEN))));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn the_note_of_a_download_names_the_version_of_the_file() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [whole().cut(CUT), Answer::status(404)]);
    let result = place.obtain(&request(&[&url], sha256(&sample(LEN))));
    result.unwrap_err();
    let note: serde_json::Value =
        serde_json::from_str(&text(&half(&place).join("note.json"))).unwrap();
    assert_eq!(note["url"], url);
    assert_eq!(note["validator"], "\"v1\"");
    assert_eq!(note["total"], LEN);
}
