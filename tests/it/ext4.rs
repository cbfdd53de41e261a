//! ext4: what debugfs wrote, read by ext4-view and judged by e2fsck.

use std::time::Duration;

use fs_err as fs;
use pidoop::disk::ext4::{Ext4Volume, Footprint, Superblock, Verdict, apply, check};
use pidoop::disk::{DiskError, Region, copy_file};
use pidoop::edit::{Changes, FileContent, Mode, Owner, ReadTree, Target};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use rstest_reuse::apply;

use crate::ext4_rehearsed::rehearsed;
use crate::support::changes::{assert_done, changes, dir, file, link, path, random, short};
use crate::support::tiny_image::{
    Ext4, Fat, MIB, OLD_SHADOW, Table, TinyImage, TinyRoot, every_kind,
};
use crate::support::tools::{output, run};

pub(crate) const EPOCH: u64 = 1_700_000_000;
pub(crate) const HADOOP: Owner = Owner::new(901, 70_001);

/// A bit of everything, over what [`TinyRoot`] has.
pub(crate) fn sample() -> Changes {
    changes(
        ["/usr/share/big", "/usr/share/doc/a/copyright", "/not/there"],
        [
            (
                "/etc/shadow",
                file("root:new:::::::\n", Owner::new(0, 42), 0o640),
            ),
            ("/etc/hostname", file("master\n", Owner::ROOT, 0o644)),
            ("/home/pi", dir(Owner::new(1000, 1000), 0o700)),
            ("/opt", dir(Owner::ROOT, 0o755)),
            ("/opt/hadoop", dir(HADOOP, 0o2750)),
            ("/opt/hadoop/a b;#c", file("", HADOOP, 0o4755)),
            ("/opt/hadoop/Größe", file(vec![3; 123_457], HADOOP, 0o600)),
            ("/opt/hadoop/current", link(&"long/".repeat(40))),
            ("/opt/hadoop/quoted", link("say \"hi\" to $HOME")),
            ("/usr/bin/tool", link("/opt/hadoop/a b;#c")),
            ("/usr/share/big", dir(Owner::ROOT, 0o755)),
            (
                "/usr/share/big/new",
                file("in a directory that came back\n", Owner::ROOT, 0o644),
            ),
        ],
    )
}

#[apply(every_kind)]
fn changes_arrive_on_every_kind(kind: Ext4) {
    let root = TinyRoot::new(kind, 64 * MIB);
    let applied = apply(&root.region(), &sample(), EPOCH).unwrap();
    root.judge();
    assert_eq!(check(&root.region()).unwrap(), Verdict::Clean);
    let volume = Ext4Volume::open(&root.region()).unwrap();
    assert_done(&sample(), &volume, true);
    assert_eq!(applied.inodes, 12);
    assert_eq!(applied.bytes, 16 + 7 + 123_457 + 30);
    assert_eq!(volume.children(&path("/usr/share/big")).unwrap(), ["new"]);
    // The other name of the hard link still has the content.
    let other = volume
        .read(&path("/usr/share/doc/a/copyright-too"))
        .unwrap();
    assert_eq!(other, b"shared text\n");
    // Read through a symlinked parent.
    assert_eq!(
        volume.entry(&path("/bin/tool")).unwrap(),
        volume.entry(&path("/usr/bin/tool")).unwrap()
    );
    assert_eq!(volume.superblock().write_time, EPOCH);
}

#[test]
fn every_time_is_the_epoch() {
    let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    apply(&root.region(), &sample(), EPOCH).unwrap();
    for name in [
        "/opt/hadoop/Größe",
        "/opt/hadoop",
        "/opt/hadoop/current",
        "/etc/shadow",
    ] {
        let stat = root.debugfs(&format!("stat \"{name}\""));
        for time in ["ctime", "atime", "mtime", "crtime"] {
            let expected = format!("{time}: 0x6553f100:00000000");
            assert!(stat.contains(&expected), "{name}: {expected} in\n{stat}");
        }
    }
    // A directory that stayed was not made anew, but changed hands now.
    let stat = root.debugfs("stat /home/pi");
    assert!(stat.contains("ctime: 0x6553f100:00000000"), "{stat}");
    assert!(!stat.contains("crtime: 0x6553f100"), "{stat}");
    let untouched = root.debugfs("stat /etc");
    assert!(!untouched.contains("0x6553f100"), "{untouched}");
}

