//! A filesystem without what is in its files, for trying changes out.
//!
//! debugfs reads and writes metadata; of the files' contents it only writes
//! those that come, and zeros over those that go. On a copy of the metadata,
//! which is some MB in memory, it therefore does what it would do on the whole
//! filesystem, and what it wrote can be told by comparing.

use std::collections::BTreeMap;
use std::io;

use camino::Utf8Path;
use fs_err::File;
use fs_err::os::unix::fs::FileExt;

use super::debugfs::Device;
use super::{Superblock, apply, check};
use crate::disk::sparse::{copy_data, data_ranges, is_zero};
use crate::disk::{DiskError, Piece, Region};
use crate::edit::Changes;
use crate::tool::{E2IMAGE, MemoryFile};

/// Bytes compared at a time; a multiple of every block size.
const CHUNK: u64 = 1 << 20;

/// Makes `to` the skeleton of the filesystem in `region`: a sparse file of the
/// same length, in which metadata is where it is and all else is holes.
///
/// # Errors
/// If e2image fails; what the system said.
pub fn make_skeleton(region: &Region, to: &Utf8Path) -> Result<(), DiskError> {
    let plain = Region {
        start: 0,
        ..region.clone()
    };
    let device = Device::new(&plain)?;
    E2IMAGE
        .call()
        .map(|call| call.args(["-r", "-o", &region.start.to_string()]))
        .and_then(|call| call.arg(&device.argument).arg(to.as_str()).run_ok())
        .map_err(DiskError::tool(region))?;
    Ok(())
}

/// A filesystem's metadata in memory, on which changes were carried out: what
/// [`apply`](super::apply()) would make of the filesystem itself.
#[derive(Debug)]
pub struct Rehearsal {
    stage: MemoryFile,
    region: Region,
    block_size: u64,
    /// What errors are about.
    place: Region,
    /// Pieces of the filesystem that would be written, with what would be in
    /// them.
    pieces: Vec<Piece>,
}

/// Carries `changes` out on a copy of `skeleton`. The same skeleton, changes
/// and epoch give the same pieces.
///
/// # Errors
/// Those of [`apply`](super::apply()), about `place`.
pub fn rehearse(
    skeleton: &Utf8Path,
    changes: &Changes,
    epoch: u64,
    place: &Region,
) -> Result<Rehearsal, DiskError> {
    let before = Region::whole(skeleton)?;
    let block_size = Superblock::read(&before)?.block_size;
    let reader = File::open(skeleton).map_err(|e| DiskError::io("opening", skeleton, e))?;
    let fail = |e| DiskError::io("copying to memory", skeleton, e);
    let stage = MemoryFile::new().map_err(fail)?;
    stage.file().set_len(before.len).map_err(fail)?;
    copy_data(&reader, &before, stage.file(), 0).map_err(fail)?;
    let region = Region::whole(stage.path())?;
    let applied = apply(&region, changes, epoch).map_err(|e| e.at(place))?;

    let fail = |e| DiskError::io("comparing with", skeleton, e);
    let mut pieces = BTreeMap::new();
    for (region, file) in [(&before, &reader), (&region, stage.file())] {
        each_piece(file, region, block_size, |at, len| {
            let (old, new) = (read(&reader, at, len)?, read(stage.file(), at, len)?);
            let blocks = old.chunks(block_size as usize);
            for (index, (old, new)) in blocks.zip(new.chunks(block_size as usize)).enumerate() {
                if old != new {
                    pieces.insert(at + index as u64 * block_size, new.to_vec());
                }
            }
            Ok(())
        })
        .map_err(fail)?;
    }
    // In the skeleton these were holes, so a comparison does not show them.
    for (first, last) in applied.zeroed {
        for at in (first..=last).map(|block| block.saturating_mul(block_size)) {
            let len = block_size.min(before.len.saturating_sub(at));
            pieces.insert(at, read(stage.file(), at, len).map_err(fail)?);
        }
    }
    let pieces = pieces.into_iter().map(|(at, bytes)| Piece { at, bytes });
    Ok(Rehearsal {
        stage,
        region,
        block_size,
        place: place.clone(),
        pieces: pieces.collect(),
    })
}

impl Rehearsal {
    /// What would be written.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Has e2fsck go over the result. It reads metadata only, so this is as
    /// good as going over the whole filesystem, once that is known to
    /// [agree](Self::agrees_with).
    ///
    /// # Errors
    /// If e2fsck finds damage or could not do its work.
    pub fn check(&self) -> Result<(), DiskError> {
        check(&self.region)
            .and_then(|verdict| verdict.into_result(&self.region))
            .map_err(|e| e.at(&self.place))
    }

    /// Whether the filesystem in `region` has the result's metadata, byte for
    /// byte. Blocks of zeros are left out: they may be somebody's content, of
    /// which nothing is here.
    ///
    /// # Errors
    /// What the system said.
    pub fn agrees_with(&self, region: &Region) -> Result<bool, DiskError> {
        let fail = |e| DiskError::io("reading", &region.file, e);
        let file = File::open(&region.file).map_err(fail)?;
        let size = self.block_size;
        let mut same = true;
        each_piece(self.stage.file(), &self.region, size, |at, len| {
            same = same && at + len <= region.len;
            if same {
                let staged = read(self.stage.file(), at, len)?;
                let found = read(&file, region.start + at, len)?;
                let mut blocks = staged
                    .chunks(size as usize)
                    .zip(found.chunks(size as usize));
                same = staged == found || blocks.all(|(s, f)| s == f || is_zero(s));
            }
            Ok(())
        })
        .map_err(fail)?;
        Ok(same)
    }
}

/// Calls `act` with place and length of pieces that are not holes, in whole
/// blocks of `size` bytes: granularity of holes is the host's business.
fn each_piece(
    file: &File,
    region: &Region,
    size: u64,
    mut act: impl FnMut(u64, u64) -> io::Result<()>,
) -> io::Result<()> {
    for (start, end) in data_ranges(file, region)? {
        let end = end.next_multiple_of(size).min(region.len);
        for at in (start - start % size..end).step_by(CHUNK as usize) {
            act(at, CHUNK.min(end - at))?;
        }
    }
    Ok(())
}

fn read(file: &File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}
