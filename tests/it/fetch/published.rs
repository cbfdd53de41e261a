//! Checksum files of publishers.

use pidoop::progress::Reporter;
use pidoop::source::{Algorithm, Location, Request, Sidecar};
use rstest::rstest;

use super::{Place, request, sample, sha256, sha512};
use crate::support::server::{Answer, Server};

fn with_sidecar(server: &Server, algorithm: Algorithm, paths: &[&str]) -> Request {
    Request {
        sidecar: Some(Sidecar {
            algorithm,
            urls: paths.iter().map(|path| server.url(path)).collect(),
        }),
        ..request(&[&server.url("/x.tgz")], None)
    }
}

/// `gpg --print-md`: upper-case groups of eight over several lines.
fn print_md(name: &str, hex: &str) -> String {
    let groups: Vec<&str> = (0..hex.len())
        .step_by(8)
        .map(|at| &hex[at..at + 8])
        .collect();
    let rows: Vec<String> = groups.chunks(4).map(|row| row.join(" ")).collect();
    let indent = format!("\n{:width$}", "", width = name.len() + 2);
    format!("{name}: {}\n", rows.join(&indent)).to_uppercase()
}

#[rstest]
#[case::coreutils(|hex: &str| format!("{hex}  x.tgz\n"))]
#[case::bare(|hex: &str| hex.to_owned())]
#[case::bsd_of_a_candidate(|hex: &str| format!("SHA512 (x-RC1.tgz) = {hex}\n"))]
#[case::print_md(|hex: &str| print_md("x.tgz", hex))]
fn every_form_decides(#[case] form: fn(&str) -> String) {
    let (place, server) = (Place::new(), Server::new());
    let (body, other) = (sample(5000), sample(4000));
    server.serve("/x.tgz", [Answer::file(body.clone())]);
    server.serve("/bad", [Answer::file(form(&sha512(&other).to_string()))]);
    server.serve("/good", [Answer::file(form(&sha512(&body).to_string()))]);
    let said = place.obtain(&with_sidecar(&server, Algorithm::Sha512, &["/bad"]));
    let said = said.unwrap_err().to_string();
    assert!(said.contains(&sha512(&other).to_string()), "{said}");
    place.holds_no_file();
    let got = place.bytes(&with_sidecar(&server, Algorithm::Sha512, &["/good"]));
    assert_eq!(got, body);
}

#[test]
fn without_its_checksum_a_file_is_not_fetched() {
    let (place, server) = (Place::new(), Server::new());
    server.serve("/x.tgz", [Answer::file("x")]);
    server.serve("/page", [Answer::file("<html>Sign in</html>")]);
    let wanted = with_sidecar(&server, Algorithm::Sha256, &["/none", "/page"]);
    let said = place.obtain(&wanted).unwrap_err().to_string();
    for words in ["published checksum is missing", "(404)", "web page"] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(server.hits("/x.tgz"), 0);
}

#[test]
fn what_one_way_of_asking_brought_serves_the_others() {
    let (place, server) = (Place::new(), Server::new());
    server.serve("/x.tgz", [Answer::file("x")]);
    let line = format!("{}  x.tgz\n", sha512(b"x"));
    server.serve("/sums", [Answer::file(line)]);
    let wanted = with_sidecar(&server, Algorithm::Sha512, &["/none", "/sums"]);
    let got = place.obtain(&wanted).unwrap();
    // By either digest, wherever it is said to be.
    for digest in [Some(sha512(b"x")), sha256(b"x")] {
        let elsewhere = request(&["http://127.0.0.1:1/gone"], digest);
        assert_eq!(place.obtain(&elsewhere).unwrap(), got);
    }
    // Once checked, it is known offline too.
    let mut fetcher = place.fetcher();
    fetcher.offline = true;
    assert_eq!(fetcher.obtain(&wanted, &Reporter::silent()).unwrap(), got);
    // But an address that was never checked does not stand in for one that was.
    let unchecked = Request::new("x", vec![Location::Url(server.url("/x.tgz"))]);
    fetcher.obtain(&unchecked, &Reporter::silent()).unwrap_err();
    assert_eq!(server.hits("/x.tgz"), 1);
}

#[test]
fn the_digest_of_an_image_is_told_from_that_of_its_packed_file() {
    let (place, server) = (Place::new(), Server::new());
    let image = sample(40_000);
    let raw = place.path("x.img");
    fs_err::write(&raw, &image).unwrap();
    crate::support::tools::run("xz", &["-0", "-k", raw.as_str()]);
    let packed = fs_err::read(place.path("x.img.xz")).unwrap();
    let url = server.serve("/x.img.xz", [Answer::file(packed.clone())]);
    let base = |locations| Request {
        may_be_packed: true,
        digest: sha256(&image),
        ..Request::new("base", locations)
    };
    let right = sha256(&packed).unwrap().to_string();
    for location in [Location::Url(url), Location::Path(place.path("x.img.xz"))] {
        let said = place.obtain(&base(vec![location])).unwrap_err().to_string();
        for words in [
            "digest of the image in it",
            &format!("sha256 = \"{right}\""),
        ] {
            assert!(said.contains(words), "{said}");
        }
        place.holds_no_file();
    }
}
