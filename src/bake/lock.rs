//! One build at a time in a directory.

use std::fs::TryLockError;
use std::io;
use std::time::{Duration, Instant};

use camino::Utf8Path;

use crate::progress::Reporter;

/// How long a lock may outlive its process: one that is killed while it starts
/// a program leaves a child that holds on to everything until it becomes that
/// program.
const LINGERING: Duration = Duration::from_millis(200);

/// A lock held on a directory; freed when dropped or when the process ends.
#[derive(Debug)]
pub struct DirLock {
    _file: std::fs::File,
}

impl DirLock {
    /// Takes the lock, or says that another process has it with `Ok(None)`.
    ///
    /// # Errors
    /// When the lock file cannot be made or locked.
    pub fn try_take(dir: &Utf8Path) -> io::Result<Option<Self>> {
        let file = open(dir)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LINGERING => {
                    std::thread::sleep(LINGERING / 20);
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Takes the lock, waiting for whoever has it, which it says.
    ///
    /// # Errors
    /// When the lock file cannot be made or locked.
    pub fn take(dir: &Utf8Path, reporter: &Reporter) -> io::Result<Self> {
        if let Some(lock) = Self::try_take(dir)? {
            return Ok(lock);
        }
        reporter.note(format!("waiting for another pidoop at work in {dir}"));
        let file = open(dir)?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

fn open(dir: &Utf8Path) -> io::Result<std::fs::File> {
    fs_err::create_dir_all(dir)?;
    let file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(".pidoop.lock"))?;
    Ok(file.into_parts().0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::{Event, Recorded};

    #[test]
    fn the_second_is_turned_away_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let first = DirLock::try_take(dir).unwrap();
        assert!(first.is_some());
        assert!(DirLock::try_take(dir).unwrap().is_none());
        drop(first);
        assert!(DirLock::try_take(dir).unwrap().is_some());
    }

    #[test]
    fn who_waits_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let (reporter, heard) = Recorded::reporter();
        let first = DirLock::take(dir, &reporter).unwrap();
        assert_eq!(heard.all(), []);
        std::thread::scope(|scope| {
            scope.spawn(|| DirLock::take(dir, &reporter).unwrap());
            while heard.all().is_empty() {
                std::thread::yield_now();
            }
            drop(first);
        });
        assert!(matches!(&heard.all()[..], [Event::Note { line }] if line.contains("waiting")));
    }
}