#[test]
fn what_is_freed_is_zero() {
    let root = TinyRoot::new(Ext4::Bookworm, 64 * MIB);
    let before = fs::read(&root.path).unwrap();
    assert!(contains(&before, OLD_SHADOW.as_bytes()) && contains(&before, &[b't'; 5000]));
    apply(&root.region(), &sample(), EPOCH).unwrap();
    let after = fs::read(&root.path).unwrap();
    assert!(
        !contains(&after, b"old-secret-hash"),
        "the old shadow can still be read"
    );
    assert!(!contains(&after, &[b't'; 5000]), "so can a large file");
    assert!(!contains(&after, &[b'v'; 2000]), "so can large attributes");
    assert!(
        contains(&after, b"shared text"),
        "a file with another name lost its content"
    );
    // What e2fsprogs calls free was free before, or is zero now.
    for block in free_blocks(&root) {
        let bytes = block as usize * 4096..(block as usize + 1) * 4096;
        let is_zero = after[bytes.clone()].iter().all(|byte| *byte == 0);
        assert!(
            is_zero || before[bytes.clone()] == after[bytes],
            "block {block}"
        );
    }
}

fn free_blocks(root: &TinyRoot) -> Vec<u64> {
    let said = run("dumpe2fs", &[root.path.as_str()]);
    let ranges = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Free blocks: "));
    ranges
        .flat_map(|line| line.split(", "))
        .filter(|range| !range.is_empty() && !range.starts_with(' '))
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(first.parse::<u64>().ok()?..=last.parse::<u64>().ok()?)
        })
        .flatten()
        .collect()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn two_runs_at_different_times_give_the_same_bytes() {
    for kind in Ext4::ALL {
        let root = TinyRoot::new(kind, 64 * MIB);
        let twin = root.scratch().join("twin.ext4");
        copy_file(&root.path, &twin).unwrap();
        apply(&root.region(), &sample(), EPOCH).unwrap();
        std::thread::sleep(Duration::from_millis(1100));
        apply(&Region::whole(&twin).unwrap(), &sample(), EPOCH).unwrap();
        assert!(
            fs::read(&root.path).unwrap() == fs::read(&twin).unwrap(),
            "{kind:?}"
        );
    }
}

#[test]
fn works_inside_an_image_with_an_awkward_name() {
    let image = TinyImage::new(Table::Mbr, Fat::Trixie, Ext4::Trixie);
    let awkward = image.path.with_file_name("what? a \"name\" offset=3.img");
    fs::rename(&image.path, &awkward).unwrap();
    let region = pidoop::disk::PiImage::open(&awkward).unwrap().root();
    apply(&region, &sample(), EPOCH).unwrap();
    assert_eq!(check(&region).unwrap(), Verdict::Clean);
    assert_done(&sample(), &Ext4Volume::open(&region).unwrap(), true);
    fs::rename(&awkward, &image.path).unwrap();
    image.judge();
}

#[test]
fn staged_files_come_by_name_whatever_the_name() {
    let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    let host = root.scratch().join("a \"host\"\nfile");
    let bytes: Vec<u8> = (0..5_000_000u32)
        .flat_map(|n| (n as u16).to_le_bytes())
        .collect();
    fs::write(&host, &bytes).unwrap();
    let target = |len| Target::File {
        content: FileContent::Staged {
            host: host.clone(),
            len,
            sha256: [0; 32],
        },
        owner: HADOOP,
        mode: Mode::FILE,
    };
    let good = changes([], [("/big.jar", target(bytes.len() as u64))]);
    apply(&root.region(), &good, EPOCH).unwrap();
    root.judge();
    assert_done(&good, &Ext4Volume::open(&root.region()).unwrap(), true);
    let short = changes([], [("/other.jar", target(7))]);
    let error = apply(&root.region(), &short, EPOCH)
        .unwrap_err()
        .to_string();
    assert!(error.contains("has 10000000 bytes, expected 7"), "{error}");
}

#[test]
fn a_directory_with_an_index_takes_many_more() {
    let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    assert!(
        root.debugfs("htree_dump /usr/share/big")
            .contains("Root node dump")
    );
    let mut many = Changes::default();
    for index in 0..2500 {
        let name = format!("/usr/share/big/another-file-with-a-long-name-{index}");
        many.targets
            .insert(path(&name), file(format!("{index}"), Owner::ROOT, 0o644));
    }
    apply(&root.region(), &many, EPOCH).unwrap();
    root.judge();
    let volume = Ext4Volume::open(&root.region()).unwrap();
    assert_eq!(
        volume.children(&path("/usr/share/big")).unwrap().len(),
        3200
    );
    assert_done(&many, &volume, true);
}

