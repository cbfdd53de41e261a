//! A filesystem without what is in its files, for trying changes out.
//!
//! debugfs reads and writes metadata; of the files' contents it only writes
//! those that come, and zeros over those that go. On a copy of the metadata,
//! which is some MB in memory, it therefore does what it would do on the whole
//! filesystem, and what it wrote can be told by comparing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use camino::Utf8Path;
use fs_err::File;
use fs_err::os::unix::fs::FileExt;

use super::debugfs::Device;
use super::{Superblock, apply, check};
use crate::disk::sparse::{data_ranges, is_zero, prefetch};
use crate::disk::{DiskError, Piece, Region};
use crate::edit::Changes;
use crate::tool::{E2IMAGE, MemoryFile};

/// Bytes compared at a time; a multiple of every block size.
const CHUNK: u64 = 1 << 20;

/// Holes up to this are taken for data: a read costs as much as so many bytes.
const SHORT_HOLE: u64 = 8 << 10;

/// How a file with a skeleton in it begins; the digit is the version.
const MAGIC: [u8; 16] = *b"pidoop skeleton1";

/// A filesystem's metadata, in memory.
#[derive(Debug)]
pub struct Skeleton {
    len: u64,
    block_size: u64,
    /// What is not holes, in order.
    data: Vec<Piece>,
}

impl Skeleton {
    /// That of the filesystem in `region`.
    ///
    /// # Errors
    /// If e2image fails; what the system said.
    pub fn of(region: &Region) -> Result<Self, DiskError> {
        let plain = Region {
            start: 0,
            ..region.clone()
        };
        let device = Device::new(&plain)?;
        let fail = |e| DiskError::io("copying the metadata of", &region.file, e);
        let copy = MemoryFile::new().map_err(fail)?;
        // A sparse file as long as the filesystem, in which metadata is where it
        // is and all else is holes.
        E2IMAGE
            .call()
            .map(|call| call.args(["-r", "-o", &region.start.to_string()]))
            .and_then(|call| {
                let call = call.arg(&device.argument).arg(copy.path().as_str());
                call.run_ok()
            })
            .map_err(DiskError::tool(region))?;
        let whole = Region::whole(copy.path())?;
        let block_size = Superblock::read(&whole)
            .map_err(|e| e.at(region))?
            .block_size;
        let mut found = Self {
            len: whole.len,
            block_size,
            data: Vec::new(),
        };
        let mut bytes = Vec::new();
        for (start, end) in data_ranges(copy.file(), &whole).map_err(fail)? {
            for at in (start..end).step_by(CHUNK as usize) {
                bytes.resize(CHUNK.min(end - at) as usize, 0);
                copy.file().read_exact_at(&mut bytes, at).map_err(fail)?;
                found.add(at, &bytes);
            }
        }
        Ok(found)
    }

    /// Adds what is not zero of `bytes`, which are at `at`, behind all the rest.
    /// Memory comes in large pages, most of which is holes.
    fn add(&mut self, at: u64, bytes: &[u8]) {
        let size = self.block_size as usize;
        for (index, block) in bytes.chunks(size).enumerate() {
            let at = at + (index * size) as u64;
            match self.data.last_mut() {
                _ if is_zero(block) => {}
                Some(last) if at <= last.end() + SHORT_HOLE => {
                    last.bytes.resize((at - last.at) as usize, 0);
                    last.bytes.extend_from_slice(block);
                }
                _ => self.data.push(Piece {
                    at,
                    bytes: block.to_vec(),
                }),
            }
        }
    }

