//! Where an input can be had.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::SourceError;

/// A place of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file on this machine.
    Path(Utf8PathBuf),
    /// An `http` or `https` address.
    Url(String),
}

impl Location {
    /// Reads what people and recipes write: an `http://`, `https://` or
    /// `file://` address, or a path, which is taken relative to `base`, with
    /// `~/` as `home`.
    pub fn parse(
        text: &str,
        base: &Utf8Path,
        home: Option<&Utf8Path>,
    ) -> Result<Self, SourceError> {
        let wrong = |reason: &str| SourceError::Location {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        if text.is_empty() {
            return Err(wrong("it is empty"));
        }
        if text.chars().any(char::is_control) {
            return Err(wrong("it has a control character"));
        }
        if let Some(rest) = text.strip_prefix("file://") {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            if !path.starts_with('/') {
                return Err(wrong(
                    "a file:// address needs three slashes and an absolute path",
                ));
            }
            let path = percent_decode(path).ok_or_else(|| wrong("its %-escapes are not UTF-8"))?;
            return Ok(Self::Path(path.into()));
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return Ok(Self::Url(text.replace(' ', "%20")));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(wrong(&format!(
                "pidoop fetches from http, https and file addresses, not {scheme}"
            )));
        }
        if text == "~" || text.starts_with("~/") {
            let home = home.ok_or_else(|| wrong("the home directory is not known; set HOME"))?;
            return Ok(Self::Path(
                home.join(text.trim_start_matches('~').trim_start_matches('/')),
            ));
        }
        // An absolute path replaces the base.
        Ok(Self::Path(base.join(text)))
    }

    /// The file's own name there, without query and fragment, as the publisher's
    /// checksum file would say it.
    pub fn file_name(&self) -> String {
        match self {
            Self::Path(path) => path.file_name().unwrap_or_default().to_owned(),
            Self::Url(url) => file_name_in(url),
        }
    }
}

/// The file name that an address ends in, without query and fragment and with
/// its escapes undone.
pub(super) fn file_name_in(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    percent_decode(last).unwrap_or_else(|| last.to_owned())
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path.as_str()),
            Self::Url(url) => f.write_str(&without_password(url)),
        }
    }
}

/// `url` with a password in it made unreadable, for messages and logs.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}{tail}"),
        None => url.to_owned(),
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|pair| hex::decode(pair).ok())
            .and_then(|decoded| decoded.first().copied());
        match escape {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn parse(text: &str) -> Result<Location, SourceError> {
        Location::parse(text, "/c/luster".into(), Some("/home/u".into()))
    }

    #[rstest]
    #[case("a.tar.gz", "/c/luster/a.tar.gz")]
    #[case("../a", "/c/luster/../a")]
    #[case("/abs/a", "/abs/a")]
    #[case("~/a", "/home/u/a")]
    #[case("file:///tmp/a%20b", "/tmp/a b")]
    #[case("file://localhost/tmp/a", "/tmp/a")]
    fn paths(#[case] text: &str, #[case] path: &str) {
        assert_eq!(parse(text).unwrap(), Location::Path(path.into()));
    }

    #[test]
    fn addresses_show_no_password() {
        let url = parse("https://u:p@h.example/x?y=a@b").unwrap();
        assert_eq!(
            url,
            Location::Url("https://u:p@h.example/x?y=a@b".to_owned())
        );
        assert_eq!(url.to_string(), "https://…@h.example/x?y=a@b");
    }

    #[rstest]
    #[case("", "empty")]
    #[case("a\nb", "control")]
    #[case("ftp://h/x", "not ftp")]
    #[case("file://h/x", "three slashes")]
    #[case("file:///%ff", "UTF-8")]
    fn refusals(#[case] text: &str, #[case] words: &str) {
        let message = parse(text).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }

    #[test]
    fn file_names_are_the_publishers() {
        let name = |text| parse(text).unwrap().file_name();
        assert_eq!(
            name("https://h/a/jdk-17%2B6.tar.gz?x=1#y"),
            "jdk-17+6.tar.gz"
        );
        assert_eq!(name("d/hadoop.tar.gz"), "hadoop.tar.gz");
        assert_eq!(name("https://h/100%"), "100%");
    }
}
