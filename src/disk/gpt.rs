//! The GUID partition table, through the `gpt` crate.
//!
//! The crate trusts the header it is given and packs entries together when it
//! writes. [`check`] therefore looks at the raw header first, and [`rewrite`]
//! refuses a table whose numbers have holes: `root=/dev/mmcblk0p2` must go on
//! meaning the same partition.

use std::collections::BTreeMap;

use camino::Utf8Path;
use fs_err::os::unix::fs::FileExt;
use fs_err::{File, OpenOptions};
use gpt::disk::LogicalBlockSize;
use gpt::{GptConfig, GptDisk, partition};
use uuid::Uuid;

use super::mbr::{LEN, Mbr, TYPE_PROTECTIVE};
use super::table::SECTOR;
use super::{DiskError, Partition};

/// Room for the second copy of the table at the end of a disk, in bytes: 32
/// sectors of entries and one of header (UEFI specification 2.10, 5.3.2).
pub(super) const BACKUP: u64 = 33 * SECTOR;

/// More entries than this no one makes; the usual count is 128.
const MOST_ENTRIES: u32 = 1024;

/// Length of an entry in bytes, the only one the crate reads.
const ENTRY: u32 = 128;

/// What a disk's table says.
#[derive(Debug)]
pub(super) struct Gpt {
    pub(super) disk_guid: Uuid,
    pub(super) partitions: Vec<Partition>,
}

/// What is to become of a table.
#[derive(Debug, Default)]
pub(super) struct Rewrite {
    /// New length of a partition, in bytes.
    pub(super) len: Option<(u32, u64)>,
    /// New GUID of the disk.
    pub(super) disk_guid: Option<Uuid>,
    /// New GUIDs of partitions.
    pub(super) partition_guids: BTreeMap<u32, Uuid>,
}

/// Reads the table of `file`.
pub(super) fn read(path: &Utf8Path) -> Result<Gpt, DiskError> {
    let file = File::open(path).map_err(|e| DiskError::io("opening", path, e))?;
    let disk = open(path, file, false)?;
    let mut partitions = Vec::new();
    for (number, entry) in disk.partitions() {
        let sectors = (entry.last_lba.checked_sub(entry.first_lba))
            .and_then(|last| last.checked_add(1))
            .filter(|_| entry.last_lba < u64::MAX / SECTOR)
            .ok_or_else(|| bad(path, format!("partition {number} ends before it begins")))?;
        partitions.push(Partition {
            number: *number,
            start: entry.first_lba * SECTOR,
            len: sectors * SECTOR,
            kind: entry.part_type_guid.guid.to_string(),
            partuuid: entry.part_guid.to_string(),
        });
    }
    Ok(Gpt {
        disk_guid: *disk.guid(),
        partitions,
    })
}

/// Changes the table of `path`, whose file already has its new length, and
/// puts the second copy at the new end.
pub(super) fn rewrite(path: &Utf8Path, change: &Rewrite) -> Result<(), DiskError> {
    let fail = |e| DiskError::io("writing", path, e);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(fail)?;
    let len = file.metadata().map_err(fail)?.len();
    let mut disk = open(path, file, true)?;
    if !disk
        .partitions()
        .keys()
        .copied()
        .eq(1..=disk.partitions().len() as u32)
    {
        return Err(bad(
            path,
            "partition numbers have holes; such a table is not rewritten",
        ));
    }
    let old_backup = disk
        .primary_header()
        .ok()
        .map(|header| header.backup_lba * SECTOR);
    let mut entries = disk.take_partitions();
    if let Some((number, len)) = change.len {
        let entry = entry_of(path, &mut entries, number)?;
        entry.last_lba = entry.first_lba + len / SECTOR - 1;
    }
    for (number, guid) in &change.partition_guids {
        entry_of(path, &mut entries, *number)?.part_guid = *guid;
    }
    disk.update_guid(Some(change.disk_guid.unwrap_or(*disk.guid())));
    disk.update_partitions(entries).map_err(|e| bad(path, e))?;
    let file = disk.write().map_err(|e| bad(path, e))?;
    // A second copy left inside the disk would mislead repair tools.
    if let Some(old) = old_backup.filter(|old| *old != 0 && *old < len - SECTOR) {
        wipe_backup(&file, old).map_err(fail)?;
    }
    protect(&file, len).map_err(fail)
}

fn entry_of<'e>(
    path: &Utf8Path,
    entries: &'e mut BTreeMap<u32, partition::Partition>,
    number: u32,
) -> Result<&'e mut partition::Partition, DiskError> {
    entries
        .get_mut(&number)
        .ok_or_else(|| bad(path, format!("there is no partition {number}")))
}

fn open(path: &Utf8Path, file: File, writable: bool) -> Result<GptDisk<File>, DiskError> {
    check(path, &file)?;
    GptConfig::new()
        .writable(writable)
        .logical_block_size(LogicalBlockSize::Lb512)
        .open_from_device(file)
        .map_err(|e| bad(path, e))
}

/// Refuses headers the crate would stumble over.
fn check(path: &Utf8Path, file: &File) -> Result<(), DiskError> {
    let mut header = [0; 92];
    file.read_exact_at(&mut header, SECTOR)
        .map_err(|e| DiskError::io("reading", path, e))?;
    let number = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if header[..8] != *b"EFI PART" {
        return Err(bad(
            path,
            "the GPT header is not where it should be, in the second sector",
        ));
    }
    let (size, count, entry) = (number(12), number(80), number(84));
    if size != 92 || count == 0 || count > MOST_ENTRIES || entry != ENTRY {
        let reason = format!("unusual GPT: header of {size} bytes, {count} entries of {entry}");
        return Err(bad(path, reason));
    }
    Ok(())
}

/// Zeroes a second copy that is no longer at the end, if one is there.
fn wipe_backup(file: &File, header: u64) -> std::io::Result<()> {
    let mut mark = [0; 8];
    file.read_exact_at(&mut mark, header)?;
    if mark == *b"EFI PART" && header >= BACKUP {
        let zeros = [0; BACKUP as usize];
        file.write_all_at(&zeros, header + SECTOR - BACKUP)?;
    }
    Ok(())
}

/// Makes the protective record cover the whole disk.
fn protect(file: &File, len: u64) -> std::io::Result<()> {
    let mut bytes = [0; LEN];
    file.read_exact_at(&mut bytes, 0)?;
    if let Some(mut mbr) = Mbr::parse(&bytes)
        && mbr
            .entry(1)
            .is_some_and(|entry| entry.kind == TYPE_PROTECTIVE)
    {
        mbr.set_sectors(1, u32::try_from(len / SECTOR - 1).unwrap_or(u32::MAX));
        file.write_all_at(mbr.bytes(), 0)?;
    }
    Ok(())
}

fn bad(path: &Utf8Path, reason: impl ToString) -> DiskError {
    DiskError::Table {
        file: path.to_owned(),
        reason: reason.to_string(),
    }
}
