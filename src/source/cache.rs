//! Where inputs are kept between builds.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Digests, Sha256, SourceError};
use crate::progress::Reporter;

/// A directory of inputs by content, shared by any number of processes.
///
/// ```text
/// blobs/SHA256/{data, entry.json}   downloaded files
/// staged/SHA256/…                   unpacked archives
/// notes/NAME.json                   small facts: digests of local files, what an address gave
/// partial/KEY…                      work under way, only by the holder of the lock KEY
/// locks/KEY                         empty files to lock
/// ```
///
/// Everything with a final name got it by one rename, so it is complete. Work
/// under way belongs to whoever holds its lock; the system drops a lock with
/// its process, so what a killed process left behind can be told from live work
/// and goes away when the cache is next opened or the same work begins anew.
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
    /// Opens the cache at `root`, making it (private to the user) if there is
    /// none, and clears away what killed processes left.
    pub fn open(root: &Utf8Path) -> Result<Self, SourceError> {
        let cache = Self {
            root: root.to_owned(),
        };
        for part in ["blobs", "staged", "notes", "partial", "locks"] {
            make_dir(&root.join(part))?;
        }
        cache.sweep()?;
        Ok(cache)
    }

    /// The directory everything is in.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Something that takes long to make and depends on nothing but `key`, such
    /// as a layer: its place if it was made before, or else after `make` has made
    /// it, as a file or directory, at the path it is given.
    ///
    /// It gets its place by one rename after `make` succeeded; a failed or killed
    /// `make` leaves nothing there. Others who want the same wait meanwhile. To
    /// survive a power cut as well, `make` syncs what it writes.
    /// `kind` and `key` consist of letters, digits and `-`.
    pub fn make<E: From<SourceError>>(
        &self,
        kind: &str,
        key: &str,
        reporter: &Reporter,
        make: impl FnOnce(&Utf8Path) -> Result<(), E>,
    ) -> Result<Utf8PathBuf, E> {
        let dir = self.root.join(kind);
        let place = dir.join(key);
        if place.exists() {
            return Ok(place);
        }
        make_dir(&dir)?;
        let lock = self.lock(&format!("{kind}-{key}"), reporter)?;
        if place.exists() {
            return Ok(place);
        }
        let partial = self.partial(&lock);
        if let Err(error) = make(&partial) {
            remove(&partial)?;
            return Err(error);
        }
        self.publish(&lock, &place)?;
        Ok(place)
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

    /// Gives finished work at [`partial`](Self::partial) its final name. Work
    /// that is already there is as good and stays.
    pub(super) fn publish(&self, lock: &CacheLock, place: &Utf8Path) -> Result<(), SourceError> {
        let partial = self.partial(lock);
        match fs::rename(&partial, place) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
                ) =>
            {
                remove(&partial)
            }
            result => result.map_err(SourceError::io("naming", place)),
        }
    }

    /// The file with this content; none if it is absent or not what it was when
    /// it was put in, in which case it is taken out.
    pub(super) fn blob(&self, sha256: &Sha256) -> Result<Option<Blob>, SourceError> {
        let dir = self.place("blobs", sha256);
        let path = dir.join("data");
        let Some(entry) = read_json::<BlobEntry>(&dir.join("entry.json"))? else {
            return Ok(None);
        };
        let size = fs::metadata(&path).map(|meta| meta.len()).ok();
        if size != Some(entry.size) {
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

    /// Turns the directory at `partial`, holding a file `data` with these
    /// digests, into an entry.
    pub(super) fn insert(
        &self,
        lock: &CacheLock,
        digests: &Digests,
        from: &str,
    ) -> Result<Option<Blob>, SourceError> {
        let entry = BlobEntry {
            size: digests.size,
            from: from.to_owned(),
        };
        write_json(&self.partial(lock).join("entry.json"), &entry)?;
        self.publish(lock, &self.place("blobs", &digests.sha256))?;
        self.blob(&digests.sha256)
    }

    /// A small fact kept under a name (letters, digits and `-`); none if absent
    /// or written by a version that said it otherwise.
    pub(super) fn note<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SourceError> {
        read_json(&self.root.join("notes").join(format!("{name}.json")))
    }

    /// Keeps a small fact. The last writer wins.
    pub(super) fn keep_note(&self, name: &str, fact: &impl Serialize) -> Result<(), SourceError> {
        let place = self.root.join("notes").join(format!("{name}.json"));
        let lock = self.lock(&format!("note-{name}"), &Reporter::silent())?;
        let partial = self.partial(&lock);
        write_json(&partial, fact)?;
        fs::rename(&partial, &place).map_err(SourceError::io("naming", &place))
    }

    fn sweep(&self) -> Result<(), SourceError> {
        let partials = self.root.join("partial");
        let listing = partials
            .read_dir_utf8()
            .map_err(SourceError::io("listing", &partials))?;
        for entry in listing {
            let entry = entry.map_err(SourceError::io("listing", &partials))?;
            let lock = open_lock(&self.root.join("locks").join(entry.file_name()))?;
            // A lock that someone holds means live work.
            if lock.try_lock().is_ok() {
                remove(entry.path())?;
            }
        }
        Ok(())
    }
}

fn open_lock(path: &Utf8Path) -> Result<File, SourceError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(SourceError::io("opening", path))
}

