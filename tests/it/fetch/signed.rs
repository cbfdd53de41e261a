//! Signatures, made by gpg and judged by gpgv.

use camino::Utf8PathBuf;
use pidoop::progress::Reporter;
use pidoop::source::{Keys, Location, Mirror, Request, Signature};
use rstest::rstest;

use super::{Place, request, sha256};
use crate::support::notes::Notes;
use crate::support::server::{Answer, Server};
use crate::support::signer::Signer;

const BODY: &[u8] = b"a release";

fn keys(signer: &Signer) -> Keys {
    Keys::File {
        name: "recipes/keys/thing.asc".to_owned(),
        bytes: signer.public_key(true),
    }
}

fn wanted(server: &Server, keys: Keys, fingerprint: Option<&str>) -> Request {
    Request {
        signature: Some(Signature {
            urls: vec![server.url("/x.asc")],
            keys,
            fingerprint: fingerprint.map(str::to_owned),
        }),
        ..request(&[&server.url("/x")], sha256(BODY))
    }
}

/// A server with a signed file.
fn server(signature: Vec<u8>) -> Server {
    let server = Server::new();
    server.serve("/x", [Answer::file(BODY)]);
    server.serve("/x.asc", [Answer::file(signature)]);
    server
}

#[rstest]
fn a_right_signature_is_accepted_and_not_checked_twice(
    #[values(true, false)] armoured_key: bool,
    #[values(true, false)] armoured_signature: bool,
) {
    let (place, signer) = (Place::new(), Signer::new());
    let server = server(signer.sign(BODY, armoured_signature));
    let keys = Keys::File {
        name: "key".to_owned(),
        bytes: signer.public_key(armoured_key),
    };
    let wanted = wanted(&server, keys, None);
    let (reporter, heard) = Notes::reporter();
    place.fetcher().obtain(&wanted, &reporter).unwrap();
    let signed = format!("thing: signed by {}\n", signer.fingerprint());
    assert_eq!(heard.text(), signed);
    place.fetcher().obtain(&wanted, &reporter).unwrap();
    assert_eq!(heard.text(), signed);
    assert_eq!(server.hits("/x.asc"), 1);
}

#[test]
fn a_published_list_of_keys_and_a_fingerprint_will_do() {
    let (place, signer, other) = (Place::new(), Signer::new(), Signer::new());
    let server = server(signer.sign(BODY, true));
    let list = [
        b"These are the keys.\n".to_vec(),
        other.public_key(true),
        b"pub  ed25519\n".to_vec(),
        signer.public_key(true),
    ];
    server.serve("/KEYS", [Answer::file(list.concat())]);
    let by = |fingerprint: &str| {
        let keys = Keys::Url(server.url("/KEYS"));
        place.obtain(&wanted(&server, keys, Some(fingerprint)))
    };
    let said = by(&other.fingerprint()).unwrap_err().to_string();
    assert!(
        said.contains(&format!("it is signed by {}", signer.fingerprint())),
        "{said}"
    );
    place.holds_no_file();
    by(&signer.fingerprint()).unwrap();
}

#[test]
fn wrong_signatures_are_refused_and_nothing_is_kept() {
    let (place, signer, other) = (Place::new(), Signer::new(), Signer::new());
    let cases = [
        (signer.sign(b"other bytes", true), "is of other bytes"),
        (other.sign(BODY, true), "not among those of the recipe"),
        (b"<html>".to_vec(), "signature"),
        (Vec::new(), "signature"),
    ];
    for (signature, words) in cases {
        let server = server(signature);
        let said = place.obtain(&wanted(&server, keys(&signer), None));
        let said = said.unwrap_err().to_string();
        assert!(said.contains("its signature is not right"), "{said}");
        assert!(said.contains(words), "{said}");
        place.holds_no_file();
    }
    let server = Server::new();
    server.serve("/x", [Answer::file(BODY)]);
    let said = place.obtain(&wanted(&server, keys(&signer), None));
    let said = said.unwrap_err().to_string();
    assert!(said.contains("its signature could not be had"), "{said}");
    place.holds_no_file();
    let no_key = Keys::File {
        name: "recipes/keys/thing.asc".to_owned(),
        bytes: b"no key".to_vec(),
    };
    let server = self::server(signer.sign(BODY, true));
    let said = place.obtain(&wanted(&server, no_key, None));
    let said = said.unwrap_err().to_string();
    assert!(
        said.contains("recipes/keys/thing.asc has no public key in it"),
        "{said}"
    );
}

/// A file that came before its signature was wanted is judged all the same.
#[test]
fn a_file_in_the_cache_is_judged_too() {
    let (place, signer) = (Place::new(), Signer::new());
    let server = server(signer.sign(b"other bytes", true));
    let wanted = wanted(&server, keys(&signer), None);
    place
        .obtain(&Request {
            signature: None,
            ..wanted.clone()
        })
        .unwrap();
    let said = place.obtain(&wanted).unwrap_err().to_string();
    assert!(said.contains("is of other bytes"), "{said}");
    // Offline there is nothing to judge it by, which is said.
    let mut fetcher = place.fetcher();
    fetcher.offline = true;
    let (reporter, heard) = Notes::reporter();
    fetcher.obtain(&wanted, &reporter).unwrap();
    assert_eq!(
        heard.text(),
        "thing: its signature was not checked, because this is offline; its digest was\n"
    );
}

#[test]
fn signatures_lie_in_mirrors_too() {
    let (place, signer) = (Place::new(), Signer::new());
    let usb: Utf8PathBuf = place.path("usb");
    fs_err::create_dir(&usb).unwrap();
    fs_err::write(usb.join("x"), BODY).unwrap();
    fs_err::write(usb.join("x.asc"), signer.sign(BODY, true)).unwrap();
    let nowhere = "https://nowhere.invalid/x";
    let wanted = Request {
        locations: vec![Location::Url(nowhere.to_owned())],
        signature: Some(Signature {
            urls: vec![format!("{nowhere}.asc")],
            keys: keys(&signer),
            fingerprint: Some(signer.fingerprint()),
        }),
        ..request(&[], sha256(BODY))
    };
    let mut fetcher = place.fetcher();
    fetcher.offline = true;
    fetcher.mirrors = vec![Mirror::parse("usb", &place.root, None).unwrap()];
    fetcher.obtain(&wanted, &Reporter::silent()).unwrap();
}
