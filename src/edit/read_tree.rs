//! Reading side of a filesystem, as the pure zone sees it.

use camino::Utf8PathBuf;
use sha2::{Digest, Sha256};

use super::{ArchiveId, EditError, ImagePath, Mode, Owner};

/// What kind of thing a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Dir,
    /// A regular file of so many bytes.
    File {
        /// Length in bytes.
        len: u64,
    },
    /// A symbolic link.
    Symlink {
        /// Its target, verbatim.
        target: String,
    },
    /// A device node, socket or FIFO: left alone by every edit.
    Special,
}

impl EntryKind {
    /// What it is, in words.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Dir => "a directory",
            Self::File { .. } => "a file",
            Self::Symlink { .. } => "a symbolic link",
            Self::Special => "a device node, socket or FIFO",
        }
    }
}

/// One path of a tree, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// What it is.
    pub kind: EntryKind,
    /// Owner; [`Owner::ROOT`] on filesystems without owners.
    pub owner: Owner,
    /// Mode; `0755` on filesystems without modes, [`Mode::SYMLINK`] for links.
    pub mode: Mode,
}

/// A filesystem that can be read. Final symlinks are not followed; symlinked
/// *parents* are (`/bin/x` on a merged-/usr system reads `/usr/bin/x`).
pub trait ReadTree {
    /// What is at `path`; `None` if nothing is.
    fn entry(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError>;
    /// The whole content of the regular file at `path`.
    fn read(&self, path: &ImagePath) -> Result<Vec<u8>, EditError>;
    /// Names in the directory at `path`, sorted, without `.` and `..`.
    fn children(&self, path: &ImagePath) -> Result<Vec<String>, EditError>;
    /// SHA-256 of the regular file at `path`. Readers of large files should
    /// stream instead of reading the whole, as this does.
    fn digest(&self, path: &ImagePath) -> Result<[u8; 32], EditError> {
        Ok(Sha256::digest(self.read(path)?).into())
    }
}

/// One member of an archive that has been unpacked to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedEntry {
    /// Name in the archive, without a leading `./`; components joined by `/`.
    pub name: String,
    /// What it is.
    pub kind: StagedKind,
    /// Permission bits as stored in the archive.
    pub mode: Mode,
}

/// What a staged member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StagedKind {
    /// A directory.
    Dir,
    /// A regular file (hard links are staged as files of their own).
    File {
        /// Where its bytes are on the host.
        host: Utf8PathBuf,
        /// Length in bytes.
        len: u64,
        /// SHA-256 of its bytes.
        sha256: [u8; 32],
    },
    /// A regular file that no image gets: its bytes were read past, and are
    /// nowhere.
    LeftOut {
        /// Length in bytes.
        len: u64,
    },
    /// A symbolic link, checked to stay inside the archive.
    Symlink {
        /// Its target, verbatim.
        target: String,
    },
}

/// Archives at hand while edits are resolved.
pub trait Archives {
    /// Members of the archive, in archive order.
    fn members(&self, archive: &ArchiveId) -> Result<&[StagedEntry], EditError>;
}

/// No archives: for edits that unpack nothing.
impl Archives for () {
    fn members(&self, archive: &ArchiveId) -> Result<&[StagedEntry], EditError> {
        Err(EditError::UnknownArchive(archive.clone()))
    }
}

/// The path of `name` in `dir`, where a tree says that there is one.
pub(super) fn below(dir: &ImagePath, name: &str) -> Result<ImagePath, EditError> {
    dir.join(name).map_err(|error| EditError::Read {
        path: dir.clone(),
        reason: error.to_string(),
    })
}

/// The error for an `entry` at `path` that is not `expected`.
pub(super) fn wrong_kind(path: &ImagePath, entry: &TreeEntry, expected: &'static str) -> EditError {
    EditError::WrongKind {
        path: path.clone(),
        found: entry.kind.noun(),
        expected,
    }
}
