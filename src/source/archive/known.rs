//! What is known of an archive, kept so that it need not be read again.

use serde::{Deserialize, Serialize};

use crate::source::{Cache, Sha256, SourceError};

/// Version of what is kept. Of another version nothing is known; raise it when the
/// checks of archives get stricter, too.
const VERSION: u32 = 3;

/// An archive that was staged before, and found sound. What its members are is in
/// the archive: a plan does not need it, and of a Hadoop release it is megabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownArchive {
    /// What its members take on a root filesystem, in bytes.
    pub content_bytes: u64,
}

impl KnownArchive {
    /// Keeps it for the archive with this digest.
    pub(super) fn keep(self, archive: &Sha256, cache: &Cache) -> Result<(), SourceError> {
        cache.keep_note(&name(archive), &self)
    }
}

/// What is known of the archive with this digest; none if it was not
/// [staged](super::stage()) before.
///
/// # Errors
/// The cache cannot be read.
pub fn recall(archive: &Sha256, cache: &Cache) -> Result<Option<KnownArchive>, SourceError> {
    cache.note(&name(archive))
}

fn name(archive: &Sha256) -> String {
    format!("members-{VERSION}-{archive}")
}