    /// Writes it to a new file, from which it can be [read](Self::read).
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&self, path: &Utf8Path) -> Result<(), DiskError> {
        let mut head = Vec::from(MAGIC);
        let mut numbers = vec![self.len, self.block_size, self.data.len() as u64];
        for piece in &self.data {
            numbers.extend([piece.at, piece.bytes.len() as u64]);
        }
        head.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        let write = || {
            let mut file = File::create_new(path)?;
            file.write_all(&head)?;
            for piece in &self.data {
                file.write_all(&piece.bytes)?;
            }
            Ok(())
        };
        write().map_err(|e| DiskError::io("writing", path, e))
    }

    /// Reads what [`write`](Self::write) wrote: one long read, where a sparse
    /// file takes hundreds.
    ///
    /// # Errors
    /// If it is no such file; what the system said.
    pub fn read(path: &Utf8Path) -> Result<Self, DiskError> {
        let bytes = fs_err::read(path).map_err(|e| DiskError::io("reading", path, e))?;
        Self::parse(&bytes).ok_or_else(|| {
            let reason = "this is no complete copy of a filesystem's metadata";
            DiskError::filesystem(&whole(path), format!("{reason}; remove it and build again"))
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&MAGIC)?;
        let number = |rest: &mut &[u8]| {
            let (number, behind) = rest.split_first_chunk()?;
            *rest = behind;
            Some(u64::from_le_bytes(*number))
        };
        let (len, block_size) = (number(&mut rest)?, number(&mut rest)?);
        let count = number(&mut rest)?;
        let mut ranges = Vec::new();
        for _ in 0..count {
            ranges.push((number(&mut rest)?, number(&mut rest)?));
        }
        let mut data = Vec::new();
        for (at, len) in ranges {
            let (bytes, behind) = rest.split_at_checked(usize::try_from(len).ok()?)?;
            rest = behind;
            let bytes = bytes.to_vec();
            data.push(Piece { at, bytes });
        }
        let fits = |piece: &Piece| piece.end() <= len;
        let in_order = data.is_sorted_by(|one, next| one.end() <= next.at);
        let sound = block_size.is_power_of_two() && in_order && data.iter().all(fits);
        (sound && rest.is_empty()).then_some(Self {
            len,
            block_size,
            data,
        })
    }

    /// Asks for the metadata of a filesystem with this skeleton, which begins
    /// at byte `start` of `file`, to be in memory soon.
    pub fn prefetch(&self, file: &File, start: u64) {
        let ranges = self.data.iter();
        prefetch(file, ranges.map(|p| (start + p.at, start + p.end())));
    }

    /// Carries `changes` out on a copy. The same skeleton, changes and epoch
    /// give the same pieces.
    ///
    /// # Errors
    /// Those of [`apply`](super::apply()), about `place`.
    pub fn rehearse(
        &self,
        changes: &Changes,
        epoch: u64,
        place: &Region,
    ) -> Result<Rehearsal, DiskError> {
        let fail = |e| DiskError::io("copying the metadata of", &place.file, e);
        let stage = MemoryFile::new().map_err(fail)?;
        stage.file().set_len(self.len).map_err(fail)?;
        for Piece { at, bytes } in &self.data {
            stage.file().write_all_at(bytes, *at).map_err(fail)?;
        }
        let region = Region::whole(stage.path())?;
        let applied = apply(&region, changes, epoch).map_err(|e| e.at(place))?;

        let mut ranges = data_ranges(stage.file(), &region).map_err(fail)?;
        ranges.extend(self.data.iter().map(|piece| (piece.at, piece.end())));
        let mut rehearsal = Rehearsal {
            stage,
            region,
            block_size: self.block_size,
            ranges: whole_blocks(ranges, self.block_size, self.len),
            place: place.clone(),
            pieces: Vec::new(),
        };
        let pieces = rehearsal.differences(self, &applied.zeroed).map_err(fail)?;
        rehearsal.pieces = pieces
            .into_iter()
            .map(|(at, bytes)| Piece { at, bytes })
            .collect();
        Ok(rehearsal)
    }

    /// Fills `bytes` with what is at `at`.
    fn fill(&self, at: u64, bytes: &mut [u8]) {
        bytes.fill(0);
        let end = at + bytes.len() as u64;
        let first = self.data.partition_point(|piece| piece.end() <= at);
        for piece in &self.data[first..] {
            if piece.at >= end {
                break;
            }
            let (from, to) = (piece.at.max(at), piece.end().min(end));
            let source = (from - piece.at) as usize..(to - piece.at) as usize;
            let target = (from - at) as usize..(to - at) as usize;
            bytes[target].copy_from_slice(&piece.bytes[source]);
        }
    }
}

