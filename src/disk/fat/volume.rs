//! Reading FAT.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

use fatfs::{DirEntry, FileSystem, FsOptions};

use super::clock::Clock;
use super::structure::Structure;
use crate::disk::{DiskError, Region, Window};
use crate::edit::{EditError, EntryKind, ImagePath, Mode, Owner, ReadTree, TreeEntry};

/// A FAT filesystem, opened for reading.
///
/// FAT knows neither owners nor modes: all is `root:root 0755`. Names are found
/// whatever their case, by their long or short form.
pub struct FatVolume {
    region: Region,
    fs: FileSystem<Shared>,
}

/// A window that `fatfs` works on while we keep a hold of it: the crate never
/// gives back what it was given, nor flushes it at the end.
#[derive(Clone, Debug)]
pub(super) struct Shared(Rc<RefCell<Window>>);

impl Shared {
    /// The window, once `fatfs` has let go of it.
    pub(super) fn into_window(self) -> io::Result<Window> {
        Rc::try_unwrap(self.0)
            .map(RefCell::into_inner)
            .map_err(|_| io::Error::other("the filesystem is still mounted"))
    }
}

impl Read for Shared {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buf)
    }
}

impl Write for Shared {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

impl Seek for Shared {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(pos)
    }
}

impl fmt::Debug for FatVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FatVolume")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl FatVolume {
    /// Opens the filesystem in `region`.
    ///
    /// # Errors
    /// If there is no FAT filesystem or it is damaged; what the system said.
    pub fn open(region: &Region) -> Result<Self, DiskError> {
        Self::with_structure(region).map(|(volume, _)| volume)
    }

    /// The same, with what it is made of.
    pub(super) fn with_structure(region: &Region) -> Result<(Self, Structure), DiskError> {
        let mut window = Window::read_only(region)?;
        let structure = examine(region, &mut window)?;
        let (fs, _) = mount(region, window, 0)?;
        let region = region.clone();
        Ok((Self { region, fs }, structure))
    }

    /// Where the filesystem is.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Its serial number, as `UUID=` in fstab has it.
    pub fn id(&self) -> String {
        let id = self.fs.volume_id();
        format!("{:04X}-{:04X}", id >> 16, id & 0xffff)
    }

    /// Its label, as the boot sector has it.
    pub fn label(&self) -> String {
        self.fs.volume_label()
    }

    fn find(&self, path: &ImagePath) -> Result<Option<DirEntry<'_, Shared>>, EditError> {
        find(&self.fs, path).map_err(|e| failed(path, e))
    }
}

/// Goes over the filesystem in `window`, which is that of `region`.
pub(super) fn examine(region: &Region, window: &mut Window) -> Result<Structure, DiskError> {
    Structure::examine(window).map_err(|damage| {
        let hint = "let fsck.vfat repair it, or take a fresh image";
        DiskError::filesystem(region, format!("FAT: {damage}; {hint}"))
    })
}

/// Hands an examined `window` to `fatfs`, with the clock at `epoch`. The
/// second handle is for having it back after unmounting.
pub(super) fn mount(
    region: &Region,
    mut window: Window,
    epoch: u64,
) -> Result<(FileSystem<Shared>, Shared), DiskError> {
    let fail = |e| DiskError::filesystem(region, format!("FAT: {e}"));
    window.rewind().map_err(fail)?;
    let shared = Shared(Rc::new(RefCell::new(window)));
    let options = FsOptions::new().time_provider(Clock::at(epoch));
    let fs = FileSystem::new(shared.clone(), options).map_err(fail)?;
    Ok((fs, shared))
}

/// The entry at `path`; `None` for the root, which has none, and if nothing
/// is there.
pub(super) fn find<'f>(
    fs: &'f FileSystem<Shared>,
    path: &ImagePath,
) -> io::Result<Option<DirEntry<'f, Shared>>> {
    let mut dir = fs.root_dir();
    let mut components = path.components().peekable();
    while let Some(name) = components.next() {
        let mut entry = None;
        for candidate in dir.iter() {
            let candidate = candidate?;
            if same(&candidate.file_name(), name) || same(&candidate.short_file_name(), name) {
                entry = Some(candidate);
                break;
            }
        }
        match entry {
            Some(entry) if components.peek().is_none() => return Ok(Some(entry)),
            Some(entry) if entry.is_dir() => dir = entry.to_dir(),
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Whether FAT takes two names for one.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.chars()
        .flat_map(char::to_uppercase)
        .eq(other.chars().flat_map(char::to_uppercase))
}

impl ReadTree for FatVolume {
    fn entry(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        let kind = if path.is_root() {
            EntryKind::Dir
        } else {
            match self.find(path)? {
                None => return Ok(None),
                Some(entry) if entry.is_dir() => EntryKind::Dir,
                Some(entry) => EntryKind::File { len: entry.len() },
            }
        };
        Ok(Some(TreeEntry {
            kind,
            owner: Owner::ROOT,
            mode: Mode::EXECUTABLE,
        }))
    }

    fn read(&self, path: &ImagePath) -> Result<Vec<u8>, EditError> {
        let entry = match self.find(path)? {
            Some(entry) if entry.is_file() => entry,
            None if !path.is_root() => return Err(EditError::Missing { path: path.clone() }),
            _ => return Err(wrong(path, "a directory", "a regular file")),
        };
        let mut bytes = Vec::new();
        entry
            .to_file()
            .read_to_end(&mut bytes)
            .map_err(|e| failed(path, e))?;
        if bytes.len() as u64 == entry.len() {
            Ok(bytes)
        } else {
            Err(failed(
                path,
                format!("{} of {} bytes are there", bytes.len(), entry.len()),
            ))
        }
    }

    fn children(&self, path: &ImagePath) -> Result<Vec<String>, EditError> {
        let dir = if path.is_root() {
            self.fs.root_dir()
        } else {
            match self.find(path)? {
                Some(entry) if entry.is_dir() => entry.to_dir(),
                Some(_) => return Err(wrong(path, "a regular file", "a directory")),
                None => return Err(EditError::Missing { path: path.clone() }),
            }
        };
        let mut names = Vec::new();
        for entry in dir.iter() {
            let name = entry.map_err(|e| failed(path, e))?.file_name();
            if !matches!(name.as_str(), "." | "..") {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

fn failed(path: &ImagePath, error: impl ToString) -> EditError {
    EditError::Read {
        path: path.clone(),
        reason: error.to_string(),
    }
}

fn wrong(path: &ImagePath, found: &'static str, expected: &'static str) -> EditError {
    EditError::WrongKind {
        path: path.clone(),
        found,
        expected,
    }
}
