//! Where the journal is.

use super::body::Body;
use super::record::Record;
use super::table::Table;
use super::{Damage, u32_at};
use crate::disk::{DiskError, Region};

/// Whether a filesystem has a journal, in the first word of features.
const HAS_JOURNAL: u32 = 0x4;

/// What is in the journal of the filesystem in `region`, but for its first block,
/// which says in what state it is: bytes from the first to before the last of
/// each piece. None if there is no journal within the filesystem, or if it cannot
/// be told where it is.
///
/// # Errors
/// Those of reading the superblock.
pub(in crate::disk::ext4) fn journal_content(
    region: &Region,
) -> Result<Vec<(u64, u64)>, DiskError> {
    let mut table = Table::open(region)?;
    Ok(find(&mut table).unwrap_or_default())
}

fn find(table: &mut Table) -> Result<Vec<(u64, u64)>, Damage> {
    let superblock = table.superblock()?;
    let long = |at| u32_at(&superblock, at).unwrap_or_default();
    let (compat, number) = (long(0x5c), long(0xe0));
    if compat & HAS_JOURNAL == 0 || number == 0 {
        return Ok(Vec::new());
    }
    let record = Record::parse(number, table.inode(number)?)?;
    let mut runs = Body::of(&record, table)?.places();
    let size = table.block_size;
    if let Some((first, _)) = runs.first_mut() {
        *first += 1;
    }
    Ok(runs
        .into_iter()
        .map(|(first, end)| (first * size, end * size))
        .collect())
}
