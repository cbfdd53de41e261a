//! Paths inside an image.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Absolute, normalised path inside a filesystem image.
///
/// No `.` or `..` components, no empty components, no trailing slash (but for
/// the root), no control characters. It can therefore be joined to nothing on
/// the host by accident, and be written into a `debugfs` script line.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ImagePath(String);

/// Why a string is not an [`ImagePath`].
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ImagePathError {
    /// The path does not begin with `/`.
    #[error("image path {0:?} is not absolute")]
    NotAbsolute(String),
    /// A component is empty, `.` or `..`.
    #[error("image path {0:?} has an empty, '.' or '..' component")]
    BadComponent(String),
    /// The path has a control character, or a double quote, which `debugfs`
    /// has no way to write down.
    #[error("image path {0:?} has a control character or a double quote")]
    BadCharacter(String),
}

impl ImagePath {
    /// The root directory.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Parses and checks `path`.
    pub fn new(path: &str) -> Result<Self, ImagePathError> {
        let Some(rest) = path.strip_prefix('/') else {
            return Err(ImagePathError::NotAbsolute(path.to_owned()));
        };
        if path.chars().any(|c| c.is_control() || c == '"') {
            return Err(ImagePathError::BadCharacter(path.to_owned()));
        }
        let well_formed =
            rest.is_empty() || rest.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if well_formed {
            Ok(Self(path.to_owned()))
        } else {
            Err(ImagePathError::BadComponent(path.to_owned()))
        }
    }

    /// This path with `relative` (one or more components) below it.
    pub fn join(&self, relative: &str) -> Result<Self, ImagePathError> {
        let joined = format!("{}/{relative}", self.0.trim_end_matches('/'));
        // Only the new part is checked: trees of many thousand paths are
        // built by joining.
        if is_well_formed(relative) {
            Ok(Self(joined))
        } else {
            Self::new(&joined)
        }
    }

    /// The directory this path is in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.rfind('/')?;
        Some(Self(if cut == 0 {
            "/".to_owned()
        } else {
            self.0[..cut].to_owned()
        }))
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// Whether this path is `ancestor` or lies below it.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.0
            .strip_prefix(ancestor.0.trim_end_matches('/'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The components from the root down.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `relative` is one or more components that may be in a path.
fn is_well_formed(relative: &str) -> bool {
    !relative.chars().any(|c| c.is_control() || c == '"')
        && relative
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."))
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl FromStr for ImagePath {
    type Err = ImagePathError;

    fn from_str(path: &str) -> Result<Self, Self::Err> {
        Self::new(path)
    }
}

impl TryFrom<String> for ImagePath {
    type Error = ImagePathError;

    fn try_from(path: String) -> Result<Self, Self::Error> {
        Self::new(&path)
    }
}

/// Paths sort, compare and hash as their text does, so maps by path can be
/// searched by text.
impl Borrow<str> for ImagePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ImagePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_lead_elsewhere() {
        for bad in [
            "",
            "etc",
            "/etc/../root",
            "/etc//x",
            "/./a",
            "/etc/",
            "/a\nb",
            "/a\"b",
        ] {
            assert!(ImagePath::new(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn joining_checks_what_is_joined() {
        let etc = ImagePath::new("/etc").unwrap();
        assert_eq!(etc.join("a/b").unwrap().as_str(), "/etc/a/b");
        assert_eq!(ImagePath::root().join("a").unwrap().as_str(), "/a");
        for bad in ["", "..", "a/", "/a", "a//b", "a\nb", "a\""] {
            assert!(etc.join(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn parents_end_at_the_root() {
        let path = ImagePath::new("/etc/hosts").unwrap();
        let etc = path.parent().unwrap();
        assert_eq!(etc.as_str(), "/etc");
        assert_eq!(etc.parent(), Some(ImagePath::root()));
        assert_eq!(ImagePath::root().parent(), None);
    }

    #[test]
    fn within_goes_by_components() {
        let opt = ImagePath::new("/opt/hadoop").unwrap();
        assert!(ImagePath::new("/opt/hadoop/bin").unwrap().is_within(&opt));
        assert!(!ImagePath::new("/opt/hadoop-3").unwrap().is_within(&opt));
        assert!(opt.is_within(&ImagePath::root()));
    }
}
