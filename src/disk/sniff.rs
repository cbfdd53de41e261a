//! What some bytes look like, by the marks filesystems and archives carry.

use std::fmt;
use std::io;

use fs_err::File;
use fs_err::os::unix::fs::FileExt;

/// What a partition or a file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// FAT12, FAT16 or FAT32.
    Fat,
    /// ext4.
    Ext4,
    /// ext2 or ext3: no extents.
    OldExt,
    /// Something else with a known mark, by its name.
    Other(&'static str),
    /// A compressed file, by the name of its format.
    Compressed(&'static str),
    /// Only zeros.
    Blank,
    /// Nothing that is known here.
    Unknown,
}

/// Bytes looked at: the mark of btrfs is the one farthest in.
const LOOK: usize = 0x1_0048;

/// Where the ext superblock is.
const EXT: usize = 1024;

/// Marks at fixed places: offset, bytes, format.
const MARKS: [(usize, &[u8], Format); 19] = [
    (0, b"\xfd7zXZ\0", Format::Compressed("xz")),
    (0, b"\x1f\x8b", Format::Compressed("gzip")),
    (0, b"\x28\xb5\x2f\xfd", Format::Compressed("zstd")),
    (0, b"BZh", Format::Compressed("bzip2")),
    (0, b"PK\x03\x04", Format::Compressed("zip")),
    (0, b"QFI\xfb", Format::Other("a QEMU qcow2 image")),
    (0, b"hsqs", Format::Other("squashfs")),
    (0, b"XFSB", Format::Other("XFS")),
    (
        0,
        b"LUKS\xba\xbe",
        Format::Other("an encrypted LUKS volume"),
    ),
    (3, b"NTFS    ", Format::Other("NTFS")),
    (3, b"EXFAT   ", Format::Other("exFAT")),
    (54, b"FAT1", Format::Fat),
    (82, b"FAT32", Format::Fat),
    (EXT, b"\xe2\xe1\xf5\xe0", Format::Other("erofs")),
    (EXT, b"\x10\x20\xf5\xf2", Format::Other("f2fs")),
    (0xff6, b"SWAPSPACE2", Format::Other("swap space")),
    (0x8001, b"CD001", Format::Other("an ISO 9660 CD image")),
    (0x1_0040, b"_BHRfS_M", Format::Other("btrfs")),
    (0x218, b"LVM2 001", Format::Other("an LVM volume")),
];

impl Format {
    /// What lies in `file` from byte `start` on, looking at `len` bytes at
    /// most.
    ///
    /// # Errors
    /// What the system said.
    pub fn sniff(file: &File, start: u64, len: u64) -> io::Result<Self> {
        let mut bytes = vec![0; LOOK.min(usize::try_from(len).unwrap_or(LOOK))];
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], start + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(Self::of(&bytes[..filled]))
    }

    /// What `bytes`, the first of a partition or file, look like.
    pub fn of(bytes: &[u8]) -> Self {
        let has = |at: usize, mark: &[u8]| bytes.get(at..at + mark.len()) == Some(mark);
        if has(EXT + 56, b"\x53\xef") {
            // Incompatible feature 0x40 is extents (Documentation/filesystems/ext4).
            let extents = bytes.get(EXT + 96).is_some_and(|flags| flags & 0x40 != 0);
            return if extents { Self::Ext4 } else { Self::OldExt };
        }
        match MARKS.iter().find(|(at, mark, _)| has(*at, mark)) {
            Some((_, _, format)) => *format,
            None if bytes.iter().all(|byte| *byte == 0) => Self::Blank,
            None => Self::Unknown,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fat => "FAT",
            Self::Ext4 => "ext4",
            Self::OldExt => "ext2 or ext3",
            Self::Other(name) => name,
            Self::Compressed(name) => name,
            Self::Blank => "zeros",
            Self::Unknown => "something unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, b"hsqs", Format::Other("squashfs"))]
    #[case(1024, b"\xe2\xe1\xf5\xe0", Format::Other("erofs"))]
    #[case(0x8001, b"CD001", Format::Other("an ISO 9660 CD image"))]
    #[case(0, b"\xfd7zXZ\0", Format::Compressed("xz"))]
    #[case(82, b"FAT32   ", Format::Fat)]
    #[case(54, b"FAT16   ", Format::Fat)]
    #[case(1080, b"\x53\xef", Format::OldExt)]
    #[case(5, b"?", Format::Unknown)]
    fn knows_marks(#[case] at: usize, #[case] mark: &[u8], #[case] format: Format) {
        let mut bytes = vec![0; LOOK];
        bytes[at..at + mark.len()].copy_from_slice(mark);
        assert_eq!(Format::of(&bytes), format);
    }

    #[test]
    fn short_input_is_no_trouble() {
        assert_eq!(Format::of(b""), Format::Blank);
        assert_eq!(Format::of(b"hs"), Format::Unknown);
    }
}
