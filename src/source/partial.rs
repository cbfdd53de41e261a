//! A file that is being downloaded, and what is needed to go on with it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::digest::{CHUNK, Digester};
use super::files::{make_dir, read_json, remove, write_json};
use super::{Algorithm, Digests, SourceError};

/// A file that is being downloaded. Its bytes outlive the process, so that the
/// next one goes on where this one was stopped; what it is in the end is decided
/// by the digest of all its bytes, of whichever process.
#[derive(Debug)]
pub(super) struct Partial {
    dir: Utf8PathBuf,
    file: File,
    len: u64,
    digester: Digester,
    also: Option<Algorithm>,
    origin: Option<Origin>,
    /// Whether bytes in it are from before this was opened, or from more than
    /// one answer.
    pieced: bool,
}

/// Which file on which server the bytes are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The address asked.
    pub(super) url: String,
    /// What tells this version of the file there from any other: a strong entity
    /// tag, else the time of its last change (RFC 9110, section 13.1.5).
    pub(super) validator: Option<String>,
    /// How long the whole file is, where the server said so.
    pub(super) total: Option<u64>,
}

impl Partial {
    /// Opens the download in `dir`, which the caller has the lock of, with all
    /// that is there. With `decided`, a digest will tell in the end whether all
    /// is right; without one, bytes that an earlier process left are not to be
    /// trusted, as a power cut may have left holes in them.
    pub(super) fn open(
        dir: &Utf8Path,
        also: Option<Algorithm>,
        decided: bool,
    ) -> Result<Self, SourceError> {
        if !decided {
            remove(dir)?;
        }
        make_dir(dir)?;
        let path = dir.join("data");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(SourceError::io("opening", &path))?;
        let mut partial = Self {
            origin: read_json(&dir.join("note.json"))?,
            dir: dir.to_owned(),
            file,
            len: 0,
            digester: Digester::new(also),
            also,
            pieced: false,
        };
        partial.take_in_what_is_there()?;
        Ok(partial)
    }

    fn take_in_what_is_there(&mut self) -> Result<(), SourceError> {
        let path = self.data();
        let mut buffer = vec![0; CHUNK];
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    self.digester.update(&buffer[..read]);
                    self.len += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError::io("reading", &path)(error)),
            }
        }
        self.pieced = self.len > 0;
        Ok(())
    }

    /// The file with the bytes.
    pub(super) fn data(&self) -> Utf8PathBuf {
        self.dir.join("data")
    }

    /// The directory it is in.
    pub(super) fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Which file on which server they are of, where known.
    pub(super) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Whether the bytes are from more than one answer, so that a wrong digest
    /// may be the fault of how they were put together.
    pub(super) fn is_pieced(&self) -> bool {
        self.pieced
    }

    /// Says that more of the same file follows.
    pub(super) fn go_on(&mut self) {
        self.pieced |= self.len > 0;
    }

    /// Forgets every byte; what follows is of `origin`.
    pub(super) fn begin(&mut self, origin: Option<Origin>) -> Result<(), SourceError> {
        let path = self.data();
        // A note about other bytes than those that are there must never be.
        remove(&self.dir.join("note.json"))?;
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(SourceError::io("emptying", &path))?;
        self.len = 0;
        self.digester = Digester::new(self.also);
        self.pieced = false;
        if let Some(origin) = &origin {
            write_json(&self.dir.join("note.json"), origin)?;
        }
        self.origin = origin;
        Ok(())
    }

    /// Adds bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), SourceError> {
        let total = self.origin.as_ref().and_then(|origin| origin.total);
        self.file.write_all(bytes).map_err(SourceError::io_needing(
            "downloading to",
            &self.data(),
            total,
        ))?;
        self.digester.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// The digests of the bytes so far.
    pub(super) fn digests(&self) -> Digests {
        self.digester.clone().finish()
    }

    /// Sees to it that the bytes are on the disk and nothing but them is in the
    /// directory.
    pub(super) fn complete(&self) -> Result<(), SourceError> {
        self.file
            .sync_all()
            .map_err(SourceError::io("writing", &self.data()))?;
        remove(&self.dir.join("note.json"))
    }

    /// Removes it.
    pub(super) fn discard(self) -> Result<(), SourceError> {
        remove(&self.dir)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sha256;
    use super::super::testing::scratch;
    use super::*;

    fn origin(url: &str) -> Option<Origin> {
        Some(Origin {
            url: url.to_owned(),
            validator: Some("\"v1\"".to_owned()),
            total: Some(6),
        })
    }

    #[test]
    fn what_one_process_left_the_next_goes_on_with() {
        let (_dir, root) = scratch();
        let dir = root.join("downloads/k");
        let mut first = Partial::open(&dir, None, true).unwrap();
        first.begin(origin("http://h/x")).unwrap();
        first.push(b"abc").unwrap();
        assert!(!first.is_pieced());
        drop(first);
        let mut second = Partial::open(&dir, None, true).unwrap();
        assert_eq!((second.len(), second.is_pieced()), (3, true));
        assert_eq!(second.origin(), origin("http://h/x").as_ref());
        second.push(b"def").unwrap();
        second.complete().unwrap();
        assert_eq!(second.digests().sha256, Sha256::of(b"abcdef"));
        assert_eq!(std::fs::read(second.data()).unwrap(), b"abcdef");
        let names: Vec<_> = dir.read_dir_utf8().unwrap().collect();
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn without_a_digest_to_decide_nothing_old_is_kept() {
        let (_dir, root) = scratch();
        let dir = root.join("downloads/k");
        Partial::open(&dir, None, true)
            .unwrap()
            .push(b"abc")
            .unwrap();
        assert_eq!(Partial::open(&dir, None, false).unwrap().len(), 0);
    }

    #[test]
    fn beginning_anew_forgets_bytes_and_note() {
        let (_dir, root) = scratch();
        let mut partial = Partial::open(&root.join("k"), None, true).unwrap();
        partial.begin(origin("http://h/x")).unwrap();
        partial.push(b"abcdef").unwrap();
        partial.begin(None).unwrap();
        partial.push(b"xy").unwrap();
        assert_eq!(partial.digests().sha256, Sha256::of(b"xy"));
        assert_eq!(std::fs::read(partial.data()).unwrap(), b"xy");
        assert!(!root.join("k/note.json").exists());
    }
}
