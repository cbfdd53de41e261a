//! The superblock: what kind of filesystem this is and how full.

use std::fmt;

use uuid::Uuid;

use crate::disk::{DiskError, Region, Window};

/// Where it is and how long.
const AT: u64 = 1024;
const LEN: usize = 1024;

/// `s_magic`.
const MAGIC: u16 = 0xef53;

/// Bits of `s_state`.
const STATE_VALID: u16 = 1;
const STATE_ERRORS: u16 = 2;

/// What a feature bit is called, and whether a filesystem with it is edited
/// here.
struct Feature {
    bit: u32,
    name: &'static str,
    editable: bool,
}

const fn yes(bit: u32, name: &'static str) -> Feature {
    Feature {
        bit,
        name,
        editable: true,
    }
}

const fn no(bit: u32, name: &'static str) -> Feature {
    Feature {
        bit,
        name,
        editable: false,
    }
}

/// Names as dumpe2fs prints them (e2fsprogs lib/e2p/feature.c). What e2fsprogs
/// 1.47.0 does not support is left out (lib/ext2fs/ext2fs.h,
/// `EXT2_LIB_FEATURE_*_SUPP`); not edited are those whose accounts debugfs
/// would not keep (quota, values of attributes in inodes), that it must not touch (shared blocks, read-only,
/// encryption) or that need another machine's consent (mmp).
const COMPAT: [Feature; 10] = [
    yes(0x1, "dir_prealloc"),
    yes(0x2, "imagic_inodes"),
    yes(0x4, "has_journal"),
    yes(0x8, "ext_attr"),
    yes(0x10, "resize_inode"),
    yes(0x20, "dir_index"),
    yes(0x200, "sparse_super2"),
    yes(0x400, "fast_commit"),
    yes(0x800, "stable_inodes"),
    yes(0x1000, "orphan_file"),
];

const INCOMPAT: [Feature; 16] = [
    no(0x1, "compression"),
    yes(0x2, "filetype"),
    yes(0x4, "needs_recovery"),
    no(0x8, "journal_dev"),
    yes(0x10, "meta_bg"),
    yes(0x40, "extent"),
    yes(0x80, "64bit"),
    no(0x100, "mmp"),
    yes(0x200, "flex_bg"),
    no(0x400, "ea_inode"),
    no(0x1000, "dirdata"),
    yes(0x2000, "metadata_csum_seed"),
    yes(0x4000, "large_dir"),
    yes(0x8000, "inline_data"),
    no(0x1_0000, "encrypt"),
    no(0x2_0000, "casefold"),
];

const RO_COMPAT: [Feature; 16] = [
    yes(0x1, "sparse_super"),
    yes(0x2, "large_file"),
    no(0x4, "btree_dir"),
    yes(0x8, "huge_file"),
    yes(0x10, "uninit_bg"),
    yes(0x20, "dir_nlink"),
    yes(0x40, "extra_isize"),
    no(0x80, "snapshot_bitmap"),
    no(0x100, "quota"),
    yes(0x200, "bigalloc"),
    yes(0x400, "metadata_csum"),
    no(0x1000, "read-only"),
    no(0x2000, "project"),
    no(0x4000, "shared_blocks"),
    yes(0x8000, "verity"),
    yes(0x1_0000, "orphan_present"),
];

const NEEDS_RECOVERY: u32 = 0x4;
const ORPHAN_PRESENT: u32 = 0x1_0000;

/// The three words of feature bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// A reader or writer that does not know these may go ahead.
    pub compat: u32,
    /// One that does not know these must not even read.
    pub incompat: u32,
    /// One that does not know these must not write.
    pub ro_compat: u32,
}

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
    /// Features.
    pub features: Features,
    /// UUID of the filesystem.
    pub uuid: Uuid,
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
        if exponent > 6 || free_blocks > blocks {
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
        Ok(Self {
            block_size: 1024 << exponent,
            blocks,
            free_blocks,
            reserved_blocks: wide(0x8, 0x154),
            inodes: long(0x0),
            free_inodes: long(0x10),
            inode_size: if long(0x4c) == 0 { 128 } else { word(0x58) },
            features,
            uuid: Uuid::from_bytes(uuid),
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

impl Features {
    /// Names of the features in use, in the order and spelling of dumpe2fs.
    pub fn names(&self) -> Vec<String> {
        self.each().map(|(name, _)| name).collect()
    }

    /// Whether the feature called `name` by dumpe2fs is in use.
    pub fn has(&self, name: &str) -> bool {
        self.each().any(|(known, _)| known == name)
    }

    fn not_editable(&self) -> Vec<String> {
        self.each()
            .filter(|(_, editable)| !editable)
            .map(|(name, _)| name)
            .collect()
    }

    fn each(&self) -> impl Iterator<Item = (String, bool)> {
        let words: [(u32, &'static [Feature], char); 3] = [
            (self.compat, &COMPAT, 'C'),
            (self.incompat, &INCOMPAT, 'I'),
            (self.ro_compat, &RO_COMPAT, 'R'),
        ];
        words.into_iter().flat_map(|(bits, table, letter)| {
            (0..32)
                .filter(move |shift| bits & (1 << shift) != 0)
                .map(move |shift| {
                    match table.iter().find(|feature| feature.bit == 1 << shift) {
                        Some(feature) => (feature.name.to_owned(), feature.editable),
                        // As e2fsprogs names what it does not know.
                        None => (format!("FEATURE_{letter}{shift}"), false),
                    }
                })
        })
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
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
