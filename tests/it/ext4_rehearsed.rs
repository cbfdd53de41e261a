//! Changes to ext4 tried out beforehand: what a rehearsal says is what happens.

use fs_err as fs;
use pidoop::disk::ext4::{Ground, Skeleton, apply};
use pidoop::disk::{Piece, Region};
use pidoop::edit::Changes;
use rstest::rstest;
use rstest_reuse::apply;

use crate::ext4::{EPOCH, HADOOP, sample};
use crate::support::changes::{changes, file, path};
use crate::support::tiny_image::{Ext4, MIB, TinyRoot, every_kind};
use crate::support::tools::run;

/// The bytes of `root` as a rehearsal says that they would be. They and the
/// file itself are left alone.
pub(crate) fn rehearsed(root: &TinyRoot, changes: &Changes) -> Vec<u8> {
    let before = fs::read(&root.path).unwrap();
    let skeleton = Skeleton::of(&root.region()).unwrap();
    let region = root.region();
    let mut ground = Ground::open(&region).unwrap();
    let outlook = ground.outlook(changes, &skeleton, &region).unwrap();
    let rehearse = || {
        let (rehearsal, told) = skeleton
            .rehearse(changes, &outlook, EPOCH, &region, <[Piece]>::to_vec)
            .unwrap();
        assert!(rehearsal.pieces() == told);
        rehearsal
    };
    let rehearsal = rehearse();
    assert!(!rehearsal.agrees_with(&root.region()).unwrap());
    assert!(fs::read(&root.path).unwrap() == before);
    let mut after = before;
    for piece in rehearsal.pieces() {
        let at = piece.at as usize;
        after[at..at + piece.bytes.len()].copy_from_slice(&piece.bytes);
    }
    let done = root.scratch().join("done");
    fs::write(&done, &after).unwrap();
    assert!(
        rehearsal
            .agrees_with(&Region::whole(&done).unwrap())
            .unwrap()
    );
    // Another one on the same copy of the metadata finds nothing of the first.
    let pieces = rehearsal.pieces().to_vec();
    rehearsal.end(&skeleton);
    assert!(rehearse().pieces() == pieces);
    after
}

/// What was wrong with the filesystem before is not taken for what would be
/// written.
#[test]
fn a_result_that_is_damaged_is_refused() {
    let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    let scribble = "set_inode_field /etc/shadow links_count 7";
    run("debugfs", &["-w", "-R", scribble, root.path.as_str()]);
    let region = root.region();
    let skeleton = Skeleton::of(&region).unwrap();
    let mut ground = Ground::open(&region).unwrap();
    let changes = changes([], [("/new", file(vec![1; 5000], HADOOP, 0o644))]);
    let outlook = ground.outlook(&changes, &skeleton, &region).unwrap();
    let error = skeleton
        .rehearse(&changes, &outlook, EPOCH, &region, |_| ())
        .unwrap_err();
    assert!(error.to_string().contains("e2fsck"), "{error}");
}

#[apply(every_kind)]
fn a_rehearsal_tells_what_would_be_written(kind: Ext4) {
    let root = TinyRoot::new(kind, 64 * MIB);
    // What goes and what comes may have blocks of zeros.
    let zeros = vec![0; 50_000];
    let half = [vec![1; 9000], vec![0; 9000], vec![1; 9000], vec![0; 5000]].concat();
    let first = changes(
        [],
        [
            ("/zeros", file(zeros.clone(), HADOOP, 0o644)),
            ("/half", file(half.clone(), HADOOP, 0o644)),
            ("/full", file(vec![7; 70_000], HADOOP, 0o644)),
        ],
    );
    let mut second = sample();
    second.removed.extend([path("/full"), path("/zeros")]);
    second
        .targets
        .insert(path("/half"), file(zeros, HADOOP, 0o644));
    second
        .targets
        .insert(path("/other"), file(half, HADOOP, 0o644));
    for changes in [first, second] {
        let rehearsed = rehearsed(&root, &changes);
        apply(&root.region(), &changes, EPOCH).unwrap();
        assert!(fs::read(&root.path).unwrap() == rehearsed);
    }
    root.judge();
}
