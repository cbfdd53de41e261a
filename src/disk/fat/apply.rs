//! Carrying changes out on FAT.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use fatfs::FileSystem;

use super::structure::Structure;
use super::volume::{FatVolume, Shared, examine, find, mount};
use crate::disk::standing::{self, Obsolete};
use crate::disk::{DiskError, Piece, Region, Window};
use crate::edit::{Changes, EntryKind, FileContent, ImagePath, ReadTree, Remembered, Target};

/// Zeros written at a time.
const CHUNK: usize = 64 * 1024;

/// Longest name, in UTF-16 units.
const LONGEST_NAME: usize = 255;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Bytes of file content written.
    pub bytes: u64,
    /// Files and directories put down.
    pub entries: u64,
    /// Names taken away, replaced ones included.
    pub removed: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Makes the FAT filesystem in `region` what `changes` say. Owners and modes
/// are left out, as FAT has none. What is replaced or removed is zeroed first.
/// The same filesystem, changes and epoch give the same bytes.
///
/// `epoch` is the time new entries get, in seconds since 1970; FAT stores it
/// without a time zone, so it is taken for UTC, and not before 1980.
///
/// A failure leaves the filesystem half-changed: work on a copy.
///
/// # Errors
/// If the filesystem is damaged or too small, a name or a link is nothing FAT
/// can hold, or staged content is not what was promised.
pub fn apply(region: &Region, changes: &Changes, epoch: u64) -> Result<Applied, DiskError> {
    check_targets(region, changes)?;
    let window = Window::read_write(region)?;
    let (applied, window) = Ground::open(region)?.carry_out(changes, epoch, window)?;
    window
        .finish()
        .map_err(|e| DiskError::io("writing", &region.file, e))?;
    Ok(applied)
}

/// What [`apply`] would write, without writing it: pieces of the region with
/// what would be in them.
///
/// # Errors
/// Those of [`apply`].
pub fn rehearse(region: &Region, changes: &Changes, epoch: u64) -> Result<Vec<Piece>, DiskError> {
    Ground::open(region)?.rehearse(changes, epoch)
}

/// A FAT filesystem on which changes are tried out, one set after the other.
/// What is the same for all of them is looked at once; none sees another.
#[derive(Debug)]
pub struct Ground {
    tree: Remembered<FatVolume>,
    structure: Structure,
}

impl Ground {
    /// The filesystem in `region`, which nobody writes to meanwhile.
    ///
    /// # Errors
    /// If there is no FAT filesystem or it is damaged; what the system said.
    pub fn open(region: &Region) -> Result<Self, DiskError> {
        let (tree, structure) = FatVolume::with_structure(region)?;
        let tree = Remembered::new(tree);
        Ok(Self { tree, structure })
    }

    /// What is in it.
    pub fn tree(&self) -> &dyn ReadTree {
        &self.tree
    }

    /// What [`apply`] would write, as pieces of the region.
    ///
    /// # Errors
    /// Those of [`apply`].
    pub fn rehearse(&self, changes: &Changes, epoch: u64) -> Result<Vec<Piece>, DiskError> {
        check_targets(self.tree.tree().region(), changes)?;
        let window = Window::rehearse(self.tree.tree().region())?;
        let (_, window) = self.carry_out(changes, epoch, window)?;
        Ok(window.into_pieces())
    }

    fn carry_out(
        &self,
        changes: &Changes,
        epoch: u64,
        window: Window,
    ) -> Result<(Applied, Window), DiskError> {
        let begun = Instant::now();
        let region = self.tree.tree().region();
        let standing = standing::find(changes, &self.tree).map_err(|r| r.into_error(region))?;
        let freed = lens_of(region, &self.tree, &standing.obsolete)?;
        check_room(region, &self.structure, changes, &freed)?;
        let (bytes, window) = write_all(region, changes, &standing.obsolete, epoch, window)?;
        let applied = Applied {
            bytes,
            entries: changes.targets.len() as u64,
            removed: standing.obsolete.len() as u64,
            elapsed: begun.elapsed(),
        };
        Ok((applied, window))
    }
}

/// Removes, writes, and has the result looked at.
fn write_all(
    region: &Region,
    changes: &Changes,
    obsolete: &[Obsolete],
    epoch: u64,
    window: Window,
) -> Result<(u64, Window), DiskError> {
    let (fs, disk) = mount(region, window, epoch)?;
    for name in obsolete {
        remove(&fs, name).map_err(|e| DiskError::path(region, &name.path, e))?;
    }
    let mut bytes = 0;
    for (path, target) in &changes.targets {
        bytes += put(&fs, path, target).map_err(|e| DiskError::path(region, path, e))?;
    }
    let fail = |e| DiskError::io("writing", &region.file, e);
    // Dropping it would swallow errors.
    fs.unmount().map_err(fail)?;
    let mut window = disk.into_window().map_err(fail)?;
    // Other eyes go over the result, and the last things are put right.
    let structure = examine(region, &mut window)?;
    structure.settle(&mut window).map_err(fail)?;
    Ok((bytes, window))
}

