//! Carrying changes out.

use std::collections::BTreeMap;
use std::os::unix::fs as unix;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::check::{check, settle};
use super::debugfs::{Device, change};
use super::footprint::{Footprint, content_len};
use super::script::{Plan, normalise};
use super::superblock::{AT as SUPERBLOCK_AT, LEN as SUPERBLOCK_LEN};
use super::{Ext4Volume, Superblock, leftovers};
use crate::disk::standing::{self, Obsolete};
use crate::disk::{DiskError, Region, Window};
use crate::edit::{Changes, FileContent, ImagePath, Target};
use crate::tool::{DEBUGFS, E2UNDO, Handover};

/// Times beyond this need a second word of an inode's time, which e2fsprogs
/// 1.47.0 leaves zero.
const LAST_EPOCH: u64 = i32::MAX as u64;

/// How changes are carried out.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The time every new inode and the superblock get, in seconds since 1970.
    pub epoch: u64,
    /// A file that takes down what gets overwritten, for [`undo`]. It must not
    /// exist yet. Beside it a file with `.superblock` added to its name is
    /// made.
    pub undo: Option<Utf8PathBuf>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Bytes of file content written.
    pub bytes: u64,
    /// Files, directories and links put down.
    pub inodes: u64,
    /// Names taken away, replaced ones included.
    pub removed: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Makes the filesystem in `region` what `changes` say, by one run of debugfs
/// (and one before, for reading, if anything goes away). The same filesystem,
/// changes and epoch give the same bytes. Extended attributes of what is
/// replaced go with it; blocks that get free are zeroed. Parents of what comes
/// and goes keep their times.
///
/// A failure leaves the filesystem half-changed: work on a copy.
///
/// # Errors
/// If the filesystem is not to be edited or too small, if a path cannot become
/// what it should, if staged content is not what was promised, or if debugfs
/// fails.
pub fn apply(region: &Region, changes: &Changes, how: &Apply) -> Result<Applied, DiskError> {
    let begun = Instant::now();
    DEBUGFS.check().map_err(DiskError::tool(region))?;
    if how.epoch == 0 || how.epoch > LAST_EPOCH {
        let reason = format!("time {} is outside of 1 to {LAST_EPOCH}", how.epoch);
        return Err(DiskError::filesystem(region, reason));
    }
    let superblock = Superblock::read(region)?;
    superblock.check_editable(region)?;
    let volume = Ext4Volume::open(region)?;
    let standing = standing::find(changes, &volume).map_err(|r| r.into_error(region))?;
    drop(volume);
    let leftovers = leftovers::survey(region, superblock.block_size, &standing.obsolete)?;
    if leftovers.shared && how.undo.is_some() {
        // A second program cannot add to the undo file of a filesystem at an
        // offset (lib/ext2fs/undo_io.c, `check_filesystem`).
        let reason = "files that share large extended attributes with others cannot be \
                      removed with an undo file; build without one";
        return Err(DiskError::filesystem(region, reason));
    }
    if leftovers.shared {
        check(region)?.into_result(region)?;
    }
    check_room(
        region,
        &superblock,
        changes,
        &standing.obsolete,
        &leftovers.blocks,
    )?;
    let staged = Staged::new(region, changes)?;
    if let Some(file) = &how.undo {
        keep_superblock(region, file)?;
    }
    let plan = Plan {
        changes,
        standing: &standing,
        leftovers: &leftovers,
        hosts: &staged.hosts,
        empty: &staged.empty,
        epoch: how.epoch,
    };
    let script = plan
        .compile()
        .map_err(|(path, reason)| DiskError::path(region, &path, reason))?;
    change(region, &script, how.epoch, how.undo.as_deref())?;
    if leftovers.shared {
        settle(region, how.epoch)?;
        change(region, &normalise(how.epoch), how.epoch, None)?;
    }
    Ok(Applied {
        bytes: staged.bytes,
        inodes: changes.targets.len() as u64,
        removed: standing.obsolete.len() as u64,
        elapsed: begun.elapsed(),
    })
}

