//! Partition tables: read and rewritten by us, judged by sfdisk.

use camino::Utf8Path;
use fs_err as fs;
use pidoop::disk::ext4::{Ext4Volume, apply, grow};
use pidoop::disk::{DiskError, PartitionTable, PiImage, Region, TableKind};
use pidoop::edit::Owner;
use rstest::rstest;
use serde_json::Value;
use uuid::Uuid;

use crate::support::changes::{changes, file, listing};
use crate::support::tiny_image::{Ext4, Fat, MIB, Table, TinyImage, temp_dir};
use crate::support::tools::run;

const EPOCH: u64 = 1_700_000_000;

fn sfdisk(path: &Utf8Path) -> Value {
    let json: Value = serde_json::from_str(&run("sfdisk", &["--json", path.as_str()])).unwrap();
    json["partitiontable"].clone()
}

/// What we read is what sfdisk reads.
#[track_caller]
fn agree(path: &Utf8Path) {
    let ours = PartitionTable::read(path).unwrap();
    let theirs = sfdisk(path);
    let id = match ours.kind {
        TableKind::Mbr { disk_id } => format!("0x{disk_id:08x}"),
        TableKind::Gpt { disk_guid } => disk_guid.to_string().to_uppercase(),
    };
    assert_eq!(theirs["id"], id);
    let list = theirs["partitions"].as_array().unwrap();
    assert_eq!(list.len(), ours.partitions.len());
    for (theirs, ours) in list.iter().zip(&ours.partitions) {
        assert_eq!(theirs["start"], ours.start / 512);
        assert_eq!(theirs["size"], ours.len / 512);
        let kind = theirs["type"].as_str().unwrap().to_lowercase();
        assert_eq!(
            ours.kind.trim_start_matches('0'),
            kind.trim_start_matches('0')
        );
        if let Some(guid) = theirs["uuid"].as_str() {
            assert_eq!(ours.partuuid, guid.to_lowercase());
        }
    }
}

#[rstest]
fn reads_what_sfdisk_reads(#[values(Table::Mbr, Table::Gpt)] table: Table) {
    let image = TinyImage::new(table, Fat::Trixie, Ext4::Trixie);
    agree(&image.path);
    let opened = image.open();
    assert_eq!(opened.alignment(), 8 * MIB);
    assert_eq!(
        opened.boot().to_string(),
        format!("partition 1 of {}", image.path)
    );
    if table == Table::Mbr {
        assert_eq!(opened.root_partition().partuuid, "deadbeef-02");
    }
}

/// The whole way: out, grown, changed, back in.
#[rstest]
fn a_root_goes_out_grows_and_comes_back(#[values(Table::Mbr, Table::Gpt)] table: Table) {
    let image = TinyImage::new(table, Fat::Trixie, Ext4::Trixie);
    let mut opened = image.open();
    let boot_before = bytes_of(&opened.boot());
    let tree_before = listing(&Ext4Volume::open(&opened.root()).unwrap());
    let root = image.path.with_file_name("root.ext4");
    opened.extract_root(&root).unwrap();
    assert!(fs::read(&root).unwrap() == bytes_of(&opened.root()));
    let len = 200 * MIB;
    grow(&root, len, EPOCH).unwrap();
    opened.splice_root(&root).unwrap();
    assert_eq!(opened.root().len, len);
    agree(&image.path);
    image.judge();
    assert!(fs::read(&root).unwrap() == bytes_of(&opened.root()));
    assert!(boot_before == bytes_of(&opened.boot()));
    let file_len = fs::metadata(&image.path).unwrap().len();
    match table {
        Table::Mbr => assert_eq!(file_len, opened.root().end()),
        Table::Gpt => assert_eq!(file_len, opened.root().end() + MIB),
    }
    assert_eq!(
        listing(&Ext4Volume::open(&opened.root()).unwrap()),
        tree_before
    );
    let more = changes(
        [],
        [("/large", file(vec![5; 80 << 20], Owner::ROOT, 0o644))],
    );
    apply(&opened.root(), &more, EPOCH).unwrap();
    image.judge();
    // A GPT's second copy is the only one left, at the end.
    if table == Table::Gpt {
        let marks = positions(&fs::read(&image.path).unwrap(), b"EFI PART");
        assert_eq!(marks, [512, file_len as usize - 512]);
    }
}

