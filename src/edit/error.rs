//! Why edits cannot be resolved or a tree not be read.

use thiserror::Error;

use super::{ArchiveId, ImagePath};

/// Why edits cannot be resolved or a tree not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EditError {
    /// An edit found nothing to change or copy.
    #[error("{path} is not in the image, so it cannot be edited or copied")]
    Missing {
        /// The path looked for.
        path: ImagePath,
    },
    /// A path that must be a file, link or directory is something else.
    #[error("{path} is {found}, expected {expected}")]
    WrongKind {
        /// The path.
        path: ImagePath,
        /// What it is.
        found: &'static str,
        /// What the edit needs.
        expected: &'static str,
    },
    /// A text edit did not fit the text it met.
    #[error("editing {path}: {reason}")]
    Text {
        /// The file.
        path: ImagePath,
        /// What did not fit.
        reason: String,
    },
    /// A symbolic link that cannot be made.
    #[error("linking {path}: {reason}")]
    Link {
        /// The link.
        path: ImagePath,
        /// What is wrong with its target.
        reason: String,
    },
    /// A directory that cannot be copied.
    #[error("copying {from} to {to}: {reason}")]
    Copy {
        /// The directory to copy.
        from: ImagePath,
        /// The copy.
        to: ImagePath,
        /// What is wrong.
        reason: String,
    },
    /// An archive that no one provided.
    #[error("archive {} is not at hand", .0.0)]
    UnknownArchive(ArchiveId),
    /// A drop pattern or member name that makes no sense.
    #[error("unpacking into {into}: {reason}")]
    Unpack {
        /// The directory unpacked into.
        into: ImagePath,
        /// What is wrong.
        reason: String,
    },
    /// The tree could not be read.
    #[error("reading {path} from the image: {reason}")]
    Read {
        /// The path.
        path: ImagePath,
        /// The reader's words.
        reason: String,
    },
}
