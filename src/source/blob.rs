//! Whole files in the cache, by content.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::cache::publish;
use super::files::{read_json, remove, write_json};
use super::local::{digests_of_file, remember};
use super::{Cache, Digests, Sha256, SourceError};
use crate::progress::Reporter;

/// A file in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) path: Utf8PathBuf,
    pub(super) sha256: Sha256,
    pub(super) size: u64,
    pub(super) from: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct BlobEntry {
    size: u64,
    from: String,
}

impl Cache {
    /// The file with this content; none if it is absent or not what it was when
    /// it was put in, in which case it is taken out. One whose times or place
    /// have changed since is read again before it is believed.
    pub(super) fn blob(
        &self,
        sha256: &Sha256,
        reporter: &Reporter,
    ) -> Result<Option<Blob>, SourceError> {
        let dir = self.place("blobs", sha256);
        let path = dir.join("data");
        let Some(entry) = read_json::<BlobEntry>(&dir.join("entry.json"))? else {
            return Ok(None);
        };
        let size = fs::metadata(&path).map(|meta| meta.len()).ok();
        let title = format!("checking a download from {}", entry.from);
        let sound = size == Some(entry.size)
            && digests_of_file(self, &path, None, title, reporter)?
                .0
                .sha256
                == *sha256;
        if !sound {
            remove(&dir)?;
            return Ok(None);
        }
        Ok(Some(Blob {
            path,
            sha256: *sha256,
            size: entry.size,
            from: entry.from,
        }))
    }

    /// Turns the directory `dir` of this cache, holding a file `data` with these
    /// digests, into an entry. The caller holds the lock of that directory.
    pub(super) fn insert(
        &self,
        dir: &Utf8Path,
        digests: &Digests,
        from: &str,
    ) -> Result<(), SourceError> {
        let entry = BlobEntry {
            size: digests.size,
            from: from.to_owned(),
        };
        write_json(&dir.join("entry.json"), &entry)?;
        let place = self.place("blobs", &digests.sha256);
        publish(dir, &place)?;
        // It was digested as it came; no need to do so again.
        remember(self, &place.join("data"), digests)
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::make_dir;
    use super::super::testing::scratch;
    use super::*;
    use crate::progress::Recorded;

    fn put(cache: &Cache, key: &str, bytes: &[u8]) -> Blob {
        let silent = Reporter::silent();
        let lock = cache.lock(key, &silent).unwrap();
        let partial = cache.partial(&lock);
        make_dir(&partial).unwrap();
        fs::write(partial.join("data"), bytes).unwrap();
        let digests = Digests {
            sha256: Sha256::of(bytes),
            sha512: None,
            size: bytes.len() as u64,
        };
        cache.insert(&partial, &digests, "https://h/x").unwrap();
        cache.blob(&digests.sha256, &silent).unwrap().unwrap()
    }

    #[test]
    fn blobs_come_back_by_content() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let blob = put(&cache, "a", b"bytes");
        let (reporter, heard) = Recorded::reporter();
        assert_eq!(
            cache.blob(&Sha256::of(b"bytes"), &reporter).unwrap(),
            Some(blob.clone())
        );
        assert_eq!(heard.titles(), [""; 0], "it is not read again");
        assert_eq!(fs::read(&blob.path).unwrap(), b"bytes");
        assert_eq!(
            put(&cache, "b", b"bytes"),
            blob,
            "the same content again is no error"
        );
        assert_eq!(root.join("partial").read_dir_utf8().unwrap().count(), 0);
    }

    #[test]
    fn a_blob_that_is_not_what_it_was_is_taken_out() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        for spoilt in ["byt", "bytez"] {
            let blob = put(&cache, "a", b"bytes");
            fs::write(&blob.path, spoilt).unwrap();
            let found = cache.blob(&blob.sha256, &Reporter::silent()).unwrap();
            assert_eq!(found, None, "{spoilt}");
            assert!(!blob.path.exists());
        }
    }

    #[test]
    fn a_blob_that_was_copied_is_read_once_and_believed() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let blob = put(&cache, "a", b"bytes");
        fs::remove_file(&blob.path).unwrap();
        fs::write(&blob.path, b"bytes").unwrap();
        let (reporter, heard) = Recorded::reporter();
        for _ in 0..2 {
            let found = cache.blob(&blob.sha256, &reporter).unwrap();
            assert_eq!(found.as_ref(), Some(&blob));
        }
        assert_eq!(heard.titles().len(), 1);
    }
}
