//! Directories in which files are handed to a program.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use tempfile::TempDir;

use super::children::was_interrupted;

/// Those that are there now, so that an interrupt can remove them.
static ALIVE: Mutex<BTreeSet<Utf8PathBuf>> = Mutex::new(BTreeSet::new());

/// How often a directory is removed in which somebody still makes files.
const TRIES: u32 = 20;

/// A directory for files that a program reads by name. It is private to us
/// (0700), as contents may be secret, and goes away when this handle does or
/// when [`kill_children`](super::kill_children) is called.
#[derive(Debug)]
pub struct Handover {
    path: Utf8PathBuf,
    _dir: TempDir,
}

impl Handover {
    /// An empty one, in the system's temporary directory.
    ///
    /// # Errors
    /// What the system said; `Interrupted` after
    /// [`kill_children`](super::kill_children).
    pub fn new() -> io::Result<Self> {
        Self::make(|builder| builder.tempdir())
    }

    /// An empty one in the directory `parent`, for what is too large for the
    /// system's temporary directory.
    ///
    /// # Errors
    /// Those of [`Handover::new`].
    pub fn new_in(parent: &Utf8Path) -> io::Result<Self> {
        Self::make(|builder| builder.tempdir_in(parent))
    }

    fn make(
        place: impl FnOnce(&mut tempfile::Builder<'_, '_>) -> io::Result<TempDir>,
    ) -> io::Result<Self> {
        // The list is locked meanwhile, so that none can slip in between a
        // sweep and the flag.
        let mut alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
        if was_interrupted() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let dir = place(
            tempfile::Builder::new()
                .prefix("pidoop-")
                // Left alone, it would be open to whom the umask lets in.
                .permissions(Permissions::from_mode(0o700)),
        )?;
        let path = Utf8PathBuf::try_from(dir.path().to_owned()).map_err(|e| e.into_io_error())?;
        alive.insert(path.clone());
        Ok(Self { path, _dir: dir })
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        ALIVE
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.path);
    }
}

/// Removes every directory of this process. For the way out after an
/// interrupt, when no destructor will run.
pub(super) fn remove_all() {
    let all = std::mem::take(&mut *ALIVE.lock().unwrap_or_else(PoisonError::into_inner));
    for path in all {
        // Threads that are not told of the interrupt may go on making files.
        for _ in 0..TRIES {
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {}
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_private_and_goes_away() {
        let handover = Handover::new().unwrap();
        let path = handover.path().to_owned();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::write(path.join("secret"), "x").unwrap();
        drop(handover);
        assert!(!path.exists());
    }

    #[test]
    fn it_can_be_where_there_is_room() {
        let room = tempfile::tempdir().unwrap();
        let room = Utf8Path::from_path(room.path()).unwrap();
        let handover = Handover::new_in(room).unwrap();
        assert!(handover.path().starts_with(room));
        assert!(Handover::new_in(&room.join("nowhere")).is_err());
    }
}
