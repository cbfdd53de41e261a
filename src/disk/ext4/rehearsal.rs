//! Changes tried out on a filesystem's metadata.
//!
//! debugfs reads and writes metadata; of the files' contents it only writes
//! those that come, and zeros over those that go. On a copy of the metadata,
//! which is some MB in memory, it therefore does what it would do on the whole
//! filesystem, and what it wrote can be told by comparing.

use std::collections::BTreeMap;
use std::io;

use fs_err::os::unix::fs::FileExt;
use fs_err::{File, OpenOptions};
use rayon::prelude::*;

use super::apply::{Contents, carry_out};
use super::leftovers::Inodes;
use super::placed::Placed;
use super::skeleton::{CHUNK, SHORT_HOLE};
use super::{Ext4Volume, Outlook, Skeleton, check};
use crate::disk::sparse::{data_ranges, each_piece, is_zero};
use crate::disk::{DiskError, Piece, Region};
use crate::edit::{Changes, ReadTree, Remembered};
use crate::tool::MemoryFile;

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
    /// Files whose content is not among them.
    placed: Vec<Placed>,
}

impl Rehearsal {
    /// What would be written.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The result's metadata, and what would be written, of something that has
    /// written no contents.
    pub(super) fn into_parts(self) -> io::Result<(Skeleton, Vec<Piece>)> {
        let skeleton = Skeleton::in_memory(self.stage, &self.region, self.block_size)?;
        Ok((skeleton, self.pieces))
    }

    /// The result's metadata.
    ///
    /// # Errors
    /// Those of [`Skeleton::of`].
    pub fn skeleton(&self) -> Result<Skeleton, DiskError> {
        Skeleton::of(&self.region).map_err(|e| e.at(&self.place))
    }

