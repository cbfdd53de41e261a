//! A filesystem without what is in its files.

mod stored;

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use fs_err::File;
use fs_err::os::unix::fs::FileExt;
use sha2::{Digest, Sha256};

use super::Superblock;
use super::debugfs::Device;
use super::inodes::journal_content;
use crate::disk::sparse::{data_ranges, each_piece, is_zero};
use crate::disk::{DiskError, Piece, Region};
use crate::tool::{E2IMAGE, MemoryFile};

/// Bytes read at a time: a multiple of every block size, and no more than the
/// processor keeps close by.
pub(super) const CHUNK: usize = 256 << 10;

/// Holes up to this are taken for data: a read costs as much as so many bytes.
pub(super) const SHORT_HOLE: u64 = 8 << 10;

/// A filesystem's metadata, in a file. What is in its journal is left out but for
/// the first block: once the filesystem is unmounted it means nothing.
pub struct Skeleton {
    pub(super) len: u64,
    pub(super) block_size: u64,
    /// What is not holes, in order.
    ranges: Vec<Range>,
    digest: [u8; 32],
    store: Store,
    /// Copies of it that nobody works on.
    spare: Mutex<Vec<MemoryFile>>,
}

/// Bytes of a filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    /// Place in the filesystem.
    at: u64,
    /// How many.
    len: u64,
    /// Place in the file they are kept in.
    from: u64,
}

impl Range {
    fn end(&self) -> u64 {
        self.at.saturating_add(self.len)
    }
}

/// Where the bytes are.
enum Store {
    /// On a disk.
    File(File),
    /// In memory.
    Memory(MemoryFile),
}

impl Store {
    fn file(&self) -> &File {
        match self {
            Self::File(file) => file,
            Self::Memory(memory) => memory.file(),
        }
    }
}

impl fmt::Debug for Skeleton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skeleton")
            .field("len", &self.len)
            .field("file", self.store.file())
            .finish_non_exhaustive()
    }
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
        Self::in_memory(copy, &whole, block_size).map_err(fail)
    }

    /// The metadata in a sparse file.
    pub(super) fn in_memory(copy: MemoryFile, whole: &Region, block_size: u64) -> io::Result<Self> {
        let mut ranges = Vec::new();
        let journal = journal_content(whole).unwrap_or_default();
        let mut buffer = vec![0; CHUNK];
        for (start, end) in data_ranges(copy.file(), whole)? {
            each_piece(copy.file(), start, end, &mut buffer, &mut |at, bytes| {
                add(&mut ranges, at, bytes, block_size, &journal);
                Ok(())
            })?;
        }
        let mut made = Self {
            len: whole.len,
            block_size,
            ranges,
            digest: [0; 32],
            store: Store::Memory(copy),
            spare: Mutex::default(),
        };
        let mut digest = Sha256::new();
        digest.update(made.table());
        made.each_chunk(|_, bytes| {
            digest.update(bytes);
            Ok(())
        })?;
        made.digest = digest.finalize().into();
        Ok(made)
    }

    /// What tells it from others: the digest of all of it as it was made.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// How many bytes it has, which a copy in memory takes.
    pub fn bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.len).sum()
    }

    /// Calls `act` with all that is not holes, in order, and its place.
    fn each_chunk(&self, mut act: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        for range in &self.ranges {
            let Range { at, len, from } = *range;
            let mut moved = |place, bytes: &[u8]| act(at + (place - from), bytes);
            each_piece(self.store.file(), from, from + len, &mut buffer, &mut moved)?;
        }
        Ok(())
    }

    /// A new copy in memory: a sparse file as long as the filesystem. `hear` is
    /// told of all bytes in order.
    fn copy(&self, mut hear: impl FnMut(&[u8])) -> io::Result<MemoryFile> {
        let copy = MemoryFile::new()?;
        copy.file().set_len(self.len)?;
        self.each_chunk(|at, bytes| {
            hear(bytes);
            copy.file().write_all_at(bytes, at)
        })?;
        Ok(copy)
    }

    /// A copy in memory to work on.
    pub(super) fn take_copy(&self) -> io::Result<MemoryFile> {
        let spare = self.spares().pop();
        match spare {
            Some(copy) => Ok(copy),
            None => self.copy(|_| {}),
        }
    }

    /// Takes a copy back that is as it was when it was taken.
    pub(super) fn give_back(&self, copy: MemoryFile) {
        self.spares().push(copy);
    }

    fn spares(&self) -> std::sync::MutexGuard<'_, Vec<MemoryFile>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// First byte and the one behind the last of all that is not holes.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.ranges.iter().map(|range| (range.at, range.end()))
    }

    /// Fills `bytes` with what is at `at`.
    pub(super) fn fill(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let end = at + bytes.len() as u64;
        let first = self.ranges.partition_point(|range| range.end() <= at);
        let mut done = at;
        for range in &self.ranges[first..] {
            if range.at >= end {
                break;
            }
            let (from, to) = (range.at.max(at), range.end().min(end));
            bytes[(done - at) as usize..(from - at) as usize].fill(0);
            self.store.file().read_exact_at(
                &mut bytes[(from - at) as usize..(to - at) as usize],
                range.from + (from - range.at),
            )?;
            done = to;
        }
        bytes[(done - at) as usize..].fill(0);
        Ok(())
    }

    /// Makes `copy` again what it was when it was taken: no more than `pieces`
    /// of it have changed.
    pub(super) fn restore(&self, copy: &MemoryFile, pieces: &[Piece]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for piece in pieces {
            bytes.resize(piece.bytes.len(), 0);
            self.fill(piece.at, &mut bytes)?;
            copy.file().write_all_at(&bytes, piece.at)?;
        }
        Ok(())
    }
}

