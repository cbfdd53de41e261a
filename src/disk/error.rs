//! What can be wrong with a disk image.

use std::io;

use camino::Utf8PathBuf;
use thiserror::Error;

use super::Region;
use crate::edit::{EditError, ImagePath};
use crate::tool::ToolError;

/// What can be wrong with a disk image or with work on it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The system refused something.
    #[error("{doing} {file}: {source}")]
    Io {
        /// What was being done, such as `reading`.
        doing: &'static str,
        /// To which file.
        file: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has no partition table.
    #[error("{file} is not a disk image: {found}")]
    NotADisk {
        /// The file.
        file: Utf8PathBuf,
        /// What it looks like, and what to do about it.
        found: String,
    },
    /// A partition reaches beyond the end of the file.
    #[error(
        "{file} is truncated: partition {partition} ends at byte {end}, \
         but the file has {len}; download or unpack it again"
    )]
    Truncated {
        /// The file.
        file: Utf8PathBuf,
        /// Number of the partition.
        partition: u32,
        /// First byte behind the partition.
        end: u64,
        /// Length of the file in bytes.
        len: u64,
    },
    /// The partition table makes no sense, or is of a kind not dealt with.
    #[error("partition table of {file}: {reason}")]
    Table {
        /// The file.
        file: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The disk is laid out like no Raspberry Pi OS image.
    #[error(
        "{file} is not laid out like Raspberry Pi OS: expected a FAT boot partition 1 \
         and an ext4 root partition 2 at the end, found {found}; {advice}"
    )]
    NotPiShaped {
        /// The file.
        file: Utf8PathBuf,
        /// What was found.
        found: String,
        /// Why that is not taken, and what is.
        advice: &'static str,
    },
    /// A filesystem is damaged, or not one that can be edited.
    #[error("{place}: {reason}")]
    Filesystem {
        /// Where it is.
        place: Region,
        /// What is wrong, and what to do about it.
        reason: String,
    },
    /// A path could not be made what it should be.
    #[error("{place}: {path}: {reason}")]
    Path {
        /// The filesystem.
        place: Region,
        /// The path in it.
        path: ImagePath,
        /// What is wrong.
        reason: String,
    },
    /// The changes need more room than there is.
    #[error("{place} is too small: {needed} {unit} are needed and {free} are free")]
    Full {
        /// The filesystem.
        place: Region,
        /// How much is needed.
        needed: u64,
        /// How much there is.
        free: u64,
        /// Of what: `blocks of 4096 bytes`, `inodes`.
        unit: String,
    },
    /// `debugfs` complained about a line of its script.
    #[error("{place}: debugfs could not do `{command}`: {said}")]
    Script {
        /// The filesystem.
        place: Region,
        /// The line of the script.
        command: String,
        /// What it said.
        said: String,
    },
    /// A program is missing or failed.
    #[error("{place}: {source}")]
    Tool {
        /// What it was working on.
        place: Region,
        /// What went wrong.
        source: ToolError,
    },
    /// A tree could not be read.
    #[error("{place}: {source}")]
    Tree {
        /// The filesystem.
        place: Region,
        /// What went wrong.
        source: EditError,
    },
}

impl DiskError {
    pub(super) fn io(doing: &'static str, file: impl Into<Utf8PathBuf>, source: io::Error) -> Self {
        Self::Io {
            doing,
            file: file.into(),
            source,
        }
    }

    pub(super) fn filesystem(place: &Region, reason: impl Into<String>) -> Self {
        Self::Filesystem {
            place: place.clone(),
            reason: reason.into(),
        }
    }

    pub(super) fn path(place: &Region, path: &ImagePath, reason: impl ToString) -> Self {
        Self::Path {
            place: place.clone(),
            path: path.clone(),
            reason: reason.to_string(),
        }
    }

    /// The same about another place: for what happened to a stand-in that
    /// nobody knows.
    pub(super) fn at(mut self, other: &Region) -> Self {
        match &mut self {
            Self::Io { file, .. }
            | Self::NotADisk { file, .. }
            | Self::Truncated { file, .. }
            | Self::Table { file, .. }
            | Self::NotPiShaped { file, .. } => file.clone_from(&other.file),
            Self::Filesystem { place, .. }
            | Self::Path { place, .. }
            | Self::Full { place, .. }
            | Self::Script { place, .. }
            | Self::Tool { place, .. }
            | Self::Tree { place, .. } => place.clone_from(other),
        }
        self
    }

    pub(super) fn tool(place: &Region) -> impl FnOnce(ToolError) -> Self {
        let place = place.clone();
        move |source| Self::Tool { place, source }
    }

    pub(super) fn tree(place: &Region) -> impl FnOnce(EditError) -> Self {
        let place = place.clone();
        move |source| Self::Tree { place, source }
    }
}
