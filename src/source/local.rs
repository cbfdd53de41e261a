//! Files of the user's, digested where they are.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::digest::digest_file;
use super::{Algorithm, Cache, Digest, Digests, Sha256, SourceError};
use crate::progress::Reporter;

/// What was learnt of a local file, and how to tell whether it is still the
/// same file.
#[derive(Debug, Serialize, Deserialize)]
struct FileNote {
    identity: FileIdentity,
    sha256: Sha256,
    sha512: Option<String>,
}

/// What tells a file from one that took its place, or was written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    size: u64,
    device: u64,
    inode: u64,
    modified: (i64, i64),
    // Changes even when a program sets the modification time back.
    changed: (i64, i64),
}

/// The digests of a file, from the notes of the cache if it has not changed.
/// `title` is the task if it has to be read.
pub(super) fn digests_of_file(
    cache: &Cache,
    path: &Utf8Path,
    also: Option<Algorithm>,
    title: String,
    reporter: &Reporter,
) -> Result<(Digests, FileIdentity), SourceError> {
    let name = note_name(path);
    let before = FileIdentity::of(path)?;
    if let Some(note) = cache.note::<FileNote>(&name)?
        && note.identity == before
    {
        let sha512 = note
            .sha512
            .and_then(|text| Digest::parse(Algorithm::Sha512, &text).ok());
        let sha512 = match sha512 {
            Some(Digest::Sha512(bytes)) => Some(bytes),
            _ => None,
        };
        if also != Some(Algorithm::Sha512) || sha512.is_some() {
            let digests = Digests {
                sha256: note.sha256,
                sha512,
                size: before.size,
            };
            return Ok((digests, before));
        }
    }
    let task = reporter.task(title, Some(before.size));
    let digests = digest_file(path, also, &task)?;
    if FileIdentity::of(path)? != before || digests.size != before.size {
        return Err(SourceError::Changing {
            path: path.to_owned(),
        });
    }
    task.finish();
    note(cache, &name, &before, &digests)?;
    Ok((digests, before))
}

/// Notes the digests of a file that was digested as it was written, so that it
/// need not be read for them.
pub(super) fn remember(
    cache: &Cache,
    path: &Utf8Path,
    digests: &Digests,
) -> Result<(), SourceError> {
    note(cache, &note_name(path), &FileIdentity::of(path)?, digests)
}

fn note_name(path: &Utf8Path) -> String {
    format!("file-{}", Sha256::of(path.as_str().as_bytes()))
}

fn note(
    cache: &Cache,
    name: &str,
    identity: &FileIdentity,
    digests: &Digests,
) -> Result<(), SourceError> {
    let sha512 = digests.of(Algorithm::Sha512);
    let note = FileNote {
        identity: identity.clone(),
        sha256: digests.sha256,
        sha512: sha512.map(|digest| digest.to_string()),
    };
    cache.keep_note(name, &note)
}

impl FileIdentity {
    pub(super) fn of(path: &Utf8Path) -> Result<Self, SourceError> {
        let meta = fs::metadata(path).map_err(SourceError::io("reading", path))?;
        Ok(Self::from(&meta))
    }
}

impl From<&fs::Metadata> for FileIdentity {
    fn from(meta: &fs::Metadata) -> Self {
        Self {
            size: meta.size(),
            device: meta.dev(),
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}
