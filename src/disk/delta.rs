//! What tells one image from another of the same length.

use std::collections::BTreeMap;
use std::io;

use camino::Utf8Path;
use fs_err::File;
use fs_err::os::unix::fs::FileExt;
use sha2::{Digest, Sha256};

use super::sparse::{BLOCK, expect_soon, put};

/// Bytes read at a time: few enough that the memory for them is not asked of the
/// system anew each time.
const RUN: usize = 16 * BLOCK;

/// Bytes, and where in a region or file they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Place of the first byte.
    pub at: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Piece {
    /// First byte behind it.
    pub fn end(&self) -> u64 {
        self.at.saturating_add(self.bytes.len() as u64)
    }

    /// It block by block: the block's number, where in it, and the bytes there.
    fn by_block(&self) -> impl Iterator<Item = (u64, usize, &[u8])> {
        let mut at = self.at;
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (block, offset) = (at / BLOCK as u64, (at % BLOCK as u64) as usize);
            let (bytes, left) = rest.split_at((BLOCK - offset).min(rest.len()));
            at = at.saturating_add(bytes.len() as u64);
            rest = left;
            (!bytes.is_empty()).then_some((block, offset, bytes))
        })
    }
}

/// Blocks in a row: number of the first, and how many.
pub type Extent = (u64, u64);

/// Blocks of an image with what is in them. Blocks have 4096 bytes and are
/// counted from the start of the file, whatever filesystems in it count; the
/// last one of a file may be shorter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Delta {
    /// The blocks in which `base` would become another by `pieces`, with what
    /// would be in them. Where pieces overlap, the later counts.
    ///
    /// # Errors
    /// What the system said; `UnexpectedEof` if a piece lies outside of `base`.
    pub fn of(base: &File, pieces: impl IntoIterator<Item = Piece>) -> io::Result<Self> {
        let len = base.metadata()?.len();
        let mut delta = Self::default();
        for piece in pieces {
            if piece.end() > len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            for (block, offset, bytes) in piece.by_block() {
                delta.block(base, len, block)?[offset..offset + bytes.len()].copy_from_slice(bytes);
            }
        }
        delta.without_what_is_in(base, len)
    }

    /// The block `number`, read from `base` if it is not here yet.
    fn block(&mut self, base: &File, len: u64, number: u64) -> io::Result<&mut Vec<u8>> {
        use std::collections::btree_map::Entry;
        match self.blocks.entry(number) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(read_block(base, len, number)?)),
        }
    }

    fn without_what_is_in(mut self, base: &File, len: u64) -> io::Result<Self> {
        let mut same = Vec::new();
        for (number, bytes) in &self.blocks {
            if read_block(base, len, *number)? == *bytes {
                same.push(*number);
            }
        }
        for number in same {
            self.blocks.remove(&number);
        }
        Ok(self)
    }

    /// What is in these blocks of `file` now.
    ///
    /// # Errors
    /// What the system said; `UnexpectedEof` if a block lies outside of it.
    pub fn read(file: &File, extents: &[Extent]) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let mut delta = Self::default();
        let place = |(first, count): &Extent| {
            let (at, end) = (
                first.saturating_mul(BLOCK as u64),
                first.saturating_add(*count).saturating_mul(BLOCK as u64),
            );
            let outside = at >= len || end >= len.saturating_add(BLOCK as u64);
            (!outside).then_some((at, end.min(len)))
        };
        let places: Option<Vec<(u64, u64)>> = extents.iter().map(place).collect();
        let places = places.ok_or(io::ErrorKind::UnexpectedEof)?;
        for (at, end) in &places {
            expect_soon(file, *at, end - at);
        }
        let mut buffer = vec![0; RUN];
        for (at, end) in places {
            for at in (at..end).step_by(RUN) {
                let bytes = &mut buffer[..(end - at).min(RUN as u64) as usize];
                file.read_exact_at(bytes, at)?;
                for (number, block) in (at / BLOCK as u64..).zip(bytes.chunks(BLOCK)) {
                    delta.blocks.insert(number, block.to_vec());
                }
            }
        }
        Ok(delta)
    }

    /// The same with `pieces` laid over. `None` if one of them is not wholly
    /// within these blocks.
    pub fn with(&self, pieces: impl IntoIterator<Item = Piece>) -> Option<Self> {
        let mut delta = self.clone();
        for piece in pieces {
            for (block, offset, bytes) in piece.by_block() {
                let block = delta.blocks.get_mut(&block)?;
                block
                    .get_mut(offset..offset + bytes.len())?
                    .copy_from_slice(bytes);
            }
        }
        Some(delta)
    }

    /// Its blocks without what is in them.
    pub fn extents(&self) -> Vec<Extent> {
        let mut extents: Vec<Extent> = Vec::new();
        for number in self.blocks.keys() {
            match extents.last_mut() {
                Some((first, count)) if *first + *count == *number => *count += 1,
                _ => extents.push((*number, 1)),
            }
        }
        extents
    }

    /// SHA-256 over which blocks these are and what is in them.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (number, bytes) in &self.blocks {
            hash.update(number.to_le_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        hash.finalize().into()
    }

    /// Number of blocks.
    pub fn len(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The blocks to write so that an image with `old` over `base` becomes one
    /// with `self` over `base`: no more than those that differ.
    ///
    /// # Errors
    /// What the system said about `base`.
    pub fn instead_of(&self, old: &Self, base: &File) -> io::Result<Self> {
        let len = base.metadata()?.len();
        let mut steps = Self::default();
        for (number, bytes) in &old.blocks {
            if !self.blocks.contains_key(number) {
                let original = read_block(base, len, *number)?;
                if original != *bytes {
                    steps.blocks.insert(*number, original);
                }
            }
        }
        for (number, bytes) in &self.blocks {
            if old.blocks.get(number) != Some(bytes) {
                steps.blocks.insert(*number, bytes.clone());
            }
        }
        Ok(steps)
    }

    /// Writes the blocks to `file`, which is called `path`. Blocks of zeros
    /// become holes.
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&self, file: &File, path: &Utf8Path) -> Result<(), super::DiskError> {
        self.write_blocks(file)
            .map_err(|e| super::DiskError::io("writing", path, e))
    }

    fn write_blocks(&self, file: &File) -> io::Result<()> {
        for (number, bytes) in &self.blocks {
            put(file, number * BLOCK as u64, bytes)?;
        }
        Ok(())
    }
}