fn bytes_of(region: &Region) -> Vec<u8> {
    let bytes = fs::read(&region.file).unwrap();
    bytes[region.start as usize..region.end() as usize].to_vec()
}

fn positions(bytes: &[u8], needle: &[u8]) -> Vec<usize> {
    (0..bytes.len() - needle.len())
        .filter(|at| bytes[*at..].starts_with(needle))
        .collect()
}

#[test]
fn a_shorter_root_is_refused() {
    let image = TinyImage::new(Table::Mbr, Fat::Trixie, Ext4::Bookworm);
    let short = image.path.with_file_name("short");
    fs::write(&short, vec![0; 1 << 20]).unwrap();
    let error = image.open().splice_root(&short).unwrap_err().to_string();
    assert!(error.contains("cannot take the 1048576 bytes"), "{error}");
}

#[test]
fn ids_are_set_and_nothing_else() {
    let image = TinyImage::new(Table::Mbr, Fat::Trixie, Ext4::Bookworm);
    let before = fs::read(&image.path).unwrap();
    let mut opened = image.open();
    opened.set_disk_id(0x0012_abcd).unwrap();
    assert_eq!(opened.root_partition().partuuid, "0012abcd-02");
    agree(&image.path);
    let after = fs::read(&image.path).unwrap();
    assert!(before[..440] == after[..440] && before[444..] == after[444..]);
    let one = Uuid::from_u128(1);
    assert!(opened.set_guids(one, one, one).is_err());
}

#[test]
fn guids_are_set() {
    let image = TinyImage::new(Table::Gpt, Fat::Trixie, Ext4::Bookworm);
    let mut opened = image.open();
    let [disk, boot, root] = [1, 2, 3].map(|n| Uuid::from_u128(0xabcd << 64 | n));
    opened.set_guids(disk, boot, root).unwrap();
    assert_eq!(opened.table().kind, TableKind::Gpt { disk_guid: disk });
    assert_eq!(opened.root_partition().partuuid, root.to_string());
    agree(&image.path);
    image.judge();
    // Writing the same once more changes no byte.
    let bytes = fs::read(&image.path).unwrap();
    opened.set_guids(disk, boot, root).unwrap();
    assert!(fs::read(&image.path).unwrap() == bytes);
    assert!(opened.set_disk_id(7).is_err());
}

#[test]
fn a_cut_image_is_called_truncated() {
    let image = TinyImage::new(Table::Mbr, Fat::Trixie, Ext4::Bookworm);
    let end = image.open().root().end();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&image.path)
        .unwrap();
    file.set_len(end - 1).unwrap();
    let error = PiImage::open(&image.path).unwrap_err();
    assert!(
        matches!(error, DiskError::Truncated { partition: 2, .. }),
        "{error}"
    );
    let words = format!(
        "partition 2 ends at byte {end}, but the file has {}",
        end - 1
    );
    assert!(error.to_string().contains(&words), "{error}");
}

