//! Blocks that two files share until one of them changes.

use std::io;

use fs_err::File;
use rustix::fs::copy_file_range;

/// Sharing of blocks between two files.
#[derive(Debug)]
pub(super) struct Sharing<'f> {
    from: &'f File,
    to: &'f File,
    works: bool,
}

impl<'f> Sharing<'f> {
    pub(super) fn between(from: &'f File, to: &'f File) -> Self {
        let works = shares_blocks(to);
        Self { from, to, works }
    }

    /// Shares `len` bytes at `from` of the one with the other, there at `to`.
    /// Whether that was done; once it was not, it is not tried again, and copying
    /// by hand does the same.
    pub(super) fn share(&mut self, from: u64, to: u64, len: u64) -> bool {
        self.works = self.works && copy_in_kernel(self.from, from, self.to, to, len).is_ok();
        self.works
    }
}

/// Whether `file` lies on a filesystem that can share blocks between files.
fn shares_blocks(file: &File) -> bool {
    const BTRFS: u64 = 0x9123_683e;
    const XFS: u64 = 0x5846_5342;
    const BCACHEFS: u64 = 0xca45_1a4e;
    rustix::fs::fstatfs(file.file())
        .is_ok_and(|stat| [BTRFS, XFS, BCACHEFS].contains(&(stat.f_type as u64 & 0xffff_ffff)))
}

fn copy_in_kernel(
    reader: &File,
    mut from: u64,
    writer: &File,
    mut to: u64,
    mut len: u64,
) -> io::Result<()> {
    while len > 0 {
        let wish = usize::try_from(len.min(1 << 30)).map_err(io::Error::other)?;
        let done = copy_file_range(
            reader.file(),
            Some(&mut from),
            writer.file(),
            Some(&mut to),
            wish,
        )?;
        if done == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        len -= done as u64;
    }
    Ok(())
}