/// Adds what is not zero of `bytes`, which are at `at`, behind all the rest, nor
/// among what is `left_out`. Memory comes in large pages, most of which is holes.
fn add(ranges: &mut Vec<Range>, at: u64, bytes: &[u8], block_size: u64, left_out: &[(u64, u64)]) {
    let is_out = |at: u64| left_out.iter().any(|(from, to)| (*from..*to).contains(&at));
    for (index, block) in bytes.chunks(block_size as usize).enumerate() {
        let at = at + index as u64 * block_size;
        if is_zero(block) || is_out(at) {
            continue;
        }
        let end = at + block.len() as u64;
        match ranges.last_mut() {
            Some(last) if at <= last.end() + SHORT_HOLE => last.len = end - last.at,
            _ => ranges.push(Range {
                at,
                len: end - at,
                from: at,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    const LEN: u64 = 1 << 20;

    /// A sparse file with bytes at these places.
    fn sparse(pieces: &[(u64, usize)]) -> (MemoryFile, Vec<u8>) {
        let memory = MemoryFile::new().unwrap();
        memory.file().set_len(LEN).unwrap();
        let mut all = vec![0; LEN as usize];
        for (at, len) in pieces {
            for (index, byte) in all[*at as usize..][..*len].iter_mut().enumerate() {
                *byte = index as u8 | 1;
            }
            let bytes = &all[*at as usize..][..*len];
            memory.file().write_all_at(bytes, *at).unwrap();
        }
        (memory, all)
    }

    fn of(pieces: &[(u64, usize)]) -> (Skeleton, Vec<u8>) {
        let (memory, all) = sparse(pieces);
        let whole = Region::whole(memory.path()).unwrap();
        (Skeleton::in_memory(memory, &whole, 4096).unwrap(), all)
    }

    pub(super) fn skeleton() -> (Skeleton, Vec<u8>) {
        of(&[(0, 5000), (102_400, 300_000), (LEN - 4096, 4096)])
    }

    pub(super) fn written(skeleton: &Skeleton) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("skeleton")).unwrap();
        skeleton.write(&path).unwrap();
        fs_err::read(&path).unwrap()
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Skeleton> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("skeleton");
        fs_err::write(&path, bytes).unwrap();
        Skeleton::parse(File::open(path).unwrap()).unwrap()
    }

    pub(super) fn content(copy: &MemoryFile) -> Vec<u8> {
        fs_err::read(copy.path()).unwrap()
    }

    #[test]
    fn zeros_are_left_out() {
        let at = 40_960;
        let (skeleton, all) = of(&[(at + 5000, 1), (at + 14_000, 1), (at + 70_000, 1)]);
        let places: Vec<(u64, u64)> = skeleton.ranges().collect();
        let expected = [(4096, 16_384), (69_632, 73_728)].map(|(from, to)| (at + from, at + to));
        assert_eq!(places, expected);
        let mut back = vec![7; all.len()];
        skeleton.fill(0, &mut back).unwrap();
        assert!(back == all);
    }

    #[test]
    fn any_range_is_filled() {
        let (of, all) = skeleton();
        let read = parse(&written(&of)).unwrap();
        for skeleton in [of, read] {
            for (at, len) in [(0, 100), (4000, 8000), (99_000, 9000), (90_000, 500_000)] {
                let mut bytes = vec![7; len];
                skeleton.fill(at, &mut bytes).unwrap();
                assert!(bytes == all[at as usize..at as usize + len], "{at} {len}");
            }
        }
    }

    /// What one piece of work did must not be seen by the next.
    #[test]
    fn a_copy_that_was_worked_on_is_as_new_when_it_is_given_back() {
        let (of, all) = skeleton();
        let skeleton = parse(&written(&of)).unwrap();
        let copy = skeleton.take_copy().unwrap();
        let pieces: Vec<Piece> = [4096, 20_480, 106_496, 401_408]
            .map(|at| Piece {
                at,
                bytes: vec![9; 4096],
            })
            .into();
        for piece in &pieces {
            copy.file().write_all_at(&piece.bytes, piece.at).unwrap();
        }
        assert!(content(&copy) != all);
        skeleton.restore(&copy, &pieces).unwrap();
        assert!(content(&copy) == all);
        let path = copy.path().to_owned();
        skeleton.give_back(copy);
        assert_eq!(skeleton.take_copy().unwrap().path(), path);
    }
}
