//! `pidoop diff`: what a build would change, and how two images differ.

use std::os::unix::fs::FileExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rstest::rstest;
use serde_json::Value;

use crate::support::tools::{output, run};
use crate::support::world::{
    ClusterFile, Flavour, Image, PUBLIC_KEY, Run, Sandbox, assert_same_bytes, copy_sparsely, world,
};

const NODES: [&str; 3] = ["master", "worker1", "worker2"];
const SITE: &str = "/opt/hadoop-3.5.0/etc/hadoop/hdfs-site.xml";

/// The usual cluster, built.
fn built() -> Sandbox {
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
fn meddle(image: &Utf8Path, script: &str) {
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
fn root_start(image: &Utf8Path) -> u64 {
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
                || ["/etc/hosts", "/etc/ssh/ssh_known_hosts"].contains(&path.as_str());
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

/// Two hashes nobody uses, and passphrases.
const HASHES: [&str; 2] = [
    "$6$tinyworldsalt$iJzIm7Q5Fg2yRDgZ5oDqJ2xOcG1bV3vX4Vw7z1yP0kq8uT6sQn4mLr9eWc2aHd5jKf3gBxYtZu0vNpRsMw1Xy.",
    "$y$j9T$saltsaltsaltsalt$0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
];
const PASSPHRASES: [&str; 2] = ["correct horse battery", "staple every morning"];

#[test]
fn secrets_differ_and_are_not_shown() {
    let access = |hash| format!("authorized_keys = [\"{PUBLIC_KEY}\"]\npassword_hash = \"{hash}\"");
    let cluster = |hash| {
        ClusterFile::new(world())
            .access(&access(hash))
            .first_nodes(2)
    };
    let sandbox = Sandbox::warm(&cluster(HASHES[0]));
    sandbox.run("build").works();
    sandbox.write_cluster(&cluster(HASHES[1]));
    let mut said: Vec<Run> = Vec::new();
    let document = sandbox.run("diff --json").exits(1);
    assert_eq!(paths(&document.document(), 0), ["/etc/shadow"]);
    let shadow = document.document();
    let diff = found(&shadow, "/etc/shadow")["diff"].as_str().unwrap();
    assert!(
        diff.contains("\n-pi:<secret 1>:") && diff.contains("\n+pi:<secret 2>:"),
        "{diff}"
    );
    assert_eq!(
        found(&shadow, "/etc/shadow")["before"]["bytes"],
        Value::Null
    );
    said.push(document);
    said.push(sandbox.run("diff").exits(1));

    // Another cluster's key changes every private key.
    fs::write(sandbox.path("cluster.key"), "1".repeat(64)).unwrap();
    let document = sandbox.run("diff --json -n worker1").exits(1);
    let keys = document.document();
    for path in [
        "/etc/ssh/ssh_host_ed25519_key",
        "/home/hadoop/.ssh/id_ed25519",
    ] {
        let found = found(&keys, path);
        assert_eq!(found["content"], "secret", "{found}");
        assert_eq!(found["diff"], Value::Null);
        assert_eq!(found["before"]["bytes"], Value::Null);
    }
    assert_eq!(
        found(&keys, "/etc/ssh/ssh_host_ed25519_key.pub")["content"],
        "text"
    );
    said.push(document);
    said.push(sandbox.run("diff").exits(1));
    said.push(
        sandbox
            .run("diff out/tiny-master.img out/tiny-worker1.img")
            .exits(1),
    );

    // Nobody's plan: files that came by themselves.
    let connections = "/etc/NetworkManager/system-connections";
    for (node, passphrase) in ["master", "worker1"].iter().zip(PASSPHRASES) {
        let keyfile = format!("[wifi]\nssid=home\n[wifi-security]\npsk={passphrase}\n");
        let supplicant = format!("network={{\n\tssid=\"home\"\n\tpsk=\"{passphrase}\"\n}}\n");
        let (one, two) = (
            sandbox.write(&format!("{node}.nm"), keyfile),
            sandbox.write(&format!("{node}.wpa"), supplicant),
        );
        meddle(
            &sandbox.image(node),
            &format!(
                "cd {connections}\nwrite {one} home.nmconnection\n\
                 sif home.nmconnection mode 0100600\n\
                 cd /etc\nwrite {two} wpa_supplicant.conf\n"
            ),
        );
    }
    let both = sandbox
        .run("diff --json out/tiny-master.img out/tiny-worker1.img")
        .exits(1);
    let document = both.document();
    for path in [
        format!("{connections}/home.nmconnection"),
        "/etc/wpa_supplicant.conf".to_owned(),
    ] {
        let found = found(&document, &path);
        let diff = found["diff"].as_str().unwrap();
        assert!(
            diff.contains("<secret 1>") && diff.contains("<secret 2>"),
            "{diff}"
        );
        assert!(diff.contains("ssid=") && found["secret"] == true);
    }
    said.push(both);
    said.push(
        sandbox
            .run("diff out/tiny-master.img out/tiny-worker1.img")
            .exits(1),
    );
    said.push(sandbox.run("diff").exits(1));
    said.push(sandbox.run("diff --stat").exits(1));

    let mut secrets: Vec<String> = HASHES
        .iter()
        .flat_map(|hash| hash.rsplit('$').take(2))
        .chain(PASSPHRASES)
        .map(str::to_owned)
        .collect();
    for node in ["master", "worker1"] {
        let image = Image::open(&sandbox.image(node));
        for key in [
            "/etc/ssh/ssh_host_ed25519_key",
            "/home/hadoop/.ssh/id_ed25519",
        ] {
            let text = image.text(key);
            let lines: Vec<&str> = text.lines().collect();
            secrets.extend(
                lines[2..lines.len() - 1]
                    .iter()
                    .map(|line| (*line).to_owned()),
            );
        }
    }
    assert!(secrets.len() >= 14, "{}", secrets.len());
    for run in &said {
        for secret in &secrets {
            let shown = run.stdout.contains(secret) || run.stderr.contains(secret);
            assert!(!shown, "a secret is shown");
        }
    }
}

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
        let left = sandbox.names("home/.cache/pidoop/inspect");
        assert!(left.iter().all(|name| name == ".pidoop.lock"), "{left:?}");
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

#[test]
fn wrong_questions_are_refused() {
    let sandbox = built();
    for (args, words) in [
        (
            "diff nothere.img out/tiny-master.img",
            "there is no image nothere.img",
        ),
        ("diff out out/tiny-master.img", "out is a directory"),
        ("diff -n nosuch", "there is no node nosuch"),
        (
            "diff -n master out/tiny-master.img out/tiny-worker1.img",
            "--node chooses",
        ),
        ("diff --path etc", "not absolute"),
        ("diff -f nothere.toml", "there is no nothere.toml"),
    ] {
        sandbox.run(args).refuses(2, &[words]);
    }
    let base = world().base(Flavour::Trixie);
    sandbox
        .run(&format!("diff {base}"))
        .refuses(2, &["no node of this cluster", "--node", "master, worker1"]);
    // Three are too many for the command line.
    sandbox.run("diff a b c").exits(2);

    let lock = fs::File::create(sandbox.path("out/.pidoop.lock")).unwrap();
    lock.file().try_lock().unwrap();
    sandbox
        .run("diff")
        .refuses(3, &["another pidoop is building into out"]);
    drop(lock);

    let gone = ClusterFile::new(world()).hadoop(&sandbox.path("gone.tar.gz"));
    sandbox.write_cluster(&gone);
    sandbox
        .run("diff")
        .exits(3)
        .says(&["gone.tar.gz: there is no such file"]);
    sandbox.write_cluster(&ClusterFile::new(world()));
    fs::remove_file(sandbox.path("cluster.key")).unwrap();
    sandbox
        .run("diff")
        .refuses(2, &["there is no ./cluster.key", "put it back"]);
    // A question makes no key.
    assert!(!sandbox.path("cluster.key").exists());
}

#[test]
fn an_empty_output_directory_misses_every_image() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    let document = sandbox.run("diff --json").exits(1).document();
    assert_eq!(states(&document), NODES.map(|node| (node, "missing")));
    assert!(!sandbox.path("out").exists());
}

#[test]
fn what_an_image_says_does_nothing_to_a_terminal() {
    let sandbox = built();
    let text = sandbox.write("bell", "\x1b]0;gotcha\x07\nplain\n");
    meddle(
        &sandbox.image("master"),
        &format!("cd /etc\nwrite {text} greeting\n"),
    );
    let run = sandbox.run("diff -n master").exits(1);
    assert!(run.stdout.contains("\\u{1b}]0;gotcha\\u{7}"), "{run}");
    assert!(!run.stdout.contains(['\x1b', '\x07']), "{run}");
}
