//! One path that differs.

use std::fmt;

use super::{Found, TextDifference};
use crate::edit::{EntryKind, ImagePath, Mode, Owner};

/// One path that differs between two filesystems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathDifference {
    /// Where.
    pub path: ImagePath,
    /// What is there in the first; `None` if nothing is.
    pub before: Option<Found>,
    /// What is there in the second; `None` if nothing is.
    pub after: Option<Found>,
    /// How the content of a file differs.
    pub content: ContentDifference,
    /// Whether something in the file is secret. Then its length is nobody's
    /// business either.
    pub secret: bool,
    /// Whether the times are part of the comparison.
    pub times: bool,
}

/// How the content of a file differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentDifference {
    /// Not at all, or there is none.
    None,
    /// It is text, and these lines do; secrets in them are replaced.
    Text(TextDifference),
    /// It is no text, or too long to be shown.
    Bytes,
    /// It does, and none of it may be shown.
    Secret,
    /// It could not be read, for this reason.
    Unreadable(String),
}

/// One way in which a path that both sides have differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Another kind of thing.
    Kind {
        /// In the first, such as `a file`.
        before: String,
        /// In the second.
        after: String,
    },
    /// Another owner.
    Owner {
        /// In the first.
        before: Owner,
        /// In the second.
        after: Owner,
    },
    /// Another mode.
    Mode {
        /// In the first.
        before: Mode,
        /// In the second.
        after: Mode,
    },
    /// A link points elsewhere.
    LinkTarget {
        /// In the first.
        before: String,
        /// In the second.
        after: String,
    },
    /// An extended attribute comes, goes or has another value.
    Attribute {
        /// Its whole name.
        name: String,
        /// Its value in the first, as far as it is shown.
        before: Option<String>,
        /// Its value in the second, as far as it is shown.
        after: Option<String>,
    },
    /// A file was last changed at another time.
    Modified {
        /// In the first, in seconds since 1970.
        before: i64,
        /// In the second.
        after: i64,
    },
    /// Other content.
    Content,
    /// The content of a side cannot be read.
    Unreadable,
}

impl PathDifference {
    /// In which ways a path that both sides have differs; empty if only one
    /// has it.
    pub fn aspects(&self) -> Vec<Aspect> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            return Vec::new();
        };
        let mut aspects = metadata(before, after, self.times);
        match self.content {
            ContentDifference::None => {}
            ContentDifference::Unreadable(_) => aspects.push(Aspect::Unreadable),
            _ => aspects.push(Aspect::Content),
        }
        aspects
    }
}

/// How two things differ but in content.
pub(super) fn metadata(before: &Found, after: &Found, times: bool) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    let (old, new) = (&before.entry, &after.entry);
    let (old_kind, new_kind) = (kind(before), kind(after));
    if old_kind != new_kind {
        aspects.push(Aspect::Kind {
            before: old_kind,
            after: new_kind,
        });
    }
    if old.owner != new.owner {
        aspects.push(Aspect::Owner {
            before: old.owner,
            after: new.owner,
        });
    }
    let links = [&old.kind, &new.kind].map(|kind| matches!(kind, EntryKind::Symlink { .. }));
    if old.mode != new.mode && links == [false, false] {
        aspects.push(Aspect::Mode {
            before: old.mode,
            after: new.mode,
        });
    }
    if let (EntryKind::Symlink { target: before }, EntryKind::Symlink { target: after }) =
        (&old.kind, &new.kind)
        && before != after
    {
        aspects.push(Aspect::LinkTarget {
            before: before.clone(),
            after: after.clone(),
        });
    }
    for name in before.xattrs.keys().chain(
        after
            .xattrs
            .keys()
            .filter(|name| !before.xattrs.contains_key(*name)),
    ) {
        let (old, new) = (before.xattrs.get(name), after.xattrs.get(name));
        if old != new {
            aspects.push(Aspect::Attribute {
                name: name.clone(),
                before: old.map(|value| shown(name, value)),
                after: new.map(|value| shown(name, value)),
            });
        }
    }
    // Directories keep no time of their own: it moves with what is in them.
    if let (true, Some(_), Some(_), Some(before), Some(after)) = (
        times,
        before.len(),
        after.len(),
        before.modified,
        after.modified,
    ) && before != after
    {
        aspects.push(Aspect::Modified { before, after });
    }
    aspects
}

/// What it is, in words.
fn kind(found: &Found) -> String {
    match &found.special {
        Some(special) => special.clone(),
        None => found.entry.kind.noun().to_owned(),
    }
}

/// The value of an extended attribute as it is shown: what the system itself
/// keeps there is known, anything else could be a secret.
fn shown(name: &str, value: &[u8]) -> String {
    /// Capabilities take 20 or 24 bytes, access lists 4 and 8 for each entry.
    const LONGEST: usize = 64;
    let of_the_system = ["security.", "system."]
        .iter()
        .any(|space| name.starts_with(space));
    if of_the_system && value.len() <= LONGEST {
        hex::encode(value)
    } else {
        format!("{} bytes", value.len())
    }
}

/// `mode 0644 -> 0600`.
impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { before, after } => write!(f, "{before} -> {after}"),
            Self::Owner { before, after } => write!(f, "owner {before} -> {after}"),
            Self::Mode { before, after } => write!(f, "mode {before} -> {after}"),
            Self::LinkTarget { before, after } => write!(f, "link to {before} -> {after}"),
            Self::Attribute {
                name,
                before,
                after,
            } => {
                let value = |value: &Option<String>| value.clone().unwrap_or("none".to_owned());
                write!(f, "{name} {} -> {}", value(before), value(after))
            }
            Self::Modified { before, after } => write!(f, "changed at {before} -> {after}"),
            Self::Content => f.write_str("content"),
            Self::Unreadable => f.write_str("content cannot be read"),
        }
    }
}
