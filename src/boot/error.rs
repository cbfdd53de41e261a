//! What can go wrong with a rehearsal.

use std::io;
use std::time::Duration;

use camino::Utf8PathBuf;
use thiserror::Error;

use super::console::Trouble;
use crate::disk::DiskError;
use crate::edit::EditError;
use crate::source::SourceError;
use crate::tool::ToolError;

/// What can go wrong with a rehearsal. What a node did wrong carries the end
/// of its console and where the rest is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BootError {
    /// The system refused something.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was being done, such as `writing`.
        doing: &'static str,
        /// To what.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The image or card cannot be read.
    #[error(transparent)]
    Disk(Box<DiskError>),
    /// A compressed image cannot be unpacked.
    #[error(transparent)]
    Source(Box<SourceError>),
    /// A file on the boot partition cannot be read.
    #[error("boot partition of {card}: {source}")]
    Tree {
        /// The card.
        card: Utf8PathBuf,
        /// What went wrong.
        source: Box<EditError>,
    },
    /// A program is missing or did not start.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The card has no room, or the wrong length.
    #[error("{0}")]
    CardSize(String),
    /// The image cannot start in this machine.
    #[error("{card} cannot be started on {machine}: {reason}")]
    Unbootable {
        /// The image or card.
        card: Utf8PathBuf,
        /// The machine.
        machine: &'static str,
        /// Why not, and what to do about it.
        reason: String,
    },
    /// The addresses cannot be laid out in QEMU's network.
    #[error("the network {0}")]
    Network(String),
    /// A node stopped that should run on.
    #[error("{node}: {how}{}", .trouble)]
    Ended {
        /// The node.
        node: String,
        /// How it ended.
        how: String,
        /// Its console.
        trouble: Trouble,
    },
    /// A node said what makes further waiting useless.
    #[error("{node}: {what}{}", .trouble)]
    Failed {
        /// The node.
        node: String,
        /// What it said.
        what: String,
        /// Its console.
        trouble: Trouble,
    },
    /// The nodes run, but are no cluster.
    #[error("it is no healthy cluster:\n  {}{}", .missing.join("\n  "), .trouble)]
    NotHealthy {
        /// What is missing, as sentences.
        missing: Vec<String>,
        /// The console of a node that is not up, if one is not.
        trouble: Trouble,
    },
    /// A node did not get there in time.
    #[error("{node}: {missing} after {} s{}", .limit.as_secs(), .trouble)]
    TooSlow {
        /// The node.
        node: String,
        /// What was waited for.
        missing: String,
        /// How long.
        limit: Duration,
        /// Its console.
        trouble: Trouble,
    },
}

impl BootError {
    pub(super) fn io(
        doing: &'static str,
        path: impl Into<Utf8PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

impl From<DiskError> for BootError {
    fn from(error: DiskError) -> Self {
        Self::Disk(Box::new(error))
    }
}

impl From<SourceError> for BootError {
    fn from(error: SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}
