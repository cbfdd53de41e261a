//! FAT: what fatfs wrote, read by mtools and judged by fsck.vfat.

use std::time::Duration;

use fs_err as fs;
use pidoop::disk::fat::{FatVolume, apply, rehearse};
use pidoop::disk::{DiskError, Region, copy_file};
use pidoop::edit::{Changes, FileContent, Mode, Owner, ReadTree, Target};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;

use crate::support::changes::{
    assert_done, changes, dir, file, link, listing, path, random, short,
};
use crate::support::tiny_image::{Ext4, Fat, Table, TinyBoot, TinyImage};
use crate::support::tools::{output, run};

const EPOCH: u64 = 1_700_000_000;

fn text(content: &str) -> Target {
    file(content, Owner::ROOT, 0o644)
}

fn sample() -> Changes {
    changes(
        ["/userconf.txt", "/overlays", "/no/such"],
        [
            (
                "/cmdline.txt",
                text("console=tty1 root=PARTUUID=12345678-02 rootwait\n"),
            ),
            (
                "/config.txt",
                text(&"[all]\ndtoverlay=disable-wifi\n".repeat(500)),
            ),
            ("/ssh", text("")),
            ("/pidoop", dir(Owner::ROOT, 0o755)),
            ("/pidoop/a longer name.toml", text("x = 1\n")),
            ("/pidoop/sub", dir(Owner::ROOT, 0o755)),
            (
                "/pidoop/sub/kernel8.img",
                file(vec![0xa5; 3_000_001], Owner::ROOT, 0o644),
            ),
        ],
    )
}

#[rstest]
fn changes_arrive_on_every_kind(#[values(Fat::Trixie, Fat::Bookworm, Fat::Small)] kind: Fat) {
    let boot = TinyBoot::new(kind);
    let rehearsed = rehearsed(&boot, &sample());
    let applied = apply(&boot.region(), &sample(), EPOCH).unwrap();
    assert!(fs::read(&boot.path).unwrap() == rehearsed);
    boot.judge();
    assert_eq!(applied.entries, 7);
    let volume = FatVolume::open(&boot.region()).unwrap();
    assert_done(&sample(), &volume, false);
    assert_eq!(boot.mtype("/pidoop/A LONGER NAME.toml"), "x = 1\n");
    assert_eq!(
        boot.mtype("/config.txt").len(),
        500 * "[all]\ndtoverlay=disable-wifi\n".len()
    );
    let listed = run("mdir", &["-i", boot.path.as_str(), "::/"]);
    assert!(!listed.to_lowercase().contains("userconf"), "{listed}");
    assert!(
        listed.contains("bootfs") || listed.contains("BOOTFS"),
        "{listed}"
    );
    assert!(listed.contains("2023-11-14  22:13"), "{listed}");
    // Untouched files are still what they were.
    assert_eq!(boot.mtype("/bcm2711-rpi-4-b.dtb"), "device tree\n");
}

#[test]
fn names_are_found_in_any_case_and_form() {
    let boot = TinyBoot::new(Fat::Trixie);
    let volume = FatVolume::open(&boot.region()).unwrap();
    for name in [
        "/CMDLINE.TXT",
        "/cmdline.txt",
        "/Config.txt",
        "/BCM271~1.DTB",
        "/OVERLAYS/readme",
    ] {
        assert!(volume.entry(&path(name)).unwrap().is_some(), "{name}");
    }
    assert_eq!(volume.entry(&path("/cmdline.txt/x")).unwrap(), None);
    let names = volume.children(&path("/")).unwrap();
    assert!(
        names.contains(&"bcm2711-rpi-4-b.dtb".to_owned()),
        "{names:?}"
    );
    assert!(volume.read(&path("/overlays")).is_err());
    assert!(volume.children(&path("/cmdline.txt")).is_err());
}

#[test]
fn what_is_removed_or_replaced_is_zero() {
    let boot = TinyBoot::new(Fat::Bookworm);
    let holds = |needle: &[u8]| {
        fs::read(&boot.path)
            .unwrap()
            .windows(needle.len())
            .any(|window| window == needle)
    };
    assert!(holds(b"old-secret-hash") && holds(b"deadbeef-02") && holds(&[b'o'; 2048]));
    apply(&boot.region(), &sample(), EPOCH).unwrap();
    assert!(
        !holds(b"old-secret-hash"),
        "a removed file can still be read"
    );
    assert!(!holds(b"deadbeef-02"), "a replaced file can still be read");
    assert!(
        !holds(&[b'o'; 2048]),
        "a file of a removed directory can still be read"
    );
}

