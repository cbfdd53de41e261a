//! A root filesystem in memory, until mke2fs makes a real one of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use camino::Utf8Path;
use fs_err as fs;

/// Files by path, as they will be in an image or an archive.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone)]
struct Entry {
    body: Body,
    uid: u32,
    gid: u32,
    mode: u32,
}

#[derive(Clone)]
enum Body {
    Dir,
    File(Vec<u8>),
    Link(String),
}

impl Tree {
    /// A directory of root's, open to all.
    pub(crate) fn dir(&mut self, path: &str) -> &mut Self {
        self.put(path, Body::Dir, 0o755)
    }

    /// A file of root's that all may read.
    pub(crate) fn file(&mut self, path: &str, content: impl Into<Vec<u8>>) -> &mut Self {
        self.put(path, Body::File(content.into()), 0o644)
    }

    /// A file of root's that all may run.
    pub(crate) fn program(&mut self, path: &str, content: impl Into<Vec<u8>>) -> &mut Self {
        self.put(path, Body::File(content.into()), 0o755)
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.put(path, Body::Link(target.to_owned()), 0o777)
    }

    /// Gives what is at `path` another owner and mode.
    pub(crate) fn owned(&mut self, path: &str, uid: u32, gid: u32, mode: u32) -> &mut Self {
        let entry = self
            .entries
            .get_mut(path)
            .unwrap_or_else(|| panic!("{path} is not there"));
        (entry.uid, entry.gid, entry.mode) = (uid, gid, mode);
        self
    }

    /// Nothing at a path.
    pub(crate) fn remove(&mut self, path: &str) -> &mut Self {
        let gone = self.entries.remove(path);
        assert!(gone.is_some(), "{path} is not there");
        self
    }

    fn put(&mut self, path: &str, body: Body, mode: u32) -> &mut Self {
        for (at, _) in path.match_indices('/') {
            let dir = Entry {
                body: Body::Dir,
                uid: 0,
                gid: 0,
                mode: 0o755,
            };
            let above = self.entries.entry(path[..at].to_owned()).or_insert(dir);
            assert!(
                matches!(above.body, Body::Dir),
                "{path} is below what is no directory"
            );
        }
        self.entries.insert(
            path.to_owned(),
            Entry {
                body,
                uid: 0,
                gid: 0,
                mode,
            },
        );
        self
    }

    /// Makes the tree below `dir`; everything belongs to whoever runs this.
    pub(crate) fn write_to(&self, dir: &Utf8Path) {
        for (path, Entry { body, mode, .. }) in &self.entries {
            let place = dir.join(path);
            match body {
                Body::Dir => fs::create_dir_all(&place).unwrap(),
                Body::File(bytes) => fs::write(&place, bytes).unwrap(),
                Body::Link(target) => {
                    symlink(target, &place).unwrap();
                    continue;
                }
            }
            fs::set_permissions(&place, Permissions::from_mode(*mode)).unwrap();
        }
    }

    /// Commands for debugfs that give everything its owner.
    pub(crate) fn owners(&self) -> String {
        let mut script = String::new();
        for (path, Entry { uid, gid, .. }) in &self.entries {
            writeln!(script, "sif /{path} uid {uid}\nsif /{path} gid {gid}").unwrap();
        }
        script
    }
}
