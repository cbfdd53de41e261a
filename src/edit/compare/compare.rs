//! Two filesystems side by side.

use std::collections::BTreeSet;

use super::difference::metadata;
use super::redact::{Redactor, is_secret};
use super::unified::{LONGEST, text};
use super::{ContentDifference, Found, Listing, PathDifference, TextDifference};
use crate::edit::{EntryKind, ImagePath};

/// One of the two filesystems.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// What is at every path.
    pub listing: &'a Listing,
    /// Reads a whole file, or says why it cannot; asked for regular files of
    /// the listing only.
    pub read: &'a dyn Fn(&ImagePath) -> Result<Vec<u8>, String>,
    /// Files that are known to be secret, beyond what their names and content
    /// tell.
    pub secrets: &'a BTreeSet<ImagePath>,
}

impl std::fmt::Debug for Side<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Side")
            .field("paths", &self.listing.len())
            .finish_non_exhaustive()
    }
}

/// What counts as a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether the time of a file's last change does.
    pub times: bool,
}

/// Files that both sides have, of one length and not empty: whether their
/// bytes are the same only reading them can tell.
pub fn candidates<'a>(before: &'a Listing, after: &'a Listing) -> Vec<&'a ImagePath> {
    before
        .iter()
        .filter(|(path, found)| {
            let other = after.get(*path).and_then(Found::len);
            found.len().is_some_and(|len| len > 0) && found.len() == other
        })
        .map(|(path, _)| path)
        .collect()
}

/// What differs between `before` and `after`, in order of path. `same` is
/// asked for each of the [`candidates`] whether its bytes are, or why nobody
/// can tell.
pub fn compare(
    before: Side<'_>,
    after: Side<'_>,
    look: Look,
    same: &dyn Fn(&ImagePath) -> Result<bool, String>,
) -> Vec<PathDifference> {
    let paths: BTreeSet<&ImagePath> = before.listing.keys().chain(after.listing.keys()).collect();
    paths
        .into_iter()
        .filter_map(|path| {
            let (old, new) = (before.listing.get(path), after.listing.get(path));
            difference(path, old, new, before, after, look, same)
        })
        .collect()
}

fn difference(
    path: &ImagePath,
    old: Option<&Found>,
    new: Option<&Found>,
    before: Side<'_>,
    after: Side<'_>,
    look: Look,
    same: &dyn Fn(&ImagePath) -> Result<bool, String>,
) -> Option<PathDifference> {
    let mut differs = match (old, new) {
        (Some(old), Some(new)) => !metadata(old, new, look.times).is_empty(),
        (None, None) => false,
        _ => true,
    };
    let mut difference = PathDifference {
        path: path.clone(),
        before: old.cloned(),
        after: new.cloned(),
        content: ContentDifference::None,
        secret: false,
        times: look.times,
    };
    let lengths = [old, new].map(|found| found.and_then(Found::len));
    let same = match lengths {
        [Some(a), Some(b)] if a == b && a > 0 => same(path),
        // A file that becomes something else is told by its kind.
        [Some(_), None] if new.is_some() => Ok(true),
        [None, Some(_)] if old.is_some() => Ok(true),
        [a, b] => Ok(a == b),
    };
    match same {
        Ok(true) => {}
        Ok(false) => {
            differs = true;
            show(&mut difference, old, new, before, after);
        }
        Err(reason) => {
            differs = true;
            difference.content = ContentDifference::Unreadable(reason);
        }
    }
    differs.then_some(difference)
}

/// Fills in what may be shown of content that differs.
fn show(
    difference: &mut PathDifference,
    old: Option<&Found>,
    new: Option<&Found>,
    before: Side<'_>,
    after: Side<'_>,
) {
    let path = &difference.path;
    let mut texts = Vec::new();
    let mut whole = false;
    for (found, side) in [(old, before), (new, after)] {
        let Some(found) = found.filter(|found| matches!(found.entry.kind, EntryKind::File { .. }))
        else {
            texts.push(Some(Vec::new()));
            continue;
        };
        whole |= is_secret(path, found.entry.mode, side.secrets.contains(path));
        if found.len().is_some_and(|len| len > LONGEST) {
            texts.push(None);
            continue;
        }
        match (side.read)(path) {
            Ok(bytes) => texts.push(Some(bytes)),
            Err(error) => {
                difference.content = ContentDifference::Unreadable(error);
                difference.secret = whole;
                return;
            }
        }
    }
    let texts: Vec<Option<&str>> = texts
        .iter()
        .map(|bytes| bytes.as_deref().and_then(text))
        .collect();
    let (content, secret) = match (whole, &texts[..]) {
        (true, _) => (ContentDifference::Secret, true),
        (_, [Some(old), Some(new)]) => {
            // One for both, so that a secret has one name on both sides.
            let mut redactor = Redactor::new(path);
            let (old, new) = (redactor.redacted(old), redactor.redacted(new));
            let secret = redactor.found_any();
            (
                ContentDifference::Text(TextDifference::of(&old, &new)),
                secret,
            )
        }
        _ => (ContentDifference::Bytes, false),
    };
    difference.content = content;
    difference.secret = secret;
}