#[test]
fn attributes_outside_the_inode_leave_no_lost_block() {
    let root = TinyRoot::new(Ext4::Bookworm, 64 * MIB);
    let stat = root.debugfs("stat /usr/bin/tool");
    assert!(
        !stat.contains("File ACL: 0\n"),
        "the fixture has no such block:\n{stat}"
    );
    let gone = changes(["/usr/bin/tool"], []);
    let before = Superblock::read(&root.region()).unwrap().free_blocks;
    apply(&root.region(), &gone, EPOCH).unwrap();
    root.judge();
    let after = Superblock::read(&root.region()).unwrap().free_blocks;
    assert_eq!(after - before, 300_000_u64.div_ceil(4096) + 1);
}

#[test]
fn attributes_shared_with_a_file_that_stays_are_kept() {
    let root = TinyRoot::new(Ext4::Bullseye, 64 * MIB);
    let stat = root.debugfs("stat /usr/bin/tool");
    let block = stat
        .split("File ACL: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    for command in [
        format!("sif /etc/hostname file_acl {block}"),
        "sif /etc/hostname blocks 16".to_owned(),
        format!("zap_block -o 4 -l 1 -p 2 {block}"),
    ] {
        run("debugfs", &["-w", "-R", &command, root.path.as_str()]);
    }
    root.judge();
    let gone = changes(["/usr/bin/tool"], []);
    let rehearsed = rehearsed(&root, &gone);
    let twin = root.scratch().join("twin.ext4");
    copy_file(&root.path, &twin).unwrap();
    apply(&root.region(), &gone, EPOCH).unwrap();
    root.judge();
    assert!(
        root.debugfs("ea_list /etc/hostname")
            .contains("user.large (3000)")
    );
    std::thread::sleep(Duration::from_millis(1100));
    apply(&Region::whole(&twin).unwrap(), &gone, EPOCH).unwrap();
    assert!(fs::read(&root.path).unwrap() == fs::read(&twin).unwrap());
    assert!(fs::read(&root.path).unwrap() == rehearsed);
}

#[rstest]
#[case::missing_parent(changes([], [("/no/such/dir/f", file("x", Owner::ROOT, 0o644))]), "write")]
#[case::directory_in_the_way(changes([], [("/etc", link("x"))]), "/etc: it is a directory")]
#[case::whole_root(changes(["/"], []), "the root directory cannot be removed")]
#[case::newline(changes([], [("/l", link("a\nrm /etc/shadow"))]), "control characters")]
fn what_cannot_be_done_is_said(#[case] changes: Changes, #[case] words: &str) {
    let root = TinyRoot::new(Ext4::Bookworm, 64 * MIB);
    let error = apply(&root.region(), &changes, EPOCH)
        .unwrap_err()
        .to_string();
    assert!(error.contains(words), "{error}");
    assert!(error.contains("root.ext4"), "{error}");
}

#[test]
fn too_little_room_is_known_before_anything_is_written() {
    let root = TinyRoot::new(Ext4::Bookworm, 16 * MIB);
    let before = fs::read(&root.path).unwrap();
    let large = changes(
        [],
        [("/large", file(vec![1; 30 << 20], Owner::ROOT, 0o644))],
    );
    let error = apply(&root.region(), &large, EPOCH).unwrap_err();
    assert!(matches!(error, DiskError::Full { .. }), "{error}");
    assert!(fs::read(&root.path).unwrap() == before);
    let needed = Footprint::of(&large, 4096).blocks;
    assert!((7680..7700).contains(&needed), "{needed}");
}

/// Random changes, one after the other on one filesystem, each rehearsed
/// before and read back after; the filesystem stays one that e2fsck finds
/// nothing wrong with.
#[test]
fn random_changes_read_back_equal() {
    let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    let clean = fs::read(&root.path).unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 20,
        ..Config::default()
    });
    let strategy = prop::collection::vec(random(true), 1..4);
    runner
        .run(&strategy, |rounds| {
            fs::write(&root.path, &clean).unwrap();
            for changes in rounds {
                let rehearsed = rehearsed(&root, &changes);
                apply(&root.region(), &changes, EPOCH).unwrap();
                prop_assert!(fs::read(&root.path).unwrap() == rehearsed);
                assert_done(&changes, &Ext4Volume::open(&root.region()).unwrap(), true);
                let verdict = output("e2fsck", &["-fn", root.path.as_str()]);
                prop_assert!(verdict.status.success(), "{verdict:?}");
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{}", short(error)));
}
