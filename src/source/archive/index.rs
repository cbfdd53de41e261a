//! The index of an unpacked archive.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::edit::{Mode, StagedEntry, StagedKind};
use crate::source::cache::{read_json, write_json};
use crate::source::{Sha256, SourceError};

/// Version of what is in a stage and its index. A stage of another version is
/// made anew; raise it when the checks get stricter, too.
const VERSION: u32 = 1;

/// Name of the index in a stage.
const FILE: &str = "index.json";

/// What [`stage`](super::stage) found, in archive order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    version: u32,
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
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self {
            version: VERSION,
            rows,
        }
    }

    /// Writes the index into the stage at `dir`.
    pub(super) fn write(&self, dir: &Utf8Path) -> Result<(), SourceError> {
        write_json(&dir.join(FILE), self)
    }

    /// The members of the stage at `dir`; none if there is no complete stage of
    /// this version there. Each file must have its length: after a power cut an
    /// index can be on the disk before the files are.
    pub(super) fn load(dir: &Utf8Path) -> Result<Option<Vec<StagedEntry>>, SourceError> {
        let Some(index) = read_json::<Self>(&dir.join(FILE))? else {
            return Ok(None);
        };
        if index.version != VERSION {
            return Ok(None);
        }
        let mut entries = Vec::with_capacity(index.rows.len());
        for row in index.rows {
            let kind = match row.kind {
                RowKind::Dir => StagedKind::Dir,
                RowKind::Symlink { target } => StagedKind::Symlink { target },
                RowKind::File { file, len, sha256 } => {
                    let host = dir.join(file_name(file));
                    if std::fs::metadata(&host).map(|meta| meta.len()).ok() != Some(len) {
                        return Ok(None);
                    }
                    StagedKind::File {
                        host,
                        len,
                        sha256: sha256.0,
                    }
                }
            };
            entries.push(StagedEntry {
                name: row.name,
                kind,
                mode: Mode::new(row.mode),
            });
        }
        Ok(Some(entries))
    }
}

/// Where in a stage the file of this number is.
pub(super) fn file_name(file: usize) -> String {
    format!("files/{file:06}")
}
