//! A filesystem in memory for tests of what reads images.

use std::collections::BTreeMap;

use crate::edit::{EditError, EntryKind, ImagePath, Mode, Owner, ReadTree, TreeEntry};

/// Files, directories and links by path, with symlinked parents followed.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeTree {
    entries: BTreeMap<ImagePath, (TreeEntry, Vec<u8>)>,
}

impl FakeTree {
    pub(crate) fn new() -> Self {
        Self::default().dir("/", Owner::ROOT, 0o755)
    }

    /// A root-owned file with mode 0644.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.put(path, text, Owner::ROOT, 0o644)
    }

    /// A file.
    pub(crate) fn put(
        mut self,
        path: &str,
        text: impl AsRef<[u8]>,
        owner: Owner,
        mode: u16,
    ) -> Self {
        let bytes = text.as_ref().to_vec();
        let kind = EntryKind::File {
            len: bytes.len() as u64,
        };
        self.insert(
            path,
            TreeEntry {
                kind,
                owner,
                mode: Mode::new(mode),
            },
            bytes,
        );
        self
    }

    /// A directory.
    pub(crate) fn dir(mut self, path: &str, owner: Owner, mode: u16) -> Self {
        let kind = EntryKind::Dir;
        self.insert(
            path,
            TreeEntry {
                kind,
                owner,
                mode: Mode::new(mode),
            },
            Vec::new(),
        );
        self
    }

    /// A symbolic link.
    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        let kind = EntryKind::Symlink {
            target: target.to_owned(),
        };
        let entry = TreeEntry {
            kind,
            owner: Owner::ROOT,
            mode: Mode::new(0o777),
        };
        self.insert(path, entry, Vec::new());
        self
    }

    /// Without `path` and what is below.
    pub(crate) fn without(mut self, path: &str) -> Self {
        let gone = self.resolve(&ImagePath::new(path).unwrap());
        self.entries.retain(|path, _| !path.is_within(&gone));
        self
    }

    fn insert(&mut self, path: &str, entry: TreeEntry, bytes: Vec<u8>) {
        let path = self.resolve(&ImagePath::new(path).unwrap());
        let mut parent = path.parent();
        while let Some(dir) = parent {
            parent = dir.parent();
            let made = TreeEntry {
                kind: EntryKind::Dir,
                owner: Owner::ROOT,
                mode: Mode::EXECUTABLE,
            };
            self.entries.entry(dir).or_insert((made, Vec::new()));
        }
        self.entries.insert(path, (entry, bytes));
    }

    /// `path` with its symlinked parents followed.
    fn resolve(&self, path: &ImagePath) -> ImagePath {
        let parts: Vec<&str> = path.components().collect();
        let mut done = ImagePath::root();
        for (at, part) in parts.iter().enumerate() {
            let next = done.join(part).unwrap();
            let target = match self.entries.get(&next) {
                Some((
                    TreeEntry {
                        kind: EntryKind::Symlink { target },
                        ..
                    },
                    _,
                )) => target,
                _ => {
                    done = next;
                    continue;
                }
            };
            if at + 1 == parts.len() {
                return next;
            }
            let base = if target.starts_with('/') {
                ImagePath::root()
            } else {
                done.clone()
            };
            let target = target.trim_matches('/').to_owned();
            done = self.resolve(&base.join(&target).unwrap());
        }
        done
    }
}

impl ReadTree for FakeTree {
    fn entry(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        Ok(self
            .entries
            .get(&self.resolve(path))
            .map(|(entry, _)| entry.clone()))
    }

    fn read(&self, path: &ImagePath) -> Result<Vec<u8>, EditError> {
        let found = self.entries.get(&self.resolve(path));
        let missing = || EditError::Missing { path: path.clone() };
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(missing)
    }

    fn children(&self, path: &ImagePath) -> Result<Vec<String>, EditError> {
        let dir = self.resolve(path);
        let names = self
            .entries
            .keys()
            .filter(|path| path.parent().as_ref() == Some(&dir));
        Ok(names.map(|path| path.file_name().to_owned()).collect())
    }
}
