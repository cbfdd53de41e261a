//! Directories in the cache that belong to one process.

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::NamedTempFile;

use super::SourceError;
use super::cache::Cache;
use super::files::{make_dir, remove};

/// How their names begin, which are never given twice.
pub(super) const PREFIX: &str = "work-";

/// A directory for what one process unpacks and nobody else reads. It is work
/// under way like any other in the cache, that never gets another name: it goes
/// when this is dropped, and if the process is killed, when the cache is next
/// opened.
#[derive(Debug)]
pub struct Workroom {
    path: Utf8PathBuf,
    // Held for its lock; the file goes when it is dropped.
    _lock: NamedTempFile,
}

impl Workroom {
    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

impl Drop for Workroom {
    fn drop(&mut self) {
        // What is left, whoever next opens the cache removes.
        let _ = remove(&self.path);
    }
}

impl Cache {
    /// A new directory of the caller's own, readable by the user only.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn workroom(&self) -> Result<Workroom, SourceError> {
        let locks = self.root().join("locks");
        let failed = SourceError::io("locking", &locks);
        let (lock, name) = NamedTempFile::with_prefix_in(PREFIX, &locks)
            .and_then(|lock| {
                lock.as_file().lock()?;
                let name = lock.path().file_name().and_then(|name| name.to_str());
                let name = name.ok_or(std::io::ErrorKind::InvalidData)?.to_owned();
                Ok((lock, name))
            })
            .map_err(failed)?;
        let path = self.root().join("partial").join(name);
        make_dir(&path)?;
        Ok(Workroom { path, _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::scratch;
    use super::*;

    #[test]
    fn the_rooms_of_the_living_stay_and_those_of_the_dead_go() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let live = cache.workroom().unwrap();
        fs::write(live.path().join("image"), "x").unwrap();
        // As after a kill: the lock goes with the process, the files stay.
        let [left, lock] = ["partial", "locks"].map(|part| root.join(part).join("work-dead"));
        make_dir(&left).unwrap();
        fs::write(left.join("image"), "x").unwrap();
        fs::write(&lock, "").unwrap();
        Cache::open(&root).unwrap();
        assert!(live.path().join("image").exists());
        assert!(!left.exists() && !lock.exists());
        let path = live.path().to_owned();
        drop(live);
        assert!(!path.exists());
        assert_eq!(root.join("locks").read_dir_utf8().unwrap().count(), 0);
    }
}
