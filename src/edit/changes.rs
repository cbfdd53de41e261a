//! What a list of edits comes to: one target for each path.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use camino::Utf8PathBuf;
use sha2::{Digest, Sha256};

use super::{EntryKind, ImagePath, Mode, Owner, TreeEntry};

/// Symbolic links shorter than this live in their inode and take no block
/// (linux `fs/ext4/inode.c`, `ext4_inode_is_fast_symlink`).
const FAST_SYMLINK: u64 = 60;

/// Content of a file once edits are applied.
#[derive(Clone, PartialEq, Eq)]
pub enum FileContent {
    /// Bytes in memory.
    Inline {
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether they must not be shown.
        secret: bool,
    },
    /// A file on the host.
    Staged {
        /// Where it is.
        host: Utf8PathBuf,
        /// Length in bytes.
        len: u64,
        /// SHA-256 of its bytes.
        sha256: [u8; 32],
    },
}

impl FileContent {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline { bytes, .. } => bytes.len() as u64,
            Self::Staged { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 of the bytes.
    pub fn sha256(&self) -> [u8; 32] {
        match self {
            Self::Inline { bytes, .. } => Sha256::digest(bytes).into(),
            Self::Staged { sha256, .. } => *sha256,
        }
    }

    /// Whether the bytes must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Inline { secret: true, .. })
    }
}

/// Lengths only: content may be secret, and is long.
impl fmt::Debug for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline { secret: true, .. } => f.write_str("Inline(redacted)"),
            Self::Inline { bytes, .. } => write!(f, "Inline({} bytes)", bytes.len()),
            Self::Staged { host, len, .. } => write!(f, "Staged({host}, {len} bytes)"),
        }
    }
}

/// What a path must be after the edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
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
        content: FileContent,
        /// Owner.
        owner: Owner,
        /// Mode.
        mode: Mode,
    },
    /// A symbolic link, owned by root.
    Symlink {
        /// Target, verbatim.
        target: String,
    },
}

impl Target {
    /// What a reader says of the path once this target is down.
    pub fn entry(&self) -> TreeEntry {
        match self {
            Self::Dir { owner, mode } => TreeEntry {
                kind: EntryKind::Dir,
                owner: *owner,
                mode: *mode,
            },
            Self::File {
                content,
                owner,
                mode,
            } => TreeEntry {
                kind: EntryKind::File { len: content.len() },
                owner: *owner,
                mode: *mode,
            },
            Self::Symlink { target } => TreeEntry {
                kind: EntryKind::Symlink {
                    target: target.clone(),
                },
                owner: Owner::ROOT,
                mode: Mode::SYMLINK,
            },
        }
    }
}

/// Every path that edits change, with what it must become.
///
/// Paths are canonical: symlinked parents have been followed, so `/bin/x` on a
/// merged-/usr system appears as `/usr/bin/x`. Applying means: first everything
/// in `removed` goes, with all below it, then `targets` are put down in order
/// (parents sort before children). A target in place of an existing file or
/// link replaces it; an existing directory that is a target keeps its content.
///
/// What [`resolve`](super::resolve()) gives is the difference between the tree
/// it was given and the tree that is wanted, and nothing else: a path that is
/// already as wanted is not in it, a path below a removed one is not in
/// `removed`, and a path is in both only where a directory takes the place of
/// something else or the reverse. So it does not matter by which edits the
/// wanted tree was described, but for two things that are not part of a tree:
/// where the bytes of a file are (in memory or on the host) and whether they
/// are secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Paths that go away first, with everything below them.
    pub removed: BTreeSet<ImagePath>,
    /// What each changed path must be afterwards, all parents included that
    /// did not exist.
    pub targets: BTreeMap<ImagePath, Target>,
}

