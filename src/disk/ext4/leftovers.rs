//! What lies behind names that go away, as debugfs tells it.
//!
//! `rm` of debugfs leaves two things undone. Freed blocks keep what was in
//! them: an old `shadow` could be read from the card, and base images, whose
//! free space is zero (pi-gen runs zerofree), would compress worse with each
//! change. And the block that holds extended attributes too large for their
//! inode stays marked as used (debugfs/debugfs.c, `kill_file_by_inode`);
//! `ea_rm` does not free it either (lib/ext2fs/ext_attr.c,
//! `ext2fs_xattrs_write`), and `freeb` leaves the counts wrong. So for each
//! name that goes, the inode behind it is looked at before: how many names it
//! has, which blocks it holds, and whether it has such a block.

use std::collections::BTreeMap;

use super::debugfs::{Reply, ask, quote};
use crate::disk::standing::Obsolete;
use crate::disk::{DiskError, Region, Window};
use crate::edit::ImagePath;

/// What goes away with those names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Leftovers {
    /// Blocks to zero afterwards: first and last of each range.
    pub(super) blocks: Vec<(u64, u64)>,
    /// Blocks of attributes that would stay marked as used. They are among
    /// `blocks` as well.
    pub(super) attributes: Vec<u64>,
    /// Whether inodes that stay share such a block with some that go. Their
    /// count of users is then for e2fsck to mend.
    pub(super) shared: bool,
}

/// Where a block of attributes has its magic number, and behind it the count
/// of inodes that use it (Documentation/filesystems/ext4/attributes.rst).
const ATTRIBUTE_MAGIC: [u8; 4] = 0xea02_0000_u32.to_le_bytes();

/// What debugfs said of the inodes behind names, in one state of a filesystem.
#[derive(Debug, Default)]
pub(super) struct Inodes(BTreeMap<ImagePath, Inode>);

impl Inodes {
    /// Has debugfs look at those of `names` it was not asked about before.
    fn learn(&mut self, region: &Region, names: &[Obsolete]) -> Result<(), DiskError> {
        let paths = names.iter().map(|name| &name.path);
        let new: Vec<&ImagePath> = paths.filter(|path| !self.0.contains_key(*path)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let script: Vec<String> = new
            .iter()
            .map(|path| format!("stat {}", quote(path.as_str())))
            .collect();
        for (path, reply) in new.into_iter().zip(ask(region, &script)?) {
            let Some(inode) = Inode::parse(&reply) else {
                return Err(DiskError::Script {
                    place: region.clone(),
                    command: reply.command.to_owned(),
                    said: reply.said.join("; "),
                });
            };
            self.0.insert(path.clone(), inode);
        }
        Ok(())
    }
}

/// Looks at the inodes behind `names` in the filesystem in `region`, in the
/// state of which some `inodes` are known.
pub(super) fn survey(
    region: &Region,
    block_size: u64,
    names: &[Obsolete],
    inodes: &mut Inodes,
) -> Result<Leftovers, DiskError> {
    inodes.learn(region, names)?;
    let mut left: BTreeMap<u64, u64> = BTreeMap::new();
    let mut attribute_blocks: BTreeMap<u64, u32> = BTreeMap::new();
    let mut leftovers = Leftovers::default();
    for name in names {
        let Some(inode) = inodes.0.get(&name.path) else {
            continue;
        };
        // A directory has one name only; its links are its children's `..`.
        let links = left
            .entry(inode.number)
            .or_insert(if name.is_dir { 1 } else { inode.links });
        *links = links.saturating_sub(1);
        if *links == 0 {
            leftovers.blocks.extend(&inode.blocks);
            if inode.attribute_block != 0 {
                *attribute_blocks.entry(inode.attribute_block).or_default() += 1;
            }
        }
    }
    for (block, users) in attribute_blocks {
        if users_of(region, block, block_size)? == Some(users) {
            leftovers.blocks.push((block, block));
            leftovers.attributes.push(block);
        } else {
            leftovers.shared = true;
        }
    }
    leftovers.blocks.sort_unstable();
    Ok(leftovers)
}

/// How many inodes use a block of attributes; `None` if it is none.
fn users_of(region: &Region, block: u64, block_size: u64) -> Result<Option<u32>, DiskError> {
    let mut head = [0; 8];
    let at = block.saturating_mul(block_size);
    Window::read_only(region)?
        .read_at(at, &mut head)
        .map_err(|e| DiskError::io("reading", &region.file, e))?;
    let users = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    Ok((head[..4] == ATTRIBUTE_MAGIC).then_some(users))
}

/// What debugfs's `stat` says, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Inode {
    number: u64,
    links: u64,
    attribute_block: u64,
    blocks: Vec<(u64, u64)>,
}

