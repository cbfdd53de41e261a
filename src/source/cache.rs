//! Where inputs are kept between builds.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use super::files::{make_dir, read_json, remove, write_json};
use super::{Sha256, SourceError, workroom};
use crate::progress::Reporter;

/// How long a download that was broken off waits to be gone on with.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A directory of inputs by content, shared by any number of processes.
///
/// ```text
/// blobs/SHA256/{data, entry.json}   downloaded files
/// notes/NAME.json                   facts: digests of local files, what an address gave,
///                                   what is in a base image or an archive
/// bases/SHA256.{img, json}          raw base images that no layer was made of yet
/// partial/KEY…                      work under way, only by the holder of the lock KEY;
///                                   partial/work-… is what one process unpacks for itself
/// downloads/KEY/{data, note.json}   the same for downloads, which the next holder goes on with
/// locks/KEY                         empty files to lock
/// ```
///
/// Everything with a final name got it by one rename, so it is complete. Work
/// under way belongs to whoever holds its lock; the system drops a lock with
/// its process, so what a killed process left behind can be told from live work
/// and goes away when the cache is next opened or the same work begins anew;
/// half a download goes away when nobody has wanted the rest for a week.
#[derive(Clone, Debug)]
pub struct Cache {
    root: Utf8PathBuf,
}

/// The right to do one piece of work; others wait until it is dropped.
#[derive(Debug)]
pub(super) struct CacheLock {
    key: String,
    // Held for its lock, which closing releases.
    _file: File,
}

impl Cache {
    /// Opens the cache at `root`, making it (private to the user) if there is
    /// none, and clears away what killed processes left.
    pub fn open(root: &Utf8Path) -> Result<Self, SourceError> {
        let cache = Self {
            root: root.to_owned(),
        };
        for part in ["blobs", "notes", "partial", "downloads", "locks"] {
            make_dir(&root.join(part))?;
        }
        cache.sweep("partial", |_| true)?;
        cache.sweep("downloads", is_stale)?;
        Ok(cache)
    }

    /// The directory everything is in.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Does `work` while no other process with this cache does work of this key
    /// (letters, digits and `-`).
    ///
    /// # Errors
    /// The lock cannot be had.
    pub fn alone<T>(
        &self,
        key: &str,
        reporter: &Reporter,
        work: impl FnOnce() -> T,
    ) -> Result<T, SourceError> {
        let _lock = self.lock(key, reporter)?;
        Ok(work())
    }

    /// The final place of something by its content, in one of the directories
    /// of the cache.
    pub(super) fn place(&self, part: &str, sha256: &Sha256) -> Utf8PathBuf {
        self.root.join(part).join(sha256.to_string())
    }

    /// Waits for the right to do the work called `key` (letters, digits and
    /// `-`), then clears away what an earlier try left.
    pub(super) fn lock(&self, key: &str, reporter: &Reporter) -> Result<CacheLock, SourceError> {
        let path = self.root.join("locks").join(key);
        let file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                reporter.note("waiting for another pidoop that is busy with the same input");
                file.lock().map_err(SourceError::io("locking", &path))?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(SourceError::io("locking", &path)(error));
            }
        }
        let lock = CacheLock {
            key: key.to_owned(),
            _file: file,
        };
        remove(&self.partial(&lock))?;
        Ok(lock)
    }

    /// Where the holder of `lock` may put a file or directory under way.
    pub(super) fn partial(&self, lock: &CacheLock) -> Utf8PathBuf {
        self.root.join("partial").join(&lock.key)
    }

    /// Where the holder of `lock` has the directory of a download; what is in it
    /// may be from an earlier holder.
    pub(super) fn download(&self, lock: &CacheLock) -> Utf8PathBuf {
        self.root.join("downloads").join(&lock.key)
    }

    /// A small fact kept under a name (letters, digits and `-`); none if absent
    /// or written by a version that said it otherwise.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn note<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SourceError> {
        read_json(&self.root.join("notes").join(format!("{name}.json")))
    }

    /// Keeps a small fact. The last writer wins.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep_note(&self, name: &str, fact: &impl Serialize) -> Result<(), SourceError> {
        let place = self.root.join("notes").join(format!("{name}.json"));
        let lock = self.lock(&format!("note-{name}"), &Reporter::silent())?;
        let partial = self.partial(&lock);
        write_json(&partial, fact)?;
        fs::rename(&partial, &place).map_err(SourceError::io("naming", &place))
    }

    /// Removes what nobody works on in one of the directories by lock, where
    /// `over` says that it may go.
    fn sweep(&self, part: &str, over: impl Fn(&Utf8Path) -> bool) -> Result<(), SourceError> {
        let dir = self.root.join(part);
        let listing = dir
            .read_dir_utf8()
            .map_err(SourceError::io("listing", &dir))?;
        for entry in listing {
            let entry = entry.map_err(SourceError::io("listing", &dir))?;
            let lock_path = self.root.join("locks").join(entry.file_name());
            let lock = open_lock(&lock_path)?;
            // A lock that someone holds means live work.
            if lock.try_lock().is_ok() && over(entry.path()) {
                remove(entry.path())?;
                if entry.file_name().starts_with(workroom::PREFIX) {
                    remove(&lock_path)?;
                }
            }
        }
        Ok(())
    }
}

