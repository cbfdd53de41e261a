//! Why a plan could not be carried out.

use std::io;

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::disk::DiskError;
use crate::edit::EditError;
use crate::node::ProfileError;
use crate::source::SourceError;

/// Why a plan could not be carried out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BakeError {
    /// Partition table or filesystem work failed.
    #[error("{0}")]
    Disk(#[source] Box<DiskError>),
    /// The base image is not one pidoop can bake into.
    #[error("{image}: {source}")]
    Profile {
        /// The base image.
        image: Utf8PathBuf,
        /// What is wrong with it.
        source: Box<ProfileError>,
    },
    /// What the layer is made from could not be had.
    #[error("{0}")]
    Source(#[source] Box<SourceError>),
    /// Edits do not fit the image they met.
    #[error("{volume} partition of {what}: {source}")]
    Edit {
        /// Which node, or the layer.
        what: String,
        /// `root` or `boot`.
        volume: &'static str,
        /// What did not fit.
        source: Box<EditError>,
    },
    /// A file could not be made, read or renamed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Another process builds into the same directory.
    #[error("another pidoop is building into {0}; wait for it, or give another --out")]
    Busy(Utf8PathBuf),
    /// What was read back is not what was written.
    #[error("{what}, read back, is not what was planned:\n{}", lines(.mismatches))]
    Mismatch {
        /// Which image.
        what: String,
        /// One sentence each.
        mismatches: Vec<String>,
    },
    /// Nobody could log in to the finished image.
    #[error("nobody could log in to {node}, so its image was not kept:\n{}", lines(.reasons))]
    LockedOut {
        /// Which node.
        node: String,
        /// One sentence each.
        reasons: Vec<String>,
    },
}

impl From<DiskError> for BakeError {
    fn from(error: DiskError) -> Self {
        Self::Disk(Box::new(error))
    }
}

impl From<SourceError> for BakeError {
    fn from(error: SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}

/// At most this many lines; what is behind them is counted.
const SHOWN: usize = 12;

fn lines(sentences: &[String]) -> String {
    let mut text: Vec<String> = sentences
        .iter()
        .take(SHOWN)
        .map(|sentence| format!("  {sentence}"))
        .collect();
    if sentences.len() > SHOWN {
        text.push(format!("  … and {} more", sentences.len() - SHOWN));
    }
    text.join("\n")
}
