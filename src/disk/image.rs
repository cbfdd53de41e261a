//! A disk image laid out like Raspberry Pi OS.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::os::unix::fs::FileExt;
use fs_err::{File, OpenOptions};
use uuid::Uuid;

use super::ext4::Growth;
use super::mbr::{LEN, Mbr};
use super::shape::{self, BOOT, ROOT};
use super::sparse::punch;
use super::table::SECTOR;
use super::{DiskError, Format, Partition, PartitionTable, Piece, Region, TableKind};
use super::{copy_range, gpt, splice_range};

/// Alignments pi-gen has used: 4 MiB, since May 2025 8 MiB.
const ALIGNMENTS: [u64; 2] = [8 << 20, 4 << 20];

/// An image file with a FAT boot partition 1 and, last on the disk, an ext4
/// root partition 2. Its partition table is in memory; its file is opened
/// when needed.
#[derive(Clone, Debug)]
pub struct PiImage {
    path: Utf8PathBuf,
    table: PartitionTable,
}

impl PiImage {
    /// Opens the image at `path` and checks its layout.
    ///
    /// # Errors
    /// Those of [`PartitionTable::read`], and [`DiskError::NotPiShaped`]
    /// telling what was found.
    pub fn open(path: impl AsRef<Utf8Path>) -> Result<Self, DiskError> {
        let path = path.as_ref();
        let table = PartitionTable::read(path)?;
        let file = File::open(path).map_err(|e| DiskError::io("opening", path, e))?;
        let mut formats = BTreeMap::new();
        for partition in &table.partitions {
            let format = Format::sniff(&file, partition.start, partition.len)
                .map_err(|e| DiskError::io("reading", path, e))?;
            formats.insert(partition.number, format);
        }
        let root_is_last = table.partition(ROOT).is_some_and(|root| {
            table
                .partitions
                .iter()
                .all(|partition| partition.start <= root.start)
        });
        let fits = formats.get(&BOOT) == Some(&Format::Fat)
            && formats.get(&ROOT) == Some(&Format::Ext4)
            && root_is_last;
        if fits {
            Ok(Self {
                path: path.to_owned(),
                table,
            })
        } else {
            Err(DiskError::NotPiShaped {
                file: path.to_owned(),
                found: shape::describe(&table, &formats),
                advice: shape::advice(&table, &formats),
            })
        }
    }

    /// Where the image is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Its partition table.
    pub fn table(&self) -> &PartitionTable {
        &self.table
    }

    /// The boot partition's entry.
    pub fn boot_partition(&self) -> &Partition {
        self.expect(BOOT)
    }

    /// The root partition's entry.
    pub fn root_partition(&self) -> &Partition {
        self.expect(ROOT)
    }

    /// The boot (FAT) filesystem.
    pub fn boot(&self) -> Region {
        self.boot_partition().region(&self.path)
    }

    /// The root (ext4) filesystem.
    pub fn root(&self) -> Region {
        self.root_partition().region(&self.path)
    }

    /// What partitions are aligned to, in bytes: what the first one's start
    /// is a multiple of, 8 MiB or 4 MiB, else 1 MiB.
    pub fn alignment(&self) -> u64 {
        let start = self.boot_partition().start;
        ALIGNMENTS
            .into_iter()
            .find(|size| start.is_multiple_of(*size))
            .unwrap_or(1 << 20)
    }

    /// Copies the root filesystem into a new file of its own, `to`, where it
    /// can be grown ([`grow`](super::ext4::grow)).
    ///
    /// # Errors
    /// What the system said about either file.
    pub fn extract_root(&self, to: &Utf8Path) -> Result<Region, DiskError> {
        copy_range(&self.root(), to)?;
        Region::whole(to)
    }

    /// Puts the filesystem in the file `from` in place of the root partition,
    /// which takes on its length. The image ends where the partition ends,
    /// behind which a GPT has its second copy.
    ///
    /// # Errors
    /// If `from` is no whole number of sectors, is shorter than the partition
    /// or too long for the table; what the system said about either file.
    pub fn splice_root(&mut self, from: &Utf8Path) -> Result<(), DiskError> {
        let len = Region::whole(from)?.len;
        let root = self.root_partition().clone();
        if len < root.len {
            let (number, old) = (root.number, root.len);
            return Err(self.bad_table(format!(
                "partition {number} of {old} bytes cannot take the {len} bytes of {from}"
            )));
        }
        self.lengthen_root(len)?;
        splice_range(from, &self.path, root.start)?;
        self.reread()
    }

    /// Carries out what [`Growth::rehearse`] found for the root filesystem, and
    /// lengthens its partition.
    ///
    /// # Errors
    /// Those of [`PiImage::splice_root`].
    pub fn grow_root(&mut self, growth: &Growth) -> Result<(), DiskError> {
        let start = self.root_partition().start;
        self.lengthen_root(growth.to)?;
        let write = || {
            let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
            punch(&file, start + growth.from, growth.to - growth.from)?;
            for (from, to) in &growth.zeroed {
                punch(&file, start + from, to - from)?;
            }
            for Piece { at, bytes } in &growth.pieces {
                file.write_all_at(bytes, start + at)?;
            }
            Ok(())
        };
        write().map_err(|e| DiskError::io("writing", &self.path, e))?;
        self.reread()
    }

