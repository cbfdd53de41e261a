//! `pidoop diff`: what a build would change, and how two images differ.

mod images;
mod questions;
mod secrets;

use std::os::unix::fs::FileExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rstest::rstest;
use serde_json::Value;

use crate::support::tools::{output, run};
use crate::support::world::{ClusterFile, Image, Sandbox, assert_same_bytes, copy_sparsely, world};

const NODES: [&str; 3] = ["master", "worker1", "worker2"];
const SITE: &str = "/opt/hadoop-3.5.0/etc/hadoop/hdfs-site.xml";

/// The usual cluster, built.
pub(crate) fn built() -> Sandbox {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    fs::create_dir(sandbox.path("out")).unwrap();
    for node in NODES {
        copy_sparsely(&world().usual_image(node), &sandbox.image(node));
    }
    sandbox
}

/// Paths that differ in the image at `index` of a document, with their
/// partitions.
fn paths(document: &Value, index: usize) -> Vec<String> {
    let paths = document["images"][index]["paths"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    paths
        .iter()
        .map(|found| match text(&found["partition"]).as_str() {
            "boot" => format!("boot:{}", text(&found["path"])),
            _ => text(&found["path"]),
        })
        .collect()
}

/// What a document says of one path of its first image.
#[track_caller]
fn found<'a>(document: &'a Value, path: &str) -> &'a Value {
    let paths = document["images"][0]["paths"].as_array().unwrap();
    let found = paths.iter().find(|found| found["path"] == path);
    found.unwrap_or_else(|| panic!("{path} is not in {document:#}"))
}

/// Each node's state in a document.
fn states(document: &Value) -> Vec<(&str, &str)> {
    let images = document["images"].as_array().unwrap();
    images
        .iter()
        .map(|image| {
            (
                image["node"].as_str().unwrap(),
                image["state"].as_str().unwrap(),
            )
        })
        .collect()
}

/// Changes the root filesystem of an image behind pidoop's back.
pub(crate) fn meddle(image: &Utf8Path, script: &str) {
    let dir = tempfile::tempdir().unwrap();
    let commands = Utf8PathBuf::from_path_buf(dir.path().join("script")).unwrap();
    fs::write(&commands, script).unwrap();
    let device = Image::open(image).root_device();
    let output = output("debugfs", &["-w", "-f", commands.as_str(), &device]);
    // It ends well whatever happened, and says it on both streams.
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for line in said.lines() {
        let known = ["debugfs", "Allocated inode"];
        if line.is_empty() {
            continue;
        }
        assert!(known.iter().any(|known| line.starts_with(known)), "{said}");
    }
}

/// Turns one bit of an image.
fn flip(image: &Utf8Path, at: u64) {
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(image)
        .unwrap();
    let mut byte = [0];
    file.file().read_exact_at(&mut byte, at).unwrap();
    file.file().write_all_at(&[byte[0] ^ 4], at).unwrap();
}

/// Where the root partition begins, in bytes.
pub(crate) fn root_start(image: &Utf8Path) -> u64 {
    let device = Image::open(image).root_device();
    device.rsplit_once('=').unwrap().1.parse().unwrap()
}

#[test]
fn what_was_just_built_does_not_differ() {
    let sandbox = built();
    let run = sandbox.run("diff").exits(0);
    assert_eq!(run.stdout, "");
    let run = run.says(&["the images are what a build would make"]);
    assert!(!run.stderr.contains("error"), "{run}");
    assert_eq!(sandbox.run("diff --times --quiet").exits(0).stderr, "");
    let document = sandbox.run("diff --json").exits(0).document();
    assert_eq!(document["differs"], false);
    assert_eq!(states(&document), NODES.map(|node| (node, "same")));
    // Looking changes nothing.
    for node in NODES {
        assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
    }
}

#[rstest]
#[case(true)]
#[case(false)]
fn a_changed_property_is_one_line_in_one_file(#[case] has_layer: bool) {
    let sandbox = built();
    let changed = ClusterFile::new(world()).property("hdfs-site.xml", "dfs.blocksize", "32m");
    sandbox.write_cluster(&changed);
    if !has_layer {
        fs::remove_dir_all(sandbox.path("home/.cache/pidoop/layers")).unwrap();
    }
    let run = sandbox.run("diff").exits(1);
    let run = run.says(&["3 of 3 images differ from what a build would make"]);
    assert_eq!(run.stderr.contains("layer"), !has_layer, "{run}");
    for line in [
        "-    <value>64m</value>",
        "+    <value>32m</value>",
        "--- /opt/hadoop-3.5.0/etc/hadoop/hdfs-site.xml\tin the image",
    ] {
        let count = run.stdout.lines().filter(|shown| *shown == line).count();
        assert_eq!(count, 3, "{line}\n{run}");
    }
    let document = sandbox.run("diff --json").exits(1).document();
    for index in 0..3 {
        assert_eq!(paths(&document, index), [SITE]);
    }
    assert_eq!(found(&document, SITE)["lines_added"], 1);

    let brief = sandbox.run("diff --stat -n worker2").exits(1);
    assert_eq!(
        brief.stdout,
        format!("worker2: out/tiny-worker2.img: 1 changed\nchanged {SITE} (content, +1 -1)\n")
    );
    sandbox.run("diff --path /etc").exits(0);
    sandbox.run("diff --path boot:/ --path /opt").exits(1);
    if has_layer {
        sandbox.run("build").works();
        sandbox.run("diff").exits(0);
    }
}

