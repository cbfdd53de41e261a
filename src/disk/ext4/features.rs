//! Features of a filesystem, by name.

use std::fmt;

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

/// Bits that the superblock's own fields depend on.
pub(in crate::disk::ext4) const NEEDS_RECOVERY: u32 = 0x4;
pub(super) const INCOMPAT_64BIT: u32 = 0x80;
pub(super) const ORPHAN_PRESENT: u32 = 0x1_0000;

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

impl Features {
    /// Names of the features in use, in the order and spelling of dumpe2fs.
    pub fn names(&self) -> Vec<String> {
        self.each().map(|(name, _)| name).collect()
    }

    /// Whether the feature called `name` by dumpe2fs is in use.
    pub fn has(&self, name: &str) -> bool {
        self.each().any(|(known, _)| known == name)
    }

    /// Names of those whose filesystems are not edited here.
    pub(super) fn not_editable(&self) -> Vec<String> {
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
