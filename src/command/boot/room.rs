//! Where cards are while machines run.

use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use super::cast;
use crate::bake::DirLock;
use crate::cli::BootArgs;
use crate::command::Failure;
use crate::command::session::Session;
use crate::tool::Handover;

/// Where the cards are while machines run.
pub(super) struct Room {
    pub(super) cards: Utf8PathBuf,
    /// They go away with it.
    _passing: Option<Handover>,
    /// Says that somebody is at work there.
    _lock: DirLock,
}

impl Room {
    pub(super) fn open(session: &Session, args: &BootArgs) -> Result<Self, Failure> {
        if let Some(dir) = &args.cards {
            return Ok(Self {
                cards: dir.clone(),
                _passing: None,
                _lock: cast::lock(dir)?,
            });
        }
        let all = session.fetcher.cache().root().join("boot");
        let entry = DirLock::take(&all, &session.reporter)?;
        remove_forsaken(&all)?;
        let dir = Handover::new_in(&all)?;
        let lock = cast::lock(dir.path())?;
        drop(entry);
        Ok(Self {
            cards: dir.path().to_owned(),
            _passing: Some(dir),
            _lock: lock,
        })
    }
}

/// Removes what those left who were killed while machines ran: gigabytes
/// that nobody would ask for. The caller holds the lock of the directory, so that
/// nobody begins meanwhile.
fn remove_forsaken(all: &Utf8Path) -> Result<(), Failure> {
    for entry in all.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && DirLock::try_take(entry.path())?.is_some() {
            match fs_err::remove_dir_all(entry.path()) {
                // Whoever was at work has just cleaned up.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_boots_left_goes_and_live_ones_stay() {
        let temp = tempfile::tempdir().unwrap();
        let all = Utf8Path::from_path(temp.path()).unwrap();
        let (live, dead) = (all.join("live"), all.join("dead"));
        let lock = DirLock::try_take(&live).unwrap();
        drop(DirLock::try_take(&dead).unwrap());
        for dir in [&live, &dead] {
            fs_err::write(dir.join("image.img"), "x").unwrap();
        }
        remove_forsaken(all).unwrap();
        assert!(live.join("image.img").exists() && !dead.exists());
        drop(lock);
    }
}