/// Makes a directory and its parents, private to the user.
pub(super) fn make_dir(path: &Utf8Path) -> Result<(), SourceError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(SourceError::io("making", path))
}

/// Removes a file or a whole directory; nothing there is no error.
pub(super) fn remove(path: &Utf8Path) -> Result<(), SourceError> {
    let result = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SourceError::io("removing", path)(error))
        }
        _ => Ok(()),
    }
}

/// Reads what [`write_json`] wrote; none if it is absent or does not parse.
pub(super) fn read_json<T: DeserializeOwned>(path: &Utf8Path) -> Result<Option<T>, SourceError> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SourceError::io("reading", path)(error)),
    }
}

/// Writes a value so that it is on the disk when this returns.
pub(super) fn write_json(path: &Utf8Path, value: &impl Serialize) -> Result<(), SourceError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| SourceError::io("writing", path)(error.into()))?;
    File::create(path)
        .and_then(|mut file| {
            io::Write::write_all(&mut file, &bytes)?;
            file.sync_all()
        })
        .map_err(SourceError::io("writing", path))
}

#[cfg(test)]
mod tests {
    use super::super::testing::scratch;
    use super::*;

    fn put(cache: &Cache, key: &str, bytes: &[u8]) -> Blob {
        let lock = cache.lock(key, &Reporter::silent()).unwrap();
        let partial = cache.partial(&lock);
        make_dir(&partial).unwrap();
        fs::write(partial.join("data"), bytes).unwrap();
        let digests = Digests {
            sha256: Sha256::of(bytes),
            sha512: None,
            size: bytes.len() as u64,
        };
        cache
            .insert(&lock, &digests, "https://h/x")
            .unwrap()
            .unwrap()
    }

    #[test]
    fn blobs_come_back_by_content() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let blob = put(&cache, "a", b"bytes");
        assert_eq!(
            cache.blob(&Sha256::of(b"bytes")).unwrap(),
            Some(blob.clone())
        );
        assert_eq!(fs::read(&blob.path).unwrap(), b"bytes");
        assert_eq!(
            put(&cache, "b", b"bytes"),
            blob,
            "the same content again is no error"
        );
        assert_eq!(root.join("partial").read_dir_utf8().unwrap().count(), 0);
    }

    #[test]
    fn a_blob_that_lost_bytes_is_taken_out() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let blob = put(&cache, "a", b"bytes");
        fs::write(&blob.path, b"byt").unwrap();
        assert_eq!(cache.blob(&blob.sha256).unwrap(), None);
        assert!(!blob.path.exists());
    }

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
    fn things_are_made_once_and_never_half() {
        let (_dir, root) = scratch();
        let cache = Cache::open(&root).unwrap();
        let silent = Reporter::silent();
        let wrong = |path: &Utf8Path| {
            fs::write(path, b"half").unwrap();
            Err(SourceError::Changing {
                path: path.to_owned(),
            })
        };
        assert!(cache.make("layers", "k", &silent, wrong).is_err());
        assert!(!root.join("layers/k").exists());
        assert_eq!(root.join("partial").read_dir_utf8().unwrap().count(), 0);
        let right = |path: &Utf8Path| {
            fs::write(path, b"whole").unwrap();
            Ok::<(), SourceError>(())
        };
        let place = cache.make("layers", "k", &silent, right).unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"whole");
        assert_eq!(cache.make("layers", "k", &silent, wrong).unwrap(), place);
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
