//! `pidoop verify`: finished images judged by what is in them.

use std::os::unix::fs::FileExt;

use fs_err as fs;
use serde_json::Value;

use crate::diff::{built, meddle, root_start};
use crate::support::tools::run;
use crate::support::world::{ClusterFile, Sandbox, world};

const NODES: [&str; 3] = ["master", "worker1", "worker2"];

const CHECKS: [&str; 6] = [
    "partition table",
    "firmware filesystem",
    "root filesystem",
    "disk id",
    "cluster file",
    "access",
];

/// Results of the image at `index`, by check.
fn results(document: &Value, index: usize) -> Vec<(String, String)> {
    let checks = document["images"][index]["checks"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks
        .iter()
        .map(|check| (text(&check["what"]), text(&check["result"])))
        .collect()
}

/// What was said of one check of the first image, which failed alone.
#[track_caller]
fn only_failure(sandbox: &Sandbox, node: &str, what: &str) -> String {
    let run = sandbox.run(&format!("verify --json -n {node}")).exits(1);
    let document = run.document();
    let failed: Vec<String> = results(&document, 0)
        .into_iter()
        .filter(|(_, result)| result == "failed")
        .map(|(what, _)| what)
        .collect();
    // What is wrong with the image is not as planned either.
    assert!(
        failed
            .iter()
            .all(|failed| failed == what || failed == "cluster file"),
        "{failed:?}"
    );
    let checks = document["images"][0]["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["what"] == what).unwrap();
    assert_eq!(check["result"], "failed", "{run}");
    check["words"].to_string()
}

#[test]
fn finished_images_are_sound_and_say_who_gets_in() {
    let sandbox = built();
    let document = sandbox.run("verify --json").exits(0).document();
    assert_eq!(document["passed"], true);
    for (index, node) in NODES.iter().enumerate() {
        let image = &document["images"][index];
        assert_eq!(image["node"], *node);
        let passed = CHECKS.map(|what| (what.to_owned(), "passed".to_owned()));
        assert_eq!(results(&document, index), passed);
        let proof = image["checks"][5]["words"][0].as_str().unwrap();
        let address = format!("pi@10.4.0.1{index} with the ssh-ed25519 key");
        assert!(proof.starts_with(&address), "{proof}");
        assert!(proof.contains("host key SHA256:"), "{proof}");
    }
    let words = sandbox.run("verify -n worker1").exits(0).stdout;
    assert!(
        words.starts_with("worker1: out/tiny-worker1.img\n  ok "),
        "{words}"
    );
    assert_eq!(words.lines().count(), 1 + CHECKS.len());
}

#[test]
fn each_fault_is_found_by_its_own_check() {
    let sandbox = built();
    let image = sandbox.image("master");
    let keep = sandbox.path("keep.img");
    run("cp", &["--sparse=always", image.as_str(), keep.as_str()]);
    let restore = || run("cp", &["--sparse=always", keep.as_str(), image.as_str()]);

    meddle(&image, "rm /home/pi/.ssh/authorized_keys\n");
    let words = only_failure(&sandbox, "master", "access");
    assert!(words.contains("authorized_keys"), "{words}");

    restore();
    run("sfdisk", &["-q", "--disk-id", image.as_str(), "0x12345678"]);
    let words = only_failure(&sandbox, "master", "disk id");
    for place in [
        "cmdline.txt takes / from PARTUUID=",
        "/etc/fstab takes /boot",
    ] {
        assert!(words.contains(place), "{words}");
    }
    assert!(words.contains("PARTUUID=12345678-02"), "{words}");

    restore();
    meddle(&image, "sif /etc/hosts links_count 5\n");
    let words = only_failure(&sandbox, "master", "root filesystem");
    assert!(words.contains("e2fsck finds it damaged"), "{words}");

    restore();
    meddle(&image, "sif /etc/hosts mode 0100777\n");
    let words = only_failure(&sandbox, "master", "cluster file");
    assert!(words.contains("/etc/hosts is not as planned"), "{words}");

    // The first table of the firmware partition, behind its reserved sectors.
    restore();
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&image)
        .unwrap();
    let mut boot = [0; 512];
    let start = boot_start(&sandbox);
    file.file().read_exact_at(&mut boot, start).unwrap();
    let reserved = u64::from(u16::from_le_bytes([boot[14], boot[15]]));
    file.file()
        .write_all_at(&[0; 2048], start + reserved * 512)
        .unwrap();
    let words = only_failure(&sandbox, "master", "firmware filesystem");
    assert!(words.contains("FAT: "), "{words}");

    fs::write(&image, "no image").unwrap();
    let words = only_failure(&sandbox, "master", "partition table");
    assert!(words.contains("not a disk image"), "{words}");

    fs::remove_file(&image).unwrap();
    let words = only_failure(&sandbox, "master", "image");
    assert!(words.contains("there is no image"), "{words}");
    let run = sandbox.run("verify").exits(1);
    assert!(run.stdout.contains("  WRONG     image "), "{run}");
    // The others are judged all the same.
    assert!(
        run.stdout.contains("worker2: out/tiny-worker2.img\n  ok "),
        "{run}"
    );
}

/// Where the firmware partition of the master's image begins, in bytes.
fn boot_start(sandbox: &Sandbox) -> u64 {
    let said = run("sfdisk", &["--json", sandbox.image("master").as_str()]);
    let table: Value = serde_json::from_str(&said).unwrap();
    let start = table["partitiontable"]["partitions"][0]["start"]
        .as_u64()
        .unwrap()
        * 512;
    assert!(start < root_start(&sandbox.image("master")));
    start
}

#[test]
fn what_cannot_be_judged_is_said() {
    let sandbox = built();
    let but = |not_done: &[&str]| -> Vec<(String, String)> {
        let of = |what: &&str| {
            let result = match not_done.contains(what) {
                true => "not done",
                false => "passed",
            };
            ((*what).to_owned(), result.to_owned())
        };
        CHECKS.iter().map(of).collect()
    };
    // Access needs the cluster file, every file needs the key and the inputs.
    let but_the_files = but(&["cluster file"]);

    fs::rename(sandbox.path("cluster.key"), sandbox.path("elsewhere")).unwrap();
    let document = sandbox.run("verify --json").exits(0).document();
    assert_eq!(results(&document, 0), but_the_files);
    let why = document["images"][0]["checks"][4]["words"][0]
        .as_str()
        .unwrap();
    assert!(why.contains("cluster.key"), "{why}");
    fs::rename(sandbox.path("elsewhere"), sandbox.path("cluster.key")).unwrap();

    let gone = ClusterFile::new(world()).hadoop(&sandbox.path("gone.tar.gz"));
    sandbox.write_cluster(&gone);
    let document = sandbox.run("verify --json").exits(0).document();
    assert_eq!(results(&document, 1), but_the_files);

    let nothing = Sandbox::new();
    let image = sandbox.image("worker1");
    run("gzip", &["-1", image.as_str()]);
    let document = nothing
        .run(&format!("verify --json {image}.gz"))
        .exits(0)
        .document();
    assert_eq!(results(&document, 0), but(&["cluster file", "access"]));
    assert_eq!(document["images"][0]["node"], "worker1");

    nothing
        .run("verify")
        .refuses(2, &["there is no cluster.toml"]);
    nothing
        .run("verify nothere.img")
        .refuses(2, &["there is no image nothere.img"]);
    sandbox
        .run("verify -n nosuch")
        .refuses(2, &["there is no node nosuch"]);
}

#[test]
fn an_image_of_another_cluster_is_judged_as_far_as_it_goes() {
    let sandbox = built();
    sandbox.write_cluster(&ClusterFile::new(world()).first_nodes(2));
    let document = sandbox
        .run("verify --json out/tiny-worker2.img")
        .exits(0)
        .document();
    let why = document["images"][0]["checks"][4]["words"][0]
        .as_str()
        .unwrap();
    assert!(why.contains("no node in cluster.toml"), "{why}");
}