/// A filesystem's metadata in memory, on which changes were carried out: what
/// [`apply`](super::apply()) would make of the filesystem itself.
#[derive(Debug)]
pub struct Rehearsal {
    stage: MemoryFile,
    region: Region,
    block_size: u64,
    /// Whole blocks outside of which there is nothing.
    ranges: Vec<(u64, u64)>,
    /// What errors are about.
    place: Region,
    /// Pieces of the filesystem that would be written, with what would be in
    /// them.
    pieces: Vec<Piece>,
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
        if self.ranges.last().is_some_and(|(_, end)| *end > region.len) {
            return Ok(false);
        }
        let size = self.block_size as usize;
        let mut found = Vec::new();
        let mut same = true;
        self.each_chunk(|at, staged| {
            found.resize(staged.len(), 0);
            file.read_exact_at(&mut found, region.start + at)?;
            let mut blocks = staged.chunks(size).zip(found.chunks(size));
            same = same && blocks.all(|(staged, found)| staged == found || is_zero(staged));
            Ok(())
        })
        .map_err(fail)?;
        Ok(same)
    }

    /// Blocks that are not as in `skeleton`, and those that were zeroed: in a
    /// skeleton these were holes, so that a comparison does not show them.
    fn differences(
        &self,
        skeleton: &Skeleton,
        zeroed: &[(u64, u64)],
    ) -> io::Result<BTreeMap<u64, Vec<u8>>> {
        let size = self.block_size;
        let mut pieces = BTreeMap::new();
        let mut before = Vec::new();
        self.each_chunk(|at, now| {
            before.resize(now.len(), 0);
            skeleton.fill(at, &mut before);
            let blocks = before.chunks(size as usize).zip(now.chunks(size as usize));
            for (index, (before, now)) in blocks.enumerate() {
                if before != now {
                    pieces.insert(at + index as u64 * size, now.to_vec());
                }
            }
            Ok(())
        })?;
        for (first, last) in zeroed {
            for at in (*first..=*last).map(|block| block.saturating_mul(size)) {
                let len = size.min(self.region.len.saturating_sub(at));
                let mut bytes = vec![0; len as usize];
                self.stage.file().read_exact_at(&mut bytes, at)?;
                pieces.insert(at, bytes);
            }
        }
        Ok(pieces)
    }

    /// Calls `act` with place and content of all that is there, piece by piece.
    fn each_chunk(&self, mut act: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (start, end) in &self.ranges {
            for at in (*start..*end).step_by(CHUNK as usize) {
                bytes.resize(CHUNK.min(end - at) as usize, 0);
                self.stage.file().read_exact_at(&mut bytes, at)?;
                act(at, &bytes)?;
            }
        }
        Ok(())
    }
}

fn whole(path: &Utf8Path) -> Region {
    Region {
        file: path.to_owned(),
        start: 0,
        len: 0,
        partition: None,
    }
}

/// Ranges in order, those with short holes between them joined.
fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges {
        match all.last_mut() {
            Some(last) if start <= last.1 + SHORT_HOLE => last.1 = last.1.max(end),
            _ => all.push((start, end)),
        }
    }
    all
}

/// The same in whole blocks of `size` bytes: granularity of holes is the
/// host's business. Nothing goes beyond `len`.
fn whole_blocks(ranges: Vec<(u64, u64)>, size: u64, len: u64) -> Vec<(u64, u64)> {
    let whole = |(start, end): (u64, u64)| {
        let end = end.next_multiple_of(size).min(len);
        (start - start % size, end)
    };
    joined(ranges.into_iter().map(whole).collect())
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    fn skeleton() -> Skeleton {
        let piece = |at, len| Piece {
            at,
            bytes: (0..len).map(|n| n as u8 | 1).collect(),
        };
        Skeleton {
            len: 1 << 20,
            block_size: 4096,
            data: vec![piece(0, 5000), piece(100_000, 70_000)],
        }
    }

    #[test]
    fn a_skeleton_reads_back_and_half_a_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("skeleton")).unwrap();
        skeleton().write(&path).unwrap();
        assert_eq!(Skeleton::read(&path).unwrap().data, skeleton().data);
        let bytes = fs_err::read(&path).unwrap();
        for len in [0, 10, 16, 40, 60, bytes.len() - 1] {
            assert!(Skeleton::parse(&bytes[..len]).is_none(), "{len}");
        }
        assert!(Skeleton::parse(&[&bytes[..], b"x"].concat()).is_none());
        // A count and a place that cannot be.
        for at in [39, 47] {
            let mut wrong = bytes.clone();
            wrong[at] = 0x7f;
            assert!(Skeleton::parse(&wrong).is_none(), "{at}");
        }
    }

    #[test]
    fn zeros_are_left_out() {
        let mut skeleton = Skeleton {
            data: Vec::new(),
            ..skeleton()
        };
        let mut bytes = vec![0; 80_000];
        for at in [5000, 14_000, 70_000] {
            bytes[at] = 1;
        }
        skeleton.add(40_960, &bytes);
        let places: Vec<(u64, u64)> = skeleton
            .data
            .iter()
            .map(|piece| (piece.at - 40_960, piece.end() - 40_960))
            .collect();
        assert_eq!(places, [(4096, 16_384), (69_632, 73_728)]);
        let mut back = vec![7; bytes.len()];
        skeleton.fill(40_960, &mut back);
        assert!(back == bytes);
    }

    #[test]
    fn any_range_is_filled() {
        let skeleton = skeleton();
        let mut all = vec![0; skeleton.len as usize];
        for piece in &skeleton.data {
            all[piece.at as usize..piece.end() as usize].copy_from_slice(&piece.bytes);
        }
        for (at, len) in [(0, 100), (4000, 4000), (99_000, 2000), (90_000, 90_000)] {
            let mut bytes = vec![7; len];
            skeleton.fill(at, &mut bytes);
            assert!(bytes == all[at as usize..at as usize + len], "{at} {len}");
        }
    }
}
