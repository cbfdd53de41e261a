//! The in-memory filesystem.

pub(super) mod below;
mod node;
mod text;

pub use node::{Node, NodeContent};
pub use text::TreeDifference;

use std::collections::BTreeMap;

use below::{child_names, descendants};

use super::read_tree::below;
use super::resolve::walk::{LastLink, Place, Walk, walk};
use super::{
    Changes, Edit, EditError, EntryKind, ImagePath, Mode, Owner, ReadTree, Target, TreeEntry,
    resolve,
};

/// Longest file whose bytes [`Tree::read_from`] keeps, 1 MiB: everything a
/// text edit could be about, and an image of gigabytes still fits in memory.
const LONGEST_KEPT: u64 = 1 << 20;

/// A filesystem in memory: the reference meaning of changes.
///
/// Its text form has one line a path, sorted: mode, owner, kind, path, and for
/// a file its length and the beginning of its SHA-256, for a link its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<ImagePath, Node>,
}

/// An empty filesystem: a root directory `root:root 0755`.
impl Default for Tree {
    fn default() -> Self {
        let root = Node::Dir {
            owner: Owner::ROOT,
            mode: Mode::EXECUTABLE,
        };
        Self {
            nodes: [(ImagePath::root(), root)].into(),
        }
    }
}

impl Tree {
    /// An empty filesystem: a root directory `root:root 0755`.
    pub fn new() -> Self {
        Self::default()
    }

    /// What `edits`, which unpack nothing, make of an empty filesystem.
    ///
    /// # Errors
    /// Those of [`resolve()`].
    pub fn from_edits(edits: &[Edit]) -> Result<Self, EditError> {
        let mut tree = Self::new();
        tree.apply(&resolve(edits, &tree, &())?)?;
        Ok(tree)
    }

    /// A copy of the whole of `tree`. Files longer than 1 MiB are held by
    /// their digest, so they compare but cannot be read from the copy.
    ///
    /// # Errors
    /// When `tree` cannot be read.
    pub fn read_from(tree: &dyn ReadTree) -> Result<Self, EditError> {
        let mut nodes = BTreeMap::new();
        let mut pending = vec![ImagePath::root()];
        while let Some(path) = pending.pop() {
            let Some(entry) = tree.entry(&path)? else {
                continue;
            };
            let TreeEntry { kind, owner, mode } = entry;
            let node = match kind {
                EntryKind::Dir => {
                    for name in tree.children(&path)? {
                        pending.push(below(&path, &name)?);
                    }
                    Node::Dir { owner, mode }
                }
                EntryKind::File { len } => {
                    let content = if len <= LONGEST_KEPT {
                        NodeContent::Bytes(tree.read(&path)?)
                    } else {
                        NodeContent::Digest {
                            len,
                            sha256: tree.digest(&path)?,
                        }
                    };
                    Node::File {
                        content,
                        owner,
                        mode,
                    }
                }
                EntryKind::Symlink { target } => Node::Symlink { target, owner },
                EntryKind::Special => Node::Special { owner, mode },
            };
            nodes.insert(path, node);
        }
        Ok(Self { nodes })
    }

