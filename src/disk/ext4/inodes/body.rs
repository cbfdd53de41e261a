//! Where the content of an inode is, and reading it.

use std::io::Read;

use super::attributes::{INLINE_DATA, attributes};
use super::record::{PLACE, PLACE_LEN, Record};
use super::table::Table;
use super::{Damage, u16_at, u32_at};

/// Begins each node of an extent tree.
const EXTENT_MAGIC: u16 = 0xf30a;
/// Length of a node's header, and of each entry.
const EXTENT: usize = 12;
/// Deeper than this no tree is (linux `fs/ext4/ext4_extents.h`).
const DEEPEST: u16 = 5;
/// Extents longer than this are allocated but not written: they read as zeros.
const LONGEST: u16 = 32_768;

/// Bytes read at a time.
pub(super) const CHUNK: u64 = 1 << 20;

/// Content of an inode.
#[derive(Clone, Debug)]
pub(super) struct Body {
    /// Its length in bytes.
    pub(super) len: u64,
    kept: Kept,
}

/// How content is kept.
#[derive(Clone, Debug)]
enum Kept {
    /// In the inode.
    Inline(Vec<u8>),
    /// In blocks; what no run covers are zeros.
    Runs(Vec<Run>),
}

/// Blocks of a file that are neighbours on the disk too.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Number of the first block in the file.
    logical: u64,
    /// Number of blocks.
    count: u64,
    /// Number of the first block on the disk.
    physical: u64,
    /// Whether anything was written to them; else they read as zeros.
    written: bool,
}

impl Run {
    /// Number of the block of the file behind it.
    fn end(&self) -> u64 {
        self.logical + self.count
    }
}

impl Body {
    /// Of the inode that `record` is.
    pub(super) fn of(record: &Record, table: &Table) -> Result<Self, Damage> {
        let kept = if record.inline {
            let mut bytes = record.bytes[PLACE..PLACE + PLACE_LEN].to_vec();
            if let Some(rest) = attributes(record, table)?.get(INLINE_DATA) {
                bytes.extend_from_slice(rest);
            }
            if (bytes.len() as u64) < record.size {
                return Err("content in an inode is shorter than it should be".to_owned());
            }
            Kept::Inline(bytes)
        } else {
            let mut runs = Vec::new();
            let root = &record.bytes[PLACE..PLACE + PLACE_LEN];
            if record.extents {
                extents(root, DEEPEST, table, &mut runs)?;
            } else {
                let wanted = record.size.div_ceil(table.block_size);
                block_map(root, wanted, table, &mut runs)?;
            }
            Kept::Runs(runs)
        };
        let len = record.size;
        Ok(Self { len, kept })
    }

    /// All of it. For what is known to be short: `longest` bytes at most.
    pub(super) fn read(&self, longest: u64, table: &Table) -> Result<Vec<u8>, Damage> {
        if self.len > longest {
            return Err(format!("{} bytes where {longest} are the most", self.len));
        }
        let mut bytes = vec![0; self.len as usize];
        self.read_at(0, &mut bytes, table)?;
        Ok(bytes)
    }

    /// Fills `bytes` from byte `at` on, which is the first one of a block.
    fn read_at(&self, at: u64, bytes: &mut [u8], table: &Table) -> Result<(), Damage> {
        match &self.kept {
            Kept::Inline(all) => {
                let at = at as usize;
                bytes.copy_from_slice(&all[at..at + bytes.len()]);
            }
            Kept::Runs(runs) => {
                bytes.fill(0);
                let end = at + bytes.len() as u64;
                let block = table.block_size;
                let first = runs.partition_point(|run| run.end() * block <= at);
                for run in &runs[first..] {
                    let from = (run.logical * block).max(at);
                    let to = (run.end() * block).min(end);
                    if from >= to {
                        break;
                    }
                    if !run.written {
                        continue;
                    }
                    let part = &mut bytes[(from - at) as usize..(to - at) as usize];
                    table.read(run.physical, from - run.logical * block, part)?;
                }
            }
        }
        Ok(())
    }

    /// Whether two bodies of one length have the same bytes.
    pub(super) fn is_same(
        &self,
        table: &Table,
        other: &Self,
        other_table: &Table,
    ) -> Result<bool, Damage> {
        let (mut one, mut two) = (self.buffer(), self.buffer());
        let mut at = 0;
        loop {
            // Where both have none, both are zeros.
            let data = |body: &Self, table: &Table| body.next_data(at, table.block_size);
            at = data(self, table).min(data(other, other_table));
            if at >= self.len {
                return Ok(self.len == other.len);
            }
            let len = (self.len - at).min(CHUNK) as usize;
            let (one, two) = (&mut one[..len], &mut two[..len]);
            self.read_at(at, one, table)?;
            other.read_at(at, two, other_table)?;
            if one != two {
                return Ok(false);
            }
            at += len as u64;
        }
    }

    /// Room for as much as is read at a time.
    fn buffer(&self) -> Vec<u8> {
        vec![0; self.len.min(CHUNK) as usize]
    }

