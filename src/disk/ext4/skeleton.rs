//! A filesystem without what is in its files, for trying changes out.
//!
//! debugfs reads and writes metadata; of the files' contents it only writes
//! those that come, and zeros over those that go. On a copy of the metadata,
//! which is some MB in memory, it therefore does what it would do on the whole
//! filesystem, and what it wrote can be told by comparing.

use std::collections::BTreeMap;
use std::fs::File as StdFile;
use std::os::fd::AsRawFd;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use fs_err::os::unix::fs::FileExt;
use rustix::fs::{MemfdFlags, memfd_create};

use super::debugfs::Device;
use super::{Superblock, apply};
use crate::disk::sparse::{copy_data, data_ranges};
use crate::disk::{DiskError, Piece, Region};
use crate::edit::Changes;
use crate::tool::E2IMAGE;

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

/// What [`apply`](super::apply()) would write to the filesystem of which
/// `skeleton` is, without writing it: pieces of the filesystem with what would
/// be in them. The same skeleton, changes and epoch give the same pieces.
///
/// # Errors
/// Those of [`apply`](super::apply()), about `place`.
pub fn rehearse(
    skeleton: &Utf8Path,
    changes: &Changes,
    epoch: u64,
    place: &Region,
) -> Result<Vec<Piece>, DiskError> {
    let before = Region::whole(skeleton)?;
    let block_size = Superblock::read(&before)?.block_size;
    let reader = File::open(skeleton).map_err(|e| DiskError::io("opening", skeleton, e))?;
    let stage = Stage::new(&reader, &before)?;
    let after = Region::whole(&stage.path)?;
    let applied = apply(&after, changes, epoch).map_err(|e| e.at(place))?;

    let fail = |e| DiskError::io("comparing with", skeleton, e);
    let mut pieces = BTreeMap::new();
    for (region, file) in [(&before, &reader), (&after, &stage.file)] {
        for (start, end) in data_ranges(file, region).map_err(fail)? {
            // Granularity of holes is the host's business, not the filesystem's.
            let first = start - start % block_size;
            for at in (first..end).step_by(CHUNK as usize) {
                let len = CHUNK.min(end.next_multiple_of(block_size) - at);
                let [old, new] = [&reader, &stage.file].map(|file| read(file, at, len, before.len));
                let (old, new) = (old.map_err(fail)?, new.map_err(fail)?);
                let blocks = old.chunks(block_size as usize);
                for (index, (old, new)) in blocks.zip(new.chunks(block_size as usize)).enumerate() {
                    if old != new {
                        pieces.insert(at + index as u64 * block_size, new.to_vec());
                    }
                }
            }
        }
    }
    // In the skeleton these were holes, so a comparison does not show them.
    for (first, last) in applied.zeroed {
        for at in (first..=last).map(|block| block.saturating_mul(block_size)) {
            let bytes = read(&stage.file, at, block_size, before.len).map_err(fail)?;
            pieces.insert(at, bytes);
        }
    }
    Ok(pieces
        .into_iter()
        .map(|(at, bytes)| Piece { at, bytes })
        .collect())
}

/// Up to `len` bytes, less where the file, which has `end` bytes, ends before.
fn read(file: &File, at: u64, len: u64, end: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; len.min(end.saturating_sub(at)) as usize];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// A copy of a skeleton in memory. What is written to it, keys among it, is on
/// no disk, and is gone when we are, however we end.
#[derive(Debug)]
struct Stage {
    file: File,
    /// Where other processes of ours find it.
    path: Utf8PathBuf,
}

impl Stage {
    fn new(reader: &File, skeleton: &Region) -> Result<Self, DiskError> {
        let fail = |e| DiskError::io("copying to memory", &skeleton.file, e);
        let memory = memfd_create("pidoop", MemfdFlags::CLOEXEC).map_err(|e| fail(e.into()))?;
        let memory = StdFile::from(memory);
        let path = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
        let path = Utf8PathBuf::from(path);
        let file = File::from_parts(memory, path.as_std_path());
        file.set_len(skeleton.len).map_err(fail)?;
        copy_data(reader, skeleton, &file, 0).map_err(fail)?;
        Ok(Self { file, path })
    }
}
