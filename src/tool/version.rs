//! Versions that programs tell of themselves.

use std::fmt;

/// A dotted version, compared number by number; missing numbers count as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl Version {
    /// The version `major.minor.patch`.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// The first thing in `text` that looks like a version: a word that begins
    /// with a digit and has a dot, such as the `1.47.0` of
    /// `debugfs 1.47.0 (5-Feb-2023)`. A suffix like `-rc1` is left out.
    pub fn find(text: &str) -> Option<Self> {
        text.split_whitespace()
            .find_map(|word| Self::parse(word.trim_start_matches(['v', '('])))
    }

    fn parse(word: &str) -> Option<Self> {
        let end = word
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(word.len());
        let mut numbers = word[..end].split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        let patch = numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        Some(Self {
            major,
            minor,
            patch,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "debugfs 1.47.0 (5-Feb-2023)\n\tUsing EXT2FS Library version 1.47.0",
        1,
        47,
        0
    )]
    #[case("debugfs 1.47.1-rc2 (1-May-2024)", 1, 47, 1)]
    #[case("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", 7, 2, 22)]
    #[case("sfdisk from util-linux 2.38.1", 2, 38, 1)]
    #[case("tar (GNU tar) 1.34", 1, 34, 0)]
    fn finds_the_version_programs_print(
        #[case] text: &str,
        #[case] major: u32,
        #[case] minor: u32,
        #[case] patch: u32,
    ) {
        assert_eq!(Version::find(text), Some(Version::new(major, minor, patch)));
    }

    #[test]
    fn orders_by_number_not_by_text() {
        assert!(Version::new(1, 9, 3) < Version::new(1, 47, 0));
        assert_eq!(Version::find("no version here, nor in v. or 12"), None);
    }
}