    /// Whether it has the bytes that `other` gives.
    pub(super) fn has_bytes(&self, table: &Table, other: &mut dyn Read) -> Result<bool, Damage> {
        let (mut one, mut two) = (self.buffer(), Vec::new());
        let mut at = 0;
        loop {
            let len = (self.len - at).min(CHUNK) as usize;
            let one = &mut one[..len];
            two.clear();
            self.read_at(at, one, table)?;
            // One byte more at the end, which must not be there.
            let wanted = if len == 0 { 1 } else { len as u64 };
            (&mut *other)
                .take(wanted)
                .read_to_end(&mut two)
                .map_err(|error| error.to_string())?;
            if *one != two[..] {
                return Ok(false);
            }
            if len == 0 {
                return Ok(true);
            }
            at += len as u64;
        }
    }

    /// Where on the disk it is: number of the first block and the one behind the
    /// last, piece by piece. None if it is in the inode.
    pub(super) fn places(&self) -> Vec<(u64, u64)> {
        match &self.kept {
            Kept::Inline(_) => Vec::new(),
            Kept::Runs(runs) => runs
                .iter()
                .map(|run| (run.physical, run.physical + run.count))
                .collect(),
        }
    }

    /// The first byte from `at` on that is in a block, or the end.
    fn next_data(&self, at: u64, block: u64) -> u64 {
        match &self.kept {
            Kept::Inline(_) => at,
            Kept::Runs(runs) => {
                let next = runs.partition_point(|run| run.end() * block <= at);
                runs.get(next)
                    .map_or(self.len, |run| (run.logical * block).max(at))
            }
        }
    }
}

/// Adds the runs of the extent tree below `node`.
fn extents(node: &[u8], deepest: u16, table: &Table, runs: &mut Vec<Run>) -> Result<(), Damage> {
    let bad = || "the extents of a file make no sense".to_owned();
    let word = |at| u16_at(node, at).ok_or_else(bad);
    let long = |at| u32_at(node, at).ok_or_else(bad);
    let (count, depth) = (usize::from(word(2)?), word(6)?);
    if word(0)? != EXTENT_MAGIC || depth > deepest {
        return Err(bad());
    }
    for index in 1..=count {
        let at = index * EXTENT;
        if depth == 0 {
            let len = word(at + 4)?;
            let written = len <= LONGEST;
            let run = Run {
                logical: u64::from(long(at)?),
                count: u64::from(if written { len } else { len - LONGEST }),
                physical: u64::from(long(at + 8)?) | u64::from(word(at + 6)?) << 32,
                written,
            };
            if run.count == 0 || runs.last().is_some_and(|last| run.logical < last.end()) {
                return Err(bad());
            }
            runs.push(run);
        } else {
            let child = u64::from(long(at + 4)?) | u64::from(word(at + 8)?) << 32;
            let child = table.block(child)?;
            // Each level down counts one less and has something in it: with the
            // order of runs this ends walks in circles.
            let fits = u16_at(&child, 6) == Some(depth - 1) && u16_at(&child, 2) != Some(0);
            if !fits {
                return Err(bad());
            }
            extents(&child, depth - 1, table, runs)?;
        }
    }
    Ok(())
}

/// Adds the runs of the older map: twelve blocks, then one, two and three
/// levels of blocks with numbers of blocks. Numbers of zero are holes.
fn block_map(root: &[u8], wanted: u64, table: &Table, runs: &mut Vec<Run>) -> Result<(), Damage> {
    let number = |at: usize| u64::from(u32_at(root, 4 * at).unwrap_or_default());
    let mut logical = 0;
    let mut budget = table.blocks;
    for at in 0..12 {
        add_block(number(at), &mut logical, wanted, runs);
    }
    for level in 1..=3 {
        let at = 11 + level as usize;
        indirect(
            number(at),
            level,
            &mut logical,
            wanted,
            table,
            &mut budget,
            runs,
        )?;
    }
    if logical < wanted {
        return Err("a file is longer than its map of blocks".to_owned());
    }
    Ok(())
}

fn indirect(
    block: u64,
    level: u32,
    logical: &mut u64,
    wanted: u64,
    table: &Table,
    budget: &mut u64,
    runs: &mut Vec<Run>,
) -> Result<(), Damage> {
    let per_block = table.block_size / 4;
    if *logical >= wanted {
        return Ok(());
    }
    if block == 0 {
        *logical += per_block.pow(level);
        return Ok(());
    }
    // No file has more blocks of numbers than the filesystem has blocks: with
    // this, maps that lead back to themselves end.
    *budget = budget
        .checked_sub(1)
        .ok_or("a map of blocks goes round in circles")?;
    let bytes = table.block(block)?;
    for index in 0..per_block as usize {
        let number = u64::from(u32_at(&bytes, 4 * index).unwrap_or_default());
        if level == 1 {
            add_block(number, logical, wanted, runs);
        } else {
            indirect(number, level - 1, logical, wanted, table, budget, runs)?;
        }
    }
    Ok(())
}

fn add_block(physical: u64, logical: &mut u64, wanted: u64, runs: &mut Vec<Run>) {
    let at = *logical;
    *logical += 1;
    if physical == 0 || at >= wanted {
        return;
    }
    match runs.last_mut() {
        Some(run) if run.end() == at && run.physical + run.count == physical => {
            run.count += 1;
        }
        _ => runs.push(Run {
            logical: at,
            count: 1,
            physical,
            written: true,
        }),
    }
}
