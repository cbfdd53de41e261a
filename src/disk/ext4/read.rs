//! Reading ext4, independently of what wrote it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;

use ext4_view::{DirEntry, Ext4, Ext4Error, Ext4Read, FileType, Metadata};
use fs_err::File;
use fs_err::os::unix::fs::FileExt;
use sha2::{Digest, Sha256};

use super::Superblock;
use crate::disk::{DiskError, Region, open_scattered};
use crate::edit::{EditError, EntryKind, ImagePath, Mode, Owner, ReadTree, TreeEntry};

/// Bytes read at a time for a digest.
const CHUNK: usize = 256 * 1024;

/// An ext4 filesystem, opened for reading. It keeps what it has read: open it
/// anew after a write.
#[derive(Debug)]
pub struct Ext4Volume {
    region: Region,
    superblock: Superblock,
    fs: Ext4,
    /// What was found at paths: the way to each is long, and many are asked
    /// for more than once.
    known: RefCell<BTreeMap<ImagePath, Option<Metadata>>>,
    /// What is in directories, links to them followed.
    listed: RefCell<BTreeMap<ImagePath, Listed>>,
}

/// What a directory has.
#[derive(Debug)]
enum Listed {
    /// Nothing: there is no directory.
    Nothing,
    /// These names.
    Names(BTreeMap<String, DirEntry>),
    /// More than are worth keeping.
    TooMuch,
}

/// Of so many names in a directory each is looked up by itself.
const MANY: usize = 4096;

/// Reads in a row, in bytes, after which more of the same is expected.
const LONG: u64 = 64 << 10;

/// What `ext4-view` reads from: metadata, which lie here and there, and the
/// contents of files, which it asks for block by block.
struct Source {
    region: Region,
    scattered: File,
    /// The same, read in a row.
    streamed: File,
    /// How much was read in a row up to where.
    run: (u64, u64),
}

impl Source {
    fn open(region: &Region) -> std::io::Result<Self> {
        Ok(Self {
            region: region.clone(),
            scattered: open_scattered(&region.file)?,
            streamed: File::open(&region.file)?,
            run: (0, 0),
        })
    }
}

impl Ext4Read for Source {
    fn read(&mut self, at: u64, dst: &mut [u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let end = at.checked_add(dst.len() as u64);
        if end.is_none_or(|end| end > self.region.len) {
            return Err(format!("bytes from {at} on lie outside of {}", self.region).into());
        }
        let (run, until) = self.run;
        let run = if at == until { run } else { 0 };
        self.run = (run + dst.len() as u64, at + dst.len() as u64);
        let file = match run < LONG {
            true => &self.scattered,
            false => &self.streamed,
        };
        Ok(file.read_exact_at(dst, self.region.start + at)?)
    }
}

impl Ext4Volume {
    /// Opens the filesystem in `region`.
    ///
    /// # Errors
    /// If there is no ext4 filesystem, or one that cannot be read; what the
    /// system said.
    pub fn open(region: &Region) -> Result<Self, DiskError> {
        let superblock = Superblock::read(region)?;
        let source = Source::open(region).map_err(|e| DiskError::io("opening", &region.file, e))?;
        let fs = Ext4::load(Box::new(source))
            .map_err(|e| DiskError::filesystem(region, format!("reading ext4: {e}")))?;
        Ok(Self {
            region: region.clone(),
            superblock,
            fs,
            known: RefCell::default(),
            listed: RefCell::default(),
        })
    }

    /// Where the filesystem is.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Its superblock.
    pub fn superblock(&self) -> &Superblock {
        &self.superblock
    }

    fn metadata(&self, path: &ImagePath) -> Result<Option<Metadata>, EditError> {
        if let Some(known) = self.known.borrow().get(path) {
            return Ok(known.clone());
        }
        let found = self.look_up(path).map_err(|error| failed(path, error))?;
        self.known.borrow_mut().insert(path.clone(), found.clone());
        Ok(found)
    }

