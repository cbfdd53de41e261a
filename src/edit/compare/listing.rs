//! What is at every path of a filesystem.

use std::collections::BTreeMap;

use crate::edit::read_tree::below;
use crate::edit::tree::below::descendants;
use crate::edit::{Changes, EditError, EntryKind, ImagePath, ReadTree, Target, TreeEntry};

/// What is at one path: all that a comparison looks at but content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Kind, length, owner, mode, link target.
    pub entry: TreeEntry,
    /// What a special file is, such as `character device 1:3`; `None` for
    /// other kinds, and where the reader does not tell.
    pub special: Option<String>,
    /// Extended attributes by their whole names, such as
    /// `security.capability`.
    pub xattrs: BTreeMap<String, Vec<u8>>,
    /// When the content was last changed, in seconds since 1970; `None` where
    /// the reader does not tell.
    pub modified: Option<i64>,
}

impl Found {
    /// What a reader that tells no more than `entry` has found.
    pub fn plain(entry: TreeEntry) -> Self {
        Self {
            entry,
            special: None,
            xattrs: BTreeMap::new(),
            modified: None,
        }
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.entry.kind == EntryKind::Dir
    }

    /// Length in bytes, of a regular file.
    pub fn len(&self) -> Option<u64> {
        match self.entry.kind {
            EntryKind::File { len } => Some(len),
            _ => None,
        }
    }

    /// Whether it is a regular file without content.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

/// All paths of a filesystem, its root among them, with what is there.
pub type Listing = BTreeMap<ImagePath, Found>;

/// Lists `tree` by asking it for one path after the other.
///
/// # Errors
/// When the tree cannot be read.
pub fn list(tree: &dyn ReadTree) -> Result<Listing, EditError> {
    let mut listing = Listing::new();
    let mut pending = vec![ImagePath::root()];
    while let Some(path) = pending.pop() {
        let Some(entry) = tree.entry(&path)? else {
            continue;
        };
        if entry.kind == EntryKind::Dir {
            for name in tree.children(&path)? {
                pending.push(below(&path, &name)?);
            }
        }
        listing.insert(path, Found::plain(entry));
    }
    Ok(listing)
}

/// Makes `listing` that of the filesystem once `changes` are applied to it,
/// with all that is written dated `modified`. A file or link that is put down
/// is a new one, without the extended attributes of what it replaces; a
/// directory that was there stays what it was but for owner and mode.
pub fn lay(listing: &mut Listing, changes: &Changes, modified: Option<i64>) {
    for path in &changes.removed {
        let gone: Vec<ImagePath> = descendants(listing, path)
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone.iter().chain([path]) {
            listing.remove(path);
        }
    }
    for (path, target) in &changes.targets {
        let entry = target.entry();
        match (listing.get_mut(path), target) {
            (Some(found), Target::Dir { .. }) if found.is_dir() => found.entry = entry,
            _ => {
                let found = Found {
                    modified,
                    ..Found::plain(entry)
                };
                listing.insert(path.clone(), found);
            }
        }
    }
}
