//! Checking that a tree is what changes said it would be.

use std::fmt;
use std::mem::discriminant;

use super::{Changes, EditError, EntryKind, ImagePath, Mode, Owner, ReadTree, Target, TreeEntry};

/// Whether owners and modes count in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attributes {
    /// They must be as wanted.
    Checked,
    /// The filesystem has none (FAT).
    Ignored,
}

/// One way in which a path is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where.
    pub path: ImagePath,
    /// What differs.
    pub difference: Difference,
}

/// What differs between a path that was wanted and the path that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// Nothing is there.
    Absent {
        /// What should be, such as "a file".
        wanted: &'static str,
    },
    /// Something is there that was to go.
    StillThere,
    /// It is another kind of thing.
    Kind {
        /// What should be, such as "a file".
        wanted: &'static str,
        /// What is.
        found: &'static str,
    },
    /// It belongs to someone else.
    Owner {
        /// Who should own it.
        wanted: Owner,
        /// Who does.
        found: Owner,
    },
    /// It has another mode.
    Mode {
        /// The mode it should have.
        wanted: Mode,
        /// The mode it has.
        found: Mode,
    },
    /// The file has other bytes.
    Content {
        /// Bytes there should be.
        wanted: u64,
        /// Bytes there are; equal lengths differ in what the bytes are.
        found: u64,
    },
    /// The link points elsewhere.
    LinkTarget {
        /// Where it should point.
        wanted: String,
        /// Where it does.
        found: String,
    },
}

/// A sentence without a full stop; content never shows.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.difference {
            Difference::Absent { wanted } => write!(f, "{path} should be {wanted}, but is missing"),
            Difference::StillThere => write!(f, "{path} should be gone, but is still there"),
            Difference::Kind { wanted, found } => {
                write!(f, "{path} should be {wanted}, but is {found}")
            }
            Difference::Owner { wanted, found } => {
                write!(
                    f,
                    "{path} should belong to {wanted}, but belongs to {found}"
                )
            }
            Difference::Mode { wanted, found } => {
                write!(f, "{path} should have mode {wanted}, but has {found}")
            }
            Difference::Content { wanted, found } if wanted == found => {
                write!(f, "{path} has the right length, but other content")
            }
            Difference::Content { wanted, found } => {
                write!(f, "{path} should have {wanted} bytes, but has {found}")
            }
            Difference::LinkTarget { wanted, found } => {
                write!(f, "{path} should point at {wanted}, but points at {found}")
            }
        }
    }
}

impl Changes {
    /// Post-conditions: re-reads every path in `tree`, to which these changes
    /// have been applied, and tells what is not as wanted, in order of path.
    ///
    /// # Errors
    /// When `tree` cannot be read; that is no mismatch.
    pub fn mismatches(
        &self,
        tree: &dyn ReadTree,
        attributes: Attributes,
    ) -> Result<Vec<Mismatch>, EditError> {
        let mut mismatches = Vec::new();
        for path in &self.removed {
            if !self.targets.contains_key(path) && tree.entry(path)?.is_some() {
                mismatches.push(Mismatch {
                    path: path.clone(),
                    difference: Difference::StillThere,
                });
            }
        }
        for (path, target) in &self.targets {
            let differences = differences(path, target, tree, attributes)?;
            mismatches.extend(differences.into_iter().map(|difference| Mismatch {
                path: path.clone(),
                difference,
            }));
        }
        mismatches.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(mismatches)
    }
}

fn differences(
    path: &ImagePath,
    target: &Target,
    tree: &dyn ReadTree,
    attributes: Attributes,
) -> Result<Vec<Difference>, EditError> {
    let wanted = target.entry();
    let Some(found) = tree.entry(path)? else {
        return Ok(vec![Difference::Absent {
            wanted: wanted.kind.noun(),
        }]);
    };
    if discriminant(&wanted.kind) != discriminant(&found.kind) {
        return Ok(vec![Difference::Kind {
            wanted: wanted.kind.noun(),
            found: found.kind.noun(),
        }]);
    }
    let mut differences = Vec::new();
    differences.extend(content_difference(path, target, &found, tree)?);
    if attributes == Attributes::Checked {
        if wanted.owner != found.owner {
            differences.push(Difference::Owner {
                wanted: wanted.owner,
                found: found.owner,
            });
        }
        let is_link = matches!(target, Target::Symlink { .. });
        if !is_link && wanted.mode != found.mode {
            differences.push(Difference::Mode {
                wanted: wanted.mode,
                found: found.mode,
            });
        }
    }
    Ok(differences)
}

