//! Names in a directory.

use super::{Damage, u16_at, u32_at};

/// Length of an entry without its name.
const ENTRY: usize = 8;

/// Length of what stands ahead of the entries of a directory in an inode: the
/// number of its parent.
const INLINE_PARENT: usize = 4;

/// Length of the first part of content in an inode: the entries in the two
/// parts are lists of their own.
const INLINE_FIRST: usize = 60;

/// Names and inodes in a directory with this content, but for `.` and `..`.
/// Directories with an index are lists of entries too: what belongs to the
/// index is dressed as entries without inodes.
pub(super) fn entries(
    content: &[u8],
    block_size: u64,
    inline: bool,
) -> Result<Vec<(String, u32)>, Damage> {
    let mut found = Vec::new();
    if inline {
        let (first, second) = content.split_at(INLINE_FIRST.min(content.len()));
        in_block(first.get(INLINE_PARENT..).unwrap_or_default(), &mut found)?;
        in_block(second, &mut found)?;
    } else {
        for block in content.chunks(block_size as usize) {
            in_block(block, &mut found)?;
        }
    }
    Ok(found)
}

fn in_block(block: &[u8], found: &mut Vec<(String, u32)>) -> Result<(), Damage> {
    let bad = || "a directory makes no sense".to_owned();
    let mut at = 0;
    while at + ENTRY <= block.len() {
        let inode = u32_at(block, at).ok_or_else(bad)?;
        let length = match u16_at(block, at + 4).ok_or_else(bad)? {
            // Blocks of 64 KiB have no other way to say so.
            0 | 0xffff if block.len() == 1 << 16 => 1 << 16,
            length => usize::from(length),
        };
        let name_len = usize::from(block[at + 6]);
        if length < ENTRY || length < ENTRY + name_len || at + length > block.len() {
            return Err(bad());
        }
        let name = &block[at + ENTRY..at + ENTRY + name_len];
        if inode != 0 && name != b"." && name != b".." {
            let name = std::str::from_utf8(name).map_err(|_| {
                let name = String::from_utf8_lossy(name);
                format!("the name {name} is not UTF-8, and cannot be compared")
            })?;
            found.push((name.to_owned(), inode));
        }
        at += length;
    }
    Ok(())
}
