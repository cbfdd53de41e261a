//! Finding inodes by number.

use std::collections::HashMap;

use fs_err::File;
use fs_err::os::unix::fs::FileExt;

use super::{Damage, u16_at, u32_at};
use crate::disk::ext4::features::NEEDS_RECOVERY;
use crate::disk::ext4::superblock::{AT, LEN};
use crate::disk::{DiskError, Region};

/// Blocks are numbered within this: no filesystem here is larger than 2^48
/// blocks (the layout has no room for more).
const MOST_BLOCKS: u64 = 1 << 48;

/// The filesystem's file, and where its inodes are.
#[derive(Debug)]
pub(super) struct Table {
    region: Region,
    file: File,
    pub(super) block_size: u64,
    pub(super) blocks: u64,
    inodes: u32,
    inodes_per_group: u32,
    pub(super) inode_size: usize,
    /// First block of the inode table of each group.
    tables: Vec<u64>,
    /// Blocks of inodes that were read.
    pages: HashMap<u64, Vec<u8>>,
}

impl Table {
    /// Of the filesystem in `region`.
    pub(super) fn open(region: &Region) -> Result<Self, DiskError> {
        let file =
            File::open(&region.file).map_err(|e| DiskError::io("opening", &region.file, e))?;
        let mut superblock = [0; LEN];
        file.read_exact_at(&mut superblock, region.start + AT)
            .map_err(|e| DiskError::io("reading", &region.file, e))?;
        let table = Self::parse(region, file, &superblock);
        table.map_err(|damage| DiskError::filesystem(region, damaged(&damage)))
    }

    fn parse(region: &Region, file: File, superblock: &[u8; LEN]) -> Result<Self, Damage> {
        let nonsense = || "its superblock makes no sense".to_owned();
        let long = |at| u32_at(superblock, at).unwrap_or_default();
        let word = |at| u16_at(superblock, at).unwrap_or_default();
        let (incompat, exponent) = (long(0x60), long(0x18));
        if incompat & NEEDS_RECOVERY != 0 {
            return Err("its journal was not replayed".to_owned());
        }
        let is_wide = incompat & 0x80 != 0;
        let high = if is_wide { long(0x150) } else { 0 };
        let blocks = u64::from(long(0x4)) | u64::from(high) << 32;
        let first_data_block = u64::from(long(0x14));
        let blocks_per_group = u64::from(long(0x20));
        let inodes_per_group = long(0x28);
        let old = long(0x4c) == 0;
        let inode_size = if old { 128 } else { usize::from(word(0x58)) };
        let descriptor = if is_wide { usize::from(word(0xfe)) } else { 32 };
        let sane = exponent <= 6
            && (1..MOST_BLOCKS).contains(&blocks)
            && first_data_block < blocks
            && blocks_per_group > 0
            && inodes_per_group > 0
            && inode_size >= 128
            && descriptor >= if is_wide { 64 } else { 32 };
        let block_size = 1024 << exponent.min(6);
        if !sane || inode_size as u64 > block_size || descriptor as u64 > block_size {
            return Err(nonsense());
        }
        let mut table = Self {
            region: region.clone(),
            file,
            block_size,
            blocks,
            inodes: long(0x0),
            inodes_per_group,
            inode_size,
            tables: Vec::new(),
            pages: HashMap::new(),
        };
        let groups = (blocks - first_data_block).div_ceil(blocks_per_group);
        if groups > u64::from(table.inodes.div_ceil(inodes_per_group)) {
            return Err(nonsense());
        }
        let per_block = block_size / descriptor as u64;
        // With meta_bg, descriptors are spread over the disk from some block
        // of them on.
        let meta_from = match incompat & 0x10 {
            0 => u64::MAX,
            _ => u64::from(long(0x104)),
        };
        let has_copy = |group| group_has_copy(long(0x64), long(0x5c), group);
        for first in (0..groups).step_by(per_block as usize) {
            let number = first / per_block;
            let at = if number < meta_from {
                first_data_block + 1 + number
            } else {
                let group_start = first_data_block + first * blocks_per_group;
                // A group in a block of 1 KiB numbers the superblock from 1.
                group_start + u64::from(has_copy(first))
            };
            let block = table.block(at)?;
            for index in 0..per_block.min(groups - first) as usize {
                let at = index * descriptor;
                let low = u32_at(&block, at + 8).unwrap_or_default();
                let high = match is_wide {
                    true => u32_at(&block, at + 0x28).unwrap_or_default(),
                    false => 0,
                };
                table.tables.push(u64::from(low) | u64::from(high) << 32);
            }
        }
        Ok(table)
    }

    /// The filesystem's place.
    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    /// The superblock.
    pub(super) fn superblock(&self) -> Result<Vec<u8>, Damage> {
        let mut bytes = vec![0; LEN];
        self.file
            .read_exact_at(&mut bytes, self.region.start + AT)
            .map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    /// The whole block `number`.
    pub(super) fn block(&self, number: u64) -> Result<Vec<u8>, Damage> {
        let mut bytes = vec![0; self.block_size as usize];
        self.read(number, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `bytes` from byte `offset` of block `number` and those behind it.
    pub(super) fn read(&self, number: u64, offset: u64, bytes: &mut [u8]) -> Result<(), Damage> {
        let len = bytes.len() as u64;
        let at = number
            .checked_mul(self.block_size)
            .and_then(|at| at.checked_add(offset))
            .filter(|at| {
                at.checked_add(len)
                    .is_some_and(|end| end <= self.region.len)
            });
        let (Some(at), true) = (at, number < self.blocks) else {
            return Err(format!("block {number} lies outside of it"));
        };
        self.file
            .read_exact_at(bytes, self.region.start + at)
            .map_err(|error| error.to_string())
    }

    /// The bytes of inode `number`.
    pub(super) fn inode(&mut self, number: u32) -> Result<Vec<u8>, Damage> {
        if number == 0 || number > self.inodes {
            return Err(format!("there is no inode {number}"));
        }
        let group = (number - 1) / self.inodes_per_group;
        let offset = u64::from((number - 1) % self.inodes_per_group) * self.inode_size as u64;
        let table = self.tables.get(group as usize);
        let table = table.ok_or_else(|| format!("there is no group of inode {number}"))?;
        let block = table.saturating_add(offset / self.block_size);
        let within = (offset % self.block_size) as usize;
        if !self.pages.contains_key(&block) {
            let bytes = self.block(block)?;
            self.pages.insert(block, bytes);
        }
        let page = &self.pages[&block];
        Ok(page[within..within + self.inode_size].to_vec())
    }
}

/// Whether a group begins with a copy of the superblock, behind which its
/// block of descriptors is (`ext4_bg_has_super` in linux `fs/ext4/balloc.c`).
fn group_has_copy(ro_compat: u32, compat: u32, group: u64) -> bool {
    let power_of = |base: u64| {
        let mut power = base;
        while power < group {
            power *= base;
        }
        power == group
    };
    let sparse = ro_compat & 0x1 != 0;
    let sparse_2 = compat & 0x200 != 0;
    group == 0 || (!sparse_2 && (!sparse || group == 1 || [3, 5, 7].into_iter().any(power_of)))
}

/// What to say of a filesystem that cannot be listed.
pub(super) fn damaged(damage: &str) -> String {
    format!("the filesystem cannot be listed: {damage}; e2fsck -fn tells whether it is damaged")
}
