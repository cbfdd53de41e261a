//! Inodes as they lie on the disk.
//!
//! `ext4-view` reads files by their paths, one look-up each, a block at a time,
//! and without extended attributes. To compare two filesystems of ten thousand
//! files, everything is listed at once: the inode table by number, directories
//! by inode, and where the blocks of each file are, so that content can be
//! compared in long reads. What is listed here is held against `ext4-view` and
//! `debugfs` in tests.
//!
//! Layout: linux `Documentation/filesystems/ext4`.

mod attributes;
mod body;
mod directory;
mod journal;
mod listed;
mod record;
mod table;

pub(super) use journal::journal_content;
pub use listed::ListedExt4;

/// What is wrong with bytes that should be part of a filesystem, in words that
/// complete "the filesystem cannot be listed: …".
type Damage = String;

/// Little-endian numbers in bytes that may be too few.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// See [`u16_at`].
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let low = u16_at(bytes, at)?;
    let high = u16_at(bytes, at + 2)?;
    Some(u32::from(low) | u32::from(high) << 16)
}
