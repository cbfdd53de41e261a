//! Carrying changes out.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs as unix;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use fs_err as fs;

use super::check::{check, settle};
use super::debugfs::change;
use super::footprint::{Footprint, content_len};
use super::leftovers::{self, Inodes, Leftovers};
use super::placed::{LONG, Placed, Wanted, place};
use super::script::{Host, Plan, Room, normalise};
use super::{Ext4Volume, Superblock};
use crate::disk::standing::{self, Obsolete, Standing};
use crate::disk::{DiskError, Region};
use crate::edit::{Changes, FileContent, ImagePath, Mode, ReadTree, Target};
use crate::tool::{DEBUGFS, Handover, MemoryFile};

/// Times beyond this need a second word of an inode's time, which e2fsprogs
/// 1.47.0 leaves zero.
const LAST_EPOCH: u64 = i32::MAX as u64;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Bytes of file content written.
    pub bytes: u64,
    /// Files, directories and links put down.
    pub inodes: u64,
    /// Names taken away, replaced ones included.
    pub removed: u64,
    /// Blocks that were zeroed because what they held went away: first and
    /// last of each range. They may hold something new now.
    pub zeroed: Vec<(u64, u64)>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Makes the filesystem in `region` what `changes` say, by one run of debugfs
/// (and one before, for reading, if anything goes away). The same filesystem,
/// changes and epoch give the same bytes: new inodes and the superblock get
/// `epoch`, in seconds since 1970, for their time. Extended attributes of what is
/// replaced go with it; blocks that get free are zeroed. Parents of what comes
/// and goes keep their times.
///
/// A failure leaves the filesystem half-changed: work on a copy.
///
/// # Errors
/// If the filesystem is not to be edited or too small, if a path cannot become
/// what it should, if staged content is not what was promised, or if debugfs
/// fails.
pub fn apply(region: &Region, changes: &Changes, epoch: u64) -> Result<Applied, DiskError> {
    let outlook = Outlook::on(region, changes)?;
    carry_out(region, changes, &outlook, epoch, Contents::Written).map(|(applied, _)| applied)
}

/// What becomes of the contents of long files that lie on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// They are written.
    Written,
    /// They get their blocks, where the filesystem can do that, and are to be
    /// [filled in](Placed::fill).
    Placed,
}

/// What changes will meet in a filesystem.
#[derive(Debug)]
pub struct Outlook {
    standing: Standing,
    leftovers: Leftovers,
}

impl Outlook {
    /// What `changes` will meet in the filesystem in `region`.
    pub(super) fn on(region: &Region, changes: &Changes) -> Result<Self, DiskError> {
        // Before it is opened: the reader would have its own words for it.
        Superblock::read(region)?.check_editable(region)?;
        let tree = Ext4Volume::open(region)?;
        let block_size = tree.superblock().block_size;
        Self::of(region, block_size, &tree, changes, &mut Inodes::default())
    }

    /// What `changes` will meet in the filesystem in `region`, which `tree`
    /// reads. Some of its `inodes` may be known. That it may be edited is looked
    /// at when the changes are carried out.
    pub(super) fn of(
        region: &Region,
        block_size: u64,
        tree: &dyn ReadTree,
        changes: &Changes,
        inodes: &mut Inodes,
    ) -> Result<Self, DiskError> {
        let standing = standing::find(changes, tree).map_err(|r| r.into_error(region))?;
        let names = &standing.obsolete;
        let leftovers = leftovers::survey(region, block_size, names, inodes)?;
        Ok(Self {
            standing,
            leftovers,
        })
    }
}

/// Makes the filesystem in `region` what `changes` say, given what they will
/// meet there. Tells the files that are to be filled in.
pub(super) fn carry_out(
    region: &Region,
    changes: &Changes,
    outlook: &Outlook,
    epoch: u64,
    contents: Contents,
) -> Result<(Applied, Vec<Placed>), DiskError> {
    let begun = Instant::now();
    let Outlook {
        standing,
        leftovers,
    } = outlook;
    DEBUGFS.check().map_err(DiskError::tool(region))?;
    if epoch == 0 || epoch > LAST_EPOCH {
        let reason = format!("time {} is outside of 1 to {LAST_EPOCH}", epoch);
        return Err(DiskError::filesystem(region, reason));
    }
    let superblock = Superblock::read(region)?;
    superblock.check_editable(region)?;
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
    let room_in = match contents {
        Contents::Placed if superblock.features.has("extent") => Some(superblock.block_size),
        _ => None,
    };
    let staged = Staged::new(region, changes, room_in)?;
    let plan = Plan {
        changes,
        standing,
        leftovers,
        hosts: &staged.hosts,
        empty: &staged.empty,
        epoch,
    };
    let script = plan
        .compile()
        .map_err(|(path, reason)| DiskError::path(region, &path, reason))?;
    change(region, &script, epoch)?;
    if leftovers.shared {
        settle(region, epoch)?;
        change(region, &normalise(epoch), epoch)?;
    }
    let placed = match staged.wanted.is_empty() {
        true => Vec::new(),
        false => place(region, staged.wanted, superblock.block_size, epoch)?,
    };
    let applied = Applied {
        bytes: staged.bytes,
        inodes: changes.targets.len() as u64,
        removed: standing.obsolete.len() as u64,
        zeroed: leftovers.blocks.clone(),
        elapsed: begun.elapsed(),
    };
    Ok((applied, placed))
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
    hosts: BTreeMap<ImagePath, Host>,
    bytes: u64,
    empty: String,
    /// What is to get its content later.
    wanted: Vec<Wanted>,
    _places: Places,
}