/// Takes the filesystem in `region` back to what it was before [`apply`] was
/// given `file` to take changes down in. All bytes are as they were.
///
/// # Errors
/// If e2undo is missing or finds that the file does not fit the filesystem;
/// what the system said.
pub fn undo(region: &Region, file: &Utf8Path) -> Result<(), DiskError> {
    let superblock = superblock_beside(file);
    let bytes = fs::read(&superblock).map_err(|e| DiskError::io("reading", &superblock, e))?;
    let plain = Region {
        start: 0,
        ..region.clone()
    };
    let device = Device::new(&plain)?;
    E2UNDO
        .call()
        .map(|call| {
            call.args([
                "-o",
                &region.start.to_string(),
                file.as_str(),
                &device.argument,
            ])
        })
        .and_then(|call| call.run_ok())
        .map_err(DiskError::tool(region))?;
    let mut window = Window::read_write(region)?;
    window
        .write_at(SUPERBLOCK_AT, &bytes)
        .and_then(|()| window.finish())
        .map_err(|e| DiskError::io("writing", &region.file, e))
}

/// Keeps the superblock for [`undo`]: of a filesystem at an offset, the undo
/// file records it from the wrong place (lib/ext2fs/undo_io.c,
/// `undo_write_byte`).
fn keep_superblock(region: &Region, file: &Utf8Path) -> Result<(), DiskError> {
    if file.exists() {
        let reason = format!("the undo file {file} exists already");
        return Err(DiskError::filesystem(region, reason));
    }
    let mut bytes = [0; SUPERBLOCK_LEN];
    Window::read_only(region)?
        .read_at(SUPERBLOCK_AT, &mut bytes)
        .map_err(|e| DiskError::io("reading", &region.file, e))?;
    let beside = superblock_beside(file);
    fs::write(&beside, bytes).map_err(|e| DiskError::io("writing", &beside, e))
}

fn superblock_beside(file: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{file}.superblock"))
}

fn check_room(
    region: &Region,
    superblock: &Superblock,
    changes: &Changes,
    obsolete: &[Obsolete],
    freed: &[(u64, u64)],
) -> Result<(), DiskError> {
    let needed = Footprint::of(changes, superblock.block_size);
    let freed: u64 = freed
        .iter()
        .map(|(first, last)| last.saturating_sub(*first) + 1)
        .sum();
    let blocks = superblock.free_blocks + freed;
    let inodes = u64::from(superblock.free_inodes) + obsolete.len() as u64;
    let full = |needed, free, unit: String| {
        Err(DiskError::Full {
            place: region.clone(),
            needed,
            free,
            unit,
        })
    };
    if needed.blocks > blocks {
        return full(
            needed.blocks,
            blocks,
            format!("blocks of {} bytes", superblock.block_size),
        );
    }
    if needed.inodes > inodes {
        return full(needed.inodes, inodes, "inodes".to_owned());
    }
    Ok(())
}

/// Content that debugfs can read by name.
#[derive(Debug)]
struct Staged {
    hosts: BTreeMap<ImagePath, String>,
    bytes: u64,
    empty: String,
    _dir: Handover,
}

impl Staged {
    fn new(region: &Region, changes: &Changes) -> Result<Self, DiskError> {
        let fail = |e| DiskError::io("writing to", "the temporary directory", e);
        let dir = Handover::new().map_err(fail)?;
        let base = dir.path();
        let empty = base.join("empty");
        fs::write(&empty, []).map_err(fail)?;
        let mut hosts = BTreeMap::new();
        let mut bytes = 0;
        for (index, (path, target)) in changes.targets.iter().enumerate() {
            let Target::File { content, .. } = target else {
                continue;
            };
            let place = base.join(index.to_string());
            bytes += content_len(content);
            let host = match content {
                FileContent::Inline { bytes, .. } => {
                    fs::write(&place, bytes).map_err(fail)?;
                    place
                }
                FileContent::Staged { host, len, .. } => {
                    let found = fs::metadata(host)
                        .map_err(|e| DiskError::path(region, path, e))?
                        .len();
                    if found != *len {
                        let reason = format!("{host} has {found} bytes, expected {len}");
                        return Err(DiskError::path(region, path, reason));
                    }
                    if host.is_absolute() && !host.as_str().chars().any(char::is_control) {
                        host.clone()
                    } else {
                        // A name that a script cannot hold gets one it can.
                        let target = host.canonicalize().map_err(fail)?;
                        unix::symlink(target, &place).map_err(fail)?;
                        place
                    }
                }
            };
            hosts.insert(path.clone(), host.into_string());
        }
        Ok(Self {
            hosts,
            bytes,
            empty: empty.into_string(),
            _dir: dir,
        })
    }
}
