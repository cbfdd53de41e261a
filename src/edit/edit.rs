//! One change to a filesystem.

use std::fmt;

use serde::Serialize;

use super::{Content, ImagePath, Mode, Owner, TextEdit};

/// Names an archive whose members an edit unpacks: the lower-case hex SHA-256
/// of the archive file as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ArchiveId(pub String);

/// How members of an archive become paths of the image.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Unpack {
    /// Leading components taken off each member's name.
    pub strip: usize,
    /// Glob patterns, matched against the name after stripping, of members
    /// left out. `*` stays within a component, `**` crosses them; a pattern
    /// that matches a directory leaves out everything below it.
    pub drop: Vec<String>,
    /// Owner given to every member; the archive's own ids mean nothing here.
    pub owner: Owner,
}

/// One change, meaningful without reading anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A directory exists with this owner and mode. Missing parents are made
    /// `root:root 0755`.
    MakeDir {
        /// Where.
        path: ImagePath,
        /// Its owner afterwards, also if it existed.
        owner: Owner,
        /// Its mode afterwards, also if it existed.
        mode: Mode,
    },
    /// A regular file with this content exists, in place of any file or link.
    /// Missing parents are made `root:root 0755`.
    PutFile {
        /// Where.
        path: ImagePath,
        /// The whole content.
        content: Content,
        /// Its owner.
        owner: Owner,
        /// Its mode.
        mode: Mode,
    },
    /// A symbolic link exists, in place of any file or link.
    Symlink {
        /// Where.
        path: ImagePath,
        /// What it points at, verbatim.
        target: String,
    },
    /// Nothing is at the path, nor below it. An absent path is no error.
    Remove {
        /// Where.
        path: ImagePath,
    },
    /// An existing text file is changed; owner and mode stay.
    EditText {
        /// Which file.
        path: ImagePath,
        /// The change.
        edit: TextEdit,
    },
    /// A copy of a directory of the same filesystem, files with their modes.
    CopyTree {
        /// The directory copied.
        from: ImagePath,
        /// The directory made.
        to: ImagePath,
        /// Owner of everything in the copy.
        owner: Owner,
        /// Mode of the directory `to` itself.
        mode: Mode,
    },
    /// An archive's members exist below a directory.
    UnpackTree {
        /// Which archive.
        archive: ArchiveId,
        /// The directory they go below.
        into: ImagePath,
        /// Which members, and how.
        unpack: Unpack,
    },
}

impl Edit {
    /// The path this edit is about.
    pub fn path(&self) -> &ImagePath {
        match self {
            Self::MakeDir { path, .. }
            | Self::PutFile { path, .. }
            | Self::Symlink { path, .. }
            | Self::Remove { path }
            | Self::EditText { path, .. } => path,
            Self::CopyTree { to, .. } => to,
            Self::UnpackTree { into, .. } => into,
        }
    }
}

/// One line for people; secrets stay out.
impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeDir { path, owner, mode } => write!(f, "dir   {mode} {owner} {path}"),
            Self::PutFile {
                path,
                content,
                owner,
                mode,
            } => {
                write!(f, "file  {mode} {owner} {path} ")?;
                match content {
                    Content::Public(bytes) => write!(f, "({} bytes)", bytes.len()),
                    // The length of a passphrase would be a hint.
                    Content::Secret(_) => f.write_str("(secret)"),
                }
            }
            Self::Symlink { path, target } => write!(f, "link  {path} -> {target}"),
            Self::Remove { path } => write!(f, "drop  {path}"),
            Self::EditText { path, edit } => write!(f, "edit  {path}: {edit}"),
            Self::CopyTree {
                from,
                to,
                owner,
                mode,
            } => {
                write!(f, "copy  {mode} {owner} {from} -> {to}")
            }
            Self::UnpackTree {
                archive,
                into,
                unpack,
            } => {
                let short = archive.0.get(..12).unwrap_or(&archive.0);
                write!(f, "unpack {} {short}… -> {into}", unpack.owner)
            }
        }
    }
}

/// Edits for the two filesystems of a Pi-shaped image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// For the firmware (FAT) partition; paths from its own root.
    pub boot: Vec<Edit>,
    /// For the root (ext4) partition.
    pub root: Vec<Edit>,
}

impl Edits {
    /// Appends `other` behind these edits.
    pub fn extend(&mut self, other: Self) {
        self.boot.extend(other.boot);
        self.root.extend(other.root);
    }
}
