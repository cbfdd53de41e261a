//! ext4 listed by inodes: held against ext4-view, which reads by paths, and
//! against debugfs.

use std::os::unix::fs::FileExt;

use fs_err as fs;
use pidoop::disk::Region;
use pidoop::disk::ext4::{Ext4Volume, ListedExt4, apply};
use pidoop::edit::compare::list;
use pidoop::edit::{EntryKind, ImagePath, ReadTree};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use rstest_reuse::apply;

use crate::ext4::{EPOCH, sample};
use crate::support::changes::path;
use crate::support::tiny_image::{Ext4, MIB, TinyRoot, every_kind};

/// Both readers say the same of every path and every byte.
#[track_caller]
fn assert_agreement(region: &Region) -> ListedExt4 {
    let listed = ListedExt4::open(region).unwrap();
    let volume = Ext4Volume::open(region).unwrap();
    let expected = list(&volume).unwrap();
    let paths = |listing: &pidoop::edit::compare::Listing| -> Vec<ImagePath> {
        listing.keys().cloned().collect()
    };
    assert_eq!(paths(listed.listing()), paths(&expected));
    let mut files = 0;
    for (path, found) in listed.listing() {
        let other = &expected[path].entry;
        let is_link = matches!(other.kind, EntryKind::Symlink { .. });
        assert_eq!(found.entry.kind, other.kind, "{path}");
        assert_eq!(found.entry.owner, other.owner, "{path}");
        assert!(is_link || found.entry.mode == other.mode, "{path}");
        if found.len().is_some() {
            files += 1;
            let bytes = listed.read(path, u64::MAX).unwrap();
            assert!(bytes == volume.read(path).unwrap(), "content of {path}");
        }
    }
    assert!(files > 5, "{files} files");
    listed
}

#[apply(every_kind)]
fn two_readers_agree_on_every_kind(kind: Ext4) {
    let root = TinyRoot::new(kind, 64 * MIB);
    assert_agreement(&root.region());
    apply(&root.region(), &sample(), EPOCH).unwrap();
    let listed = assert_agreement(&root.region());
    let found = &listed.listing()["/opt/hadoop/Größe"];
    assert_eq!(found.modified, Some(EPOCH.cast_signed()));
}

#[rstest]
#[case(Ext4::Ancient)]
#[case(Ext4::Bookworm)]
#[case(Ext4::Trixie)]
fn attributes_times_and_devices_are_those_debugfs_gave(#[case] kind: Ext4) {
    let root = TinyRoot::new(kind, 64 * MIB);
    let long = "v".repeat(900);
    let host = root.path.with_file_name("value");
    fs::write(&host, &long).unwrap();
    let empty = root.path.with_file_name("empty");
    fs::write(&empty, "").unwrap();
    let script = format!(
        "write {empty} plain\n\
         ea_set /plain security.capability \"abcd\"\n\
         ea_set -f {host} /plain user.long\n\
         sif /plain mtime @5000000000\n\
         mknod null c 1 3\n\
         mknod disk b 259 7000\n\
         mknod queue p\n\
         write {empty} old\n\
         sif /old mtime @1\n"
    );
    let commands = root.path.with_file_name("script");
    fs::write(&commands, script).unwrap();
    crate::support::tools::run(
        "debugfs",
        &["-w", "-f", commands.as_str(), root.path.as_str()],
    );
    let listed = ListedExt4::open(&root.region()).unwrap();
    let found = |name: &str| &listed.listing()[&path(name)];
    let names: Vec<&String> = found("/plain").xattrs.keys().collect();
    assert_eq!(names, ["security.capability", "user.long"]);
    assert_eq!(found("/plain").xattrs["security.capability"], b"abcd");
    assert_eq!(found("/plain").xattrs["user.long"], long.as_bytes());
    assert_eq!(found("/old").modified, Some(1));
    if kind != Ext4::Ancient {
        // Inodes of 128 bytes have no room for it.
        assert_eq!(found("/plain").modified, Some(5_000_000_000));
    }
    let special = |name: &str| found(name).special.clone().unwrap();
    assert_eq!(special("/null"), "character device 1:3");
    assert_eq!(special("/disk"), "block device 259:7000");
    assert_eq!(special("/queue"), "a FIFO");
}

#[test]
fn every_byte_of_every_file_counts() {
    let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    apply(&root.region(), &sample(), EPOCH).unwrap();
    let copy = root.path.with_file_name("copy");
    fs::copy(&root.path, &copy).unwrap();
    let (one, two) = (root.region(), Region::whole(&copy).unwrap());
    let at = path("/opt/hadoop/Größe");
    let same = || {
        let (one, two) = (ListedExt4::open(&one), ListedExt4::open(&two));
        let (one, two) = (one.unwrap(), two.unwrap());
        let files = one
            .listing()
            .iter()
            .filter(|(_, found)| found.len().is_some());
        let same: Vec<bool> = files
            .clone()
            .map(|(path, _)| one.is_same(&two, path).unwrap())
            .collect();
        let others = same.iter().filter(|same| !**same).count();
        (one.is_same(&two, &at).unwrap(), others)
    };
    assert_eq!(same(), (true, 0));
    // The file is 123457 times 3; its last byte, found by debugfs.
    let blocks = root.debugfs("blocks \"/opt/hadoop/Größe\"");
    let last: u64 = blocks.split_whitespace().last().unwrap().parse().unwrap();
    let place = last * 4096 + 123_456 % 4096;
    let file = fs::OpenOptions::new().write(true).open(&copy).unwrap();
    file.file().write_all_at(&[3 ^ 0x10], place).unwrap();
    assert_eq!(same(), (false, 1));
    // Behind its end nobody looks.
    file.file().write_all_at(&[3], place).unwrap();
    file.file().write_all_at(&[9], place + 1).unwrap();
    assert_eq!(same(), (true, 0));
}

#[test]
fn damage_is_told_and_never_ends_it() {
    let root = TinyRoot::new(Ext4::Ancient, 64 * MIB);
    let tree = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    for root in [root, tree] {
        let whole = fs::read(&root.path).unwrap();
        let used: Vec<usize> = whole
            .chunks(1024)
            .enumerate()
            .filter(|(_, bytes)| bytes.iter().any(|byte| *byte != 0))
            .map(|(index, _)| index)
            .collect();
        let flips = prop::collection::vec(
            (any::<prop::sample::Index>(), 0usize..1024, any::<u8>()),
            1..40,
        );
        let file = fs::OpenOptions::new().write(true).open(&root.path).unwrap();
        let mut runner = TestRunner::new(Config::with_cases(200));
        runner
            .run(&flips, |flips| {
                let places: Vec<(usize, u8)> = flips
                    .iter()
                    .map(|(chunk, at, byte)| (chunk.get(&used) * 1024 + at, *byte))
                    .collect();
                for (at, byte) in &places {
                    file.file().write_all_at(&[*byte], *at as u64).unwrap();
                }
                if let Ok(listed) = ListedExt4::open(&root.region()) {
                    for path in listed.listing().keys() {
                        let _ = listed.is_same(&listed, path);
                        let _ = listed.read(path, 1 << 20);
                    }
                }
                for (at, _) in &places {
                    file.file().write_all_at(&[whole[*at]], *at as u64).unwrap();
                }
                Ok(())
            })
            .unwrap();
    }
}
