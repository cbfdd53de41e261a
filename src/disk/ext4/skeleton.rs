//! A filesystem without what is in its files.

use std::io::Write;

use camino::Utf8Path;
use fs_err::File;
use fs_err::os::unix::fs::FileExt;
use sha2::{Digest, Sha256};

use super::Superblock;
use super::debugfs::Device;
use crate::disk::sparse::{data_ranges, is_zero, prefetch};
use crate::disk::{DiskError, Piece, Region};
use crate::tool::{E2IMAGE, MemoryFile};

/// Bytes read at a time; a multiple of every block size.
pub(super) const CHUNK: u64 = 1 << 20;

/// Holes up to this are taken for data: a read costs as much as so many bytes.
pub(super) const SHORT_HOLE: u64 = 8 << 10;

/// How a file with a skeleton in it begins; the digit is the version.
const MAGIC: [u8; 16] = *b"pidoop skeleton2";

/// A filesystem's metadata, in memory.
#[derive(Debug)]
pub struct Skeleton {
    pub(super) len: u64,
    pub(super) block_size: u64,
    /// What is not holes, in order.
    pub(super) data: Vec<Piece>,
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
    pub(super) fn add(&mut self, at: u64, bytes: &[u8]) {
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
        let mut numbers = vec![self.len, self.block_size, self.data.len() as u64];
        for piece in &self.data {
            numbers.extend([piece.at, piece.bytes.len() as u64]);
        }
        let table: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        let parts = || std::iter::once(&table).chain(self.data.iter().map(|piece| &piece.bytes));
        let mut digest = Sha256::new();
        parts().for_each(|part| digest.update(part));
        let write = || {
            let mut file = File::create_new(path)?;
            file.write_all(&MAGIC)?;
            file.write_all(&digest.finalize())?;
            parts().try_for_each(|part| file.write_all(part))
        };
        write().map_err(|e| DiskError::io("writing", path, e))
    }

    /// Reads what [`write`](Self::write) wrote: one long read, where a sparse
    /// file takes hundreds.
    ///
    /// # Errors
    /// If it is no such file, or not as it was written; what the system said.
    pub fn read(path: &Utf8Path) -> Result<Self, DiskError> {
        let bytes = fs_err::read(path).map_err(|e| DiskError::io("reading", path, e))?;
        Self::parse(&bytes).ok_or_else(|| {
            let reason = "this is no complete copy of a filesystem's metadata";
            DiskError::filesystem(&whole(path), reason)
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (digest, mut rest) = bytes.strip_prefix(&MAGIC)?.split_first_chunk::<32>()?;
        if Sha256::digest(rest).as_slice() != digest {
            return None;
        }
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

    /// Fills `bytes` with what is at `at`.
    pub(super) fn fill(&self, at: u64, bytes: &mut [u8]) {
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

fn whole(path: &Utf8Path) -> Region {
    Region {
        file: path.to_owned(),
        start: 0,
        len: 0,
        partition: None,
    }
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
        for at in [0, 20, 60, 80, 5000, bytes.len() - 1] {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x40;
            assert!(Skeleton::parse(&wrong).is_none(), "{at}");
        }
    }

    /// Whoever writes the digest, too, cannot make it read what is not there.
    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("skeleton")).unwrap();
        skeleton().write(&path).unwrap();
        let bytes = fs_err::read(&path).unwrap();
        // Highest bytes of the block size, of the count, of a place and a length.
        for at in [63, 71, 79, 87] {
            let mut wrong = bytes.clone();
            wrong[at] = 0x7f;
            let digest = Sha256::digest(&wrong[48..]);
            wrong[16..48].copy_from_slice(&digest);
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