impl Changes {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.targets.is_empty()
    }

    /// The targets, parents ahead of children.
    pub fn iter(&self) -> impl Iterator<Item = (&ImagePath, &Target)> {
        self.targets.iter()
    }

    /// The regular files among the targets, with their content.
    pub fn files(&self) -> impl Iterator<Item = (&ImagePath, &FileContent)> {
        self.targets
            .iter()
            .filter_map(|(path, target)| match target {
                Target::File { content, .. } => Some((path, content)),
                Target::Dir { .. } | Target::Symlink { .. } => None,
            })
    }

    /// Bytes of content of all files put down.
    pub fn content_bytes(&self) -> u64 {
        self.files().map(|(_, content)| content.len()).sum()
    }

    /// Bytes the targets take on a filesystem with blocks of `block` bytes:
    /// files rounded up to whole blocks, a block for each directory and each
    /// link too long for its inode. What they replace is not taken off, and
    /// extent trees and growing parent directories come on top.
    pub fn allocated_bytes(&self, block: u64) -> u64 {
        self.targets
            .values()
            .map(|target| {
                let len = match target {
                    Target::Dir { .. } => block,
                    Target::File { content, .. } => content.len(),
                    Target::Symlink { target } if (target.len() as u64) < FAST_SYMLINK => 0,
                    Target::Symlink { target } => target.len() as u64,
                };
                len.checked_next_multiple_of(block).unwrap_or(len)
            })
            .sum()
    }
}

/// One line a path, removals first; secrets stay out.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for path in &self.removed {
            writeln!(f, "drop  {path}")?;
        }
        for (path, target) in &self.targets {
            match target {
                Target::Dir { owner, mode } => writeln!(f, "dir   {mode} {owner} {path}")?,
                Target::File {
                    content,
                    owner,
                    mode,
                } => {
                    let len = content.len();
                    match content.is_secret() {
                        // Its length would be a hint.
                        true => writeln!(f, "file  {mode} {owner} {path} (secret)")?,
                        false => writeln!(f, "file  {mode} {owner} {path} ({len} bytes)")?,
                    }
                }
                Target::Symlink { target } => writeln!(f, "link  {path} -> {target}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).unwrap()
    }

    fn changes() -> Changes {
        let file = |len: usize, secret| Target::File {
            content: FileContent::Inline {
                bytes: vec![b'x'; len],
                secret,
            },
            owner: Owner::ROOT,
            mode: Mode::SECRET,
        };
        let staged = Target::File {
            content: FileContent::Staged {
                host: "/staged/1".into(),
                len: 4097,
                sha256: [0; 32],
            },
            owner: Owner::new(5, 6),
            mode: Mode::FILE,
        };
        let link = |len| Target::Symlink {
            target: "x".repeat(len),
        };
        let dir = Target::Dir {
            owner: Owner::ROOT,
            mode: Mode::EXECUTABLE,
        };
        Changes {
            removed: [path("/old")].into(),
            targets: [
                ("/a", dir),
                ("/a/empty", file(0, false)),
                ("/a/key", file(33, true)),
                ("/a/long", link(60)),
                ("/a/short", link(59)),
                ("/a/staged", staged),
            ]
            .map(|(name, target)| (path(name), target))
            .into(),
        }
    }

    #[test]
    fn sizes_count_content_and_blocks() {
        let changes = changes();
        assert_eq!(changes.content_bytes(), 33 + 4097);
        assert_eq!(changes.files().count(), 3);
        // One for the directory, the key and the long link, two for 4097 bytes.
        assert_eq!(changes.allocated_bytes(4096), 5 * 4096);
        assert_eq!(
            changes.allocated_bytes(0),
            33 + 4097 + 60,
            "no division by zero"
        );
    }

    #[test]
    fn neither_form_shows_a_secret() {
        let changes = changes();
        assert!(!format!("{:?}", changes.targets[&path("/a/key")]).contains("120"));
        insta::assert_snapshot!(
            changes.to_string().replace(&"x".repeat(59), "x…"),
            @r"
        drop  /old
        dir   0755 0:0 /a
        file  0600 0:0 /a/empty (0 bytes)
        file  0600 0:0 /a/key (secret)
        link  /a/long -> x…x
        link  /a/short -> x…
        file  0644 5:6 /a/staged (4097 bytes)
        "
        );
    }
}
