//! The partition table of an image, of either kind.

use camino::Utf8Path;
use fs_err::os::unix::fs::FileExt;
use uuid::Uuid;

use super::gpt;
use super::mbr::{LEN, Mbr, TYPE_PROTECTIVE};
use super::{DiskError, Format, Region, open_scattered};

/// Bytes in a sector; images for SD cards know no other size.
pub(super) const SECTOR: u64 = 512;

/// A partition table as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionTable {
    /// Which kind, and the id of the disk.
    pub kind: TableKind,
    /// The used entries, by number.
    pub partitions: Vec<Partition>,
}

/// Kinds of partition tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// A master boot record, as every Raspberry Pi OS image has
    /// (pi-gen export-image/prerun.sh).
    Mbr {
        /// The number behind `PARTUUID=<8 hex digits>-02`.
        disk_id: u32,
    },
    /// A GUID partition table.
    Gpt {
        /// GUID of the disk; partitions have their own.
        disk_guid: Uuid,
    },
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1.
    pub number: u32,
    /// First byte.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// Its type: two hex digits (`0c`, `83`) in an MBR, a GUID in a GPT.
    pub kind: String,
    /// What stands behind `PARTUUID=` to mean this partition.
    pub partuuid: String,
}

impl Partition {
    /// First byte behind the partition.
    pub fn end(&self) -> u64 {
        self.start + self.len
    }

    /// This partition as a region of `file`.
    pub fn region(&self, file: &Utf8Path) -> Region {
        Region {
            file: file.to_owned(),
            start: self.start,
            len: self.len,
            partition: Some(self.number),
        }
    }
}

impl PartitionTable {
    /// Reads the table of the image at `path`.
    ///
    /// # Errors
    /// [`DiskError::NotADisk`] if there is none, saying what the file looks
    /// like; [`DiskError::Truncated`] if a partition reaches beyond the file;
    /// [`DiskError::Table`] if entries make no sense.
    pub fn read(path: &Utf8Path) -> Result<Self, DiskError> {
        let fail = |e| DiskError::io("reading", path, e);
        let file = open_scattered(path).map_err(fail)?;
        let len = file.metadata().map_err(fail)?.len();
        let format = Format::sniff(&file, 0, len).map_err(fail)?;
        let mut first = [0; LEN];
        let mbr = if len < LEN as u64 {
            None
        } else {
            file.read_exact_at(&mut first, 0).map_err(fail)?;
            Mbr::parse(&first).filter(Mbr::is_plausible)
        };
        let is_table = matches!(format, Format::Unknown | Format::Blank | Format::Other(_));
        let Some(mbr) = mbr.filter(|mbr| is_table && mbr.entries().next().is_some()) else {
            let found = not_a_disk(format, len);
            return Err(DiskError::NotADisk {
                file: path.to_owned(),
                found,
            });
        };
        let table = if mbr
            .entries()
            .any(|(_, entry)| entry.kind == TYPE_PROTECTIVE)
        {
            let gpt = gpt::read(path)?;
            let kind = TableKind::Gpt {
                disk_guid: gpt.disk_guid,
            };
            Self {
                kind,
                partitions: gpt.partitions,
            }
        } else {
            Self::from_mbr(path, &mbr)?
        };
        table.check(path, len)?;
        Ok(table)
    }

    fn from_mbr(path: &Utf8Path, mbr: &Mbr) -> Result<Self, DiskError> {
        let disk_id = mbr.disk_id();
        let mut partitions = Vec::new();
        for (number, entry) in mbr.entries() {
            if entry.is_extended() {
                let reason = format!(
                    "partition {number} is an extended one, as the installers NOOBS and PINN make it; \
                     take the image of the operating system itself"
                );
                return Err(DiskError::Table {
                    file: path.to_owned(),
                    reason,
                });
            }
            partitions.push(Partition {
                number,
                start: u64::from(entry.start) * SECTOR,
                len: u64::from(entry.sectors) * SECTOR,
                kind: format!("{:02x}", entry.kind),
                partuuid: format!("{disk_id:08x}-{number:02x}"),
            });
        }
        Ok(Self {
            kind: TableKind::Mbr { disk_id },
            partitions,
        })
    }

    /// Partition `number`, if there is one.
    pub fn partition(&self, number: u32) -> Option<&Partition> {
        self.partitions
            .iter()
            .find(|partition| partition.number == number)
    }

    fn check(&self, path: &Utf8Path, len: u64) -> Result<(), DiskError> {
        let bad = |reason| {
            Err(DiskError::Table {
                file: path.to_owned(),
                reason,
            })
        };
        let mut in_order: Vec<&Partition> = self.partitions.iter().collect();
        in_order.sort_by_key(|partition| partition.start);
        if let Some(first) = in_order.first()
            && first.start < SECTOR
        {
            return bad(format!(
                "partition {} begins on the table itself",
                first.number
            ));
        }
        for pair in in_order.windows(2) {
            if pair[1].start < pair[0].end() {
                let (one, other) = (pair[0].number, pair[1].number);
                return bad(format!("partitions {one} and {other} overlap"));
            }
        }
        match in_order.iter().find(|partition| partition.end() > len) {
            None => Ok(()),
            Some(partition) => Err(DiskError::Truncated {
                file: path.to_owned(),
                partition: partition.number,
                end: partition.end(),
                len,
            }),
        }
    }
}

fn not_a_disk(format: Format, len: u64) -> String {
    match format {
        Format::Compressed(name) => format!("it is compressed with {name}; unpack it first"),
        Format::Blank if len == 0 => "it is empty".to_owned(),
        Format::Blank => "it begins with zeros only".to_owned(),
        Format::Unknown => "it has no partition table".to_owned(),
        Format::Fat | Format::Ext4 | Format::OldExt => {
            format!("it holds one {format} filesystem and no partition table")
        }
        Format::Other(name) => format!("it looks like {name}"),
    }
}
