//! What is in the images, as others read them.

use rstest::rstest;

use crate::support::tools::run;
use crate::support::world::{ClusterFile, Flavour, Image, Sandbox, assert_same_bytes, world};

/// A build of one master and one worker on this system.
fn built_on(flavour: Flavour) -> Sandbox {
    let cluster = ClusterFile::new(world())
        .base(&world().base(flavour))
        .first_nodes(2);
    let sandbox = Sandbox::with(&cluster);
    sandbox.run("build").works();
    sandbox
}

#[rstest]
#[case(Flavour::Bookworm)]
#[case(Flavour::Trixie)]
#[case(Flavour::Debian13)]
fn every_node_has_an_image_without_fault(#[case] flavour: Flavour) {
    let sandbox = built_on(flavour);
    assert_eq!(
        sandbox.finished(),
        [
            "known_hosts",
            "manifest.json",
            "tiny-master.img",
            "tiny-worker1.img"
        ]
    );
    for node in ["master", "worker1"] {
        let image = Image::open(&sandbox.image(node));
        image.judge();
        assert_eq!(image.text("/etc/hostname"), format!("{node}\n"));
        // The table, the kernel and fstab speak of the same disk.
        let id = image.id.trim_start_matches("0x").to_owned();
        assert_ne!(id, "50a7d0a6", "the id of the base image");
        assert!(
            image
                .boot_text("cmdline.txt")
                .contains(&format!("root=PARTUUID={id}-02 "))
        );
        assert!(
            image
                .text("/etc/fstab")
                .contains(&format!("PARTUUID={id}-02"))
        );
        // What was in the base is there still.
        assert_eq!(
            image.boot_text("kernel8.img").len(),
            "not a kernel\n".len() * 4096
        );
        let hosts = image.text("/etc/hosts");
        assert!(
            hosts.contains("10.4.0.10") && !hosts.contains("127.0.1.1"),
            "{hosts}"
        );
    }
}

#[test]
fn java_and_hadoop_are_where_the_units_look() {
    let sandbox = built_on(Flavour::Trixie);
    let image = Image::open(&sandbox.image("worker1"));
    let listing = |dir: &str| image.debugfs(&format!("ls -l {dir}"));
    assert!(listing("/opt/java/bin").contains("java"));
    let hadoop = listing("/opt/hadoop/bin");
    assert!(
        hadoop.contains("hdfs") && !hadoop.contains("hdfs.cmd"),
        "{hadoop}"
    );
    // Hundreds of MB of documentation do not go onto the cards.
    assert!(!listing("/opt/hadoop/share").contains("doc"));
    assert!(!listing("/opt/java/").contains("man"));
    let site = image.text("/opt/hadoop/etc/hadoop/core-site.xml");
    assert!(site.contains("hdfs://master:"), "{site}");
    // Whoever built it, programs are root's.
    assert!(
        image
            .debugfs("stat /opt/hadoop/bin/hdfs")
            .contains("User:     0   Group:     0")
    );
}

#[rstest]
#[case("xz", "xz -0 -T1")]
#[case("gz", "gzip -1")]
fn a_packed_base_gives_the_same_images(#[case] extension: &str, #[case] packer: &str) {
    let sandbox = built_on(Flavour::Trixie);
    let raw = world().base(Flavour::Trixie);
    let packed = sandbox.path(&format!("base.img.{extension}"));
    run("sh", &["-c", &format!("{packer} -c '{raw}' > '{packed}'")]);
    let cluster = ClusterFile::new(world()).base(&packed).first_nodes(2);
    let other = Sandbox::with(&cluster);
    other.run("build").works();
    assert_same_bytes(&sandbox.image("master"), &other.image("master"));
}

#[test]
fn only_the_nodes_asked_for_are_built() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.run("build -o cards -n worker1 --sums").works();
    assert_eq!(
        sandbox.names("cards"),
        [
            ".pidoop.lock",
            "SHA256SUMS",
            "known_hosts",
            "manifest.json",
            "tiny-worker1.img"
        ]
    );
    // sha256sum(1) agrees with the digests.
    run(
        "sh",
        &[
            "-c",
            &format!(
                "cd '{}' && sha256sum -c --quiet SHA256SUMS",
                sandbox.path("cards")
            ),
        ],
    );
    sandbox
        .run("build -n nosuch")
        .refuses(2, &["there is no node nosuch", "master, worker1, worker2"]);
}

#[test]
fn names_of_directories_are_only_names() {
    // Each of these means something to a shell, to debugfs or to mtools.
    for dir in [
        "-o",
        "what?",
        "a@@512",
        "it's\"quoted\"",
        "$HOME",
        "*",
        "Ü/ñ",
        "x;y&z",
        "#1",
    ] {
        let sandbox = Sandbox::warm(&ClusterFile::new(world()));
        sandbox
            .run(&format!("build -n worker1 --out={dir}"))
            .works();
        let image = sandbox.path(&format!("{dir}/tiny-worker1.img"));
        assert_same_bytes(&image, &world().usual_image("worker1"));
    }
}
