//! Files under construction: they get their final name only when complete.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

/// Ending of the names of scratch files.
const PARTIAL: &str = ".partial";

/// Scratch files alive now, so that an interrupt can remove them.
static ALIVE: Mutex<BTreeSet<Utf8PathBuf>> = Mutex::new(BTreeSet::new());

fn alive() -> MutexGuard<'static, BTreeSet<Utf8PathBuf>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether scratch files were abandoned: then no more are begun.
static ABANDONED: AtomicBool = AtomicBool::new(false);

/// How long it may take from naming a scratch file to making it.
const BEGINNING: Duration = Duration::from_millis(50);

/// Removes every scratch file of this process and lets no further one begin.
/// For the way out after an interrupt, when no destructor will run.
pub fn abandon_all() {
    ABANDONED.store(true, Ordering::SeqCst);
    let paths = std::mem::take(&mut *alive());
    let remove = || {
        for path in &paths {
            // It may just have got its final name, or not be made yet.
            let _ = fs_err::remove_file(path);
        }
    };
    remove();
    // Other threads are still at work: what was named but not made then.
    std::thread::sleep(BEGINNING);
    remove();
}

/// A file beside its final place, gone unless kept.
#[derive(Debug)]
pub struct Scratch {
    path: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl Scratch {
    /// A name for the file that will be `target`; whoever writes it makes it,
    /// with mode 0600. One left behind by a process that was killed goes: the
    /// caller holds the lock of the directory.
    ///
    /// # Errors
    /// When a leftover cannot be removed; `Interrupted` after [`abandon_all`].
    pub fn for_target(target: &Utf8Path) -> io::Result<Self> {
        Self::begin(target, |_| Ok(()))
    }

    /// The finished file `target` under a scratch name, to be changed. Until
    /// it is kept there is no file under the final name.
    ///
    /// # Errors
    /// Those of [`Scratch::for_target`]; when the file cannot be renamed.
    pub fn adopt(target: &Utf8Path) -> io::Result<Self> {
        Self::begin(target, |path| fs_err::rename(target, path))
    }

    fn begin(
        target: &Utf8Path,
        make: impl FnOnce(&Utf8Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        let name = target.file_name().unwrap_or("image");
        let path = target.with_file_name(format!(".{name}{PARTIAL}"));
        match fs_err::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut alive = alive();
        if ABANDONED.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        make(&path)?;
        alive.insert(path.clone());
        Ok(Self {
            path,
            target: target.to_owned(),
        })
    }

    /// Where the file is now.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Waits until the bytes are on the disk. For what later builds take as
    /// finished by its name alone: a power cut must not leave the name without
    /// the bytes.
    ///
    /// # Errors
    /// When the file cannot be written out.
    pub fn sync(&self) -> io::Result<()> {
        fs_err::File::open(&self.path)?.sync_all()
    }

    /// Gives the file its final name, in place of any older one.
    ///
    /// # Errors
    /// When the rename fails; the scratch file is removed then.
    pub fn keep(self) -> io::Result<()> {
        fs_err::rename(&self.path, &self.target)
    }

    /// Removes what killed processes left in a directory. The caller holds the
    /// lock of the directory, and has no scratch file in it.
    ///
    /// # Errors
    /// When a leftover cannot be removed.
    pub fn sweep(dir: &Utf8Path) -> io::Result<()> {
        for entry in dir.read_dir_utf8()? {
            let entry = entry?;
            let name = entry.file_name();
            if name.starts_with('.') && name.ends_with(PARTIAL) {
                fs_err::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if alive().remove(&self.path) {
            // After `keep` there is nothing under this name any more.
            let _ = fs_err::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temp() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("a.img")).unwrap();
        (dir, path)
    }

    #[test]
    fn only_what_is_kept_gets_the_name() {
        let (_dir, target) = temp();
        let scratch = Scratch::for_target(&target).unwrap();
        let partial = scratch.path().to_owned();
        fs_err::write(&partial, "half").unwrap();
        drop(scratch);
        assert!(!partial.exists() && !target.exists());

        fs_err::write(&target, "old").unwrap();
        let scratch = Scratch::for_target(&target).unwrap();
        fs_err::write(scratch.path(), "new").unwrap();
        assert_eq!(fs_err::read_to_string(&target).unwrap(), "old");
        scratch.keep().unwrap();
        assert_eq!(fs_err::read_to_string(&target).unwrap(), "new");
        assert!(!partial.exists());
    }

    #[test]
    fn a_file_that_is_changed_has_no_final_name_meanwhile() {
        let (_dir, target) = temp();
        fs_err::write(&target, "old").unwrap();
        let scratch = Scratch::adopt(&target).unwrap();
        assert!(!target.exists());
        fs_err::write(scratch.path(), "new").unwrap();
        scratch.keep().unwrap();
        assert_eq!(fs_err::read_to_string(&target).unwrap(), "new");
        drop(Scratch::adopt(&target).unwrap());
        assert!(!target.exists());
        assert!(Scratch::adopt(&target).is_err());
    }

    #[test]
    fn what_a_killed_build_left_goes() {
        let (_dir, target) = temp();
        let left = target.with_file_name(".a.img.partial");
        fs_err::write(&left, "left").unwrap();
        let scratch = Scratch::for_target(&target).unwrap();
        assert_eq!(scratch.path(), left);
        assert!(!left.exists());
    }

    #[test]
    fn sweeping_takes_leftovers_and_nothing_else() {
        let (_dir, target) = temp();
        let dir = target.parent().unwrap();
        for name in [
            ".gone.img.partial",
            ".gone.root.partial",
            "my.partial",
            "b.img",
        ] {
            fs_err::write(dir.join(name), "x").unwrap();
        }
        Scratch::sweep(dir).unwrap();
        let mut left: Vec<String> = dir
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        left.sort();
        assert_eq!(left, ["b.img", "my.partial"]);
    }
}