/// Files that were made for debugfs to read.
#[derive(Debug, Default)]
struct Places {
    in_memory: Vec<MemoryFile>,
    /// For what cannot be in memory.
    dir: Option<Handover>,
    in_dir: usize,
}

impl Staged {
    /// With `room_in` blocks of so many bytes, long files on the host get room only.
    fn new(region: &Region, changes: &Changes, room_in: Option<u64>) -> Result<Self, DiskError> {
        let fail = |e| DiskError::io("writing to", "the temporary directory", e);
        let mut places = Places::default();
        let empty = places.holding(&[], Mode::FILE).map_err(fail)?;
        let mut hosts = BTreeMap::new();
        let mut wanted = Vec::new();
        let mut bytes = 0;
        for (path, target) in &changes.targets {
            let Target::File { content, mode, .. } = target else {
                continue;
            };
            bytes += content_len(content);
            let host = match content {
                FileContent::Inline { bytes, .. } => places.holding(bytes, *mode).map_err(fail)?,
                FileContent::Staged { host, len, .. } => {
                    let meta = fs::metadata(host).map_err(|e| DiskError::path(region, path, e))?;
                    let found = meta.len();
                    if found != *len {
                        let reason = format!("{host} has {found} bytes, expected {len}");
                        return Err(DiskError::path(region, path, reason));
                    }
                    match room_in {
                        Some(block_size) if *len >= LONG => {
                            wanted.push(Wanted {
                                path: path.clone(),
                                host: host.clone(),
                                len: *len,
                            });
                            let room = Room {
                                blocks: len.div_ceil(block_size),
                                len: *len,
                            };
                            Host {
                                room: Some(room),
                                ..empty.clone()
                            }
                        }
                        _ => Host {
                            path: places.named(host).map_err(fail)?,
                            mode: Some(Mode::new(meta.permissions().mode() as u16)),
                            room: None,
                        },
                    }
                }
            };
            hosts.insert(path.clone(), host);
        }
        Ok(Self {
            hosts,
            bytes,
            empty: empty.path,
            wanted,
            _places: places,
        })
    }
}

impl Places {
    /// A file that holds `bytes`, with this mode if it can be read then.
    fn holding(&mut self, bytes: &[u8], mode: Mode) -> io::Result<Host> {
        let (path, mode) = match MemoryFile::holding(bytes) {
            Some(file) => {
                let path = file.path().to_string();
                let bits = u32::from(mode.bits());
                let can = bits & 0o400 != 0;
                let permissions = Permissions::from_mode(bits);
                let set = can && file.file().set_permissions(permissions).is_ok();
                self.in_memory.push(file);
                (path, set.then_some(mode))
            }
            None => {
                let path = self.next_in_dir()?;
                fs::write(&path, bytes)?;
                (path, None)
            }
        };
        let room = None;
        Ok(Host { path, mode, room })
    }

    /// A name that a script can hold for the file `host`: its own if that can be.
    fn named(&mut self, host: &Utf8Path) -> io::Result<String> {
        if host.is_absolute() && !host.as_str().chars().any(char::is_control) {
            return Ok(host.to_string());
        }
        let place = self.next_in_dir()?;
        unix::symlink(host.canonicalize()?, &place)?;
        Ok(place)
    }

    /// A name for another file in the directory.
    fn next_in_dir(&mut self) -> io::Result<String> {
        let dir = match &mut self.dir {
            Some(dir) => dir,
            none => none.insert(Handover::new()?),
        };
        self.in_dir += 1;
        Ok(dir.path().join(self.in_dir.to_string()).into_string())
    }
}
