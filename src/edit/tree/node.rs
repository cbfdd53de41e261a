//! What is at one path of a tree in memory.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::edit::{EntryKind, FileContent, Mode, Owner, Target, TreeEntry};

/// Content of a file in a [`Tree`](super::Tree). Two are equal if length and SHA-256 are,
/// whichever way each is held.
#[derive(Clone)]
pub enum NodeContent {
    /// The bytes themselves.
    Bytes(Vec<u8>),
    /// Bytes that are elsewhere.
    Digest {
        /// How many.
        len: u64,
        /// SHA-256 of them.
        sha256: [u8; 32],
    },
}

impl NodeContent {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Digest { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 of the bytes.
    pub fn sha256(&self) -> [u8; 32] {
        match self {
            Self::Bytes(bytes) => Sha256::digest(bytes).into(),
            Self::Digest { sha256, .. } => *sha256,
        }
    }
}

impl PartialEq for NodeContent {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            _ => self.len() == other.len() && self.sha256() == other.sha256(),
        }
    }
}

impl Eq for NodeContent {}

/// Length and the beginning of the digest; bytes may be secret.
impl fmt::Debug for NodeContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Length and the first twelve hex digits of the SHA-256.
impl fmt::Display for NodeContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.len(), hex::encode(&self.sha256()[..6]))
    }
}

/// What is at one path of a [`Tree`](super::Tree).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Dir {
        /// Owner.
        owner: Owner,
        /// Mode.
        mode: Mode,
    },
    /// A regular file.
    File {
        /// Content.
        content: NodeContent,
        /// Owner.
        owner: Owner,
        /// Mode.
        mode: Mode,
    },
    /// A symbolic link; its mode is always [`Mode::SYMLINK`].
    Symlink {
        /// Target, verbatim.
        target: String,
        /// Owner.
        owner: Owner,
    },
    /// A device node, socket or FIFO.
    Special {
        /// Owner.
        owner: Owner,
        /// Mode.
        mode: Mode,
    },
}

impl Node {
    /// What a reader says of this node.
    pub fn entry(&self) -> TreeEntry {
        let (kind, owner, mode) = match self {
            Self::Dir { owner, mode } => (EntryKind::Dir, owner, *mode),
            Self::File {
                content,
                owner,
                mode,
            } => (EntryKind::File { len: content.len() }, owner, *mode),
            Self::Symlink { target, owner } => (
                EntryKind::Symlink {
                    target: target.clone(),
                },
                owner,
                Mode::SYMLINK,
            ),
            Self::Special { owner, mode } => (EntryKind::Special, owner, *mode),
        };
        TreeEntry {
            kind,
            owner: *owner,
            mode,
        }
    }
}

impl From<&Target> for Node {
    fn from(target: &Target) -> Self {
        match target {
            Target::Dir { owner, mode } => Self::Dir {
                owner: *owner,
                mode: *mode,
            },
            Target::File {
                content,
                owner,
                mode,
            } => {
                let content = match content {
                    FileContent::Inline { bytes, .. } => NodeContent::Bytes(bytes.clone()),
                    FileContent::Staged {
                        host: _,
                        len,
                        sha256,
                    } => NodeContent::Digest {
                        len: *len,
                        sha256: *sha256,
                    },
                };
                Self::File {
                    content,
                    owner: *owner,
                    mode: *mode,
                }
            }
            Target::Symlink { target } => Self::Symlink {
                target: target.clone(),
                owner: Owner::ROOT,
            },
        }
    }
}
