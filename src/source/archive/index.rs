//! What is in an archive, kept so that it need not be read again.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::edit::{Mode, StagedEntry, StagedKind};
use crate::source::{Cache, Sha256, SourceError};

/// Version of an index. One of another version is not read; raise it when the
/// checks get stricter, too.
const VERSION: u32 = 2;

/// What [`stage`](super::stage()) found, in archive order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) rows: Vec<Row>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) mode: u16,
    #[serde(rename = "is")]
    pub(super) kind: RowKind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RowKind {
    Dir,
    File {
        /// Number of the file in the stage; hard links share one.
        file: usize,
        len: u64,
        sha256: Sha256,
    },
    Symlink {
        target: String,
    },
}

impl Index {
    /// Keeps it for the archive with this digest.
    pub(super) fn keep(&self, archive: &Sha256, cache: &Cache) -> Result<(), SourceError> {
        cache.keep_note(&name(archive), self)
    }

    /// The one that was kept.
    pub(super) fn recall(archive: &Sha256, cache: &Cache) -> Result<Option<Self>, SourceError> {
        cache.note(&name(archive))
    }

    /// The members, with their files in `dir`.
    pub(super) fn entries(self, dir: &Utf8Path) -> Vec<StagedEntry> {
        let entry = |row: Row| {
            let kind = match row.kind {
                RowKind::Dir => StagedKind::Dir,
                RowKind::Symlink { target } => StagedKind::Symlink { target },
                RowKind::File { file, len, sha256 } => StagedKind::File {
                    host: dir.join(file_name(file)),
                    len,
                    sha256: sha256.0,
                },
            };
            StagedEntry {
                name: row.name,
                kind,
                mode: Mode::new(row.mode),
            }
        };
        self.rows.into_iter().map(entry).collect()
    }
}

fn name(archive: &Sha256) -> String {
    format!("members-{VERSION}-{archive}")
}

/// Where in a stage the file of this number is.
pub(super) fn file_name(file: usize) -> String {
    format!("files/{file:06}")
}