    /// Gives the root partition this length in the table, and the file the one
    /// that goes with it.
    fn lengthen_root(&mut self, len: u64) -> Result<(), DiskError> {
        let root = self.root_partition();
        if !len.is_multiple_of(SECTOR) {
            let reason = format!("partition {} cannot have {len} bytes", root.number);
            return Err(self.bad_table(reason));
        }
        let end = root.start + len;
        match self.table.kind {
            TableKind::Mbr { .. } => {
                let sectors = u32::try_from(len / SECTOR)
                    .ok()
                    .filter(|_| end / SECTOR <= u64::from(u32::MAX))
                    .ok_or_else(|| self.bad_table("an MBR ends at 2 TiB".to_owned()))?;
                self.set_file_len(end)?;
                let mut mbr = self.mbr()?;
                mbr.set_sectors(ROOT, sectors);
                self.write_mbr(mbr.bytes())
            }
            TableKind::Gpt { .. } => {
                self.set_file_len((end + gpt::BACKUP).next_multiple_of(1 << 20))?;
                let change = gpt::Rewrite {
                    len: Some((ROOT, len)),
                    ..Default::default()
                };
                // The old second copy goes now: the filesystem may lie on its
                // place.
                gpt::rewrite(&self.path, &change)
            }
        }
    }

    /// Gives an MBR disk another id; both `PARTUUID`s follow from it, and so
    /// must `/etc/fstab` and `cmdline.txt`.
    ///
    /// # Errors
    /// If the image has a GPT; what the system said.
    pub fn set_disk_id(&mut self, id: u32) -> Result<(), DiskError> {
        let piece = self.rehearse_disk_id(id)?;
        self.write_mbr(&piece.bytes)?;
        self.reread()
    }

    /// What [`PiImage::set_disk_id`] would write, without writing it.
    ///
    /// # Errors
    /// Those of [`PiImage::set_disk_id`].
    pub fn rehearse_disk_id(&self, id: u32) -> Result<Piece, DiskError> {
        let mut mbr = self.mbr()?;
        mbr.set_disk_id(id);
        Ok(Piece {
            at: 0,
            bytes: mbr.bytes().to_vec(),
        })
    }

    /// Gives a GPT disk and its two partitions other GUIDs.
    ///
    /// # Errors
    /// If the image has an MBR; what the system said.
    pub fn set_guids(&mut self, disk: Uuid, boot: Uuid, root: Uuid) -> Result<(), DiskError> {
        if let TableKind::Mbr { .. } = self.table.kind {
            return Err(self.bad_table("an MBR has a disk id in place of GUIDs".to_owned()));
        }
        let change = gpt::Rewrite {
            disk_guid: Some(disk),
            partition_guids: BTreeMap::from([(BOOT, boot), (ROOT, root)]),
            len: None,
        };
        gpt::rewrite(&self.path, &change)?;
        self.reread()
    }

    fn reread(&mut self) -> Result<(), DiskError> {
        *self = Self::open(&self.path)?;
        Ok(())
    }

    /// The MBR as it is on the disk.
    fn mbr(&self) -> Result<Mbr, DiskError> {
        if let TableKind::Gpt { .. } = self.table.kind {
            return Err(self.bad_table("a GPT has GUIDs in place of a disk id".to_owned()));
        }
        let mut bytes = [0; LEN];
        File::open(&self.path)
            .and_then(|file| file.read_exact_at(&mut bytes, 0))
            .map_err(|e| DiskError::io("reading", &self.path, e))?;
        Mbr::parse(&bytes).ok_or_else(|| self.bad_table("it is gone".to_owned()))
    }

    fn write_mbr(&self, bytes: &[u8]) -> Result<(), DiskError> {
        OpenOptions::new()
            .write(true)
            .open(&self.path)
            .and_then(|file| file.write_all_at(bytes, 0))
            .map_err(|e| DiskError::io("writing", &self.path, e))
    }

    fn set_file_len(&self, len: u64) -> Result<(), DiskError> {
        OpenOptions::new()
            .write(true)
            .open(&self.path)
            .and_then(|file| file.set_len(len))
            .map_err(|e| DiskError::io("resizing", &self.path, e))
    }

    fn bad_table(&self, reason: String) -> DiskError {
        DiskError::Table {
            file: self.path.clone(),
            reason,
        }
    }

    /// A partition that [`PiImage::open`] has seen.
    #[allow(clippy::expect_used)]
    fn expect(&self, number: u32) -> &Partition {
        self.table
            .partition(number)
            .expect("checked when the image was opened")
    }
}