#[test]
fn nodes_that_come_and_go_are_told() {
    let sandbox = built();
    let cluster = ClusterFile::new(world())
        .first_nodes(2)
        .node("worker3", "worker", 13);
    sandbox.write_cluster(&cluster);
    let document = sandbox.run("diff --json").exits(1).document();
    assert_eq!(
        states(&document),
        [
            ("master", "differs"),
            ("worker1", "differs"),
            ("worker3", "missing")
        ]
    );
    assert_eq!(
        document["strays"],
        serde_json::json!(["out/tiny-worker2.img"])
    );
    // What the others know of the cluster, as the document says beside it.
    let workers = "/opt/hadoop-3.5.0/etc/hadoop/workers";
    assert_eq!(
        found(&document, workers)["diff"]
            .as_str()
            .unwrap()
            .lines()
            .last(),
        Some("+worker3")
    );
    for image in [0, 1] {
        for path in paths(&document, image) {
            let about_others = path.starts_with("/opt/hadoop-3.5.0/etc/hadoop/")
                || [
                    "/etc/hosts",
                    "/etc/pidoop/node.conf",
                    "/etc/ssh/ssh_known_hosts",
                ]
                .contains(&path.as_str());
            assert!(about_others, "{path}");
        }
    }
    let words = sandbox.run("diff --stat").exits(1);
    for line in [
        "worker3: out/tiny-worker3.img: there is no image; a build makes it",
        "out/tiny-worker2.img: the cluster file has no such node",
    ] {
        assert!(words.stdout.lines().any(|shown| shown == line), "{words}");
    }
    words.says(&["3 of 3 images differ", "out/tiny-worker2.img is no node's"]);
    // With names given, nobody asks for the others.
    let document = sandbox.run("diff --json -n worker3").exits(1).document();
    assert_eq!(states(&document), [("worker3", "missing")]);
    assert_eq!(document["strays"], serde_json::json!([]));
}

#[test]
fn one_bit_is_found() {
    let sandbox = built();
    let master = sandbox.image("master");
    let program = "/opt/hadoop-3.5.0/bin/hdfs";
    let image = Image::open(&master);
    let number = |command: &str, behind: &str| -> u64 {
        let said = image.debugfs(command);
        let (_, rest) = said.split_once(behind).unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    let block_size = number("stats", "Block size:");
    let size = number(&format!("stat {program}"), "Size:");
    let first = number(&format!("blocks {program}"), "");
    assert!(0 < size && size <= block_size, "{size}");
    // The very last byte of it.
    flip(&master, root_start(&master) + first * block_size + size - 1);
    let document = sandbox.run("diff --json").exits(1).document();
    assert_eq!(paths(&document, 0), [program]);
    assert_eq!(
        states(&document)[1..],
        [("worker1", "same"), ("worker2", "same")]
    );

    // On the firmware partition: found by what is in it.
    let kernel = "not a kernel\n".repeat(100);
    let bytes = fs::read(&master).unwrap();
    let at = bytes
        .windows(kernel.len())
        .position(|window| window == kernel.as_bytes())
        .unwrap();
    flip(&master, at as u64 + 700);
    let document = sandbox.run("diff --json").exits(1).document();
    assert_eq!(paths(&document, 0), ["boot:/kernel8.img", program]);
}

#[test]
fn everything_but_content_is_told_too() {
    let sandbox = built();
    meddle(
        &sandbox.image("worker1"),
        "sif /etc/hostname mode 0100600\n\
         sif /opt/hadoop-3.5.0 uid 4321\n\
         ea_set /opt/hadoop-3.5.0/bin/hdfs user.note hello\n\
         rm /opt/java\n\
         symlink /opt/java elsewhere\n\
         rm /etc/machine-id\n\
         mkdir /srv/more\n\
         cd /srv/more\n\
         mknod zero c 1 5\n\
         sif /etc/hosts mtime @1\n",
    );
    let run = sandbox.run("diff --stat -n worker1").exits(1);
    for words in [
        "changed /etc/hostname (mode 0600 -> 0644)",
        "changed /opt/hadoop-3.5.0 (owner 4321:0 -> 0:0)",
        "changed /opt/hadoop-3.5.0/bin/hdfs (user.note 5 bytes -> none)",
        "changed /opt/java (link to elsewhere -> /opt/temurin-17)",
        "added   /etc/machine-id (file 0644 0:0, 33 bytes, +1 -0)",
        "removed /srv/more (directory 0755 0:0)",
        "removed /srv/more/zero (character device 1:5 0000 0:0)",
    ] {
        assert!(
            run.stdout.lines().any(|line| line == words),
            "{words}\n{run}"
        );
    }
    assert!(!run.stdout.contains("/etc/hosts "), "{run}");
    let run = sandbox.run("diff --stat -n worker1 --times").exits(1);
    assert!(
        run.stdout.contains("changed /etc/hosts (changed at 1 -> "),
        "{run}"
    );
    // The disk's id is in the table too.
    let image = sandbox.image("worker1");
    run_sfdisk_id(&image, "0x12345678");
    let run = sandbox.run("diff -n worker1").exits(1);
    assert!(run.stdout.contains("\ndisk id: 12345678 -> "), "{run}");
}

fn run_sfdisk_id(image: &Utf8Path, id: &str) {
    run("sfdisk", &["-q", "--disk-id", image.as_str(), id]);
}