fn read_block(file: &File, len: u64, number: u64) -> io::Result<Vec<u8>> {
    let at = number.saturating_mul(BLOCK as u64);
    let left = len.saturating_sub(at).min(BLOCK as u64);
    if left == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; left as usize];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use fs_err::OpenOptions;
    use proptest::prelude::*;

    use super::*;

    fn image(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> (Utf8PathBuf, File) {
        let path = Utf8PathBuf::from_path_buf(dir.path().join(name)).unwrap();
        fs_err::write(&path, bytes).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&path);
        (path, file.unwrap())
    }

    #[test]
    fn what_is_there_already_is_no_difference() {
        let dir = tempfile::tempdir().unwrap();
        let (_, base) = image(&dir, "base", &[5; 10_000]);
        let piece = |at, bytes: &[u8]| Piece {
            at,
            bytes: bytes.to_vec(),
        };
        let delta = Delta::of(&base, [piece(100, &[5; 9000]), piece(9999, b"x")]).unwrap();
        assert_eq!(delta.extents(), [(2, 1)]);
        assert_eq!(delta.len(), 1);
        let undone = Delta::of(&base, [piece(9999, b"x"), piece(9999, &[5])]).unwrap();
        assert!(undone.is_empty());
        let outside = Delta::of(&base, [piece(9999, b"xy")]).unwrap_err();
        assert_eq!(outside.kind(), io::ErrorKind::UnexpectedEof);
        assert!(Delta::read(&base, &[(3, 1)]).is_err());
    }

    #[test]
    fn pieces_are_laid_over_blocks_that_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let (_, file) = image(&dir, "file", &[5; 20_000]);
        let delta = Delta::read(&file, &[(1, 2), (4, 1)]).unwrap();
        let with = |at, bytes: &[u8]| {
            let bytes = bytes.to_vec();
            delta.with([Piece { at, bytes }])
        };
        let across = with(8190, b"four").unwrap();
        assert_eq!(across.extents(), delta.extents());
        assert_eq!(across.blocks[&1][4094..], *b"fo");
        assert_eq!(across.blocks[&2][..2], *b"ur");
        assert_eq!(with(19_996, b"last").unwrap().blocks[&4][3612..], *b"last");
        assert_eq!(with(4095, b""), Some(delta.clone()));
        for (at, bytes) in [
            (4095, "xx"),
            (12_287, "xx"),
            (19_999, "xx"),
            (u64::MAX, "x"),
        ] {
            assert_eq!(with(at, bytes.as_bytes()), None, "{at}");
        }
    }

    #[test]
    fn a_digest_is_of_places_and_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let (_, base) = image(&dir, "base", &[0; 20_000]);
        let at = |at, byte| {
            let bytes = vec![byte];
            Delta::of(&base, [Piece { at, bytes }]).unwrap().digest()
        };
        assert_eq!(at(5000, 1), at(5000, 1));
        assert_ne!(at(5000, 1), at(5000, 2));
        assert_ne!(at(5000, 1), at(9096, 1), "the same bytes in another block");
    }

    fn pieces() -> impl Strategy<Value = Vec<(usize, usize, u8)>> {
        prop::collection::vec((0usize..40_000, 1usize..9000, 0u8..3), 0..6)
    }

    proptest! {
        /// From any personality to any other, by no more blocks than differ.
        #[test]
        fn one_set_of_pieces_takes_the_place_of_another(
            base in prop::collection::vec(0u8..2, 11),
            sets in (pieces(), pieces()),
        ) {
            const LEN: usize = 41_234;
            let dir = tempfile::tempdir().unwrap();
            let base: Vec<u8> = (0..LEN).map(|at| base[at / 4096]).collect();
            let (_, layer) = image(&dir, "layer", &base);
            let made = |set: &[(usize, usize, u8)]| {
                let mut bytes = base.clone();
                let mut pieces = Vec::new();
                for (at, len, byte) in set {
                    let len = (*len).min(LEN - at);
                    bytes[*at..at + len].fill(*byte);
                    pieces.push(Piece { at: *at as u64, bytes: vec![*byte; len] });
                }
                (bytes, Delta::of(&layer, pieces).unwrap())
            };
            let (old_bytes, old) = made(&sets.0);
            let (new_bytes, new) = made(&sets.1);
            let (path, file) = image(&dir, "node", &base);
            old.write(&file, &path).unwrap();
            prop_assert!(fs_err::read(&path).unwrap() == old_bytes);
            prop_assert_eq!(&Delta::read(&file, &old.extents()).unwrap(), &old);

            let steps = new.instead_of(&old, &layer).unwrap();
            steps.write(&file, &path).unwrap();
            prop_assert!(fs_err::read(&path).unwrap() == new_bytes);
            let differing = old_bytes.chunks(4096).zip(new_bytes.chunks(4096));
            prop_assert_eq!(steps.len() as usize, differing.filter(|(a, b)| a != b).count());
        }
    }
}
