//! The superblock: what kind of filesystem this is and how full.

use uuid::Uuid;

use super::features::{Features, INCOMPAT_64BIT, NEEDS_RECOVERY, ORPHAN_PRESENT};
use crate::disk::{DiskError, Region, Window};

/// Where it is and how long.
pub(super) const AT: u64 = 1024;
pub(super) const LEN: usize = 1024;

/// `s_magic`.
const MAGIC: u16 = 0xef53;

/// Bits of `s_state`.
const STATE_VALID: u16 = 1;
const STATE_ERRORS: u16 = 2;

/// What a superblock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// Bytes in a block.
    pub block_size: u64,
    /// Blocks in the filesystem.
    pub blocks: u64,
    /// Blocks not in use, reserved ones included.
    pub free_blocks: u64,
    /// Blocks kept for root.
    pub reserved_blocks: u64,
    /// Inodes in the filesystem.
    pub inodes: u32,
    /// Inodes not in use.
    pub free_inodes: u32,
    /// Bytes in an inode.
    pub inode_size: u16,
    /// Inodes in a group.
    pub inodes_per_group: u32,
    /// Blocks that each copy of the groups' descriptors takes, with those kept
    /// for more groups.
    pub descriptor_blocks: u64,
    /// Features.
    pub features: Features,
    /// UUID of the filesystem.
    pub uuid: Uuid,
    /// What checksums begin with, where that is not taken from the UUID.
    pub checksum_seed: Option<u32>,
    /// Its label.
    pub label: String,
    /// When it was last written to, in seconds since 1970.
    pub write_time: u64,
    /// Whether it was unmounted in order and has no known errors.
    pub clean: bool,
    /// Whether its journal has entries not carried out yet.
    pub needs_recovery: bool,
    /// Whether files wait to be deleted at the next mount.
    pub has_orphans: bool,
}

impl Superblock {
    /// Reads the superblock of the filesystem in `region`.
    ///
    /// # Errors
    /// If there is none, or it makes no sense; what the system said.
    pub fn read(region: &Region) -> Result<Self, DiskError> {
        let mut bytes = [0; LEN];
        Window::read_only(region)?
            .read_at(AT, &mut bytes)
            .map_err(|_| DiskError::filesystem(region, "too short to hold an ext4 filesystem"))?;
        Self::parse(&bytes).map_err(|reason| DiskError::filesystem(region, reason))
    }

