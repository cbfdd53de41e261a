//! ext4: what is refused, growing, and what the superblock says.

use std::time::Duration;

use fs_err as fs;
use pidoop::disk::ext4::{Ext4Volume, Superblock, Verdict, apply, check, grow};
use pidoop::disk::{Region, copy_file};
use rstest::rstest;
use rstest_reuse::apply;

use crate::ext4::{EPOCH, HADOOP, sample};
use crate::support::changes::{changes, file, listing};
use crate::support::tiny_image::{Ext4, MIB, TinyRoot, every_kind, temp_dir};
use crate::support::tools::run;

#[test]
fn filesystems_in_no_state_to_be_edited_are_refused() {
    let root = TinyRoot::new(Ext4::Trixie, 32 * MIB);
    let clean = fs::read(&root.path).unwrap();
    for (command, words) in [
        ("feature needs_recovery", "the journal was not replayed"),
        ("ssv state 0", "not unmounted in order"),
        ("feature quota", "quota"),
        ("feature casefold", "casefold"),
        ("feature FEATURE_I30", "FEATURE_I30"),
    ] {
        fs::write(&root.path, &clean).unwrap();
        run("debugfs", &["-w", "-R", command, root.path.as_str()]);
        let bytes = fs::read(&root.path).unwrap();
        let error = apply(&root.region(), &sample(), EPOCH)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{command}: {error}");
        let error = grow(&root.path, 64 * MIB, EPOCH).unwrap_err().to_string();
        assert!(error.contains(words), "{command}: {error}");
        assert!(
            fs::read(&root.path).unwrap() == bytes,
            "{command}: something was written"
        );
    }
}

#[test]
fn damage_is_a_verdict_with_a_report() {
    let root = TinyRoot::new(Ext4::Bookworm, 32 * MIB);
    let scribble = "set_inode_field /etc/shadow links_count 7";
    run("debugfs", &["-w", "-R", scribble, root.path.as_str()]);
    let Verdict::Damaged { report } = check(&root.region()).unwrap() else {
        panic!("the damage was not seen");
    };
    assert!(report.contains("ref count is 7, should be 1"), "{report}");
    assert!(grow(&root.path, 64 * MIB, EPOCH).is_err());
}

#[apply(every_kind)]
fn grows_to_the_size_asked_for(kind: Ext4) {
    let root = TinyRoot::new(kind, 64 * MIB);
    let before = listing(&Ext4Volume::open(&root.region()).unwrap());
    let twin = root.scratch().join("twin.ext4");
    copy_file(&root.path, &twin).unwrap();
    let len = 1000 * MIB;
    let superblock = grow(&root.path, len, EPOCH).unwrap();
    assert_eq!(superblock.len(), len);
    root.judge();
    assert_eq!(listing(&Ext4Volume::open(&root.region()).unwrap()), before);
    let dumped = run("dumpe2fs", &["-h", root.path.as_str()]);
    assert!(
        dumped.contains(&format!("Block count:              {}\n", len / 4096)),
        "{dumped}"
    );
    std::thread::sleep(Duration::from_millis(1100));
    grow(&twin, len, EPOCH).unwrap();
    assert_eq!(run("cmp", &[root.path.as_str(), twin.as_str()]), "");
    // And it takes changes that did not fit before.
    let more = changes([], [("/large", file(vec![9; 100 << 20], HADOOP, 0o644))]);
    apply(&root.region(), &more, EPOCH).unwrap();
    root.judge();
}

#[test]
fn superblock_facts_are_those_of_dumpe2fs() {
    for kind in Ext4::ALL {
        let root = TinyRoot::new(kind, 48 * MIB);
        let superblock = Superblock::read(&root.region()).unwrap();
        let dumped = run("dumpe2fs", &["-h", root.path.as_str()]);
        let field = |name: &str| {
            let line = dumped.lines().find(|line| line.starts_with(name)).unwrap();
            line[name.len()..].trim().to_owned()
        };
        assert_eq!(superblock.blocks.to_string(), field("Block count:"));
        assert_eq!(superblock.free_blocks.to_string(), field("Free blocks:"));
        assert_eq!(
            superblock.reserved_blocks.to_string(),
            field("Reserved block count:")
        );
        assert_eq!(superblock.free_inodes.to_string(), field("Free inodes:"));
        assert_eq!(superblock.inode_size.to_string(), field("Inode size:"));
        assert_eq!(superblock.uuid.to_string(), field("Filesystem UUID:"));
        let mut names = superblock.features.names();
        let mut expected: Vec<String> = field("Filesystem features:")
            .split(' ')
            .map(str::to_owned)
            .collect();
        names.sort();
        expected.sort();
        assert_eq!(names, expected);
        assert!(superblock.clean && !superblock.needs_recovery && !superblock.has_orphans);
    }
}

#[test]
fn what_is_no_ext4_is_called_so() {
    let (_dir, base) = temp_dir();
    let path = base.join("zeros");
    fs::write(&path, vec![0; 10_000]).unwrap();
    let error = Ext4Volume::open(&Region::whole(&path).unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("zeros: this is no ext4 filesystem"),
        "{error}"
    );
    fs::write(&path, [0; 10]).unwrap();
    let error = Ext4Volume::open(&Region::whole(&path).unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("too short"), "{error}");
}
