//! How a tree stands to changes about to be made: what goes, what is there.

use std::collections::{BTreeMap, BTreeSet};

use super::{DiskError, Region};
use crate::edit::{Changes, EditError, EntryKind, ImagePath, ReadTree, Target, TreeEntry};

/// A name that goes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obsolete {
    /// The name, as a whole path.
    pub(super) path: ImagePath,
    /// Whether it is a directory.
    pub(super) is_dir: bool,
    /// Whether it only makes way for a target of the same name.
    pub(super) replaced: bool,
}

/// How a tree stands to changes about to be made.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Names that go, children before parents.
    pub(super) obsolete: Vec<Obsolete>,
    /// Directories among the targets that are there and stay, and whether
    /// their owner and mode are right already.
    pub(super) dirs: BTreeMap<ImagePath, bool>,
}

/// Why a tree cannot be changed so.
#[derive(Debug)]
pub(super) enum Refusal {
    /// This path cannot go, for this reason.
    Path(ImagePath, String),
    /// The tree cannot be read.
    Tree(EditError),
}

impl From<EditError> for Refusal {
    fn from(error: EditError) -> Self {
        Self::Tree(error)
    }
}

impl Refusal {
    /// This refusal as an error about `region`.
    pub(super) fn into_error(self, region: &Region) -> DiskError {
        match self {
            Self::Path(path, reason) => DiskError::path(region, &path, reason),
            Self::Tree(error) => DiskError::tree(region)(error),
        }
    }

    fn path(path: &ImagePath, reason: impl Into<String>) -> Self {
        Self::Path(path.clone(), reason.into())
    }
}

/// How `tree` stands to `changes`.
pub(super) fn find(changes: &Changes, tree: &dyn ReadTree) -> Result<Standing, Refusal> {
    let mut finder = Finder {
        tree,
        gone: BTreeSet::new(),
        standing: Standing::default(),
    };
    for path in &changes.removed {
        if path.is_root() {
            return Err(Refusal::path(path, "the root directory cannot be removed"));
        }
        if let Some(entry) = finder.present(path)? {
            finder.take(path, &entry.kind, false)?;
        }
    }
    for (path, target) in &changes.targets {
        let Some(entry) = finder.present(path)? else {
            continue;
        };
        match (target, &entry.kind) {
            (Target::Dir { owner, mode }, EntryKind::Dir) => {
                let right = entry.owner == *owner && entry.mode == *mode;
                finder.standing.dirs.insert(path.clone(), right);
            }
            (_, EntryKind::Dir) => {
                let reason = "it is a directory, which only an explicit removal takes away";
                return Err(Refusal::path(path, reason));
            }
            (_, EntryKind::Special) => {
                let reason = "it is a device, socket or FIFO, which is left alone";
                return Err(Refusal::path(path, reason));
            }
            (_, kind) => finder.take(path, kind, true)?,
        }
    }
    Ok(finder.standing)
}

struct Finder<'t> {
    tree: &'t dyn ReadTree,
    gone: BTreeSet<ImagePath>,
    standing: Standing,
}

impl Finder<'_> {
    /// What is at `path`, given what goes away.
    fn present(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        // Reading follows links in parents; a link that goes leads nowhere.
        let mut above = Some(path.clone());
        while let Some(at) = above {
            if self.gone.contains(&at) {
                return Ok(None);
            }
            above = at.parent();
        }
        self.tree.entry(path)
    }

    fn take(&mut self, path: &ImagePath, kind: &EntryKind, replaced: bool) -> Result<(), Refusal> {
        if *kind == EntryKind::Dir {
            for name in self.tree.children(path)? {
                let child = path
                    .join(&name)
                    .map_err(|e| Refusal::path(path, format!("it cannot be removed: {e}")))?;
                if let Some(entry) = self.present(&child)? {
                    self.take(&child, &entry.kind, false)?;
                }
            }
        }
        if let EntryKind::Symlink { target } = kind
            && target.chars().any(char::is_control)
        {
            // Its target is printed by the survey and could pass for a reply.
            let reason = "its target has control characters, so it cannot be removed";
            return Err(Refusal::path(path, reason));
        }
        self.gone.insert(path.clone());
        let is_dir = *kind == EntryKind::Dir;
        self.standing.obsolete.push(Obsolete {
            path: path.clone(),
            is_dir,
            replaced,
        });
        Ok(())
    }
}