    fn parse(bytes: &[u8; LEN]) -> Result<Self, String> {
        let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let long = |at: usize| u32::from(word(at)) | u32::from(word(at + 2)) << 16;
        // The high halves mean something on 64bit filesystems only.
        let wide = |low: usize, high: usize| {
            let high = if long(0x60) & 0x80 != 0 {
                long(high)
            } else {
                0
            };
            u64::from(long(low)) | u64::from(high) << 32
        };
        if word(0x38) != MAGIC {
            return Err("this is no ext4 filesystem".to_owned());
        }
        let exponent = long(0x18);
        let (blocks, free_blocks) = (wide(0x4, 0x150), wide(0xc, 0x158));
        let blocks_per_group = u64::from(long(0x20));
        if exponent > 6 || free_blocks > blocks || blocks_per_group == 0 {
            return Err("the ext4 superblock makes no sense".to_owned());
        }
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&bytes[0x68..0x78]);
        let label = &bytes[0x78..0x88];
        let label = label.split(|byte| *byte == 0).next().unwrap_or_default();
        let features = Features {
            compat: long(0x5c),
            incompat: long(0x60),
            ro_compat: long(0x64),
        };
        let state = word(0x3a);
        let block_size = 1024 << exponent;
        let descriptor_size = match features.incompat & INCOMPAT_64BIT {
            0 => 32,
            _ => u64::from(word(0xfe)),
        };
        let groups = blocks
            .saturating_sub(u64::from(long(0x14)))
            .div_ceil(blocks_per_group);
        let described = groups.saturating_mul(descriptor_size).div_ceil(block_size);
        Ok(Self {
            block_size,
            blocks,
            free_blocks,
            reserved_blocks: wide(0x8, 0x154),
            inodes: long(0x0),
            free_inodes: long(0x10),
            inode_size: if long(0x4c) == 0 { 128 } else { word(0x58) },
            inodes_per_group: long(0x28),
            descriptor_blocks: described + u64::from(word(0xce)),
            features,
            uuid: Uuid::from_bytes(uuid),
            checksum_seed: features.has("metadata_csum_seed").then(|| long(0x270)),
            label: String::from_utf8_lossy(label).into_owned(),
            write_time: u64::from(long(0x30)) | u64::from(bytes[0x274]) << 32,
            clean: state & (STATE_VALID | STATE_ERRORS) == STATE_VALID,
            needs_recovery: features.incompat & NEEDS_RECOVERY != 0,
            has_orphans: long(0xe8) != 0 || features.ro_compat & ORPHAN_PRESENT != 0,
        })
    }

    /// Length of the filesystem in bytes.
    pub fn len(&self) -> u64 {
        self.blocks.saturating_mul(self.block_size)
    }

    /// Blocks of the inodes of a group.
    pub(super) fn inode_table_blocks(&self) -> u64 {
        let bytes = u64::from(self.inodes_per_group) * u64::from(self.inode_size);
        bytes.div_ceil(self.block_size)
    }

    /// Checks that this filesystem, in `region`, may be grown to `len` bytes.
    ///
    /// # Errors
    /// What is in the way.
    pub(super) fn check_growth(&self, region: &Region, len: u64) -> Result<(), DiskError> {
        self.check_editable(region)?;
        if len.is_multiple_of(self.block_size) && len >= region.len {
            return Ok(());
        }
        let reason = format!(
            "cannot grow from {} to {len} bytes in blocks of {}",
            region.len, self.block_size
        );
        Err(DiskError::filesystem(region, reason))
    }

    /// Whether the filesystem has no blocks.
    pub fn is_empty(&self) -> bool {
        self.blocks == 0
    }

    /// Checks that this filesystem may be edited: unmounted in order, and with
    /// no feature that the e2fsprogs required here would mishandle.
    ///
    /// # Errors
    /// What is in the way and what to do about it.
    pub fn check_editable(&self, region: &Region) -> Result<(), DiskError> {
        let refuse = |reason: String| Err(DiskError::filesystem(region, reason));
        let unmount = "mount and unmount it once on a Linux machine, or take a fresh image";
        if self.needs_recovery {
            return refuse(format!("the journal was not replayed; {unmount}"));
        }
        if !self.clean || self.has_orphans {
            return refuse(format!(
                "the filesystem was not unmounted in order; {unmount}"
            ));
        }
        if self.len() > region.len {
            return refuse(format!(
                "the filesystem has {} bytes, but there is only room for {}; \
                 the image may have been cut short",
                self.len(),
                region.len
            ));
        }
        match self.features.not_editable() {
            names if names.is_empty() => Ok(()),
            names => refuse(format!(
                "ext4 features that are not edited here: {}; \
                 a newer pidoop may know them",
                names.join(", ")
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[0x38..0x3a].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[0x3a] = 1;
        bytes[0x18] = 2;
        bytes[0x21] = 0x80;
        bytes[0x4] = 100;
        bytes[0xc] = 40;
        bytes
    }

    fn region() -> Region {
        Region {
            file: "x.img".into(),
            start: 0,
            len: 1 << 20,
            partition: Some(2),
        }
    }

    #[test]
    fn high_halves_count_on_64bit_only() {
        let mut bytes = bytes();
        bytes[0x150] = 1;
        assert_eq!(Superblock::parse(&bytes).unwrap().blocks, 100);
        bytes[0x60] = 0x80;
        assert_eq!(Superblock::parse(&bytes).unwrap().blocks, 100 + (1 << 32));
    }

    #[test]
    fn a_dirty_journal_is_refused() {
        let mut bytes = bytes();
        bytes[0x60] = 0x4;
        let error = Superblock::parse(&bytes)
            .unwrap()
            .check_editable(&region())
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("partition 2 of x.img: the journal"),
            "{error}"
        );
    }

    #[test]
    fn unknown_and_unfit_features_are_refused_by_name() {
        let mut bytes = bytes();
        bytes[0x63] = 0x80;
        bytes[0x65] = 0x01;
        let error = Superblock::parse(&bytes)
            .unwrap()
            .check_editable(&region())
            .unwrap_err();
        assert!(error.to_string().contains("FEATURE_I31, quota"), "{error}");
    }

    #[test]
    fn a_filesystem_longer_than_its_place_is_refused() {
        let block = Superblock::parse(&bytes()).unwrap();
        block.check_editable(&region()).unwrap();
        let short = Region {
            len: 409_599,
            ..region()
        };
        let error = block.check_editable(&short).unwrap_err().to_string();
        assert!(error.contains("409600 bytes"), "{error}");
    }
}