impl Inode {
    fn parse(reply: &Reply<'_>) -> Option<Self> {
        let mut inode = Self::default();
        let mut lines = reply.said.iter().map(String::as_str);
        while let Some(line) = lines.next() {
            if let Some(rest) = line.strip_prefix("Inode: ") {
                inode.number = number_at(rest)?;
            } else if let Some(rest) = line.strip_prefix("Links: ") {
                inode.links = number_at(rest)?;
            } else if let Some(rest) = line.strip_prefix("File ACL: ") {
                inode.attribute_block = number_at(rest)?;
            } else if line.starts_with("Fast link dest: ") {
                // No blocks, and anything may follow.
                break;
            } else if line == "EXTENTS:" || line == "BLOCKS:" {
                for piece in lines
                    .by_ref()
                    .take_while(|line| !line.starts_with("TOTAL:"))
                {
                    inode
                        .blocks
                        .extend(piece.split(", ").filter_map(block_range));
                }
            }
        }
        (inode.number != 0 && inode.links != 0).then_some(inode)
    }
}

fn number_at(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

/// `(0-11):1024-1035`, `(12[u]):77`, `(ETB0):33794`, `(IND):525`.
fn block_range(piece: &str) -> Option<(u64, u64)> {
    let (_, blocks) = piece.trim().split_once("):")?;
    match blocks.split_once('-') {
        Some((first, last)) => Some((number_at(first)?, number_at(last)?)),
        None => number_at(blocks).map(|block| (block, block)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(said: &str) -> Option<Inode> {
        let said = said.lines().map(str::to_owned).collect();
        Inode::parse(&Reply {
            command: "stat",
            said,
        })
    }

    #[test]
    fn reads_extents_and_the_attribute_block() {
        let inode = stat(
            "Inode: 14   Type: regular    Mode:  0755   Flags: 0x80000\n\
             User:     0   Group:     0   Project:     0   Size: 151344\n\
             File ACL: 4416\n\
             Links: 2   Blockcount: 288\n\
             Extended attributes:\n\
             \x20 user.foo (3) = \"bar\"\n\
             \x20 security.capability (20) = 01 00 00 02\n\
             Inode checksum: 0x00000000\n\
             EXTENTS:\n\
             (ETB0):4415, (0-13):4417-4430, (16-101[u]):4431-4516[u], (104):4517",
        );
        let expected = Inode {
            number: 14,
            links: 2,
            attribute_block: 4416,
            blocks: vec![(4415, 4415), (4417, 4430), (4431, 4516), (4517, 4517)],
        };
        assert_eq!(inode, Some(expected));
    }

    #[test]
    fn reads_block_maps() {
        let inode = stat("Inode: 12\nLinks: 1\nBLOCKS:\n(0-11):513-524, (IND):525\nTOTAL: 13");
        assert_eq!(inode.unwrap().blocks, [(513, 524), (525, 525)]);
    }

    #[test]
    fn a_link_target_is_no_block_list() {
        let inode = stat("Inode: 12\nLinks: 1\nFast link dest: \"x\"\nEXTENTS:\n(0):2");
        assert!(inode.unwrap().blocks.is_empty());
    }

    #[test]
    fn what_cannot_be_understood_is_none() {
        assert_eq!(stat("/x: File not found by ext2_lookup"), None);
    }
}
