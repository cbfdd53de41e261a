//! Where each block group has its bitmaps and its inodes, as debugfs tells it.

use super::debugfs::ask;
use crate::disk::{DiskError, Region};

/// Where a group has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) block_bitmap: u64,
    pub(super) inode_bitmap: u64,
    /// The first block of its inodes.
    pub(super) inode_table: u64,
}

impl Group {
    /// Those of the filesystem in `region`, in order.
    pub(super) fn all(region: &Region) -> Result<Vec<Self>, DiskError> {
        let script = ["stats".to_owned()];
        let replies = ask(region, &script)?;
        let lines = replies.iter().flat_map(|reply| &reply.said);
        let found: Vec<Self> = lines.filter_map(|line| Self::parse(line)).collect();
        if found.is_empty() {
            let reason = "debugfs does not say where its block groups are";
            return Err(DiskError::filesystem(region, reason));
        }
        Ok(found)
    }

    /// ` Group  0: block bitmap at 65, inode bitmap at 69, inode table at 73`.
    fn parse(line: &str) -> Option<Self> {
        let (_, places) = line.trim_start().strip_prefix("Group")?.split_once(':')?;
        let mut places = places.split(',');
        let mut next = |what: &str| {
            let place = places.next()?.trim().strip_prefix(what)?;
            place.trim().strip_prefix("at ")?.parse().ok()
        };
        Some(Self {
            block_bitmap: next("block bitmap")?,
            inode_bitmap: next("inode bitmap")?,
            inode_table: next("inode table")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_debugfs_prints() {
        let line = " Group 11: block bitmap at 65, inode bitmap at 69, inode table at 73";
        let group = Group::parse(line).unwrap();
        let places = [group.block_bitmap, group.inode_bitmap, group.inode_table];
        assert_eq!(places, [65, 69, 73]);
        for other in ["Group descriptor size: 64", "Block groups: 2", ""] {
            assert_eq!(Group::parse(other), None, "{other}");
        }
    }
}
