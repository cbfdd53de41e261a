//! Growing a filesystem where it is.

use super::debugfs::{Device, change};
use super::groups::Group;
use super::script::normalise;
use super::{Skeleton, Superblock, check};
use crate::disk::{DiskError, Piece, Region};
use crate::tool::RESIZE2FS;

/// Features with which resize2fs may move contents although there is room for
/// descriptors, or of which that is not known (resize/resize2fs.c,
/// `blocks_to_move`).
const MAY_MOVE: [&str; 3] = ["bigalloc", "meta_bg", "sparse_super2"];

/// What growing a filesystem comes to: what is to be written into it, places
/// counted in bytes from its start.
#[derive(Debug)]
pub struct Growth {
    /// Its length before.
    pub from: u64,
    /// Its length afterwards; what is behind `from` is to be zero.
    pub to: u64,
    /// First byte and one behind the last of what is to be zero: tables of new
    /// groups, which may lie among the old ones.
    pub zeroed: Vec<(u64, u64)>,
    /// What else is to be written.
    pub pieces: Vec<Piece>,
    /// The metadata afterwards.
    pub skeleton: Skeleton,
}

impl Growth {
    /// Has resize2fs grow a copy of the metadata in memory to `len` bytes, with
    /// the clock at `epoch`. The same filesystem, `len` and `epoch` give the same
    /// growth.
    ///
    /// None if contents would have to move, since the descriptors of so many
    /// groups have no room where they are; then the filesystem must be grown as a
    /// file of its own, with all that is in it ([`grow`](super::grow())).
    ///
    /// # Errors
    /// Those of [`grow`](super::grow()).
    pub fn rehearse(region: &Region, len: u64, epoch: u64) -> Result<Option<Self>, DiskError> {
        let before = Superblock::read(region)?;
        before.check_growth(region, len)?;
        if MAY_MOVE.iter().any(|name| before.features.has(name)) {
            return Ok(None);
        }
        let mut groups = (Vec::new(), Vec::new());
        let mut after = None;
        let rehearsal = Skeleton::of(region)?.try_out(len, region, |stage| {
            let whole = Region {
                len: before.len(),
                ..stage.clone()
            };
            // resize2fs wants a check since the last mount, which images from a
            // build host never had; -f skips that question, so it is answered here.
            check(&whole)?.into_result(&whole)?;
            groups.0 = Group::all(stage)?;
            resize(stage, len, before.block_size, epoch)?;
            change(stage, &normalise(epoch), epoch)?;
            groups.1 = Group::all(stage)?;
            after = Some(Superblock::read(stage)?);
            Ok(Vec::new())
        })?;
        let stays = groups.1.starts_with(&groups.0)
            && after.is_some_and(|after| after.descriptor_blocks == before.descriptor_blocks);
        if !stays {
            return Ok(None);
        }
        let size = before.block_size;
        let mut zeroed = Vec::new();
        for group in &groups.1[groups.0.len()..] {
            for (first, count) in [
                (group.block_bitmap, 1),
                (group.inode_bitmap, 1),
                (group.inode_table, before.inode_table_blocks()),
            ] {
                zeroed.push((first * size, (first + count) * size));
            }
        }
        let (skeleton, pieces) = rehearsal
            .into_parts()
            .map_err(|e| DiskError::io("copying the metadata of", &region.file, e))?;
        Ok(Some(Self {
            from: before.len(),
            to: len,
            zeroed,
            pieces,
            skeleton,
        }))
    }
}

/// Has resize2fs grow the filesystem in `region`, a file of its own that is as
/// long already.
pub(super) fn resize(
    region: &Region,
    len: u64,
    block_size: u64,
    epoch: u64,
) -> Result<(), DiskError> {
    let device = Device::new(region)?;
    RESIZE2FS
        .call()
        .map(|call| call.arg("-f").arg(&device.argument).fake_time(epoch))
        .and_then(|call| call.arg((len / block_size).to_string()).run_ok())
        .map_err(DiskError::tool(region))?;
    Ok(())
}
