//! What is in the images, as others read them.

use rstest::rstest;

use crate::support::tools::run;
use crate::support::world::{
    ClusterFile, Flavour, Image, Sandbox, assert_same_bytes, names, world,
};

#[rstest]
fn every_node_has_an_image_without_fault(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Desktop,
        Flavour::Imaged,
        Flavour::FirstTrixie,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let out = world().built(flavour);
    assert_eq!(
        names(&out),
        [
            ".pidoop.lock",
            "known_hosts",
            "manifest.json",
            "tiny-master.img",
            "tiny-worker1.img"
        ]
    );
    for node in ["master", "worker1"] {
        let image = Image::open(&out.join(format!("tiny-{node}.img")));
        image.judge();
        assert_eq!(image.text("/etc/hostname"), format!("{node}\n"));
        // What was in the base is there still.
        assert_eq!(
            image.boot_text("kernel8.img").len(),
            "not a kernel\n".len() * 4096
        );
    }
}

#[test]
fn java_and_hadoop_are_where_the_units_look() {
    let image = Image::open(&world().built(Flavour::Trixie).join("tiny-worker1.img"));
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
    let raw = world().base(Flavour::Trixie);
    let place = Sandbox::new();
    let packed = place.path(&format!("base.img.{extension}"));
    run("sh", &["-c", &format!("{packer} -c '{raw}' > '{packed}'")]);
    let cluster = world().small_cluster(Flavour::Trixie).base(&packed);
    let other = Sandbox::with(&cluster);
    other.run("build").works();
    let built = world().built(Flavour::Trixie);
    assert_same_bytes(&built.join("tiny-master.img"), &other.image("master"));
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
