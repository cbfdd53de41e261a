//! Proxies on this machine.

use pidoop::progress::Reporter;
use pidoop::source::{HttpOptions, Obtained, Proxies, SourceError};

use super::{Place, options, request, sha256};
use crate::support::server::{Answer, Server, TestProxy};

fn obtain(place: &Place, url: &str, variables: &[(&str, &str)]) -> Result<Obtained, SourceError> {
    let find = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let options = HttpOptions {
        proxies: Proxies::from_variables(find),
        ..options()
    };
    let fetcher = place.fetcher_with(&options);
    fetcher.obtain(&request(&[url], sha256(b"x")), &Reporter::silent())
}

#[test]
fn what_a_proxy_is_for_comes_through_it() {
    let (place, server, proxy) = (Place::new(), Server::new(), TestProxy::new(200));
    let url = server.serve("/x", [Answer::redirect("/y")]);
    server.serve("/y", [Answer::file("x")]);
    let address = format!("http://me:secret@{}", proxy.address);
    obtain(&place, &url, &[("http_proxy", &address)]).unwrap();
    let tunnel = format!("CONNECT {} HTTP/1.1", server.address());
    assert_eq!(proxy.asked(), [tunnel.as_str(), &tunnel]);
}

#[test]
fn hosts_may_be_excepted() {
    let (place, server, proxy) = (Place::new(), Server::new(), TestProxy::new(200));
    let url = server.serve("/x", [Answer::file("x")]);
    let variables = [
        ("all_proxy", proxy.address.as_str()),
        ("no_proxy", "example.org, 127.0.0.0/8"),
    ];
    obtain(&place, &url, &variables).unwrap();
    assert_eq!(proxy.asked(), [""; 0]);
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let (place, server) = (Place::new(), Server::new());
    let url = server.serve("/x", [Answer::file("x")]);
    for (status, words) in [(407, "wants a name and a password"), (503, "503")] {
        let proxy = TestProxy::new(status);
        let address = format!("http://me:secret@{}", proxy.address);
        let said = obtain(&place, &url, &[("http_proxy", &address)]).unwrap_err();
        let said = said.to_string();
        assert!(said.contains(words), "{said}");
        assert!(
            said.contains(&format!("by the proxy …@{}", proxy.address)),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
    let said = obtain(&place, &url, &[("http_proxy", "http://127.0.0.1:1")]).unwrap_err();
    let said = said.to_string();
    assert!(
        said.contains("by the proxy http://127.0.0.1:1: nothing listens there"),
        "{said}"
    );
    assert_eq!(server.all_hits(), 0, "nobody went around the proxy");
}

#[test]
fn what_is_no_proxy_is_an_error_at_once() {
    let place = Place::new();
    for (value, words) in [
        ("http://", "no address of a proxy"),
        ("socks5://me:secret@h:1080", "HTTP proxies only"),
    ] {
        let proxies =
            Proxies::from_variables(|name| (name == "https_proxy").then(|| value.to_owned()));
        let options = HttpOptions {
            proxies,
            ..options()
        };
        let cache = pidoop::source::Cache::open(&place.cache()).unwrap();
        let said = pidoop::source::Fetcher::new(cache, &options).unwrap_err();
        let said = said.to_string();
        assert!(
            said.contains(words) && said.contains("https_proxy"),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
}
