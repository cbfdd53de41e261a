//! Growing a filesystem in a file of its own.

use camino::Utf8Path;
use fs_err::OpenOptions;

use super::debugfs::change;
use super::growth::resize;
use super::script::normalise;
use super::{Superblock, check};
use crate::disk::{DiskError, Region};

/// Grows the filesystem in `file`, a file of its own, to `len` bytes, with the
/// clock at `epoch`. The same file and `epoch` give the same bytes.
///
/// Never in place inside an image: given `FILE?offset=N`, resize2fs cuts the
/// file at the new size, forgetting the offset (resize/main.c). The file grows
/// sparsely. The filesystem may stay some blocks shorter than `len`: a last
/// group too small for its own tables is left out.
///
/// # Errors
/// If the filesystem is damaged or not to be edited, or longer than `len`; if
/// `len` is no whole number of blocks; if resize2fs fails.
pub fn grow(file: &Utf8Path, len: u64, epoch: u64) -> Result<Superblock, DiskError> {
    let region = Region::whole(file)?;
    let before = Superblock::read(&region)?;
    before.check_growth(&region, len)?;
    // resize2fs wants a check since the last mount, which images from a build
    // host never had; -f skips that question, so it is answered here.
    check(&region)?.into_result(&region)?;
    OpenOptions::new()
        .write(true)
        .open(file)
        .and_then(|opened| opened.set_len(len))
        .map_err(|e| DiskError::io("growing", file, e))?;
    resize(&region, len, before.block_size, epoch)?;
    let region = Region::whole(file)?;
    if region.len != len {
        let reason = format!("resize2fs left {} bytes in place of {len}", region.len);
        return Err(DiskError::filesystem(&region, reason));
    }
    change(&region, &normalise(epoch), epoch)?;
    let after = Superblock::read(&region)?;
    if after.blocks < before.blocks {
        return Err(DiskError::filesystem(&region, "resize2fs made it smaller"));
    }
    Ok(after)
}
