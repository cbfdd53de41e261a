//! Machines on which it cannot work: a tool is missing or old, a disk is full.

use std::io::Write as _;

use fs_err as fs;
use rstest::rstest;

use crate::fetch::cluster::Publisher;
use crate::support::tools::output;
use crate::support::world::{ClusterFile, Image, Run, Sandbox, assert_same_bytes, world};

/// Words that run what follows them with mounts of its own, as root of a user
/// namespace if need be. None where the machine allows neither.
pub(super) fn own_mounts() -> Option<&'static [&'static str]> {
    const WAYS: [&[&str]; 2] = [
        &["unshare", "--mount"],
        &["unshare", "--user", "--map-root-user", "--mount"],
    ];
    let works = |way: &&&[&str]| {
        let args = [&way[1..], &["mount", "-t", "tmpfs", "tmpfs", "/mnt"]].concat();
        output(way[0], &args).status.success()
    };
    let way = WAYS.iter().find(works);
    if way.is_none() {
        not_tested("neither root nor user namespaces here, so no mounts of one's own");
    }
    way.copied()
}

/// Says why something could not be tried here.
pub(super) fn not_tested(why: &str) {
    // Not by a macro: those are silenced in tests that pass.
    let line = format!("NOT TESTED: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Runs a build behind a shell script that ends in `"$@"`.
fn build_behind(sandbox: &Sandbox, wrapper: &[&str], script: &str) -> Run {
    let wrapper = [wrapper, &["sh", "-c", script, "sh"]].concat();
    sandbox.finish(sandbox.wrapped(&wrapper, "build"), "build")
}

#[track_caller]
fn builds_as_usual(sandbox: &Sandbox) {
    sandbox.run("build").works();
    for node in ["master", "worker1", "worker2"] {
        assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
    }
}

#[test]
fn tools_are_found_though_path_lacks_sbin() {
    // What every other test relies on.
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    let run = sandbox.finish(sandbox.wrapped(&["env", "PATH=/nowhere"], "build"), "build");
    run.works();
    Image::open(&sandbox.image("master")).judge();
}

#[test]
fn a_missing_tool_is_named_with_its_package() {
    let Some(own_mounts) = own_mounts() else {
        return;
    };
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    fs::create_dir(sandbox.path("empty")).unwrap();
    let script =
        "mount --bind empty /usr/sbin && { [ -L /sbin ] || mount --bind empty /sbin; } && \"$@\"";
    let run = build_behind(&sandbox, own_mounts, script);
    run.refuses(3, &["was not found", "apt install e2fsprogs"]);
    assert!(sandbox.finished().is_empty());
    builds_as_usual(&sandbox);
}

#[test]
fn a_tool_too_old_is_refused_with_both_versions() {
    let mut sandbox = Sandbox::warm(&ClusterFile::new(world()));
    let version = "debugfs 1.46.2 (28-Feb-2021)";
    sandbox.install_program("debugfs", &format!("#!/bin/sh\necho '{version}' >&2\n"));
    sandbox.run("build").refuses(
        3,
        &["debugfs is version 1.46.2", "1.47.0 or newer", "e2fsprogs"],
    );
    assert!(sandbox.finished().is_empty());
    fs::remove_file(sandbox.path("programs/debugfs")).unwrap();
    builds_as_usual(&sandbox);
}

#[test]
fn a_tool_that_fails_is_not_believed() {
    let mut sandbox = Sandbox::warm(&ClusterFile::new(world()));
    // Does everything as told, but to a copy.
    let liar = format!(
        r#"#!/bin/bash
[ "$1" = -V ] && exec /usr/sbin/debugfs -V
last=${{@: -1}} copy={}/copy-$$
file=${{last%%\?*}}
cp --sparse=always "$file" "$copy"
/usr/sbin/debugfs "${{@:1:$#-1}}" "$copy${{last#"$file"}}"
rm "$copy"
"#,
        sandbox.path("home")
    );
    sandbox.install_program("debugfs", &liar);
    sandbox
        .run("build")
        .refuses(1, &["read back, is not what was planned", "root partition"]);
    assert!(sandbox.finished().is_empty());
    fs::remove_file(sandbox.path("programs/debugfs")).unwrap();
    builds_as_usual(&sandbox);
}

/// From nothing at all to just too little for the last image.
#[rstest]
// An image has about 1.1 MiB that are not holes, of which 80 KiB are its own.
#[case("out", 64)]
#[case("out", 700)]
#[case("out", 3100)]
#[case("out", 3200)]
// The base, which becomes the layer, the archives, what is known of all of them.
#[case("home/.cache/pidoop", 400)]
#[case("home/.cache/pidoop", 1000)]
#[case("home/.cache/pidoop", 1300)]
fn a_full_disk_leaves_nothing_half_made(#[case] dir: &str, #[case] kib: u32) {
    let Some(own_mounts) = own_mounts() else {
        return;
    };
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    fs::create_dir_all(sandbox.path(dir)).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={kib}k tmpfs {dir} && {{ \"$@\"; code=$?; \
         ls -A out > listing; exit $code; }}"
    );
    let run = build_behind(&sandbox, own_mounts, &script);
    let run = run.refuses(3, &[]);
    let words = ["free some space", "resize2fs"];
    assert!(
        words.iter().any(|words| run.stderr.contains(words)),
        "{run}"
    );
    let left = fs::read_to_string(sandbox.path("listing")).unwrap_or_default();
    for name in left.lines() {
        assert!(
            name == ".pidoop.lock" || name.starts_with("tiny-"),
            "{name} is left\n{run}"
        );
    }
    // What reached the real disk is still good to build on.
    builds_as_usual(&sandbox);
}

#[test]
fn a_disk_too_small_for_a_download_is_told_before_it_begins() {
    let Some(own_mounts) = own_mounts() else {
        return;
    };
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    let cache = "home/.cache/pidoop";
    fs::create_dir_all(sandbox.path(cache)).unwrap();
    let script = format!("mount -t tmpfs -o size=32k tmpfs {cache} && \"$@\"");
    let words = ["no space left", "free some space", "bytes are needed"];
    build_behind(&sandbox, own_mounts, &script).refuses(3, &words);
    assert!(sandbox.finished().is_empty());
    builds_as_usual(&sandbox);
}

#[rstest]
#[case(8 << 20)]
#[case(200 << 20)]
fn a_limit_on_the_size_of_files_is_an_error_like_others(#[case] bytes: u64) {
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", bytes / 512);
    build_behind(&sandbox, &[], &script).refuses(3, &["File too large"]);
    assert!(sandbox.finished().is_empty());
    builds_as_usual(&sandbox);
}

#[test]
fn two_builds_at_once_do_not_disturb_each_other() {
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    let start = |args: &str| {
        let mut command = sandbox.command(args);
        command
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    // One cache, different directories.
    let children = ["a", "b"].map(|dir| start(&format!("build -o {dir}")));
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for dir in ["a", "b"] {
        let image = sandbox.path(&format!("{dir}/tiny-master.img"));
        assert_same_bytes(&image, &world().usual_image("master"));
    }
    // The same directory: whoever comes second is turned away.
    let lock = fs::File::open(sandbox.path("a/.pidoop.lock")).unwrap();
    lock.file().lock().unwrap();
    sandbox
        .run("build -o a")
        .refuses(3, &["another pidoop is building into a"]);
}

#[test]
fn an_output_directory_that_cannot_be_written() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.write("file", "");
    sandbox.run("build -o file/out").refuses(3, &["file/out"]);
    sandbox.run("build -o /proc/out").refuses(3, &["/proc/out"]);
    sandbox.run("build").works();
}