#[test]
fn two_runs_at_different_times_give_the_same_bytes() {
    for kind in [Fat::Trixie, Fat::Bookworm, Fat::Small] {
        let boot = TinyBoot::new(kind);
        let twin = boot.path.with_file_name("twin");
        copy_file(&boot.path, &twin).unwrap();
        apply(&boot.region(), &sample(), EPOCH).unwrap();
        std::thread::sleep(Duration::from_millis(2100));
        apply(&Region::whole(&twin).unwrap(), &sample(), EPOCH).unwrap();
        assert!(
            fs::read(&boot.path).unwrap() == fs::read(&twin).unwrap(),
            "{kind:?}"
        );
    }
}

#[test]
fn doing_it_again_changes_the_listing_no_more() {
    let boot = TinyBoot::new(Fat::Trixie);
    apply(&boot.region(), &sample(), EPOCH).unwrap();
    let once = listing(&FatVolume::open(&boot.region()).unwrap());
    apply(&boot.region(), &sample(), EPOCH).unwrap();
    boot.judge();
    assert_eq!(listing(&FatVolume::open(&boot.region()).unwrap()), once);
}

#[rstest]
#[case::link(changes([], [("/l", link("x"))]), "FAT has no symbolic links")]
#[case::name(changes([], [("/a:b", text("x"))]), "FAT cannot hold the name \"a:b\"")]
#[case::dot(changes([], [("/a.", text("x"))]), "cannot hold")]
#[case::case(changes([], [("/A", text("x")), ("/a", text("y"))]), "for one")]
#[case::directory(changes([], [("/overlays", text("x"))]), "it is a directory")]
#[case::parent(changes([], [("/none/x", text("x"))]), "/none/x")]
fn what_cannot_be_done_is_said(#[case] changes: Changes, #[case] words: &str) {
    let boot = TinyBoot::new(Fat::Small);
    let error = apply(&boot.region(), &changes, EPOCH)
        .unwrap_err()
        .to_string();
    assert!(error.contains(words), "{error}");
    assert!(error.contains("boot.fat"), "{error}");
}

#[test]
fn too_little_room_is_known_before_anything_is_written() {
    let boot = TinyBoot::new(Fat::Small);
    let before = fs::read(&boot.path).unwrap();
    let large = changes(
        [],
        [("/large", file(vec![1; 20 << 20], Owner::ROOT, 0o644))],
    );
    let error = apply(&boot.region(), &large, EPOCH).unwrap_err();
    assert!(matches!(error, DiskError::Full { .. }), "{error}");
    assert!(fs::read(&boot.path).unwrap() == before);
}

#[test]
fn wrong_counts_and_a_dirty_mark_are_put_right() {
    let boot = TinyBoot::new(Fat::Trixie);
    let mut bytes = fs::read(&boot.path).unwrap();
    bytes[0x41] |= 1;
    bytes[512 + 488..512 + 492].copy_from_slice(&77u32.to_le_bytes());
    fs::write(&boot.path, &bytes).unwrap();
    let verdict = output("fsck.vfat", &["-n", boot.path.as_str()]);
    assert!(String::from_utf8_lossy(&verdict.stdout).contains("Dirty bit is set"));
    apply(&boot.region(), &sample(), EPOCH).unwrap();
    boot.judge();
}

