//! Other contents for files that keep their blocks.

use fs_err::File;
use fs_err::os::unix::fs::FileExt;

use super::Superblock;
use super::debugfs::{Reply, ask, quote};
use super::length::Lengths;
use crate::disk::{DiskError, Piece, Region};
use crate::edit::ImagePath;

/// More blocks than this are not looked up one by one.
const MOST_BLOCKS: usize = 1024;

/// What is to be in a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewContent<'c> {
    /// The file.
    pub path: &'c ImagePath,
    /// What is to be in it.
    pub bytes: &'c [u8],
    /// How many bytes there are in it now.
    pub was: u64,
}

/// What to write so that files of the filesystem in `region` have other contents,
/// in the blocks that they have: these, and in the inodes the lengths and the
/// checksums. Nothing else in the filesystem depends on a file's content.
///
/// `None` if one of them has to have other blocks, or has more than are worth
/// looking up, or its inode is not as e2fsprogs leaves it.
///
/// # Errors
/// If the filesystem is not to be edited, or debugfs fails; what the system said.
pub fn refill(
    region: &Region,
    contents: &[NewContent<'_>],
) -> Result<Option<Vec<Piece>>, DiskError> {
    let superblock = Superblock::read(region)?;
    superblock.check_editable(region)?;
    let size = superblock.block_size;
    let count = |content: &NewContent<'_>| content.bytes.len().div_ceil(size as usize);
    let blocks: usize = contents.iter().map(count).sum();
    if superblock.features.has("inline_data") || blocks > MOST_BLOCKS {
        return Ok(None);
    }
    let lengths = Lengths::of(&superblock);
    let fail = |e| DiskError::io("reading", &region.file, e);
    let file = File::open(&region.file).map_err(fail)?;
    let mut script = Vec::new();
    for content in contents {
        let path = quote(content.path.as_str());
        script.push(format!("imap {path}"));
        // Behind the last there must be none.
        script.extend((0..=count(content)).map(|index| format!("bmap {path} {index}")));
    }
    let replies = match script.as_slice() {
        [] => Vec::new(),
        script => ask(region, script)?,
    };
    let mut replies = replies.iter();
    let mut pieces = Vec::new();
    for content in contents {
        let inode = replies.next().and_then(InodePlace::parse);
        let blocks = replies.by_ref().take(count(content) + 1).map(block);
        let (Some(inode), Some(mut blocks)) = (inode, blocks.collect::<Option<Vec<u64>>>()) else {
            return Ok(None);
        };
        if blocks.pop() != Some(0) || blocks.contains(&0) {
            return Ok(None);
        }
        for (block, bytes) in blocks.into_iter().zip(content.bytes.chunks(size as usize)) {
            let mut bytes = bytes.to_vec();
            bytes.resize(size as usize, 0);
            let at = block.saturating_mul(size);
            pieces.push(Piece { at, bytes });
        }
        let mut bytes = vec![0; usize::from(superblock.inode_size)];
        let at = inode
            .block
            .saturating_mul(size)
            .saturating_add(inode.offset);
        file.read_exact_at(&mut bytes, region.start.saturating_add(at))
            .map_err(fail)?;
        if !lengths.replace(
            &mut bytes,
            inode.number,
            content.was,
            content.bytes.len() as u64,
        ) {
            return Ok(None);
        }
        pieces.push(Piece { at, bytes });
    }
    Ok(Some(pieces))
}

/// Where an inode is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InodePlace {
    number: u32,
    block: u64,
    /// In the block.
    offset: u64,
}

impl InodePlace {
    /// `Inode 108 is part of block group 0`, `located at block 41, offset 0x0b00`.
    fn parse(reply: &Reply<'_>) -> Option<Self> {
        let [first, second] = reply.said.as_slice() else {
            return None;
        };
        let (number, _) = first.strip_prefix("Inode ")?.split_once(' ')?;
        let place = second.trim().strip_prefix("located at block ")?;
        let (block, offset) = place.split_once(", offset 0x")?;
        Some(Self {
            number: number.parse().ok()?,
            block: block.parse().ok()?,
            offset: u64::from_str_radix(offset, 16).ok()?,
        })
    }
}

/// A number alone: of a block without content something else is said, too.
fn block(reply: &Reply<'_>) -> Option<u64> {
    match reply.said.as_slice() {
        [number] => number.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(said: &str) -> Reply<'static> {
        let said = said.lines().map(str::to_owned).collect();
        let command = "";
        Reply { command, said }
    }

    #[test]
    fn places_of_inodes_are_understood() {
        let said =
            reply("Inode 108 is part of block group 0\n\tlocated at block 41, offset 0x0b00");
        let expected = InodePlace {
            number: 108,
            block: 41,
            offset: 0xb00,
        };
        assert_eq!(InodePlace::parse(&said), Some(expected));
        for said in [
            "",
            "/x: File not found by ext2_lookup",
            "Inode 1 is part\n\tlocated at block x, offset 0x0",
        ] {
            assert_eq!(InodePlace::parse(&reply(said)), None, "{said}");
        }
    }

    #[test]
    fn blocks_without_content_are_none() {
        assert_eq!(block(&reply("8333")), Some(8333));
        for said in [
            "",
            "8333 (uninit)",
            "/x: File not found by ext2_lookup",
            "1\n2",
        ] {
            assert_eq!(block(&reply(said)), None, "{said}");
        }
    }
}