/// Gives something complete its final name, unless something as good has it.
pub(super) fn publish(from: &Utf8Path, place: &Utf8Path) -> Result<(), SourceError> {
    match fs::rename(from, place) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
            ) =>
        {
            remove(from)
        }
        result => result.map_err(SourceError::io("naming", place)),
    }
}

/// Whether a download has not grown for so long that nobody wants the rest. The
/// age of live work does not matter: its lock is held.
fn is_stale(download: &Utf8Path) -> bool {
    let grown = fs::metadata(download.join("data")).or_else(|_| fs::metadata(download));
    let grown = grown.and_then(|meta| meta.modified());
    // A file from the future, on a machine whose clock was wrong, is not old.
    let age = grown.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    age.is_ok_and(|age| age > PATIENCE)
}

fn open_lock(path: &Utf8Path) -> Result<File, SourceError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(SourceError::io("opening", path))
}

#[cfg(test)]
mod tests {
    use super::super::testing::scratch;
    use super::*;

    #[test]
    fn opening_sweeps_dead_work_and_leaves_live_work() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let live = cache.lock("live", &Reporter::silent()).unwrap();
        make_dir(&cache.partial(&live)).unwrap();
        // What a process killed in the middle leaves: its lock is gone.
        make_dir(&root.join("partial/dead")).unwrap();
        fs::write(root.join("partial/dead/data"), b"half").unwrap();
        Cache::open(&root).unwrap();
        assert!(root.join("partial/live").exists());
        assert!(!root.join("partial/dead").exists());
    }

    #[test]
    fn half_a_download_waits_a_week_to_be_gone_on_with() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let days_ago = |key: &str, days: u64| {
            let data = root.join("downloads").join(key).join("data");
            make_dir(data.parent().unwrap()).unwrap();
            let then = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
            File::create(data).unwrap().set_modified(then).unwrap();
        };
        for (key, days) in [("new", 6), ("old", 8), ("live", 8)] {
            days_ago(key, days);
        }
        let _live = cache.lock("live", &Reporter::silent()).unwrap();
        Cache::open(&root).unwrap();
        let left = |key: &str| root.join("downloads").join(key).exists();
        assert_eq!(["new", "old", "live"].map(left), [true, false, true]);
    }

    #[test]
    fn the_next_holder_starts_clean() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let lock = cache.lock("k", &Reporter::silent()).unwrap();
        fs::write(cache.partial(&lock), b"half").unwrap();
        drop(lock);
        let lock = cache.lock("k", &Reporter::silent()).unwrap();
        assert!(!cache.partial(&lock).exists());
    }

    #[test]
    fn notes_from_another_version_are_ignored() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        cache.keep_note("n", &7_u32).unwrap();
        assert_eq!(cache.note::<u32>("n").unwrap(), Some(7));
        assert_eq!(cache.note::<Vec<String>>("n").unwrap(), None);
        assert_eq!(cache.note::<u32>("absent").unwrap(), None);
    }
}
