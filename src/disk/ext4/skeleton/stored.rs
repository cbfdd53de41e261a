//! A skeleton in a file.

use std::io::{self, Write};
use std::sync::Mutex;

use camino::Utf8Path;
use fs_err::File;
use fs_err::os::unix::fs::FileExt;

use super::{Range, Skeleton, Store};
use crate::disk::{DiskError, Region};

/// How a file with a skeleton in it begins; the digit is the version.
const MAGIC: [u8; 16] = *b"pidoop skeleton3";

/// Length of what stands ahead of the places of pieces: the magic, the digest,
/// length and block size of the filesystem, and how many pieces there are.
const HEAD: usize = 72;

/// Place and length of a piece.
const ROW: usize = 16;

/// Length of what stands behind all pieces: a checksum of all before it. The
/// digest takes many times as long, and no more is to be known than whether the
/// disk gave back what was written.
const TAIL: usize = 4;

impl Skeleton {
    /// Length and block size, and place and length of each piece.
    pub(super) fn table(&self) -> Vec<u8> {
        let mut numbers = vec![self.len, self.block_size, self.ranges.len() as u64];
        for range in &self.ranges {
            numbers.extend([range.at, range.len]);
        }
        numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    /// Writes it to a new file, from which it can be [read](Self::read).
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&self, path: &Utf8Path) -> Result<(), DiskError> {
        let write = || {
            let mut file = File::create_new(path)?;
            let mut sum = crc32fast::Hasher::new();
            let mut put = |bytes: &[u8]| {
                sum.update(bytes);
                file.write_all(bytes)
            };
            put(&MAGIC)?;
            put(&self.digest)?;
            put(&self.table())?;
            self.each_chunk(|_, bytes| put(bytes))?;
            file.write_all(&sum.finalize().to_le_bytes())
        };
        write().map_err(|e| DiskError::io("writing", path, e))
    }

    /// Opens what [`write`](Self::write) wrote, and reads all of it once.
    ///
    /// # Errors
    /// If it is no such file, or not as it was written; what the system said.
    pub fn read(path: &Utf8Path) -> Result<Self, DiskError> {
        let fail = |e| DiskError::io("reading", path, e);
        Self::parse(File::open(path).map_err(fail)?)
            .map_err(fail)?
            .ok_or_else(|| {
                let reason = "this is no complete copy of a filesystem's metadata";
                DiskError::filesystem(&whole(path), reason)
            })
    }

    /// The [digest](Self::digest) of what [`write`](Self::write) wrote to `path`,
    /// without looking at the rest. `None` if it is no such file.
    ///
    /// # Errors
    /// What the system said.
    pub fn digest_in(path: &Utf8Path) -> Result<Option<[u8; 32]>, DiskError> {
        let mut head = [0; MAGIC.len() + 32];
        let read = File::open(path).and_then(|file| file.read_exact_at(&mut head, 0));
        match read {
            Ok(()) => {
                let digest = head.strip_prefix(&MAGIC);
                Ok(digest.and_then(|digest| digest.first_chunk().copied()))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(DiskError::io("reading", path, error)),
        }
    }

    pub(super) fn parse(file: File) -> io::Result<Option<Self>> {
        let file_len = file.metadata()?.len();
        let mut head = [0; HEAD];
        let Some(all) = file_len.checked_sub(TAIL as u64) else {
            return Ok(None);
        };
        if all < HEAD as u64 {
            return Ok(None);
        }
        file.read_exact_at(&mut head, 0)?;
        let (magic, rest) = head.split_at(MAGIC.len());
        let (digest, numbers) = rest.split_at(32);
        let (numbers, _) = numbers.as_chunks();
        let [len, block_size, count] = [0, 1, 2].map(|index| u64::from_le_bytes(numbers[index]));
        let rows = count.checked_mul(ROW as u64);
        let rows = rows.filter(|rows| magic == MAGIC && *rows <= all - HEAD as u64);
        let Some(rows) = rows else {
            return Ok(None);
        };
        let mut table = vec![0; rows as usize];
        file.read_exact_at(&mut table, HEAD as u64)?;
        let mut from = HEAD as u64 + rows;
        let mut ranges = Vec::new();
        for row in table.as_chunks::<ROW>().0 {
            let (pair, _) = row.as_chunks();
            let [at, len] = [0, 1].map(|index| u64::from_le_bytes(pair[index]));
            ranges.push(Range { at, len, from });
            from = from.saturating_add(len);
        }
        let fits = |range: &Range| range.end() <= len;
        let in_order = ranges.is_sorted_by(|one, next| one.end() <= next.at);
        let sound = block_size.is_power_of_two() && in_order && ranges.iter().all(fits);
        if !sound || from != all {
            return Ok(None);
        }
        let found = Self {
            len,
            block_size,
            ranges,
            digest: *digest.first_chunk().unwrap_or(&[0; 32]),
            store: Store::File(file),
            spare: Mutex::default(),
        };
        // The first copy is made on the way.
        let mut sum = crc32fast::Hasher::new();
        sum.update(&head);
        sum.update(&table);
        let copy = found.copy(|bytes| sum.update(bytes))?;
        let mut expected = [0; TAIL];
        found.store.file().read_exact_at(&mut expected, all)?;
        if sum.finalize() != u32::from_le_bytes(expected) {
            return Ok(None);
        }
        found.give_back(copy);
        Ok(Some(found))
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
    use super::super::tests::{content, parse, skeleton, written};
    use super::*;

    fn digest_in(bytes: &[u8]) -> Option<[u8; 32]> {
        let dir = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::from_path_buf(dir.path().join("skeleton")).unwrap();
        fs_err::write(&path, bytes).unwrap();
        Skeleton::digest_in(&path).unwrap()
    }

    #[test]
    fn a_skeleton_reads_back_and_half_a_one_does_not() {
        let (skeleton, all) = skeleton();
        let bytes = written(&skeleton);
        let back = parse(&bytes).unwrap();
        assert_eq!(back.digest(), skeleton.digest());
        assert_eq!(digest_in(&bytes), Some(skeleton.digest()));
        assert!(back.ranges().eq(skeleton.ranges()));
        assert!(content(&back.take_copy().unwrap()) == all);
        assert!(content(&back.take_copy().unwrap()) == all);
        assert!(written(&back) == bytes);
        for len in [0, 10, 16, 40, 60, 100, bytes.len() - 1] {
            assert!(parse(&bytes[..len]).is_none(), "{len}");
            assert_eq!(digest_in(&bytes[..len]).is_some(), len >= 48, "{len}");
        }
        assert_eq!(digest_in(&[b'x'; 100]), None, "another file");
        assert!(parse(&[&bytes[..], b"x"].concat()).is_none());
        for at in [0, 20, 60, 80, 5000, bytes.len() - 1] {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x40;
            assert!(parse(&wrong).is_none(), "{at}");
        }
    }

    /// Whoever writes the checksum, too, cannot make it read what is not there.
    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let bytes = written(&skeleton().0);
        // Highest bytes of the block size, of the count, of a place and a length.
        for at in [63, 71, 79, 87] {
            let mut wrong = bytes.clone();
            wrong[at] = 0x7f;
            let (all, tail) = wrong.split_at_mut(bytes.len() - TAIL);
            tail.copy_from_slice(&crc32fast::hash(all).to_le_bytes());
            assert!(parse(&wrong).is_none(), "{at}");
        }
    }
}
