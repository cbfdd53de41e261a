//! What an image is laid out like, if not like Raspberry Pi OS.

use std::collections::BTreeMap;

use super::{Format, PartitionTable, TableKind};

/// Numbers of the two partitions (pi-gen export-image/prerun.sh).
pub(super) const BOOT: u32 = 1;
pub(super) const ROOT: u32 = 2;

/// `partition 1: ext4, partition 2: squashfs (GPT)`.
pub(super) fn describe(table: &PartitionTable, formats: &BTreeMap<u32, Format>) -> String {
    let kind = match table.kind {
        TableKind::Mbr { .. } => "MBR",
        TableKind::Gpt { .. } => "GPT",
    };
    let mut parts: Vec<(u64, String)> = table
        .partitions
        .iter()
        .map(|partition| {
            let number = partition.number;
            let format = formats.get(&number).copied().unwrap_or(Format::Unknown);
            (partition.start, format!("partition {number}: {format}"))
        })
        .collect();
    // By place on the disk, since the root partition has to be the last.
    parts.sort();
    let parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    format!("{} ({kind}, in order of place)", parts.join(", "))
}

/// Why such an image is not taken, and which is.
pub(super) fn advice(table: &PartitionTable, formats: &BTreeMap<u32, Format>) -> &'static str {
    let of = |number| formats.get(&number).copied();
    let count =
        |wanted: fn(&Format) -> bool| formats.values().filter(|format| wanted(format)).count();
    let roots = count(|format| {
        matches!(format, Format::Ext4 | Format::OldExt) || *format == EROFS || *format == SQUASHFS
    });
    if of(ROOT).is_none() {
        return "there is no partition 2: this is an installer such as PINN or NOOBS, or a data \
                disk; take the image of the operating system itself";
    }
    if formats.values().any(|format| *format == LUKS) {
        return "an encrypted disk cannot be written without its key; take an image that is not \
                encrypted";
    }
    if table.partitions.len() > 2 && (roots > 1 || count(|format| *format == Format::Fat) > 1) {
        return "it has systems to switch between (A/B), and the next update would put another in \
                place of the node; take an image with one system";
    }
    match of(ROOT) {
        Some(format) if format == EROFS || format == SQUASHFS => {
            "its root filesystem is made once and then only read; take an image with ext4"
        }
        Some(Format::OldExt) => {
            "ext2 and ext3 are too old for what pidoop does; take an image with ext4"
        }
        Some(Format::Ext4) if of(BOOT) == Some(Format::Fat) => {
            "partition 2 has to grow, and another lies behind it; take an image with the root \
             partition at its end"
        }
        Some(Format::Ext4) => {
            "a Raspberry Pi starts from a FAT partition 1; take the image of the operating system \
             itself"
        }
        _ => "pidoop writes ext4 and nothing else; take an image with ext4",
    }
}

const EROFS: Format = Format::Other("erofs");
const SQUASHFS: Format = Format::Other("squashfs");
const LUKS: Format = Format::Other("an encrypted LUKS volume");

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::disk::Partition;

    const FAT: Format = Format::Fat;
    const EXT4: Format = Format::Ext4;

    #[rstest]
    #[case(&[FAT], "no partition 2")]
    #[case(&[EXT4, EXT4], "starts from a FAT partition 1")]
    #[case(&[FAT, EROFS], "only read")]
    #[case(&[FAT, SQUASHFS], "only read")]
    #[case(&[FAT, Format::Other("btrfs")], "ext4 and nothing else")]
    #[case(&[FAT, Format::Blank], "ext4 and nothing else")]
    #[case(&[FAT, LUKS], "without its key")]
    #[case(&[FAT, Format::OldExt], "too old")]
    #[case(&[FAT, EXT4, Format::Blank], "lies behind it")]
    #[case(&[FAT, EXT4, EXT4], "systems to switch between")]
    #[case(&[FAT, FAT, EROFS, EROFS, EXT4], "systems to switch between")]
    fn each_shape_has_its_reason(#[case] formats: &[Format], #[case] words: &str) {
        let numbered: BTreeMap<u32, Format> = (1..).zip(formats.iter().copied()).collect();
        let partition = |number: &u32| Partition {
            number: *number,
            start: u64::from(*number) << 20,
            len: 1 << 20,
            kind: "83".to_owned(),
            partuuid: String::new(),
        };
        let table = PartitionTable {
            kind: TableKind::Mbr { disk_id: 1 },
            partitions: numbered.keys().map(partition).collect(),
        };
        let said = advice(&table, &numbered);
        assert!(said.contains(words) && said.contains("; take "), "{said}");
    }
}