    /// Does to the filesystem in `region` what was tried out, with all contents.
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&self, region: &Region) -> Result<(), DiskError> {
        let write = || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(&region.file)?;
            for Piece { at, bytes } in &self.pieces {
                file.write_all_at(bytes, region.start + at)?;
            }
            // Afterwards, since they may lie on blocks that were zeroed.
            self.placed
                .par_iter()
                .try_for_each(|placed| placed.fill(&file, region.start))
        };
        write().map_err(|e| DiskError::io("writing", &region.file, e))
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
        let mut buffer = vec![0; CHUNK];
        let mut same = true;
        self.each_chunk(|at, staged| {
            let found = &mut buffer[..staged.len()];
            file.read_exact_at(found, region.start + at)?;
            let mut blocks = staged.chunks(size).zip(found.chunks(size));
            same = same
                && (staged == found
                    || blocks.all(|(staged, found)| staged == found || is_zero(staged)));
            Ok(())
        })
        .map_err(fail)?;
        Ok(same)
    }

    /// Blocks that are not as in `skeleton`, and those that were zeroed: in a
    /// skeleton these were holes, so that a comparison does not show them.
    fn differences(&self, skeleton: &Skeleton, zeroed: &[(u64, u64)]) -> io::Result<Vec<Piece>> {
        let size = self.block_size;
        let mut pieces = BTreeMap::new();
        let mut buffer = vec![0; CHUNK];
        self.each_chunk(|at, now| {
            let before = &mut buffer[..now.len()];
            skeleton.fill(at, before)?;
            if before == now {
                return Ok(());
            }
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
        let pieces = pieces.into_iter().map(|(at, bytes)| Piece { at, bytes });
        Ok(pieces.collect())
    }

    /// Calls `act` with place and content of all that is there, piece by piece.
    fn each_chunk(&self, mut act: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        self.ranges.iter().try_for_each(|(start, end)| {
            each_piece(self.stage.file(), *start, *end, &mut buffer, &mut act)
        })
    }
}

/// A filesystem on which changes are tried out, one set after the other. What
/// it has at a path, and which blocks, is looked at once; none sees another.
#[derive(Debug)]
pub struct Ground {
    tree: Remembered<Ext4Volume>,
    inodes: Inodes,
}

impl Ground {
    /// The filesystem in `region`, which nobody writes to meanwhile.
    ///
    /// # Errors
    /// Those of [`Ext4Volume::open`].
    pub fn open(region: &Region) -> Result<Self, DiskError> {
        Ok(Self {
            tree: Remembered::new(Ext4Volume::open(region)?),
            inodes: Inodes::default(),
        })
    }

    /// What is in it.
    pub fn tree(&self) -> &dyn ReadTree {
        &self.tree
    }

    /// Bytes in a block of it.
    pub fn block_size(&self) -> u64 {
        self.tree.tree().superblock().block_size
    }

    /// What `changes` will meet; `skeleton` is that of this filesystem.
    ///
    /// # Errors
    /// If a path cannot become what it should, or debugfs fails.
    pub fn outlook(
        &mut self,
        changes: &Changes,
        skeleton: &Skeleton,
        place: &Region,
    ) -> Result<Outlook, DiskError> {
        let copy = skeleton.take_copy().map_err(|e| no_copy(e, place))?;
        let region = Region::whole(copy.path())?;
        let outlook = Outlook::of(
            &region,
            self.block_size(),
            &self.tree,
            changes,
            &mut self.inodes,
        );
        // It was read and no more.
        skeleton.give_back(copy);
        outlook.map_err(|e| e.at(place))
    }
}

impl Skeleton {
    /// Carries `changes` out on a copy, and has the result
    /// [judged](Rehearsal::check): while e2fsck goes over it, `act` is given what
    /// would be written, as soon as that is known. The same skeleton, changes and
    /// epoch give the same pieces.
    ///
    /// # Errors
    /// Those of [`apply`](super::apply()), about `place`, and of
    /// [`Rehearsal::check`].
    pub fn rehearse<T: Send>(
        &self,
        changes: &Changes,
        outlook: &Outlook,
        epoch: u64,
        place: &Region,
        act: impl FnOnce(&[Piece]) -> T + Send,
    ) -> Result<(Rehearsal, T), DiskError> {
        let (mut rehearsal, zeroed) = self.stage(self.len, place, |stage| {
            let carried = carry_out(stage, changes, outlook, epoch, Contents::Written);
            carried.map(|(applied, _)| applied.zeroed)
        })?;
        let compare = || {
            let pieces = rehearsal.differences(self, &zeroed)?;
            let made = act(&pieces);
            Ok((pieces, made))
        };
        let (sound, compared) = rayon::join(|| rehearsal.check(), compare);
        sound?;
        let (pieces, made) = compared.map_err(|e| no_copy(e, place))?;
        rehearsal.pieces = pieces;
        Ok((rehearsal, made))
    }

    /// The same, not judged yet, for changes whose long files' contents, as far as
    /// they lie on the host, are not to be in memory: they come into the filesystem
    /// when the rehearsal is [written](Rehearsal::write) to it, and only then.
    ///
    /// # Errors
    /// Those of [`apply`](super::apply()), about `place`.
    pub fn rehearse_large(
        &self,
        changes: &Changes,
        epoch: u64,
        place: &Region,
    ) -> Result<Rehearsal, DiskError> {
        let mut placed = Vec::new();
        let rehearsal = self.try_out(self.len, place, |stage| {
            let outlook = Outlook::on(stage, changes)?;
            let (applied, found) = carry_out(stage, changes, &outlook, epoch, Contents::Placed)?;
            placed = found;
            Ok(applied.zeroed)
        })?;
        Ok(Rehearsal {
            placed,
            ..rehearsal
        })
    }

    /// Carries `act` out on a copy that is `len` bytes long, which tells the
    /// blocks that it zeroed.
    pub(super) fn try_out(
        &self,
        len: u64,
        place: &Region,
        act: impl FnOnce(&Region) -> Result<Vec<(u64, u64)>, DiskError>,
    ) -> Result<Rehearsal, DiskError> {
        let (mut rehearsal, zeroed) = self.stage(len, place, act)?;
        rehearsal.pieces = rehearsal
            .differences(self, &zeroed)
            .map_err(|e| no_copy(e, place))?;
        Ok(rehearsal)
    }

    /// The same without having looked what was written, and the blocks that were
    /// zeroed.
    fn stage(
        &self,
        len: u64,
        place: &Region,
        act: impl FnOnce(&Region) -> Result<Vec<(u64, u64)>, DiskError>,
    ) -> Result<(Rehearsal, Vec<(u64, u64)>), DiskError> {
        let fail = |e| no_copy(e, place);
        let stage = self.take_copy().map_err(fail)?;
        if len != self.len {
            stage.file().set_len(len).map_err(fail)?;
        }
        let region = Region::whole(stage.path())?;
        let zeroed = act(&region).map_err(|e| e.at(place))?;

        let mut ranges = data_ranges(stage.file(), &region).map_err(fail)?;
        ranges.extend(self.ranges());
        let rehearsal = Rehearsal {
            stage,
            region,
            block_size: self.block_size,
            ranges: whole_blocks(ranges, self.block_size, len),
            place: place.clone(),
            pieces: Vec::new(),
            placed: Vec::new(),
        };
        Ok((rehearsal, zeroed))
    }
}

impl Rehearsal {
    /// Ends it. Its copy of the metadata serves the next one of the same
    /// `skeleton`, after the little that was changed has been taken back.
    pub fn end(self, skeleton: &Skeleton) {
        // What cannot be put right is not used again.
        if skeleton.restore(&self.stage, &self.pieces).is_ok() {
            skeleton.give_back(self.stage);
        }
    }
}

fn no_copy(error: io::Error, of: &Region) -> DiskError {
    DiskError::io("copying the metadata of", &of.file, error)
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