    /// Looks `path` up in its directory, which is read as a whole the first time:
    /// on its way to a name the reader goes through blocks of all directories
    /// above, and over each for its checksum.
    fn look_up(&self, path: &ImagePath) -> Result<Option<Metadata>, Ext4Error> {
        let Some(parent) = path.parent() else {
            return self.fs.symlink_metadata(path.as_str()).map(Some);
        };
        if !self.listed.borrow().contains_key(&parent) {
            let listed = self.list(&parent)?;
            self.listed.borrow_mut().insert(parent.clone(), listed);
        }
        match self.listed.borrow().get(&parent) {
            Some(Listed::Nothing) => Ok(None),
            Some(Listed::Names(names)) => match names.get(path.file_name()) {
                Some(entry) => entry.metadata().map(Some),
                None => Ok(None),
            },
            Some(Listed::TooMuch) | None => match self.fs.symlink_metadata(path.as_str()) {
                Err(Ext4Error::NotFound | Ext4Error::NotADirectory) => Ok(None),
                found => found.map(Some),
            },
        }
    }

    fn list(&self, dir: &ImagePath) -> Result<Listed, Ext4Error> {
        let entries = match self.fs.read_dir(dir.as_str()) {
            Ok(entries) => entries,
            Err(Ext4Error::NotFound | Ext4Error::NotADirectory) => return Ok(Listed::Nothing),
            Err(error) => return Err(error),
        };
        let mut names = BTreeMap::new();
        for entry in entries {
            let entry = entry?;
            if names.len() == MANY {
                return Ok(Listed::TooMuch);
            }
            // A path asked for has no other names.
            if let Ok(name) = entry.file_name().as_str() {
                names.insert(name.to_owned(), entry);
            }
        }
        Ok(Listed::Names(names))
    }

    fn expect(&self, path: &ImagePath, wanted: FileType) -> Result<Metadata, EditError> {
        let Some(metadata) = self.metadata(path)? else {
            return Err(EditError::Missing { path: path.clone() });
        };
        if metadata.file_type() == wanted {
            return Ok(metadata);
        }
        let (found, expected) = (name_of(metadata.file_type()), name_of(wanted));
        Err(EditError::WrongKind {
            path: path.clone(),
            found,
            expected,
        })
    }
}

impl ReadTree for Ext4Volume {
    fn entry(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        let Some(metadata) = self.metadata(path)? else {
            return Ok(None);
        };
        let kind = match metadata.file_type() {
            FileType::Directory => EntryKind::Dir,
            FileType::Regular => EntryKind::File {
                len: metadata.len(),
            },
            FileType::Symlink => {
                let target = self
                    .fs
                    .read_link(path.as_str())
                    .map_err(|e| failed(path, e))?;
                let target = target.to_str().map_err(|e| failed(path, e))?;
                EntryKind::Symlink {
                    target: target.to_owned(),
                }
            }
            _ => EntryKind::Special,
        };
        let owner = Owner::new(metadata.uid(), metadata.gid());
        Ok(Some(TreeEntry {
            kind,
            owner,
            mode: Mode::new(metadata.mode()),
        }))
    }

    fn read(&self, path: &ImagePath) -> Result<Vec<u8>, EditError> {
        self.expect(path, FileType::Regular)?;
        self.fs.read(path.as_str()).map_err(|e| failed(path, e))
    }

    fn children(&self, path: &ImagePath) -> Result<Vec<String>, EditError> {
        // A symlink to a directory is read like the directory, as open() does.
        let mut names = Vec::new();
        for entry in self
            .fs
            .read_dir(path.as_str())
            .map_err(|e| failed(path, e))?
        {
            let entry = entry.map_err(|e| failed(path, e))?;
            let name = entry.file_name();
            let name = name.as_str().map_err(|_| {
                failed(
                    path,
                    format!("the name {} in it is not UTF-8", name.display()),
                )
            })?;
            if !matches!(name, "." | "..") {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn digest(&self, path: &ImagePath) -> Result<[u8; 32], EditError> {
        let len = self.expect(path, FileType::Regular)?.len();
        let mut file = self.fs.open(path.as_str()).map_err(|e| failed(path, e))?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; (len as usize).clamp(1, CHUNK)];
        loop {
            match file.read_bytes(&mut buffer).map_err(|e| failed(path, e))? {
                0 => return Ok(digest.finalize().into()),
                count => digest.update(&buffer[..count]),
            }
        }
    }
}

fn failed(path: &ImagePath, error: impl ToString) -> EditError {
    EditError::Read {
        path: path.clone(),
        reason: error.to_string(),
    }
}

fn name_of(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "a directory",
        FileType::Regular => "a regular file",
        FileType::Symlink => "a symbolic link",
        _ => "a device, socket or FIFO",
    }
}
