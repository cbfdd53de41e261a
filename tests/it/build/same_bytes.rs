//! Same inputs, same bytes; another input, other bytes where it matters and
//! nowhere else.

use crate::support::tools::output;
use crate::support::world::{ClusterFile, Flavour, Image, Sandbox, assert_same_bytes, world};

const NODES: [&str; 3] = ["master", "worker1", "worker2"];

/// Everything that tells one node from another, read from its image.
fn identity(image: &Image) -> Vec<(&'static str, String)> {
    vec![
        ("disk id", image.id.clone()),
        ("machine id", image.text("/etc/machine-id")),
        ("host key", image.text("/etc/ssh/ssh_host_ed25519_key.pub")),
        (
            "private host key",
            image.text("/etc/ssh/ssh_host_ed25519_key"),
        ),
        ("host name", image.text("/etc/hostname")),
    ]
}

#[test]
fn two_builds_anywhere_at_any_time_are_one() {
    let cluster = ClusterFile::new(world());
    let (here, elsewhere) = (Sandbox::with(&cluster), Sandbox::with(&cluster));
    here.run("build").works();
    // Another home, cache and directory; another hour, zone and umask.
    let args = "build --out some/where --cache-dir ./other-cache";
    let wrapper = [
        "sh",
        "-c",
        "umask 077; exec faketime -m \"$@\"",
        "sh",
        "2031-02-03 04:05:06",
    ];
    let mut later = elsewhere.wrapped(&wrapper, args);
    later.env("TZ", "Asia/Kathmandu").env("LANG", "de_DE.UTF-8");
    elsewhere.finish(later, args).works();

    for node in NODES {
        let other = elsewhere.path(&format!("some/where/tiny-{node}.img"));
        assert_same_bytes(&here.image(node), &other);
    }
    for name in ["manifest.json", "known_hosts"] {
        assert_same_bytes(
            &here.path(&format!("out/{name}")),
            &elsewhere.path(&format!("some/where/{name}")),
        );
    }
}

#[test]
fn the_clock_of_the_second_build_really_was_another() {
    let faketime = output("faketime", &["-m", "2031-02-03 04:05:06", "date", "+%Y"]);
    assert_eq!(
        String::from_utf8_lossy(&faketime.stdout),
        "2031\n",
        "{faketime:?}"
    );
}

#[test]
fn a_rebuild_makes_the_same_images_with_the_same_identities() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.run("build").works();
    for node in NODES {
        std::fs::rename(sandbox.image(node), sandbox.path(node)).unwrap();
    }
    sandbox.run("build").works();
    for node in NODES {
        assert_same_bytes(&sandbox.path(node), &sandbox.image(node));
    }
}

#[test]
fn nodes_differ_in_everything_that_names_them() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.run("build").works();
    let identities = NODES.map(|node| identity(&Image::open(&sandbox.image(node))));
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        for (left, right) in identities[one].iter().zip(&identities[other]) {
            assert!(!left.1.trim().is_empty(), "{} is empty", left.0);
            assert_ne!(left, right);
        }
    }
    // The cluster has one key of its own, so that any node reaches any other.
    let key = |node| Image::open(&sandbox.image(node)).text("/home/hadoop/.ssh/id_ed25519.pub");
    assert_eq!(key("master"), key("worker2"));
}

#[test]
fn identities_outlive_a_change_of_everything_else() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.run("build -n worker1").works();
    let before = identity(&Image::open(&sandbox.image("worker1")));
    let cluster = ClusterFile::new(world())
        .base(&world().base(Flavour::Bookworm))
        .property("hdfs-site.xml", "dfs.blocksize", "32m");
    sandbox.write_cluster(&cluster);
    sandbox.run("build -n worker1").works();
    assert_eq!(identity(&Image::open(&sandbox.image("worker1"))), before);
}

