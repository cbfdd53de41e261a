//! Long files get their blocks from debugfs and their content from pidoop.

use std::os::unix::fs::MetadataExt;

use fs_err as fs;
use pidoop::disk::ext4::{Ext4Volume, Skeleton};
use pidoop::edit::{Attributes, Changes, FileContent, Mode, Owner, Target};
use proptest::prelude::*;
use rstest::rstest;
use rstest_reuse::apply;
use sha2::{Digest, Sha256};

use crate::ext4::{EPOCH, HADOOP, sample};
use crate::support::changes::{assert_done, path};
use crate::support::tiny_image::{Ext4, MIB, TinyRoot, every_kind};
use crate::support::tools::run;

/// A file of the host that is to come into the filesystem.
fn staged(root: &TinyRoot, name: &str, bytes: &[u8], owner: Owner, mode: u16) -> Target {
    let host = root.scratch().join(name);
    fs::write(&host, bytes).unwrap();
    let content = FileContent::Staged {
        host,
        len: bytes.len() as u64,
        sha256: Sha256::digest(bytes).into(),
    };
    Target::File {
        content,
        owner,
        mode: Mode::new(mode),
    }
}

/// Bytes in which each block is another one.
fn various(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (at / 4096 * 31 + at % 251) as u8)
        .collect()
}

/// Leaves something in the blocks that are free.
fn remains(root: &TinyRoot) {
    let place = root.path.as_str();
    let host = root.scratch().join("remains");
    fs::write(&host, vec![0xa5; 40 << 20]).unwrap();
    run(
        "debugfs",
        &["-w", "-R", &format!("write {host} /remains"), place],
    );
    run("debugfs", &["-w", "-R", "rm /remains", place]);
}

fn carry_out(root: &TinyRoot, changes: &Changes) {
    let region = root.region();
    let before = fs::read(&root.path).unwrap();
    let skeleton = Skeleton::of(&region).unwrap();
    let rehearsal = skeleton.rehearse_large(changes, EPOCH, &region).unwrap();
    rehearsal.check().unwrap();
    assert!(
        fs::read(&root.path).unwrap() == before,
        "that was no rehearsal"
    );
    rehearsal.write(&region).unwrap();
    root.judge();
    assert!(rehearsal.agrees_with(&region).unwrap());
    let volume = Ext4Volume::open(&region).unwrap();
    assert_done(changes, &volume, true);
    let mismatches = changes.mismatches(&volume, Attributes::Checked).unwrap();
    assert!(mismatches.is_empty(), "{mismatches:?}");
}

#[apply(every_kind)]
fn contents_come_to_where_their_blocks_are(kind: Ext4) {
    let root = TinyRoot::new(kind, 96 * MIB);
    remains(&root);
    let mut changes = sample();
    let holes = [various(9000), vec![0; 400_000], various(300_001)].concat();
    for (name, bytes, mode) in [
        ("/long", various(20 << 20), 0o644),
        ("/holes", holes, 0o4750),
        ("/zeros", vec![0; 200_000], 0o600),
        ("/just", various(128 << 10), 0o755),
        ("/short", various(1000), 0o640),
        ("/nothing", Vec::new(), 0o644),
    ] {
        // ext4-view reads no holes of files without extents.
        if kind != Ext4::Ancient || !matches!(name, "/holes" | "/zeros") {
            let target = staged(&root, &name[1..], &bytes, HADOOP, mode);
            changes.targets.insert(path(name), target);
        }
    }
    carry_out(&root, &changes);
    // The same once more, over files that have such blocks already.
    let longer = staged(&root, "longer", &various(21 << 20), Owner::ROOT, 0o600);
    changes.targets.insert(path("/long"), longer);
    carry_out(&root, &changes);
}

/// e2fsck sees to metadata only; what another program reads counts.
#[test]
fn debugfs_reads_what_was_filled_in() {
    let root = TinyRoot::new(Ext4::Trixie, 96 * MIB);
    remains(&root);
    let bytes = [various(5 << 20), vec![0; 1 << 20], various(777)].concat();
    let mut changes = Changes::default();
    let target = staged(&root, "content", &bytes, HADOOP, 0o644);
    changes.targets.insert(path("/long"), target);
    carry_out(&root, &changes);
    let dumped = root.scratch().join("dumped");
    root.debugfs(&format!("dump /long {dumped}"));
    assert!(fs::read(dumped).unwrap() == bytes);
    let said = root.debugfs("stat /long");
    assert!(!said.contains("[u]"), "{said}");
}

#[test]
fn the_same_bytes_whoever_fills_them_in() {
    let images = [0, 1].map(|_| {
        let root = TinyRoot::new(Ext4::Bookworm, 96 * MIB);
        let mut changes = sample();
        let target = staged(&root, "content", &various(9 << 20), HADOOP, 0o644);
        changes.targets.insert(path("/long"), target);
        carry_out(&root, &changes);
        fs::read(&root.path).unwrap()
    });
    assert!(images[0] == images[1]);
}

#[test]
fn zeros_take_no_room_on_the_disk() {
    let root = TinyRoot::new(Ext4::Trixie, 96 * MIB);
    let mut changes = Changes::default();
    let target = staged(&root, "content", &vec![0; 50 << 20], HADOOP, 0o644);
    changes.targets.insert(path("/long"), target);
    let before = fs::metadata(&root.path).unwrap().blocks();
    carry_out(&root, &changes);
    let grown = fs::metadata(&root.path).unwrap().blocks() - before;
    assert!(grown * 512 < 1 << 20, "{grown} sectors more");
}

#[test]
fn content_that_is_cut_meanwhile_is_an_error() {
    let root = TinyRoot::new(Ext4::Trixie, 96 * MIB);
    let mut changes = Changes::default();
    let target = staged(&root, "content", &various(1 << 20), HADOOP, 0o644);
    changes.targets.insert(path("/long"), target);
    let region = root.region();
    let skeleton = Skeleton::of(&region).unwrap();
    let rehearsal = skeleton.rehearse_large(&changes, EPOCH, &region).unwrap();
    fs::write(root.scratch().join("content"), "short").unwrap();
    assert!(rehearsal.write(&region).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    /// Files of any length, some of them in pieces, since the free space is.
    #[test]
    fn any_lengths(lengths in prop::collection::vec(0usize..3_000_000, 1..12)) {
        let root = TinyRoot::new(Ext4::Trixie, 96 * MIB);
        remains(&root);
        let mut changes = Changes::default();
        for (number, len) in lengths.iter().enumerate() {
            let name = format!("/file{number}");
            let target = staged(&root, &name[1..], &various(*len), HADOOP, 0o644);
            changes.targets.insert(path(&name), target);
        }
        carry_out(&root, &changes);
        let half = Changes {
            removed: (0..lengths.len()).step_by(2).map(|n| path(&format!("/file{n}"))).collect(),
            targets: [(path("/pieces"), staged(&root, "pieces", &various(9_000_000), HADOOP, 0o644))].into(),
        };
        carry_out(&root, &half);
    }
}
