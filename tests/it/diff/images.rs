//! Images against images, packed ones, and those that are none.

use fs_err as fs;

use super::{built, found, paths, states};
use crate::support::tools::run;
use crate::support::world::{Flavour, Sandbox, world};

#[test]
fn two_images_are_compared_with_or_without_compression() {
    let sandbox = built();
    let run = sandbox
        .run("diff out/tiny-worker1.img out/tiny-worker2.img --json")
        .exits(1);
    let document = run.document();
    assert_eq!(document["before"], "out/tiny-worker1.img");
    let layout = document["images"][0]["layout"].as_array().unwrap();
    assert_eq!(layout.len(), 1);
    assert_eq!(layout[0]["what"], "disk id");
    let differing = paths(&document, 0);
    for path in [
        "boot:/cmdline.txt",
        "/etc/hostname",
        "/etc/machine-id",
        "/etc/fstab",
    ] {
        assert!(
            differing.contains(&path.to_owned()),
            "{path}: {differing:?}"
        );
    }
    // Of thousands of paths, only what names a node.
    assert!(differing.len() < 20, "{differing:?}");
    let hostname = found(&document, "/etc/hostname");
    assert_eq!(hostname["diff"], "@@ -1 +1 @@\n-worker1\n+worker2\n");

    for (packer, end) in [
        ("xz -0 -T1", "xz"),
        ("zstd -q -1", "zst"),
        ("gzip -1", "gz"),
    ] {
        let (raw, packed) = (
            sandbox.image("worker1"),
            sandbox.path(&format!("w.img.{end}")),
        );
        run_shell(&format!("{packer} -c '{raw}' > '{packed}'"));
        let run = sandbox
            .run(&format!("diff w.img.{end} out/tiny-worker1.img"))
            .exits(0);
        assert_eq!(run.stdout, "");
        // What was unpacked for it is gone.
        let left = sandbox.names("home/.cache/pidoop/partial");
        assert!(left.is_empty(), "{left:?}");
    }
    // A release directory has nothing else.
    run_shell(&format!("xz -0 -T1 '{}'", sandbox.image("worker1")));
    let document = sandbox.run("diff --json -n worker1").exits(0).document();
    assert_eq!(document["images"][0]["image"], "out/tiny-worker1.img.xz");

    // One image alone is held against its node.
    sandbox.run("diff out/tiny-worker2.img").exits(0);
    sandbox.run("diff w.img.gz").exits(0);
    sandbox.run("diff out/tiny-worker2.img -n worker1").exits(1);
}

fn run_shell(command: &str) {
    run("sh", &["-c", command]);
}

#[test]
fn images_of_two_systems_differ_in_their_own_ways() {
    let sandbox = Sandbox::new();
    let (one, two) = (
        world().base(Flavour::Bookworm),
        world().base(Flavour::Trixie),
    );
    let document = sandbox
        .run(&format!("diff {one} {two} --json"))
        .exits(1)
        .document();
    let release = found(&document, "/usr/lib/os-release");
    assert!(
        release["diff"]
            .as_str()
            .unwrap()
            .contains("VERSION_CODENAME=trixie")
    );
    let layout = document["images"][0]["layout"].to_string();
    assert!(layout.contains("root filesystem features"), "{layout}");
    let same = sandbox.run(&format!("diff {one} {one}")).exits(0);
    assert_eq!(same.stdout, "");
}

#[test]
fn an_image_that_cannot_be_read_is_not_what_a_build_makes() {
    let sandbox = built();
    sandbox.write("out/tiny-worker1.img", "no image");
    let length = fs::metadata(sandbox.image("worker2")).unwrap().len();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(sandbox.image("worker2"))
        .unwrap();
    file.set_len(length - 4096).unwrap();
    let document = sandbox.run("diff --json").exits(1).document();
    assert_eq!(
        states(&document),
        [
            ("master", "same"),
            ("worker1", "unreadable"),
            ("worker2", "unreadable")
        ]
    );
    let problem = document["images"][2]["problem"].as_str().unwrap();
    assert!(problem.contains("truncated"), "{problem}");
    let run = sandbox.run("diff").exits(1);
    assert!(
        run.stdout.contains("worker1: out/tiny-worker1.img: "),
        "{run}"
    );
    sandbox
        .run("diff out/tiny-worker1.img out/tiny-master.img")
        .refuses(
            2,
            &[
                "out/tiny-worker1.img cannot be compared",
                "not a disk image",
            ],
        );
}
