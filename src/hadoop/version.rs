//! Versions of Hadoop.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A Hadoop release, such as 3.5.0. What follows the third number
/// (`-SNAPSHOT`, a vendor's suffix) does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HadoopVersion {
    /// First number.
    pub major: u32,
    /// Second number: the release line within the first.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

/// Text that is no version of Hadoop.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a version of Hadoop such as 3.5.0")]
pub struct HadoopVersionError(String);

impl HadoopVersion {
    /// The version `major.minor.patch`.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl fmt::Display for HadoopVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for HadoopVersion {
    type Err = HadoopVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || HadoopVersionError(text.to_owned());
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut parts = numbers
            .split('.')
            .map(|part| part.parse::<u32>().map_err(|_| wrong()));
        let mut next = || parts.next().unwrap_or_else(|| Err(wrong()));
        Ok(Self {
            major: next()?,
            minor: next()?,
            patch: next()?,
        })
    }
}

impl TryFrom<String> for HadoopVersion {
    type Error = HadoopVersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HadoopVersion> for String {
    fn from(version: HadoopVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_releases_and_their_suffixes() {
        for (text, version) in [
            ("3.5.0", HadoopVersion::new(3, 5, 0)),
            ("3.3.6", HadoopVersion::new(3, 3, 6)),
            ("3.6.0-SNAPSHOT", HadoopVersion::new(3, 6, 0)),
            ("3.1.1.7.1.9.0", HadoopVersion::new(3, 1, 1)),
        ] {
            assert_eq!(text.parse(), Ok(version), "{text}");
        }
        for bad in ["", "3", "3.5", "3.x.0", "hadoop-3.5.0"] {
            assert!(
                bad.parse::<HadoopVersion>().is_err(),
                "{bad:?} was accepted"
            );
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(HadoopVersion::new(3, 4, 10) > HadoopVersion::new(3, 4, 2));
    }
}
