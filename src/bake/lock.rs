//! One build at a time in a directory.

use std::fs::TryLockError;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8Path;

use crate::progress::Reporter;

/// A lock held on a directory; freed when dropped or when the process ends.
#[derive(Debug)]
pub struct DirLock {
    _file: std::fs::File,
}

/// How long a lock may outlive its process: a program that it was just starting
/// when it was killed holds all its files until it is the other program.
const AFTERLIFE: Duration = Duration::from_secs(2);

/// How often it is looked whether it is over.
const MOMENT: Duration = Duration::from_millis(20);

impl DirLock {
    /// Takes the lock at once, or says that another process has it with
    /// `Ok(None)`.
    ///
    /// # Errors
    /// When the lock file cannot be made or locked.
    pub fn try_take(dir: &Utf8Path) -> io::Result<Option<Self>> {
        let file = open(dir)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Takes the lock, or says with `Ok(None)` that another process is at work,
    /// and not merely at its end.
    ///
    /// # Errors
    /// When the lock file cannot be made or locked.
    pub fn take_unless_busy(dir: &Utf8Path) -> io::Result<Option<Self>> {
        let begun = Instant::now();
        loop {
            let taken = Self::try_take(dir)?;
            if taken.is_some() || begun.elapsed() > AFTERLIFE {
                return Ok(taken);
            }
            thread::sleep(MOMENT);
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
    fn a_lock_that_is_about_to_be_freed_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let first = DirLock::try_take(dir).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| DirLock::take_unless_busy(dir).unwrap());
            std::thread::sleep(MOMENT);
            drop(first);
            assert!(second.join().unwrap().is_some());
        });
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
