//! Looking around in an image's filesystem.

use crate::edit::{EditError, EntryKind, ImagePath, ReadTree, TreeEntry};

/// Links followed before a chain is taken for a loop (the kernel's own limit,
/// path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A [`ReadTree`] asked by literal paths, with final symlinks followed inside
/// the tree.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub &'a dyn ReadTree);

impl Reader<'_> {
    /// What `path` is, without following it; `None` if nothing is there or the
    /// text is no path.
    pub(super) fn entry(&self, path: &str) -> Result<Option<TreeEntry>, EditError> {
        match ImagePath::new(path) {
            Ok(path) => self.0.entry(&path),
            Err(_) => Ok(None),
        }
    }

    /// What `path` leads to once every link is followed; `None` if it leads
    /// nowhere.
    pub(super) fn follow(&self, path: &str) -> Result<Option<(ImagePath, TreeEntry)>, EditError> {
        let Ok(mut path) = ImagePath::new(path) else {
            return Ok(None);
        };
        for _ in 0..MOST_LINKS {
            let Some(entry) = self.0.entry(&path)? else {
                return Ok(None);
            };
            let EntryKind::Symlink { target } = &entry.kind else {
                return Ok(Some((path, entry)));
            };
            match link_target(&path, target) {
                Some(next) => path = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Whether `path` leads to something.
    pub(super) fn leads_somewhere(&self, path: &str) -> Result<bool, EditError> {
        Ok(self.follow(path)?.is_some())
    }

    /// Whether only root can read what `path` leads to.
    pub(super) fn is_roots_alone(&self, path: &str) -> Result<bool, EditError> {
        let entry = self.follow(path)?.map(|(_, entry)| entry);
        Ok(entry.is_some_and(|entry| entry.owner.uid == 0 && entry.mode.bits() & 0o077 == 0))
    }

    /// Bytes of the regular file that `path` leads to.
    pub(super) fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, EditError> {
        match self.follow(path)? {
            Some((path, entry)) if matches!(entry.kind, EntryKind::File { .. }) => {
                self.0.read(&path).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Text of the regular file that `path` leads to; bytes that are no UTF-8
    /// become replacement characters.
    pub(super) fn text(&self, path: &str) -> Result<Option<String>, EditError> {
        let bytes = self.bytes(path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Names in the directory that `path` leads to, sorted; none if it is no
    /// directory.
    pub(super) fn names(&self, path: &str) -> Result<Vec<String>, EditError> {
        match self.follow(path)? {
            Some((path, entry)) if entry.kind == EntryKind::Dir => self.0.children(&path),
            _ => Ok(Vec::new()),
        }
    }
}

/// Where a link at `path` with this target leads; `None` if that is no path an
/// image can have.
fn link_target(path: &ImagePath, target: &str) -> Option<ImagePath> {
    let mut parts: Vec<&str> = match target.starts_with('/') {
        true => Vec::new(),
        false => path.components().collect(),
    };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    ImagePath::new(&format!("/{}", parts.join("/"))).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::node::fake_tree::FakeTree;

    #[rstest]
    #[case("/etc/a", "b", "/etc/b")]
    #[case("/etc/a", "../b", "/b")]
    #[case("/etc/a", "../../../b", "/b")]
    #[case("/etc/x/a", "/usr/./lib//b", "/usr/lib/b")]
    #[case("/a", ".", "/")]
    fn targets_stay_inside(#[case] path: &str, #[case] target: &str, #[case] expected: &str) {
        let path = ImagePath::new(path).unwrap();
        assert_eq!(link_target(&path, target).unwrap().as_str(), expected);
    }

    #[test]
    fn chains_are_followed_and_loops_end() {
        let tree = FakeTree::new()
            .file("/usr/lib/x", "here")
            .link("/lib", "usr/lib")
            .link("/a", "b")
            .link("/b", "/lib/x")
            .link("/loop", "loop")
            .link("/dangling", "nowhere");
        let reader = Reader(&tree);
        assert_eq!(reader.text("/a").unwrap().unwrap(), "here");
        assert!(!reader.leads_somewhere("/loop").unwrap());
        assert!(!reader.leads_somewhere("/dangling").unwrap());
        assert!(reader.entry("/dangling").unwrap().is_some());
        assert_eq!(reader.names("/lib").unwrap(), ["x"]);
    }
}