#[test]
fn another_cluster_key_is_another_cluster() {
    let cluster = ClusterFile::new(world()).first_nodes(2);
    let (one, other) = (Sandbox::warm(&cluster), Sandbox::warm(&cluster));
    std::fs::remove_file(other.path("cluster.key")).unwrap();
    one.run("build -n master").works();
    other
        .run("build -n master")
        .works()
        .says(&["made", "cluster.key", "keep it secret"]);
    let identities = [&one, &other].map(|sandbox| identity(&Image::open(&sandbox.image("master"))));
    for (left, right) in identities[0].iter().zip(&identities[1]) {
        assert_eq!(left == right, left.0 == "host name", "{}", left.0);
    }
    // A key that was made serves the next build too.
    let made = std::fs::read(other.path("cluster.key")).unwrap();
    other.run("build -n worker1").works();
    assert_eq!(std::fs::read(other.path("cluster.key")).unwrap(), made);
}

#[test]
fn a_changed_property_reuses_the_layer() {
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    let run = sandbox.run("build --json").works();
    assert!(run.stdout.contains("verifying the layer"), "{run}");
    let layers = sandbox.names("home/.cache/pidoop/layers");
    let changed = ClusterFile::new(world()).property("hdfs-site.xml", "dfs.blocksize", "32m");
    sandbox.write_cluster(&changed);
    let run = sandbox.run("build --json").works();
    assert!(
        !run.stdout.contains("the layer"),
        "the layer was made again\n{run}"
    );
    assert_eq!(sandbox.names("home/.cache/pidoop/layers"), layers);
    let site = Image::open(&sandbox.image("worker1")).text("/opt/hadoop/etc/hadoop/hdfs-site.xml");
    assert!(site.contains("<value>32m</value>"), "{site}");

    // What was made from the old layer is what a build from nothing makes.
    let fresh = Sandbox::with(&changed);
    fresh.run("build").works();
    for node in NODES {
        assert_same_bytes(&sandbox.image(node), &fresh.image(node));
    }
}

/// Files that say how many workers there are, or who.
const ABOUT_THE_OTHERS: [&str; 7] = [
    "etc/hosts",
    "etc/pidoop/node.conf",
    "etc/ssh/ssh_known_hosts",
    "opt/hadoop-3.5.0/etc/hadoop/capacity-scheduler.xml",
    "opt/hadoop-3.5.0/etc/hadoop/hdfs-site.xml",
    "opt/hadoop-3.5.0/etc/hadoop/mapred-site.xml",
    "opt/hadoop-3.5.0/etc/hadoop/workers",
];

#[test]
fn one_node_more_changes_only_what_is_said_of_the_others() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.run("build -n master -n worker1").works();
    let nodes = ["master", "worker1"];
    let before = nodes.map(|node| {
        let image = Image::open(&sandbox.image(node));
        image.unpack_root(&sandbox.path(&format!("before/{node}")));
        (identity(&image), image.text("/etc/hosts"))
    });

    sandbox.write_cluster(&ClusterFile::new(world()).node("worker3", "worker", 13));
    sandbox.run("build").works();
    for (node, (old_identity, old_hosts)) in nodes.iter().zip(before) {
        let image = Image::open(&sandbox.image(node));
        assert_eq!(identity(&image), old_identity);
        // Cards in use need not be written again: they know the new name.
        let line = "10.4.0.13\tworker3\n";
        assert!(old_hosts.contains(line) && image.text("/etc/hosts").contains(line));

        let (old, new) = (
            sandbox.path(&format!("before/{node}")),
            sandbox.path("after"),
        );
        image.unpack_root(&new);
        let found = output(
            "diff",
            &["-rq", "--no-dereference", old.as_str(), new.as_str()],
        );
        let found = String::from_utf8(found.stdout).unwrap();
        for line in found.lines() {
            let known = ABOUT_THE_OTHERS
                .iter()
                .any(|file| line.ends_with(&format!("{new}/{file} differ")));
            assert!(known, "{line}");
        }
        std::fs::remove_dir_all(new).unwrap();
    }
}