fn content_difference(
    path: &ImagePath,
    target: &Target,
    found: &TreeEntry,
    tree: &dyn ReadTree,
) -> Result<Option<Difference>, EditError> {
    let same = match (target, &found.kind) {
        (Target::Symlink { target: wanted }, EntryKind::Symlink { target: found }) => {
            return Ok((wanted != found).then(|| Difference::LinkTarget {
                wanted: wanted.clone(),
                found: found.clone(),
            }));
        }
        (Target::File { content, .. }, EntryKind::File { len }) => {
            content.len() == *len && tree.digest(path)? == content.sha256()
        }
        _ => true,
    };
    let length = |kind: &EntryKind| match kind {
        EntryKind::File { len } => *len,
        _ => 0,
    };
    Ok((!same).then(|| Difference::Content {
        wanted: length(&target.entry().kind),
        found: length(&found.kind),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Content, Edit, Node, NodeContent, Tree, resolve};

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).unwrap()
    }

    fn node(text: &str, mode: Mode) -> Node {
        Node::File {
            content: NodeContent::Bytes(text.into()),
            owner: Owner::ROOT,
            mode,
        }
    }

    fn found(changes: &Changes, tree: &Tree, attributes: Attributes) -> Vec<String> {
        let mismatches = changes.mismatches(tree, attributes).unwrap();
        mismatches.iter().map(ToString::to_string).collect()
    }

    /// Changes to a base, and the tree they make of it.
    fn example() -> (Changes, Tree) {
        let mut tree = Tree::new();
        tree.insert(path("/old"), node("old", Mode::FILE)).unwrap();
        let edits = [
            Edit::Remove { path: path("/old") },
            Edit::PutFile {
                path: path("/etc/key"),
                content: Content::secret("hunter2"),
                owner: Owner::ROOT,
                mode: Mode::SECRET,
            },
            Edit::Symlink {
                path: path("/link"),
                target: "etc".to_owned(),
            },
        ];
        let changes = resolve(&edits, &tree, &()).unwrap();
        tree.apply(&changes).unwrap();
        (changes, tree)
    }

    #[test]
    fn what_was_applied_is_as_wanted() {
        let (changes, tree) = example();
        assert_eq!(found(&changes, &tree, Attributes::Checked), [""; 0]);
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let link = |target: &str, owner| Node::Symlink {
            target: target.to_owned(),
            owner,
        };
        let dir = |owner, mode| Node::Dir { owner, mode };
        let pi = Owner::new(1000, 1000);
        let cases = [
            (
                "/old",
                node("", Mode::FILE),
                "/old should be gone, but is still there",
            ),
            (
                "/etc",
                dir(pi, Mode::EXECUTABLE),
                "/etc should belong to 0:0, but belongs to 1000:1000",
            ),
            (
                "/etc",
                dir(Owner::ROOT, Mode::PRIVATE_DIR),
                "/etc should have mode 0755, but has 0700",
            ),
            (
                "/etc/key",
                node("hunter2", Mode::FILE),
                "/etc/key should have mode 0600, but has 0644",
            ),
            (
                "/etc/key",
                node("hunter3", Mode::SECRET),
                "/etc/key has the right length, but other content",
            ),
            (
                "/etc/key",
                node("", Mode::SECRET),
                "/etc/key should have 7 bytes, but has 0",
            ),
            (
                "/etc/key",
                link("x", Owner::ROOT),
                "/etc/key should be a file, but is a symbolic link",
            ),
            (
                "/link",
                link("usr", Owner::ROOT),
                "/link should point at etc, but points at usr",
            ),
            (
                "/link",
                link("etc", pi),
                "/link should belong to 0:0, but belongs to 1000:1000",
            ),
        ];
        for (at, node, expected) in cases {
            let (changes, mut tree) = example();
            tree.insert(path(at), node).unwrap();
            assert_eq!(found(&changes, &tree, Attributes::Checked), [expected]);
            let ignored = found(&changes, &tree, Attributes::Ignored);
            let is_attribute = expected.contains("mode") || expected.contains("belong");
            assert_eq!(ignored.is_empty(), is_attribute, "{ignored:?}");
        }
    }

    #[test]
    fn what_was_not_applied_is_told_in_order_of_path() {
        let (changes, _) = example();
        let mut base = Tree::new();
        base.insert(path("/old"), node("old", Mode::FILE)).unwrap();
        assert_eq!(
            found(&changes, &base, Attributes::Checked),
            [
                "/etc should be a directory, but is missing",
                "/etc/key should be a file, but is missing",
                "/link should be a symbolic link, but is missing",
                "/old should be gone, but is still there",
            ]
        );
    }
}
