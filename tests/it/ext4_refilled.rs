//! Files that get other contents in the blocks they have: the same bytes as if
//! they had come with these contents.

use fs_err as fs;
use pidoop::disk::ext4::{Ext4Volume, NewContent, apply as put, refill};
use pidoop::edit::{Changes, FileContent, Target};
use proptest::prelude::*;
use rstest::rstest;
use rstest_reuse::apply;

use crate::ext4::{EPOCH, HADOOP};
use crate::support::changes::{assert_done, changes, dir, file, path};
use crate::support::tiny_image::{Ext4, MIB, TinyRoot, every_kind};

const NAMES: [&str; 4] = ["/etc/shadow", "/new/a b", "/new/long", "/usr/bin/tool"];

/// Bytes of this length, none of them zero.
fn text(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at as u8 ^ seed) | 1).collect()
}

/// Changes that put files of these lengths down.
fn with(seed: u8, lengths: [usize; 4]) -> Changes {
    let mut changes = changes([], [("/new", dir(HADOOP, 0o750))]);
    for (name, len) in NAMES.into_iter().zip(lengths) {
        let target = file(text(seed, len), HADOOP, 0o640);
        changes.targets.insert(path(name), target);
    }
    changes
}

/// What is to be in files for `old` to become `new`.
fn contents<'c>(old: &Changes, new: &'c Changes) -> Vec<NewContent<'c>> {
    let was = |name| match &old.targets[name] {
        Target::File { content, .. } => content.len(),
        other => panic!("{other:?}"),
    };
    let files = new.files().map(|(path, content)| match content {
        FileContent::Inline { bytes, .. } => NewContent {
            path,
            bytes,
            was: was(path),
        },
        FileContent::Staged { .. } => panic!("{path}"),
    });
    files.collect()
}

/// Fills the files of `root` again; tells whether that could be done.
fn fill(root: &TinyRoot, contents: &[NewContent<'_>]) -> bool {
    let before = fs::read(&root.path).unwrap();
    let pieces = refill(&root.region(), contents).unwrap();
    let mut bytes = fs::read(&root.path).unwrap();
    assert!(before == bytes, "it was to tell, not to do");
    let Some(pieces) = pieces else {
        return false;
    };
    for piece in pieces {
        let at = piece.at as usize;
        bytes[at..at + piece.bytes.len()].copy_from_slice(&piece.bytes);
    }
    fs::write(&root.path, bytes).unwrap();
    true
}

/// Puts `old` into a filesystem, then what `new` has in its files, and compares
/// with one that `new` was put into.
#[track_caller]
fn becomes(kind: Ext4, old: &Changes, new: &Changes) {
    assert_eq!(old.outline(4096), new.outline(4096));
    let (refilled, fresh) = (TinyRoot::new(kind, 64 * MIB), TinyRoot::new(kind, 64 * MIB));
    put(&refilled.region(), old, EPOCH).unwrap();
    put(&fresh.region(), new, EPOCH).unwrap();
    assert!(fill(&refilled, &contents(old, new)));
    assert!(fs::read(&refilled.path).unwrap() == fs::read(&fresh.path).unwrap());
    refilled.judge();
    assert_done(new, &Ext4Volume::open(&refilled.region()).unwrap(), true);
}

#[apply(every_kind)]
fn other_contents_give_the_same_bytes_as_if_new(kind: Ext4) {
    let old = with(0x20, [1, 4096, 300_000, 100]);
    becomes(kind, &old, &with(0x21, [4096, 1, 299_900, 4000]));
    // Of the same length, and not at all.
    becomes(kind, &old, &with(0x22, [1, 4096, 300_000, 100]));
    becomes(kind, &old, &old);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn whatever_the_lengths(
        blocks in prop::array::uniform4(1usize..5),
        ends in prop::array::uniform8(0usize..4096),
    ) {
        let lengths = |ends: &[usize]| [0, 1, 2, 3].map(|index| blocks[index] * 4096 - ends[index]);
        becomes(Ext4::Trixie, &with(1, lengths(&ends[..4])), &with(2, lengths(&ends[4..])));
    }
}

#[apply(every_kind)]
fn what_has_other_blocks_is_not_filled_again(kind: Ext4) {
    let root = TinyRoot::new(kind, 64 * MIB);
    let lengths = [1, 4096, 300_000, 0];
    let old = with(0x20, lengths);
    put(&root.region(), &old, EPOCH).unwrap();
    let one = |name: &str, len: usize, was: u64| {
        let (path, bytes) = (path(name), text(3, len));
        let content = NewContent {
            path: &path,
            bytes: &bytes,
            was,
        };
        fill(&root, &[content])
    };
    assert!(!one(NAMES[0], 4097, 1), "a block more");
    assert!(!one(NAMES[0], 0, 1), "a block less");
    assert!(!one(NAMES[3], 1, 0), "a file of no blocks");
    assert!(!one("/nowhere", 1, 1));
    assert!(!one("/new", 4096, 4096), "a directory");
    // Who does not know what is there does not know what becomes of it.
    assert!(!one(NAMES[0], 1, 2), "another length than it has");
    assert!(one(NAMES[0], 4000, 1));
    root.judge();
}
