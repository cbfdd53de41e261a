//! A tree being edited: what was there, less what went, and what was put.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::walk::{LastLink, Place, Walk, walk};
use crate::edit::read_tree::{below, wrong_kind};
use crate::edit::tree::below::{child_names, descendants};
use crate::edit::{
    Changes, EditError, EntryKind, FileContent, ImagePath, Mode, Owner, ReadTree, Target, TreeEntry,
};

/// A base tree with changes laid over it. All paths within are canonical.
pub(super) struct Draft<'a> {
    base: &'a dyn ReadTree,
    /// What the base said, so that it is asked once a path.
    asked: RefCell<BTreeMap<ImagePath, Option<TreeEntry>>>,
    /// Paths below and at which the base no longer shows.
    removed: BTreeSet<ImagePath>,
    put: BTreeMap<ImagePath, Target>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(base: &'a dyn ReadTree) -> Self {
        Self {
            base,
            asked: RefCell::default(),
            removed: BTreeSet::new(),
            put: BTreeMap::new(),
        }
    }

    /// Where `path` leads.
    ///
    /// # Errors
    /// When something in the way is neither a directory nor a link to one.
    pub(super) fn place(&self, path: &ImagePath, last: LastLink) -> Result<Place, EditError> {
        match self.walk(path, last)? {
            Walk::At(place) => Ok(place),
            Walk::Blocked {
                at,
                found,
                expected,
            } => Err(EditError::WrongKind {
                path: at,
                found,
                expected,
            }),
        }
    }

    /// Makes the directory at `path` or gives it these attributes. A link to
    /// a directory stands for the directory. Missing parents go to
    /// `parent_owner`. Returns where the directory really is.
    pub(super) fn make_dir(
        &mut self,
        path: &ImagePath,
        owner: Owner,
        mode: Mode,
        parent_owner: Owner,
    ) -> Result<ImagePath, EditError> {
        let place = self.place(path, LastLink::Follow)?;
        match &place.entry {
            None => {}
            Some(entry) if entry.kind == EntryKind::Dir => {}
            Some(entry) => return Err(wrong_kind(&place.path, entry, "a directory")),
        }
        let at = place.path.clone();
        self.put(place, Target::Dir { owner, mode }, parent_owner);
        Ok(at)
    }

    /// Puts a file or link in place of any file or link.
    pub(super) fn put_leaf(
        &mut self,
        path: &ImagePath,
        target: Target,
        parent_owner: Owner,
    ) -> Result<(), EditError> {
        let place = self.place(path, LastLink::Keep)?;
        if let Some(entry) = &place.entry
            && matches!(entry.kind, EntryKind::Dir | EntryKind::Special)
        {
            return Err(wrong_kind(
                &place.path,
                entry,
                "a file, a symbolic link or nothing",
            ));
        }
        self.put(place, target, parent_owner);
        Ok(())
    }

    /// Replaces the target at a place that is known to exist.
    pub(super) fn replace(&mut self, path: ImagePath, target: Target) {
        self.put.insert(path, target);
    }

    /// Takes away what is at `path`, and everything below it.
    pub(super) fn remove(&mut self, path: &ImagePath) -> Result<(), EditError> {
        let place = match self.walk(path, LastLink::Keep)? {
            Walk::At(place) if place.entry.is_some() => place,
            // Nothing can be at a path that leads nowhere.
            Walk::At(_) | Walk::Blocked { .. } => return Ok(()),
        };
        if place.path.is_root() {
            return Err(EditError::WrongKind {
                path: place.path,
                found: "the root directory",
                expected: "something that can be removed",
            });
        }
        let gone: Vec<ImagePath> = descendants(&self.put, &place.path)
            .map(|(path, _)| path.clone())
            .collect();
        for path in &gone {
            self.put.remove(path);
        }
        self.put.remove(&place.path);
        self.removed.insert(place.path);
        Ok(())
    }

    /// Content of the regular file at a canonical path. What not everybody
    /// may read in the base is taken to be secret.
    pub(super) fn content(
        &self,
        path: &ImagePath,
        entry: &TreeEntry,
    ) -> Result<FileContent, EditError> {
        if let Some(Target::File { content, .. }) = self.put.get(path) {
            return Ok(content.clone());
        }
        Ok(FileContent::Inline {
            bytes: self.base.read(path)?,
            secret: !entry.mode.is_world_readable(),
        })
    }

    /// Names in the directory at a canonical path, sorted.
    pub(super) fn children(&self, dir: &ImagePath) -> Result<Vec<String>, EditError> {
        let mut names: BTreeSet<String> = child_names(&self.put, dir).into_iter().collect();
        for name in self.base_children(dir)? {
            if self.look(&below(dir, &name)?)?.is_some() {
                names.insert(name);
            }
        }
        Ok(names.into_iter().collect())
    }

    /// What is at `path`, all of whose parents are directories.
    pub(super) fn look(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        if let Some(target) = self.put.get(path) {
            return Ok(Some(target.entry()));
        }
        if self.is_hidden(path) {
            return Ok(None);
        }
        self.base_entry(path)
    }

    /// The difference between the base and this tree.
    pub(super) fn finish(self) -> Result<Changes, EditError> {
        let mut removed = BTreeSet::new();
        for path in &self.removed {
            let parent_hidden = path.parent().is_some_and(|parent| self.is_hidden(&parent));
            if !parent_hidden {
                self.collect_removed(path, &mut removed)?;
            }
        }
        let mut targets = BTreeMap::new();
        for (path, target) in &self.put {
            if !self.base_is(path, target)? {
                targets.insert(path.clone(), target.clone());
            }
        }
        Ok(Changes { removed, targets })
    }

    fn walk(&self, path: &ImagePath, last: LastLink) -> Result<Walk, EditError> {
        walk(path, last, &|path| self.look(path))
    }

    fn put(&mut self, place: Place, target: Target, parent_owner: Owner) {
        for parent in place.missing {
            let dir = Target::Dir {
                owner: parent_owner,
                mode: Mode::EXECUTABLE,
            };
            self.put.insert(parent, dir);
        }
        self.put.insert(place.path, target);
    }

    /// Whether the base no longer shows at `path`.
    fn is_hidden(&self, path: &ImagePath) -> bool {
        let text = path.as_str();
        let ends = text.match_indices('/').skip(1).map(|(at, _)| at);
        !self.removed.is_empty()
            && ends
                .chain([text.len()])
                .any(|end| self.removed.contains(&text[..end]))
    }

    /// What the base has at `path`, links in parents not followed: below
    /// anything but a directory there is nothing.
    fn base_entry(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        if let Some(known) = self.asked.borrow().get(path) {
            return Ok(known.clone());
        }
        let in_dir = match path.parent() {
            None => true,
            Some(parent) => self
                .base_entry(&parent)?
                .is_some_and(|entry| entry.kind == EntryKind::Dir),
        };
        let entry = if in_dir { self.base.entry(path)? } else { None };
        self.asked.borrow_mut().insert(path.clone(), entry.clone());
        Ok(entry)
    }

    fn base_children(&self, dir: &ImagePath) -> Result<Vec<String>, EditError> {
        match self.base_entry(dir)? {
            Some(entry) if entry.kind == EntryKind::Dir => self.base.children(dir),
            _ => Ok(Vec::new()),
        }
    }

    /// Adds to `removed` the topmost paths of the base, at and below `path`,
    /// that must go before targets are put down.
    fn collect_removed(
        &self,
        path: &ImagePath,
        removed: &mut BTreeSet<ImagePath>,
    ) -> Result<(), EditError> {
        let Some(before) = self.base_entry(path)? else {
            return Ok(());
        };
        match (&before.kind, self.put.get(path)) {
            (EntryKind::Dir, Some(Target::Dir { .. })) => {
                for name in self.base_children(path)? {
                    self.collect_removed(&below(path, &name)?, removed)?;
                }
            }
            // Put in its place, without removing first.
            (
                EntryKind::File { .. } | EntryKind::Symlink { .. },
                Some(Target::File { .. } | Target::Symlink { .. }),
            ) => {}
            _ => {
                removed.insert(path.clone());
            }
        }
        Ok(())
    }

    /// Whether the base has `target` at `path` already.
    fn base_is(&self, path: &ImagePath, target: &Target) -> Result<bool, EditError> {
        if self.base_entry(path)? != Some(target.entry()) {
            return Ok(false);
        }
        match target {
            Target::Dir { .. } | Target::Symlink { .. } => Ok(true),
            Target::File { content, .. } => Ok(self.base.digest(path)? == content.sha256()),
        }
    }
}
