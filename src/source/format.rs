//! What a file is, by its first bytes.

/// How a file is wrapped. Names lie (a browser saves `x.img.xz` unpacked, a
/// mirror drops the suffix), so only the bytes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Not compressed in any way known here.
    Plain,
    /// gzip (RFC 1952).
    Gzip,
    /// xz.
    Xz,
    /// Zstandard (RFC 8878), also with a skippable frame in front.
    Zstd,
    /// A zip archive.
    Zip,
    /// bzip2; recognised, not read.
    Bzip2,
    /// 7-Zip; recognised, not read.
    SevenZip,
}

/// How many bytes [`looks_like`] wants to see; fewer tell less.
pub(super) const HEAD: usize = 36 * 1024;

impl Format {
    /// Tells the format of a file that begins with `head`.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Self::SevenZip,
            _ => Self::Plain,
        }
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
            Self::Bzip2 => "bzip2",
            Self::SevenZip => "7-Zip",
        }
    }
}

/// Whether `head` begins a disk with a partition table: MBR, or GPT behind its
/// protective MBR.
pub(super) fn is_partitioned_disk(head: &[u8]) -> bool {
    let signed = head.get(510..512) == Some(&[0x55, 0xaa]);
    // A FAT volume ends its first sector the same way and names itself there.
    let fat = head.get(54..57) == Some(b"FAT") || head.get(82..87) == Some(b"FAT32");
    signed && !fat
}

/// Whether `head` begins a tar archive. Archives older than POSIX have no magic
/// but, like all, a header sum.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..512) else {
        return false;
    };
    if &block[257..262] == b"ustar" {
        return true;
    }
    let text = String::from_utf8_lossy(&block[148..156]);
    let Ok(stored) = u64::from_str_radix(text.trim_matches([' ', '\0']), 8) else {
        return false;
    };
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let field: u64 = block[148..156].iter().map(|byte| u64::from(*byte)).sum();
    sum - field + 8 * u64::from(b' ') == stored
}

/// What a file that begins with `head` seems to be, as "is …".
pub(super) fn looks_like(head: &[u8]) -> String {
    let at = |offset: usize, magic: &[u8]| head.get(offset..offset + magic.len()) == Some(magic);
    let found = match Format::of(head) {
        Format::Plain => None,
        Format::Zip => Some("a zip archive".to_owned()),
        format => Some(format!("{} data", format.name())),
    };
    if let Some(found) = found {
        return format!("is {found}");
    }
    let text = String::from_utf8_lossy(&head[..head.len().min(256)])
        .trim_start()
        .to_lowercase();
    let found = if head.is_empty() {
        "empty"
    } else if text.starts_with("<!doctype html") || text.starts_with("<html") {
        "a web page, probably a download or login page saved in place of the file"
    } else if text.starts_with("version https://git-lfs") {
        "a Git LFS pointer, not the file it stands for"
    } else if is_tar(head) {
        "a tar archive"
    } else if at(0, b"\x7fELF") {
        "a program (ELF)"
    } else if at(0, b"!<arch>\ndebian") {
        "a Debian package"
    } else if at(0, b"QFI\xfb") {
        "a QEMU qcow2 image"
    } else if at(0, &[0x3a, 0xff, 0x26, 0xed]) {
        "an Android sparse image"
    } else if at(0, b"hsqs") {
        "a squashfs filesystem"
    } else if at(32769, b"CD001") && !is_partitioned_disk(head) {
        "a CD image (ISO 9660)"
    } else if is_partitioned_disk(head) {
        "a disk image"
    } else if at(510, &[0x55, 0xaa]) {
        "a FAT filesystem without a partition table"
    } else if at(1080, &[0x53, 0xef]) {
        "an ext4 filesystem without a partition table"
    } else if at(0, b"MZ") {
        "a Windows program"
    } else if at(0, b"#!") || text.chars().all(|c| !c.is_control() || c.is_whitespace()) {
        "a text file"
    } else {
        "of no kind known here"
    };
    format!("is {found}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn with(offset: usize, magic: &[u8]) -> Vec<u8> {
        let mut head = vec![0; HEAD];
        head[offset..offset + magic.len()].copy_from_slice(magic);
        head
    }

    #[rstest]
    #[case(b"".to_vec(), "empty")]
    #[case(b"\n<HTML><body>".to_vec(), "web page")]
    #[case(with(257, b"ustar"), "tar archive")]
    #[case(with(510, &[0x55, 0xaa]), "disk image")]
    #[case(with(1080, &[0x53, 0xef]), "ext4 filesystem without")]
    #[case(with(32769, b"CD001"), "CD image")]
    #[case(b"!<arch>\ndebian-binary   ".to_vec(), "Debian package")]
    #[case(b"MZ\x90\0".to_vec(), "Windows program")]
    #[case(b"PK\x03\x04".to_vec(), "zip")]
    #[case(b"#!/bin/sh\n".to_vec(), "text")]
    #[case(vec![0; 4096], "no kind known")]
    fn files_are_named(#[case] head: Vec<u8>, #[case] words: &str) {
        assert!(looks_like(&head).contains(words), "{}", looks_like(&head));
    }

    #[test]
    fn a_fat_volume_is_no_disk() {
        let mut fat = with(510, &[0x55, 0xaa]);
        fat[82..87].copy_from_slice(b"FAT32");
        assert!(!is_partitioned_disk(&fat));
        assert!(looks_like(&fat).contains("FAT filesystem"));
    }

    #[test]
    fn tar_archives_without_magic_are_known_by_their_sum() {
        let mut header = tar::Header::new_old();
        header.set_path("x").unwrap();
        header.set_size(0);
        header.set_cksum();
        assert!(is_tar(header.as_bytes()));
        let mut broken = header.as_bytes().to_vec();
        broken[0] ^= 1;
        assert!(!is_tar(&broken));
    }
}
