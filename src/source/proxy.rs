//! Which addresses are asked through a proxy.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use ureq::http::Uri;

/// Proxies by the scheme of the address wanted, and hosts that are asked
/// without one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    direct: Vec<String>,
}

impl Proxies {
    /// What `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say, as curl
    /// reads them; `variable` looks one up. Names in lower case win over those
    /// in upper case, and an empty value is none.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            [name.to_owned(), name.to_ascii_uppercase()]
                .iter()
                .filter_map(|name| variable(name))
                .map(|value| value.trim().to_owned())
                .find(|value| !value.is_empty())
        };
        let all = get("all_proxy");
        let direct = get("no_proxy").unwrap_or_default();
        Self {
            http: get("http_proxy").or_else(|| all.clone()),
            https: get("https_proxy").or(all),
            direct: direct
                .split([',', ' '])
                .map(|host| host.trim().to_ascii_lowercase())
                .filter(|host| !host.is_empty())
                .collect(),
        }
    }

    /// Every proxy, once.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let second = self.https.as_deref().filter(|_| self.http != self.https);
        self.http.as_deref().into_iter().chain(second)
    }

    /// The proxy for an address, if it has one.
    pub(super) fn of(&self, uri: &Uri) -> Option<&str> {
        let host = uri.host()?.trim_matches(['[', ']']).to_ascii_lowercase();
        let port = uri.port_u16();
        if self.direct.iter().any(|entry| covers(entry, &host, port)) {
            return None;
        }
        match uri.scheme_str() {
            Some("https") => self.https.as_deref(),
            _ => self.http.as_deref(),
        }
    }
}

/// Whether an entry of `no_proxy` is about a host: `*`, the host itself, a
/// domain it is in, or a network its address is in.
fn covers(entry: &str, host: &str, port: Option<u16>) -> bool {
    if entry == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        let network = entry.trim_matches(['[', ']']);
        let alone = network.parse::<IpAddr>().map(IpNet::from);
        if let Ok(network) = network.parse::<IpNet>().or(alone) {
            return network.contains(&address);
        }
    }
    let (name, at) = match entry.rsplit_once(':') {
        Some((name, digits)) => match digits.parse::<u16>() {
            Ok(number) => (name, Some(number)),
            Err(_) => (entry, None),
        },
        None => (entry, None),
    };
    let domain = name.trim_start_matches('*').trim_start_matches('.');
    let within = host
        .strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !domain.is_empty() && within && (at.is_none() || at == port)
}

/// Without the proxies themselves: a password may be in one.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("direct", &self.direct)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_variables(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn of(proxies: &Proxies, url: &str) -> Option<String> {
        proxies.of(&url.parse().unwrap()).map(str::to_owned)
    }

    #[test]
    fn each_scheme_has_its_own_and_lower_case_wins() {
        let some = proxies(&[
            ("http_proxy", "http://plain:3128"),
            ("HTTP_PROXY", "http://loud:1"),
            ("HTTPS_PROXY", "http://tunnel:3128"),
        ]);
        assert_eq!(
            of(&some, "http://h/x").as_deref(),
            Some("http://plain:3128")
        );
        assert_eq!(
            of(&some, "https://h/x").as_deref(),
            Some("http://tunnel:3128")
        );
        assert_eq!(some.all().count(), 2);
        let all = proxies(&[("ALL_PROXY", "p:1"), ("https_proxy", "")]);
        assert_eq!(of(&all, "https://h/x").as_deref(), Some("p:1"));
        assert_eq!(all.all().count(), 1);
        assert_eq!(of(&Proxies::default(), "http://h/x"), None);
    }

    #[rstest]
    #[case("*", "any.where", true)]
    #[case("example.org", "example.org", true)]
    #[case("example.org", "cdn.Example.ORG", true)]
    #[case(".example.org", "cdn.example.org", true)]
    #[case("*.example.org", "cdn.example.org", true)]
    #[case("example.org", "notexample.org", false)]
    #[case("a.org, example.org", "example.org", true)]
    #[case("example.org:8080", "example.org:8080", true)]
    #[case("example.org:8080", "example.org", false)]
    #[case("10.0.0.0/8", "10.1.2.3", true)]
    #[case("10.0.0.0/8", "11.1.2.3", false)]
    #[case("127.0.0.1", "127.0.0.1:80", true)]
    #[case("::1", "[::1]:80", true)]
    #[case(",", "h", false)]
    fn hosts_are_excepted_as_curl_does(
        #[case] direct: &str,
        #[case] host: &str,
        #[case] excepted: bool,
    ) {
        let some = proxies(&[("all_proxy", "p:1"), ("no_proxy", direct)]);
        assert_eq!(of(&some, &format!("http://{host}/x")).is_none(), excepted);
    }
}
