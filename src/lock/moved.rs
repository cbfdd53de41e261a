//! What differs between two locks.

use std::fmt;

use super::{Lock, LockedInput};

/// An input that is another now, or was not or is no longer locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its key: `base`, `java`, `hadoop`.
    pub name: String,
    /// What it was.
    pub old: Option<LockedInput>,
    /// What it is.
    pub new: Option<LockedInput>,
}

/// What is not the same in `new`, whenever either was written.
pub fn moved(old: &Lock, new: &Lock) -> Vec<Moved> {
    let mut names: Vec<&String> = old.inputs.keys().chain(new.inputs.keys()).collect();
    names.sort();
    names.dedup();
    let change = |name: &&String| {
        let (old, new) = (old.inputs.get(*name), new.inputs.get(*name));
        match (old, new) {
            (Some(old), Some(new)) if old.is_same_as(new) => None,
            _ => Some(Moved {
                name: (*name).clone(),
                old: old.cloned(),
                new: new.cloned(),
            }),
        }
    };
    names.iter().filter_map(change).collect()
}

/// One sentence: what it was, and what it is.
impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match (&self.old, &self.new) {
            (None, None) => f.write_str("nothing"),
            (None, Some(new)) => write!(f, "{}, sha256 {}", new.title(), short(new)),
            (Some(old), None) => write!(f, "{} is no longer asked for", old.title()),
            (Some(old), Some(new)) if old.sha256 == new.sha256 && old.title() == new.title() => {
                // Only what is said about the same bytes.
                write!(f, "{}, the same file, is described anew", new.title())
            }
            (Some(old), Some(new)) => write!(
                f,
                "{} (sha256 {}) -> {} (sha256 {})",
                old.title(),
                short(old),
                new.title(),
                short(new)
            ),
        }
    }
}

/// As much of a digest as people compare.
fn short(input: &LockedInput) -> &str {
    input.sha256.get(..12).unwrap_or(&input.sha256)
}