/// Damage of every kind ends in an error, not in a panic or a loop.
#[test]
fn damage_is_refused() {
    let boot = TinyBoot::new(Fat::Trixie);
    let good = fs::read(&boot.path).unwrap();
    let word = |at: usize| u16::from_le_bytes([good[at], good[at + 1]]) as usize;
    let table = word(14) * 512;
    let copy = u32::from_le_bytes([good[36], good[37], good[38], good[39]]) as usize * 512;
    let root = table + 2 * copy;
    let entry = |cluster: usize, value: u32| {
        let mut bytes = good.clone();
        for at in [table, table + copy] {
            bytes[at + cluster * 4..][..4].copy_from_slice(&value.to_le_bytes());
        }
        bytes
    };
    let mut one_copy = good.clone();
    one_copy[table + 40] ^= 1;
    // Where the table has been zero so far.
    let mut late_in_one_copy = good.clone();
    late_in_one_copy[table + copy - 600] ^= 1;
    let mut first_cluster = good.clone();
    // The second entry of the root, behind the label, is a file.
    first_cluster[root + 32 + 26] = 1;
    first_cluster[root + 32 + 27] = 0;
    let mut claims = good.clone();
    claims[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    let cases = [
        (
            "a root directory that runs in a circle",
            entry(2, 2),
            "shares cluster 2",
        ),
        (
            "a chain into nowhere",
            entry(2, 0x0555_5555),
            "does not exist",
        ),
        (
            "a chain into a free cluster",
            entry(2, 70_000),
            "marked free",
        ),
        ("a root that is free", entry(2, 0), "marked free"),
        ("copies that differ", one_copy, "copies of the table differ"),
        (
            "copies that differ near their ends",
            late_in_one_copy,
            "copies of the table differ",
        ),
        (
            "a file in cluster 1",
            first_cluster,
            "cluster 1, which does not exist",
        ),
        ("more sectors than there are", claims, "there are only"),
        ("no boot sector", vec![0; good.len()], "no FAT boot sector"),
    ];
    for (what, bytes, words) in cases {
        fs::write(&boot.path, &bytes).unwrap();
        let error = apply(&boot.region(), &sample(), EPOCH)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{what}: {error}");
        assert!(
            fs::read(&boot.path).unwrap() == bytes,
            "{what}: something was written"
        );
    }
}

#[test]
fn staged_content_is_checked() {
    let boot = TinyBoot::new(Fat::Small);
    let host = boot.path.with_file_name("host");
    fs::write(&host, "twelve bytes").unwrap();
    let staged = |len| {
        let content = FileContent::Staged {
            host: host.clone(),
            len,
            sha256: [0; 32],
        };
        changes(
            [],
            [(
                "/f",
                Target::File {
                    content,
                    owner: Owner::ROOT,
                    mode: Mode::FILE,
                },
            )],
        )
    };
    apply(&boot.region(), &staged(12), EPOCH).unwrap();
    assert_eq!(boot.mtype("/f"), "twelve bytes");
    let error = apply(&boot.region(), &staged(13), EPOCH)
        .unwrap_err()
        .to_string();
    assert!(error.contains("has 12 bytes, expected 13"), "{error}");
}

#[test]
fn inside_an_image_nothing_else_changes() {
    let image = TinyImage::new(Table::Mbr, Fat::Trixie, Ext4::Bookworm);
    let before = fs::read(&image.path).unwrap();
    let region = image.open().boot();
    apply(&region, &sample(), EPOCH).unwrap();
    image.judge();
    let after = fs::read(&image.path).unwrap();
    let (start, end) = (region.start as usize, region.end() as usize);
    assert!(before[..start] == after[..start] && before[end..] == after[end..]);
    assert!(before[start..end] != after[start..end]);
}

/// Not run by default: how long a kernel takes in clusters of 512 bytes.
#[test]
#[ignore = "a measurement, for --nocapture"]
fn measure_a_kernel() {
    let boot = TinyBoot::new(Fat::Trixie);
    let kernel = changes(
        [],
        [("/kernel8.img", file(vec![7; 25 << 20], Owner::ROOT, 0o644))],
    );
    println!(
        "put down: {:?}",
        apply(&boot.region(), &kernel, EPOCH).unwrap()
    );
    println!(
        "replaced: {:?}",
        apply(&boot.region(), &kernel, EPOCH).unwrap()
    );
    boot.judge();
}

/// The bytes of `boot` as a rehearsal says that they would be. The file is left
/// alone.
fn rehearsed(boot: &TinyBoot, changes: &Changes) -> Vec<u8> {
    let mut after = fs::read(&boot.path).unwrap();
    let pieces = rehearse(&boot.region(), changes, EPOCH).unwrap();
    assert!(fs::read(&boot.path).unwrap() == after);
    for piece in pieces {
        let at = piece.at as usize;
        after[at..at + piece.bytes.len()].copy_from_slice(&piece.bytes);
    }
    after
}

/// Random changes, one after the other on one filesystem, each rehearsed
/// before and read back after; the filesystem stays one that fsck.vfat finds
/// nothing wrong with.
#[rstest]
fn random_changes_read_back_equal(#[values(Fat::Trixie, Fat::Small)] kind: Fat) {
    let boot = TinyBoot::new(kind);
    let clean = fs::read(&boot.path).unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 20,
        ..Config::default()
    });
    let strategy = prop::collection::vec(random(false), 1..4);
    runner
        .run(&strategy, |rounds| {
            fs::write(&boot.path, &clean).unwrap();
            for changes in rounds {
                let rehearsed = rehearsed(&boot, &changes);
                apply(&boot.region(), &changes, EPOCH).unwrap();
                prop_assert!(fs::read(&boot.path).unwrap() == rehearsed);
                assert_done(&changes, &FatVolume::open(&boot.region()).unwrap(), false);
                let verdict = output("fsck.vfat", &["-n", boot.path.as_str()]);
                let said = String::from_utf8_lossy(&verdict.stdout).into_owned();
                prop_assert!(
                    verdict.status.success() && said.lines().count() == 2,
                    "{said}"
                );
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{}", short(error)));
}
