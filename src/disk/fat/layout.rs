//! Where things are on a FAT filesystem, by its boot sector.

use std::io;

use super::structure::ENTRY;
use crate::disk::Window;

/// Bytes of a table read at a time: few enough to stay close to the processor.
const CHUNK: usize = 64 << 10;

/// Why a filesystem cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    #[error("{0}")]
    Found(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub(super) fn found<T>(what: impl Into<String>) -> Result<T, Damage> {
    Err(Damage::Found(what.into()))
}

/// The boot sector's account of where things are, in bytes.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) wide: bool,
    pub(super) cluster: u64,
    table: u64,
    table_len: u64,
    tables: u64,
    pub(super) root: Root,
    data: u64,
    /// One behind the number of the last cluster; the first is 2.
    pub(super) end: u32,
    pub(super) info: Option<u64>,
}

#[derive(Debug)]
pub(super) enum Root {
    /// FAT16: a place of its own.
    Fixed { at: u64, len: u64 },
    /// FAT32: a chain.
    Chain(u32),
}

impl Layout {
    pub(super) fn read(window: &mut Window) -> Result<Self, Damage> {
        let mut boot = [0; 512];
        window.read_at(0, &mut boot)?;
        let word = |at: usize| u64::from(u16::from_le_bytes([boot[at], boot[at + 1]]));
        let long = |at: usize| word(at) | word(at + 2) << 16;
        let or = |short: u64, wide: u64| if short != 0 { short } else { wide };
        let (sector, per_cluster) = (word(11), u64::from(boot[13]));
        if boot[510..] != [0x55, 0xaa]
            || !matches!(sector, 512 | 1024 | 2048 | 4096)
            || !per_cluster.is_power_of_two()
        {
            return found("its first sector is no FAT boot sector");
        }
        let (reserved, tables) = (word(14), u64::from(boot[16]));
        let (total, per_table) = (or(word(19), long(32)), or(word(22), long(36)));
        let root_len = word(17) * ENTRY as u64;
        let before_data = reserved + tables * per_table + root_len.div_ceil(sector);
        if reserved == 0 || tables == 0 || per_table == 0 || total <= before_data {
            return found("its boot sector makes no sense");
        }
        if total * sector > window.len() {
            let (claimed, len) = (total * sector, window.len());
            return found(format!(
                "it claims {claimed} bytes, but there are only {len}"
            ));
        }
        let clusters = (total - before_data) / per_cluster;
        let wide = clusters >= 65_525;
        let entry_len = if wide { 4 } else { 2 };
        if clusters < 4085 || (clusters + 2) * entry_len > per_table * sector {
            return found(format!(
                "{clusters} clusters do not make a FAT16 or FAT32 filesystem"
            ));
        }
        let root_at = (reserved + tables * per_table) * sector;
        Ok(Self {
            wide,
            cluster: per_cluster * sector,
            table: reserved * sector,
            table_len: per_table * sector,
            tables,
            root: match wide {
                // Its high bits are reserved.
                true => Root::Chain(long(44) as u32 & 0x0fff_ffff),
                false => Root::Fixed {
                    at: root_at,
                    len: root_len,
                },
            },
            data: before_data * sector,
            end: (clusters + 2) as u32,
            info: wide.then(|| word(48) * sector),
        })
    }

    /// Where cluster `number` begins.
    pub(super) fn place(&self, number: u32) -> u64 {
        self.data + u64::from(number - 2) * self.cluster
    }

    /// The table's entries, as `u32` with FAT16's marks stretched, up to the last
    /// that is not zero: most of a boot partition is free, and memory for that
    /// would take longer to have than the table to read.
    pub(super) fn entries(&self, window: &mut Window) -> Result<Vec<u32>, Damage> {
        let end = self.end as usize;
        let width = if self.wide { 4 } else { 2 };
        let mut entries = Vec::new();
        let mut buffers = [vec![0; CHUNK], vec![0; CHUNK]];
        for at in (0..self.table_len).step_by(CHUNK) {
            let len = (self.table_len - at).min(CHUNK as u64) as usize;
            let is_hole = |copy: u64| {
                let place = self.table + copy * self.table_len + at;
                window.is_hole(place, len as u64)
            };
            if (0..self.tables).all(is_hole) {
                continue;
            }
            let [first, other] = buffers.each_mut().map(|buffer| &mut buffer[..len]);
            window.read_at(self.table + at, first)?;
            for copy in 1..self.tables {
                window.read_at(self.table + copy * self.table_len + at, other)?;
                if first != other {
                    return found("its copies of the table differ");
                }
            }
            let used = first.iter().rposition(|byte| *byte != 0);
            let Some(used) = used.map(|last| last / width + 1) else {
                continue;
            };
            let before = (at as usize / width).min(end);
            // What was passed over is free.
            entries.resize(before, 0);
            let wanted = used.min(end - before);
            match self.wide {
                true => entries.extend(
                    (first.as_chunks().0.iter().take(wanted))
                        .map(|bytes| u32::from_le_bytes(*bytes) & 0x0fff_ffff),
                ),
                false => entries.extend((first.as_chunks().0.iter().take(wanted)).map(|bytes| {
                    match u16::from_le_bytes(*bytes) {
                        mark @ 0xfff0.. => u32::from(mark) | 0x0fff_0000,
                        next => u32::from(next),
                    }
                })),
            }
        }
        Ok(entries)
    }
}
