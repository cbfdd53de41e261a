//! Directories in the cache that belong to one process.

use std::fs::{File, TryLockError};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::SourceError;
use super::cache::{Cache, open_lock};
use super::files::{make_dir, remove};
use crate::progress::Reporter;

/// Where they are in the cache.
const ROOMS: &str = "work";

/// The lock in each that says that its process lives.
const LOCK: &str = ".lock";

/// A directory for what one process unpacks and nobody else reads; it goes when
/// this is dropped, and if the process is killed, when the cache is next opened.
#[derive(Debug)]
pub struct Workroom {
    // Held for its removal when dropped.
    _dir: TempDir,
    path: Utf8PathBuf,
    // Held for its lock, which closing releases.
    _alive: File,
}

impl Workroom {
    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

impl Cache {
    /// A new directory of the caller's own, readable by the user only.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn workroom(&self) -> Result<Workroom, SourceError> {
        let rooms = self.root().join(ROOMS);
        make_dir(&rooms)?;
        // Nobody sweeps until the new one is locked.
        let _entrance = self.lock(ROOMS, &Reporter::silent())?;
        let dir = TempDir::new_in(&rooms).map_err(SourceError::io("writing to", &rooms))?;
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).map_err(|_| {
            SourceError::io("naming", &rooms)(std::io::ErrorKind::InvalidData.into())
        })?;
        let alive = open_lock(&path.join(LOCK))?;
        alive.lock().map_err(SourceError::io("locking", &path))?;
        Ok(Workroom {
            _dir: dir,
            path,
            _alive: alive,
        })
    }

    /// Removes the directories of processes that were killed.
    pub(super) fn sweep_workrooms(&self) -> Result<(), SourceError> {
        let rooms = self.root().join(ROOMS);
        if !rooms.is_dir() {
            return Ok(());
        }
        let _entrance = self.lock(ROOMS, &Reporter::silent())?;
        let listing = rooms
            .read_dir_utf8()
            .map_err(SourceError::io("listing", &rooms))?;
        for entry in listing {
            let entry = entry.map_err(SourceError::io("listing", &rooms))?;
            let lock = match File::open(entry.path().join(LOCK)) {
                Ok(lock) => lock,
                // Whoever worked there has just taken it away, or was killed
                // before there was one.
                Err(_) => {
                    remove(entry.path())?;
                    continue;
                }
            };
            match lock.try_lock() {
                Ok(()) => remove(entry.path())?,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(SourceError::io("locking", entry.path())(error));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::scratch;
    use super::*;

    #[test]
    fn the_rooms_of_the_living_stay_and_those_of_the_dead_go() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let live = cache.workroom().unwrap();
        std::fs::write(live.path().join("image"), "x").unwrap();
        let dead = cache.workroom().unwrap();
        let Workroom { _dir, path, _alive } = dead;
        // As after a kill: the lock goes with the process, the directory stays.
        let left = _dir.keep();
        std::fs::write(path.join("image"), "x").unwrap();
        drop(_alive);
        let unborn = root.join("work/unborn");
        make_dir(&unborn).unwrap();
        Cache::open(&root).unwrap();
        assert!(live.path().join("image").exists());
        assert!(!left.exists() && !unborn.exists());
        let path = live.path().to_owned();
        drop(live);
        assert!(!path.exists());
    }
}
