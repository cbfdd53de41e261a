//! Places that hold copies of published files.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::location::{file_name_in, without_password};
use super::{Location, SourceError};

/// A directory or an address below which files lie under their own names. It
/// is asked before the addresses that a recipe has; what a file must be is
/// decided by its digest, not by where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Directory(Utf8PathBuf),
    Address(String),
}

/// Where a mirror has, or would have, a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    File(Utf8PathBuf),
    Url(String),
}

impl Mirror {
    /// Reads what people write: a directory, relative to `base`, or an address.
    ///
    /// # Errors
    /// It is neither, or the directory is not there.
    pub fn parse(
        text: &str,
        base: &Utf8Path,
        home: Option<&Utf8Path>,
    ) -> Result<Self, SourceError> {
        match Location::parse(text, base, home)? {
            Location::Url(url) => Ok(Self(Kind::Address(url.trim_end_matches('/').to_owned()))),
            Location::Path(path) if path.is_dir() => Ok(Self(Kind::Directory(path))),
            Location::Path(path) => Err(SourceError::Location {
                text: text.to_owned(),
                reason: match path.exists() {
                    true => "a mirror is a directory of files, and this is a file".to_owned(),
                    false => "there is no such directory".to_owned(),
                },
            }),
        }
    }

    /// Whether it can be asked without a network.
    pub(super) fn is_directory(&self) -> bool {
        matches!(self.0, Kind::Directory(_))
    }

    /// Where the file that is published at `url` would be; none if its name is
    /// none that a file can have, or a directory does not have it.
    pub(super) fn copy_of(&self, url: &str) -> Option<Held> {
        let name = file_name_in(url);
        match &self.0 {
            Kind::Address(address) => {
                // As the publisher escaped it, so that it means the same there.
                let path = url.split(['?', '#']).next().unwrap_or_default();
                let escaped = path.rsplit('/').next().unwrap_or_default();
                (!escaped.is_empty()).then(|| Held::Url(format!("{address}/{escaped}")))
            }
            Kind::Directory(dir) => {
                let plain = !name.is_empty()
                    && !matches!(name.as_str(), "." | "..")
                    && !name.contains(['/', '\0']);
                let path = plain.then(|| dir.join(&name))?;
                path.is_file().then_some(Held::File(path))
            }
        }
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Directory(dir) => f.write_str(dir.as_str()),
            Kind::Address(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path.as_str()),
            Self::Url(url) => f.write_str(&without_password(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::scratch;
    use super::*;

    fn mirror(text: &str, base: &Utf8Path) -> Mirror {
        Mirror::parse(text, base, None).unwrap()
    }

    #[test]
    fn directories_have_files_by_their_plain_names() {
        let (_dir, root) = scratch();
        std::fs::write(root.join("a+b.tgz"), "x").unwrap();
        let here = mirror(".", &root);
        assert!(here.is_directory());
        let found = here.copy_of("https://h/d/a%2Bb.tgz?sig=1");
        assert_eq!(found, Some(Held::File(root.join("./a+b.tgz"))));
        for url in [
            "https://h/d/absent",
            "https://h/d/",
            "https://h/d/..",
            "https://h/d/..%2F..%2Fetc%2Fpasswd",
            "https://h/d/x%00y",
        ] {
            assert_eq!(here.copy_of(url), None, "{url}");
        }
    }

    #[test]
    fn addresses_have_them_as_the_publisher_escaped_them() {
        let there = mirror("https://me:secret@mirror/pi/", "/".into());
        assert!(!there.is_directory());
        let copy = there.copy_of("https://h/d/a%2Bb.tgz?sig=1").unwrap();
        assert_eq!(
            copy,
            Held::Url("https://me:secret@mirror/pi/a%2Bb.tgz".to_owned())
        );
        assert_eq!(copy.to_string(), "https://…@mirror/pi/a%2Bb.tgz");
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        let (_dir, root) = scratch();
        std::fs::write(root.join("file"), "x").unwrap();
        for (text, words) in [
            ("absent", "no such directory"),
            ("file", "this is a file"),
            ("ftp://h/x", "not ftp"),
        ] {
            let said = Mirror::parse(text, &root, None).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }
}