fn remove(fs: &FileSystem<Shared>, name: &Obsolete) -> io::Result<()> {
    let Some(entry) = find(fs, &name.path)? else {
        // It went under another spelling of its name.
        return Ok(());
    };
    if entry.is_file() {
        let mut file = entry.to_file();
        zero(&mut file, entry.len())?;
        file.seek(SeekFrom::Start(0))?;
        file.truncate()?;
        file.flush()?;
        // A file about to be replaced keeps its entry, and with it its short
        // name and the time it was made.
        if name.replaced {
            return Ok(());
        }
    }
    fs.root_dir().remove(relative(&name.path))
}

fn zero(file: &mut impl Write, len: u64) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(len), file).map(|_| ())
}

fn put(fs: &FileSystem<Shared>, path: &ImagePath, target: &Target) -> io::Result<u64> {
    match target {
        // There is one already.
        Target::Dir { .. } if path.is_root() => Ok(0),
        Target::Dir { .. } => fs.root_dir().create_dir(relative(path)).map(|_| 0),
        Target::Symlink { .. } => Err(io::Error::other("FAT has no symbolic links")),
        Target::File { content, .. } => {
            let mut file = fs.root_dir().create_file(relative(path))?;
            file.truncate()?;
            let written = write(&mut file, content)?;
            file.flush()?;
            Ok(written)
        }
    }
}

fn write(file: &mut impl Write, content: &FileContent) -> io::Result<u64> {
    match content {
        FileContent::Inline { bytes, .. } => {
            file.write_all(bytes)?;
            Ok(bytes.len() as u64)
        }
        FileContent::Staged { host, len, .. } => {
            let mut source = fs_err::File::open(host)?;
            let mut buffer = vec![0; CHUNK];
            let mut written = 0;
            loop {
                match source.read(&mut buffer)? {
                    0 if written == *len => return Ok(written),
                    0 => break,
                    count => file.write_all(&buffer[..count])?,
                }
                written = source.stream_position()?;
            }
            Err(io::Error::other(format!(
                "{host} has {written} bytes, expected {len}"
            )))
        }
    }
}

/// `path` as `fatfs` wants it: from the root, without a leading slash.
fn relative(path: &ImagePath) -> &str {
    path.as_str().trim_start_matches('/')
}

/// Refuses what FAT cannot hold, before anything is written.
fn check_targets(region: &Region, changes: &Changes) -> Result<(), DiskError> {
    let mut spellings: BTreeMap<String, &ImagePath> = BTreeMap::new();
    for (path, target) in &changes.targets {
        let refuse = |reason: String| Err(DiskError::path(region, path, reason));
        if let Target::Symlink { .. } = target {
            return refuse("FAT has no symbolic links".to_owned());
        }
        if let Some(name) = path.components().find(|name| !is_fat_name(name)) {
            return refuse(format!("FAT cannot hold the name {name:?}"));
        }
        let spelling = path.as_str().to_uppercase();
        if let Some(other) = spellings.insert(spelling, path) {
            return refuse(format!("FAT takes it and {other} for one"));
        }
    }
    Ok(())
}

fn is_fat_name(name: &str) -> bool {
    let forbidden = |c: char| c.is_control() || "\"*/:<>?\\|".contains(c) || c > '\u{ffff}';
    !name.chars().any(forbidden)
        && !name.ends_with([' ', '.'])
        && name.len() <= LONGEST_NAME
        && !name.starts_with(' ')
}

/// Clusters that files of `lens` bytes, and directories, take.
fn clusters(structure: &Structure, lens: impl Iterator<Item = Option<u64>>) -> u64 {
    lens.map(|len| len.map_or(1, |len| len.div_ceil(structure.cluster)))
        .sum()
}

fn check_room(
    region: &Region,
    structure: &Structure,
    changes: &Changes,
    freed: &[Option<u64>],
) -> Result<(), DiskError> {
    let lens = changes.targets.values().map(|target| match target {
        Target::File {
            content: FileContent::Inline { bytes, .. },
            ..
        } => Some(bytes.len() as u64),
        Target::File {
            content: FileContent::Staged { len, .. },
            ..
        } => Some(*len),
        _ => None,
    });
    let needed = clusters(structure, lens);
    let free = structure.free + clusters(structure, freed.iter().copied());
    if needed <= free {
        return Ok(());
    }
    let unit = format!("clusters of {} bytes", structure.cluster);
    Err(DiskError::Full {
        place: region.clone(),
        needed,
        free,
        unit,
    })
}

/// Lengths of what goes; `None` for directories.
fn lens_of(
    region: &Region,
    volume: &dyn ReadTree,
    names: &[Obsolete],
) -> Result<Vec<Option<u64>>, DiskError> {
    let len = |name: &Obsolete| {
        let entry = volume.entry(&name.path).map_err(DiskError::tree(region))?;
        Ok(match entry.map(|entry| entry.kind) {
            Some(EntryKind::File { len }) => Some(len),
            _ => None,
        })
    };
    names.iter().map(len).collect()
}