    /// What is at `path`, links not followed.
    pub fn node(&self, path: &ImagePath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// All paths and what is there, parents ahead of children.
    pub fn iter(&self) -> impl Iterator<Item = (&ImagePath, &Node)> {
        self.nodes.iter()
    }

    /// Puts `node` at `path` in place of what was there; for building a tree
    /// that no list of edits could describe.
    ///
    /// # Errors
    /// When its parent is no directory, or a directory with something in it
    /// would become something else.
    pub fn insert(&mut self, path: ImagePath, node: Node) -> Result<(), EditError> {
        if let Some(parent) = path.parent() {
            match self.nodes.get(&parent) {
                Some(Node::Dir { .. }) => {}
                Some(other) => return Err(wrong_kind(&parent, other, "a directory")),
                None => return Err(EditError::Missing { path: parent }),
            }
        }
        let stays_dir = matches!(node, Node::Dir { .. });
        if !stays_dir && (path.is_root() || descendants(&self.nodes, &path).next().is_some()) {
            return Err(EditError::WrongKind {
                path,
                found: "a directory with something in it",
                expected: "a file, a symbolic link or nothing",
            });
        }
        self.nodes.insert(path, node);
        Ok(())
    }

    /// Applies `changes`, strictly as [`Changes`] describes.
    ///
    /// # Errors
    /// When a target's parent is no directory, or a file or link would take
    /// the place of a directory or special file that is not removed first.
    /// The tree may then have part of the changes.
    pub fn apply(&mut self, changes: &Changes) -> Result<(), EditError> {
        for path in &changes.removed {
            let gone: Vec<ImagePath> = descendants(&self.nodes, path)
                .map(|(path, _)| path.clone())
                .collect();
            for path in gone.iter().chain([path]).filter(|path| !path.is_root()) {
                self.nodes.remove(path);
            }
        }
        for (path, target) in &changes.targets {
            let fits = match (self.nodes.get(path), target) {
                (None | Some(Node::File { .. } | Node::Symlink { .. }), _) => true,
                (Some(Node::Dir { .. }), Target::Dir { .. }) => true,
                (Some(Node::Dir { .. } | Node::Special { .. }), _) => false,
            };
            if let (Some(node), false) = (self.nodes.get(path), fits) {
                return Err(wrong_kind(path, node, "something that can be replaced"));
            }
            self.insert(path.clone(), target.into())?;
        }
        Ok(())
    }

    /// This tree as a filesystem without owners and modes would hold it.
    #[must_use]
    pub fn without_attributes(&self) -> Self {
        let mut tree = self.clone();
        for node in tree.nodes.values_mut() {
            match node {
                Node::Dir { owner, mode }
                | Node::File { owner, mode, .. }
                | Node::Special { owner, mode } => {
                    *owner = Owner::ROOT;
                    *mode = Mode::EXECUTABLE;
                }
                Node::Symlink { owner, .. } => *owner = Owner::ROOT,
            }
        }
        tree
    }

    /// The place `path` leads to, if something is there.
    fn find(&self, path: &ImagePath) -> Result<Option<Place>, EditError> {
        let look = |path: &ImagePath| Ok(self.nodes.get(path).map(Node::entry));
        match walk(path, LastLink::Keep, &look)? {
            Walk::At(place) if place.entry.is_some() => Ok(Some(place)),
            Walk::At(_) | Walk::Blocked { .. } => Ok(None),
        }
    }

    fn existing(&self, path: &ImagePath) -> Result<(ImagePath, &Node), EditError> {
        self.find(path)?
            .and_then(|place| Some((self.nodes.get(&place.path)?, place.path)))
            .map(|(node, path)| (path, node))
            .ok_or_else(|| EditError::Read {
                path: path.clone(),
                reason: "nothing is there".to_owned(),
            })
    }
}

impl ReadTree for Tree {
    fn entry(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        Ok(self.find(path)?.and_then(|place| place.entry))
    }

    fn read(&self, path: &ImagePath) -> Result<Vec<u8>, EditError> {
        match self.existing(path)? {
            (
                _,
                Node::File {
                    content: NodeContent::Bytes(bytes),
                    ..
                },
            ) => Ok(bytes.clone()),
            (
                at,
                Node::File {
                    content: NodeContent::Digest { .. },
                    ..
                },
            ) => Err(EditError::Read {
                path: at,
                reason: "only its digest is known".to_owned(),
            }),
            (at, other) => Err(wrong_kind(&at, other, "a file")),
        }
    }

    fn children(&self, path: &ImagePath) -> Result<Vec<String>, EditError> {
        match self.existing(path)? {
            (at, Node::Dir { .. }) => Ok(child_names(&self.nodes, &at)),
            (at, other) => Err(wrong_kind(&at, other, "a directory")),
        }
    }

    fn digest(&self, path: &ImagePath) -> Result<[u8; 32], EditError> {
        match self.existing(path)? {
            (_, Node::File { content, .. }) => Ok(content.sha256()),
            (at, other) => Err(wrong_kind(&at, other, "a file")),
        }
    }
}

fn wrong_kind(path: &ImagePath, node: &Node, expected: &'static str) -> EditError {
    super::read_tree::wrong_kind(path, &node.entry(), expected)
}

#[cfg(test)]
mod tests;
