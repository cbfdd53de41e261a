//! The length of a file, in its inode.

use crc::{CRC_32_ISCSI, Crc};

use super::Superblock;
use super::inodes::{u16_at, u32_at};

static CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Where an inode has what matters here
/// (Documentation/filesystems/ext4/inodes.rst).
const MODE: usize = 0x0;
const SIZE: usize = 0x4;
const GENERATION: usize = 0x64;
const SIZE_HIGH: usize = 0x6c;
const CHECKSUM: usize = 0x7c;
const EXTRA_ISIZE: usize = 0x80;
const CHECKSUM_HIGH: usize = 0x82;

/// Type and mask of it in a mode (inode(7)).
const TYPE: u16 = 0xf000;
const REGULAR: u16 = 0x8000;

/// The part of an inode that every filesystem has.
const SHORTEST: usize = 128;

/// Lengths in the inodes of one filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    /// What checksums begin with; none if inodes have none.
    seed: Option<u32>,
}

impl Lengths {
    /// In the filesystem with this superblock.
    pub(super) fn of(superblock: &Superblock) -> Self {
        let seed = || match superblock.checksum_seed {
            Some(seed) => seed,
            None => sum(!0, &[superblock.uuid.as_bytes()]),
        };
        let has_checksums = superblock.features.has("metadata_csum");
        Self {
            seed: has_checksums.then(seed),
        }
    }

    /// Makes the inode `number` that of a file of `now` bytes. `false`, and
    /// nothing is done, if it is not that of a file of `before` bytes with the
    /// checksum that is expected: then something about it is not understood here.
    pub(super) fn replace(self, inode: &mut [u8], number: u32, before: u64, now: u64) -> bool {
        let (Ok(before), Ok(now)) = (u32::try_from(before), u32::try_from(now)) else {
            return false;
        };
        if inode.len() < SHORTEST
            || u16_at(inode, MODE).map(|mode| mode & TYPE) != Some(REGULAR)
            || u32_at(inode, SIZE) != Some(before)
            || u32_at(inode, SIZE_HIGH) != Some(0)
            || self.seed.is_some_and(|seed| !is_right(inode, number, seed))
        {
            return false;
        }
        inode[SIZE..SIZE + 4].copy_from_slice(&now.to_le_bytes());
        if let Some(seed) = self.seed {
            set_checksum(inode, checksum(inode, number, seed));
        }
        true
    }
}

/// Whether the inode has the checksum it should have.
fn is_right(inode: &[u8], number: u32, seed: u32) -> bool {
    let mut expected = inode.to_vec();
    set_checksum(&mut expected, checksum(inode, number, seed));
    expected == inode
}

/// Its checksum: over number, generation and all of it, with zeros where the
/// checksum is (linux `fs/ext4/inode.c`, `ext4_inode_csum`).
fn checksum(inode: &[u8], number: u32, seed: u32) -> u32 {
    let mut bytes = inode.to_vec();
    set_checksum(&mut bytes, 0);
    let generation = &inode[GENERATION..GENERATION + 4];
    sum(seed, &[&number.to_le_bytes(), generation, &bytes])
}

/// Writes it where it is: its high half only into an inode with room for it.
fn set_checksum(inode: &mut [u8], checksum: u32) {
    let [low, high] = [checksum as u16, (checksum >> 16) as u16].map(u16::to_le_bytes);
    inode[CHECKSUM..CHECKSUM + 2].copy_from_slice(&low);
    let extra = u16_at(inode, EXTRA_ISIZE).unwrap_or_default();
    if extra >= 4 && inode.len() > CHECKSUM_HIGH + 1 {
        inode[CHECKSUM_HIGH..CHECKSUM_HIGH + 2].copy_from_slice(&high);
    }
}

/// The checksum of ext4, which goes on from an earlier one and is not inverted in
/// the end (Documentation/filesystems/ext4/checksums.rst).
fn sum(seed: u32, pieces: &[&[u8]]) -> u32 {
    let mut digest = CRC32C.digest_with_initial(seed.reverse_bits());
    for piece in pieces {
        digest.update(piece);
    }
    !digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_goes_on_from_another() {
        // The check value of CRC-32/ISCSI, which is inverted in the end.
        assert_eq!(!sum(!0, &[b"123456789"]), 0xe306_9283);
        assert_eq!(sum(!0, &[b"1234", b"56789"]), sum(!0, &[b"123456789"]));
        assert_eq!(
            sum(sum(!0, &[b"1234"]), &[b"56789"]),
            sum(!0, &[b"123456789"])
        );
    }

    fn inode(len: usize, extra: u8) -> Vec<u8> {
        let mut inode: Vec<u8> = (0..len).map(|at| at as u8).collect();
        inode[MODE..MODE + 2].copy_from_slice(&0x81a4_u16.to_le_bytes());
        inode[SIZE..SIZE + 4].copy_from_slice(&1000_u32.to_le_bytes());
        inode[SIZE_HIGH..SIZE_HIGH + 4].fill(0);
        if len > SHORTEST {
            inode[EXTRA_ISIZE..EXTRA_ISIZE + 2].copy_from_slice(&[extra, 0]);
        }
        let sum = checksum(&inode, 12, 7);
        set_checksum(&mut inode, sum);
        inode
    }

    #[test]
    fn only_length_and_checksum_become_others() {
        for (len, extra, high) in [
            (128, 0, false),
            (256, 0, false),
            (256, 3, false),
            (256, 32, true),
        ] {
            let before = inode(len, extra);
            let mut now = before.clone();
            assert!(Lengths { seed: Some(7) }.replace(&mut now, 12, 1000, 70_000));
            assert!(is_right(&now, 12, 7) && !is_right(&now, 13, 7) && !is_right(&now, 12, 8));
            let changed = (0..len).filter(|at| before[*at] != now[*at]);
            let allowed = |at: &usize| match *at {
                SIZE..=0x7 => true,
                at => at / 2 == CHECKSUM / 2 || high && at / 2 == CHECKSUM_HIGH / 2,
            };
            assert!(changed.clone().all(|at| allowed(&at)), "{len} {extra}");
            assert!(changed.count() > 3);
            assert_eq!(u32_at(&now, SIZE), Some(70_000));
        }
    }

    #[test]
    fn what_is_not_as_expected_is_left_alone() {
        let lengths = Lengths { seed: Some(7) };
        let refused = |lengths: Lengths, change: fn(&mut Vec<u8>), number, before, now| {
            let mut inode = inode(256, 32);
            change(&mut inode);
            let was = inode.clone();
            let done = lengths.replace(&mut inode, number, before, now);
            assert_eq!(inode != was, done);
            !done
        };
        assert!(!refused(lengths, |_| (), 12, 1000, 1001));
        assert!(refused(lengths, |_| (), 13, 1000, 1001), "another inode");
        assert!(refused(lengths, |_| (), 12, 1002, 1001), "another length");
        assert!(refused(lengths, |_| (), 12, 1000, 1 << 32));
        assert!(refused(lengths, |inode| inode[0x30] ^= 1, 12, 1000, 1001));
        assert!(refused(
            lengths,
            |inode| inode.truncate(100),
            12,
            1000,
            1001
        ));
        let none = Lengths { seed: None };
        assert!(!refused(none, |inode| inode[0x30] ^= 1, 12, 1000, 1001));
        assert!(refused(none, |inode| inode[SIZE_HIGH] = 1, 12, 1000, 1001));
        assert!(
            refused(none, |inode| inode[MODE + 1] = 0x41, 12, 1000, 1001),
            "a directory"
        );
    }
}