#[rstest]
#[case::empty(b"", "it is empty")]
#[case::text(b"hello, this is no disk\n", "no partition table")]
#[case::xz(b"\xfd7zXZ\0rest", "compressed with xz; unpack it first")]
#[case::gzip(b"\x1f\x8brest", "compressed with gzip")]
fn what_is_no_disk_is_called_what_it_is(#[case] bytes: &[u8], #[case] words: &str) {
    let (_dir, base) = temp_dir();
    let path = base.join("thing.img");
    fs::write(&path, bytes).unwrap();
    let error = PiImage::open(&path).unwrap_err();
    assert!(matches!(error, DiskError::NotADisk { .. }), "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.to_string().contains("thing.img"), "{error}");
}

#[test]
fn a_lone_filesystem_is_no_disk() {
    let image = TinyImage::new(Table::Mbr, Fat::Small, Ext4::Bookworm);
    let (_dir, base) = temp_dir();
    for (region, words) in [
        (
            image.open().boot(),
            "one FAT filesystem and no partition table",
        ),
        (
            image.open().root(),
            "one ext4 filesystem and no partition table",
        ),
    ] {
        let path = base.join("alone");
        fs::write(&path, bytes_of(&region)).unwrap();
        let error = PiImage::open(&path).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// Layouts of other systems, by the marks their filesystems carry.
#[rstest]
#[case::squashfs("start=2048,size=2048,type=c\nsize=2048,type=83", 1 << 20, b"hsqs", "squashfs")]
#[case::erofs("start=2048,size=2048,type=c\nsize=2048,type=83", (1 << 20) + 1024, b"\xe2\xe1\xf5\xe0", "erofs")]
#[case::one("start=2048,size=2048,type=83", 0, b"", "partition 1: FAT")]
fn other_layouts_are_described(
    #[case] script: &str,
    #[case] at: usize,
    #[case] mark: &[u8],
    #[case] words: &str,
) {
    let (_dir, base) = temp_dir();
    let path = base.join("other.img");
    fs::write(&path, vec![0; 8 << 20]).unwrap();
    let command = format!("printf 'label: dos\\n{script}\\n' | sfdisk -q '{path}'");
    run("sh", &["-c", &command.replace('\n', "\\n")]);
    let mut bytes = fs::read(&path).unwrap();
    bytes[(1 << 20) + 82..][..5].copy_from_slice(b"FAT32");
    let at = (1 << 20) + at;
    bytes[at..at + mark.len()].copy_from_slice(mark);
    fs::write(&path, bytes).unwrap();
    let error = PiImage::open(&path).unwrap_err();
    assert!(matches!(error, DiskError::NotPiShaped { .. }), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn tables_that_make_no_sense_are_refused() {
    let image = TinyImage::new(Table::Mbr, Fat::Small, Ext4::Bookworm);
    let good = fs::read(&image.path).unwrap();
    let with = |edits: &[(usize, u8)]| {
        let mut bytes = good.clone();
        edits.iter().for_each(|(at, byte)| bytes[*at] = *byte);
        bytes
    };
    // Entries begin at 446; type is the fifth byte, start the ninth.
    for (what, bytes, words) in [
        ("extended", with(&[(462 + 4, 5)]), "extended"),
        (
            "overlapping",
            with(&[(462 + 8, 1), (462 + 9, 64), (462 + 10, 0)]),
            "overlap",
        ),
        (
            "on the table",
            with(&[(446 + 8, 0), (446 + 9, 0)]),
            "on the table",
        ),
        (
            "protective without a GPT",
            with(&[(446 + 4, 0xee)]),
            "GPT header",
        ),
    ] {
        fs::write(&image.path, bytes).unwrap();
        let error = PiImage::open(&image.path).unwrap_err().to_string();
        assert!(error.contains(words), "{what}: {error}");
    }
}

#[test]
fn an_unusual_gpt_is_refused_and_not_stumbled_over() {
    let image = TinyImage::new(Table::Gpt, Fat::Small, Ext4::Bookworm);
    let good = fs::read(&image.path).unwrap();
    for (at, byte) in [(512 + 84, 0), (512 + 82, 0xff), (512 + 12, 1), (512, 0)] {
        let mut bytes = good.clone();
        bytes[at] = byte;
        fs::write(&image.path, bytes).unwrap();
        assert!(PiImage::open(&image.path).is_err(), "byte {at}");
    }
}
