//! Which operating system an image holds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A release pidoop knows how to make nodes of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// Raspberry Pi OS 11.
    Bullseye,
    /// Raspberry Pi OS 12.
    Bookworm,
    /// Raspberry Pi OS 13.
    Trixie,
    /// Debian 12 without Raspberry Pi's additions.
    Debian12,
    /// Debian 13 without Raspberry Pi's additions.
    Debian13,
}

impl Release {
    /// The release with this code name; `raspberry_pi` says whether
    /// `/etc/rpi-issue` is there.
    pub fn named(codename: &str, raspberry_pi: bool) -> Option<Self> {
        match (codename, raspberry_pi) {
            ("bullseye", true) => Some(Self::Bullseye),
            ("bookworm", true) => Some(Self::Bookworm),
            ("trixie", true) => Some(Self::Trixie),
            ("bookworm", false) => Some(Self::Debian12),
            ("trixie", false) => Some(Self::Debian13),
            _ => None,
        }
    }

    /// Whether this is Raspberry Pi OS, with its first-boot machinery.
    pub fn is_raspberry_pi_os(self) -> bool {
        matches!(self, Self::Bullseye | Self::Bookworm | Self::Trixie)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bullseye => "Raspberry Pi OS 11 (bullseye)",
            Self::Bookworm => "Raspberry Pi OS 12 (bookworm)",
            Self::Trixie => "Raspberry Pi OS 13 (trixie)",
            Self::Debian12 => "Debian 12 (bookworm)",
            Self::Debian13 => "Debian 13 (trixie)",
        })
    }
}

/// What `/etc/os-release` says (os-release(5)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OsRelease {
    /// `ID`, such as `debian` or `raspbian`.
    pub(super) id: String,
    /// `ID_LIKE`.
    pub(super) id_like: String,
    /// `VERSION_CODENAME`.
    pub(super) codename: String,
    /// `PRETTY_NAME`.
    pub(super) pretty: String,
}

impl OsRelease {
    /// Reads the file's text.
    pub(super) fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.trim().split_once('=') else {
                continue;
            };
            let value = value.trim_matches(['"', '\'']).to_owned();
            match key {
                "ID" => found.id = value,
                "ID_LIKE" => found.id_like = value,
                "VERSION_CODENAME" => found.codename = value,
                "PRETTY_NAME" => found.pretty = value,
                _ => {}
            }
        }
        found
    }

    /// Whether this is Debian or says it is like it.
    pub(super) fn is_debian(&self) -> bool {
        let mut words = self.id_like.split(' ').chain([self.id.as_str()]);
        words.any(|word| matches!(word, "debian" | "raspbian"))
    }

    /// Whether this is Ubuntu or says it is like it.
    pub(super) fn is_ubuntu(&self) -> bool {
        let mut words = self.id_like.split(' ').chain([self.id.as_str()]);
        words.any(|word| word == "ubuntu")
    }

    /// The system in words.
    pub(super) fn words(&self) -> &str {
        match (self.pretty.as_str(), self.id.as_str()) {
            ("", "") => "a system that does not say what it is",
            ("", id) => id,
            (pretty, _) => pretty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read_with_and_without_quotes() {
        let text = "PRETTY_NAME=\"Raspbian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\n\
                    ID=raspbian\nID_LIKE=debian\n# ID=other\n";
        let found = OsRelease::parse(text);
        assert_eq!(found.codename, "bookworm");
        assert_eq!(found.words(), "Raspbian GNU/Linux 12 (bookworm)");
        assert!(found.is_debian());
        assert!(!OsRelease::parse("ID=fedora\n").is_debian());
        assert!(!OsRelease::parse("ID=notdebian\nID_LIKE=\"rhel fedora\"").is_debian());
    }

    #[test]
    fn raspberry_pi_os_is_told_from_debian_by_its_issue_file() {
        assert_eq!(Release::named("trixie", true), Some(Release::Trixie));
        assert_eq!(Release::named("trixie", false), Some(Release::Debian13));
        assert_eq!(Release::named("bullseye", false), None);
        assert_eq!(Release::named("buster", true), None);
    }
}
