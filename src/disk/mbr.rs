//! The master boot record: four entries of 16 bytes and a disk id.

/// Length of the record in bytes.
pub(super) const LEN: usize = 512;

/// Where the entries begin.
const ENTRIES: usize = 446;

/// Length of an entry in bytes.
const ENTRY: usize = 16;

/// Where the 4-byte disk id is, little-endian. Raspberry Pi OS mounts by it
/// (pi-gen export-image/04-set-partuuid).
const DISK_ID: usize = 440;

/// Type of the one entry that covers a disk with a GPT.
pub(super) const TYPE_PROTECTIVE: u8 = 0xee;

/// Types of entries that hold further partitions.
const TYPES_EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];

/// The geometry that has stood for "none" since disks outgrew it.
const HEADS: u32 = 255;
const SECTORS_PER_TRACK: u32 = 63;

/// The first sector of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mbr {
    bytes: [u8; LEN],
}

/// One used entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The type byte: 0x0c for FAT32, 0x83 for Linux.
    pub(super) kind: u8,
    /// First sector.
    pub(super) start: u32,
    /// Count of sectors.
    pub(super) sectors: u32,
}

impl Mbr {
    /// The record in `bytes`; `None` without its signature.
    pub(super) fn parse(bytes: &[u8; LEN]) -> Option<Self> {
        (bytes[510..] == [0x55, 0xaa]).then_some(Self { bytes: *bytes })
    }

    /// The record as it stands on disk.
    pub(super) fn bytes(&self) -> &[u8; LEN] {
        &self.bytes
    }

    /// The disk id.
    pub(super) fn disk_id(&self) -> u32 {
        u32::from_le_bytes(take(&self.bytes, DISK_ID))
    }

    /// Replaces the disk id.
    pub(super) fn set_disk_id(&mut self, id: u32) {
        self.bytes[DISK_ID..DISK_ID + 4].copy_from_slice(&id.to_le_bytes());
    }

    /// Entry `number` (1 to 4), if it is used.
    pub(super) fn entry(&self, number: u32) -> Option<Entry> {
        let at = entry_at(number)?;
        let entry = Entry {
            kind: self.bytes[at + 4],
            start: u32::from_le_bytes(take(&self.bytes, at + 8)),
            sectors: u32::from_le_bytes(take(&self.bytes, at + 12)),
        };
        (entry.kind != 0 && entry.sectors != 0).then_some(entry)
    }

    /// The used entries with their numbers.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u32, Entry)> {
        (1..=4).filter_map(|number| Some((number, self.entry(number)?)))
    }

    /// Gives entry `number` another length. The end in cylinders, heads and
    /// sectors follows, as tools still compare it.
    pub(super) fn set_sectors(&mut self, number: u32, sectors: u32) {
        let (Some(at), Some(entry)) = (entry_at(number), self.entry(number)) else {
            return;
        };
        self.bytes[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
        let last = entry.start.saturating_add(sectors.saturating_sub(1));
        self.bytes[at + 5..at + 8].copy_from_slice(&chs(last));
    }

    /// Whether each entry's status byte is one that exists. A FAT boot sector
    /// ends in the same signature but has program code here.
    pub(super) fn is_plausible(&self) -> bool {
        let at = |number| entry_at(number).map_or(0, |at| self.bytes[at]);
        (1..=4).all(|number| matches!(at(number), 0x00 | 0x80))
    }
}

impl Entry {
    /// Whether it holds further partitions.
    pub(super) fn is_extended(self) -> bool {
        TYPES_EXTENDED.contains(&self.kind)
    }
}

fn entry_at(number: u32) -> Option<usize> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    (index < 4).then_some(ENTRIES + index * ENTRY)
}

fn take(bytes: &[u8; LEN], at: usize) -> [u8; 4] {
    [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
}

/// A sector's address in three bytes; the highest one for all beyond it.
fn chs(sector: u32) -> [u8; 3] {
    let cylinder = sector / (HEADS * SECTORS_PER_TRACK);
    if cylinder > 1023 {
        return [0xfe, 0xff, 0xff];
    }
    let head = sector / SECTORS_PER_TRACK % HEADS;
    let within = sector % SECTORS_PER_TRACK + 1;
    // Each part fits its bits by the bounds above.
    [
        head as u8,
        (within | (cylinder >> 8 << 6)) as u8,
        (cylinder & 0xff) as u8,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(entries: &[(usize, Entry)]) -> Mbr {
        let mut bytes = [0; LEN];
        bytes[510] = 0x55;
        bytes[511] = 0xaa;
        for (number, entry) in entries {
            let at = ENTRIES + (number - 1) * ENTRY;
            bytes[at + 4] = entry.kind;
            bytes[at + 8..at + 12].copy_from_slice(&entry.start.to_le_bytes());
            bytes[at + 12..at + 16].copy_from_slice(&entry.sectors.to_le_bytes());
        }
        Mbr::parse(&bytes).unwrap()
    }

    #[test]
    fn without_a_signature_there_is_no_record() {
        assert_eq!(Mbr::parse(&[0; LEN]), None);
    }

    #[test]
    fn unused_entries_do_not_show() {
        let root = Entry {
            kind: 0x83,
            start: 2048,
            sectors: 4096,
        };
        let mbr = record(&[(2, root)]);
        assert_eq!(mbr.entries().collect::<Vec<_>>(), [(2, root)]);
        assert_eq!(mbr.entry(0), None);
        assert_eq!(mbr.entry(5), None);
    }

    #[test]
    fn addresses_beyond_the_geometry_are_the_highest_one() {
        assert_eq!(chs(0), [0, 1, 0]);
        assert_eq!(chs(8192), [130, 3, 0]);
        assert_eq!(chs(1024 * 255 * 63 - 1), [254, 0xff, 0xff]);
        assert_eq!(chs(1024 * 255 * 63), [0xfe, 0xff, 0xff]);
    }

    proptest! {
        #[test]
        fn setting_touches_nothing_else(id: u32, sectors in 1u32.., start: u32) {
            let boot = Entry { kind: 0x0c, start: 8192, sectors: 1 };
            let root = Entry { kind: 0x83, start, sectors: 5 };
            let mut mbr = record(&[(1, boot), (2, root)]);
            mbr.set_disk_id(id);
            mbr.set_sectors(2, sectors);
            prop_assert_eq!(mbr.disk_id(), id);
            prop_assert_eq!(mbr.entry(1), Some(boot));
            prop_assert_eq!(mbr.entry(2), Some(Entry { sectors, ..root }));
            let untouched = record(&[(1, boot), (2, root)]);
            prop_assert_eq!(&mbr.bytes()[..DISK_ID], &untouched.bytes()[..DISK_ID]);
            prop_assert_eq!(&mbr.bytes()[478..], &untouched.bytes()[478..]);
        }
    }
}
