//! Files in memory that programs read and write by name.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use fs_err::os::unix::fs::FileExt;
use rustix::fs::{MemfdFlags, memfd_create};

/// How many of them small contents may take at once. Each is an open file, of
/// which a process has 1024 where nobody says otherwise.
const MOST: usize = 400;

/// How many there are now.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// A file that is on no disk, with a path under which programs run by the same
/// user find it. It is gone when this handle is, or this process, however it
/// ends: secrets in it are left nowhere.
#[derive(Debug)]
pub struct MemoryFile {
    file: File,
    path: Utf8PathBuf,
}

impl MemoryFile {
    /// An empty one.
    ///
    /// # Errors
    /// What the system said.
    pub fn new() -> io::Result<Self> {
        let memory = std::fs::File::from(memfd_create("pidoop", MemfdFlags::CLOEXEC)?);
        let path = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            file: File::from_parts(memory, &path),
            path: path.into(),
        })
    }

    /// One that holds `bytes`; none where there are many already, or the system
    /// has no more. A file on a disk does as well then.
    pub fn holding(bytes: &[u8]) -> Option<Self> {
        if ALIVE.load(Ordering::Relaxed) >= MOST {
            return None;
        }
        let made = Self::new().ok()?;
        made.file.write_all_at(bytes, 0).ok()?;
        Some(made)
    }

    /// Where programs find it.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::Tool;

    #[test]
    fn programs_read_and_write_it_and_it_goes_away() {
        let file = MemoryFile::holding(b"secret\n").unwrap();
        let path = file.path().to_owned();
        let shell = |script: &str| {
            let call = Tool::any_version("sh", "dash").call().unwrap();
            let output = call
                .args(["-c", script, "sh", path.as_str()])
                .run()
                .unwrap();
            output.stdout_text()
        };
        assert_eq!(shell("cat $1; echo more >> $1; exit 1"), "secret\n");
        let mut bytes = [0; 12];
        file.file().read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"secret\nmore\n");
        drop(file);
        assert_ne!(shell("cat $1 2>/dev/null"), "secret\n");
    }
}
