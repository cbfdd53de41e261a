//! Images that are there for an older plan: changed in place, and then the
//! same bytes as new ones.

use fs_err as fs;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;

use crate::support::world::{
    ClusterFile, PUBLIC_KEY, Run, Sandbox, assert_same_bytes, copy_sparsely, world,
};

fn usual() -> ClusterFile {
    ClusterFile::new(world())
}

/// A plan that differs for one node alone.
fn worker2_reserves_room() -> ClusterFile {
    usual().node_property("worker2", "hdfs-site.xml", "dfs.datanode.du.reserved", "1g")
}

/// Builds, and tells what it took: one word for each node, in order.
#[track_caller]
fn build(sandbox: &Sandbox) -> Vec<String> {
    words(&sandbox.run("build --json").works())
}

fn words(run: &Run) -> Vec<String> {
    run.how().into_iter().map(|(_, how)| how).collect()
}

/// Checks that every image and what lies beside them is what a build into
/// nothing makes of the same cluster file.
#[track_caller]
pub(super) fn is_as_if_new(sandbox: &Sandbox) {
    let fresh = Sandbox::warm(&usual());
    for name in ["cluster.toml", "cluster.key"] {
        fs::copy(sandbox.path(name), fresh.path(name)).unwrap();
    }
    for name in ["overlays", "recipes"] {
        if sandbox.path(name).exists() {
            copy_sparsely(&sandbox.path(name), &fresh.path(name));
        }
    }
    let run = fresh.run("build --json").works();
    assert!(words(&run).iter().all(|how| how == "built"), "{run}");
    let mut names = fresh.finished();
    assert!(names.len() >= 3);
    names.retain(|name| name != "SHA256SUMS");
    for name in names {
        let path = |sandbox: &Sandbox| sandbox.path("out").join(&name);
        assert_same_bytes(&path(sandbox), &path(&fresh));
    }
}

#[test]
fn nothing_changed_means_nothing_written() {
    let sandbox = Sandbox::warm(&usual());
    assert_eq!(build(&sandbox), ["built"; 3]);
    let stamps = || {
        ["master", "worker1", "worker2"].map(|node| {
            let meta = fs::metadata(sandbox.image(node)).unwrap();
            (
                meta.ino(),
                meta.mtime(),
                meta.mtime_nsec(),
                meta.ctime_nsec(),
            )
        })
    };
    let before = stamps();
    assert_eq!(build(&sandbox), ["unchanged"; 3]);
    // Neither the layer nor anything else of the cache is needed for that.
    fs::remove_dir_all(sandbox.cache().join("layers")).unwrap();
    assert_eq!(build(&sandbox), ["unchanged"; 3]);
    assert!(!sandbox.cache().join("layers").exists());
    assert_eq!(stamps(), before);
    is_as_if_new(&sandbox);
    let run = sandbox.run("build").works();
    run.says(&[
        "tiny-master.img",
        "the card of master, a pi4-4gb: unchanged",
    ]);
}

#[test]
fn people_are_told_what_it_took() {
    let sandbox = Sandbox::warm(&usual());
    sandbox.run("build").works().says(&["a pi4-4gb: built"]);
    sandbox.write_cluster(&worker2_reserves_room());
    let run = sandbox.run("build").works().says(&[
        "the card of worker1, a pi4-4gb: unchanged",
        "the card of worker2, a pi4-4gb: patched (",
    ]);
    assert!(run.stderr.contains(" blocks)\n"), "{run}");
}

#[test]
fn a_change_for_one_node_writes_one_image() {
    let sandbox = Sandbox::warm(&usual());
    build(&sandbox);
    let untouched = fs::metadata(sandbox.image("worker1")).unwrap();
    sandbox.write_cluster(&worker2_reserves_room());
    assert_eq!(build(&sandbox), ["unchanged", "unchanged", "patched"]);
    let now = fs::metadata(sandbox.image("worker1")).unwrap();
    assert_eq!(now.ino(), untouched.ino());
    assert_eq!(now.modified().unwrap(), untouched.modified().unwrap());
    is_as_if_new(&sandbox);
}

/// One change after the other to the same images, until they are what they
/// were in the beginning.
#[test]
fn after_any_change_the_images_are_as_if_new() {
    let other_key = PUBLIC_KEY.replace("somebody@desk", "somebody else@a desk");
    let hash = "$6$salt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/";
    let access = format!(
        "user = \"admin\"\nauthorized_keys = [\"{PUBLIC_KEY}\", \"{other_key}\"]\npassword_hash = \"{hash}\""
    );
    let large = "a line of a large property value, ".repeat(2000);
    let steps: [(&str, ClusterFile, &[&str]); 9] = [
        ("from nothing", usual(), &["built"; 3]),
        (
            "a property",
            usual().property("hdfs-site.xml", "dfs.blocksize", "32m"),
            &["patched"; 3],
        ),
        (
            "a property of many blocks",
            usual().property("core-site.xml", "hadoop.http.filter.initializers", &large),
            &["patched"; 3],
        ),
        (
            "names and roles",
            usual()
                .first_nodes(1)
                .node("worker1", "worker", 12)
                .node("worker2", "worker", 11),
            &["patched"; 3],
        ),
        (
            "another user, keys and password",
            usual().access(&access),
            &["patched"; 3],
        ),
        (
            "one node more",
            usual().node("worker3", "worker", 13),
            &["patched", "patched", "patched", "built"],
        ),
        (
            "boards",
            usual()
                .board("master", "pi5-8gb")
                .board("worker1", "pi4-8gb")
                .board("worker2", "pi4-2gb"),
            &["patched"; 3],
        ),
        (
            "settings",
            usual().more("\n[settings]\ntimezone = \"Europe/London\"\nswap = \"none\"\n"),
            &["patched"; 3],
        ),
        ("back to the start", usual(), &["patched"; 3]),
    ];
    let sandbox = Sandbox::warm(&usual());
    for (name, cluster, expected) in steps {
        sandbox.write_cluster(&cluster);
        assert_eq!(build(&sandbox), expected, "{name}");
        is_as_if_new(&sandbox);
        assert_eq!(
            build(&sandbox),
            vec!["unchanged"; expected.len()],
            "{name}, again"
        );
    }
    for node in ["master", "worker1", "worker2"] {
        assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
    }
}

#[test]
fn another_cluster_key_is_patched_in() {
    let sandbox = Sandbox::warm(&usual());
    build(&sandbox);
    sandbox.write("cluster.key", format!("{}\n", "5a".repeat(32)));
    sandbox.set_mode("cluster.key", 0o600);
    assert_eq!(build(&sandbox), ["patched"; 3]);
    is_as_if_new(&sandbox);
}

#[test]
fn another_layer_is_built_from() {
    let sandbox = Sandbox::warm(&usual());
    build(&sandbox);
    let java = sandbox.path("jre.tar.gz");
    crate::support::world::Java {
        version: "17.0.77",
        ..Default::default()
    }
    .make(&java);
    sandbox.write_cluster(&usual().java(&java));
    let run = sandbox.run("build --json").works();
    assert_eq!(words(&run), ["built"; 3]);
    // That is no reason to suspect anybody.
    assert!(!run.stdout.contains("built afresh"), "{run}");
    is_as_if_new(&sandbox);
    sandbox.write_cluster(&usual());
    assert_eq!(build(&sandbox), ["built"; 3]);
}

#[test]
fn files_of_an_overlay_come_and_go() {
    let sandbox = Sandbox::warm(&usual());
    build(&sandbox);
    let recipe = include_str!("../../../recipes/hadoop-3.5.0.toml");
    sandbox.write(
        "recipes/hadoop-3.5.0.toml",
        recipe.replace(
            "overlays = [\"hadoop\"]",
            "overlays = [\"hadoop\", \"mine\"]",
        ),
    );
    let content: Vec<u8> = (0..300_000_u32)
        .flat_map(|n| (n * 7).to_le_bytes())
        .collect();
    sandbox.write("overlays/mine/srv/large.bin", &content);
    sandbox.write("overlays/mine/srv/zeros.bin", vec![0; 200_000]);
    assert_eq!(build(&sandbox), ["patched"; 3]);
    is_as_if_new(&sandbox);
    sandbox.write("overlays/mine/srv/large.bin", &content[..9000]);
    fs::remove_file(sandbox.path("overlays/mine/srv/zeros.bin")).unwrap();
    assert_eq!(build(&sandbox), ["patched"; 3]);
    is_as_if_new(&sandbox);
    for name in ["overlays", "recipes"] {
        fs::remove_dir_all(sandbox.path(name)).unwrap();
    }
    assert_eq!(build(&sandbox), ["patched"; 3]);
    assert_same_bytes(&sandbox.image("worker2"), &world().usual_image("worker2"));
    // What came and went leaves nothing behind, not even room on the disk.
    let blocks = |path: &Utf8Path| fs::metadata(path).unwrap().blocks() * 512;
    let (patched, new) = (
        blocks(&sandbox.image("worker2")),
        blocks(&world().usual_image("worker2")),
    );
    assert!(
        patched < new + (256 << 10),
        "{patched} and {new} bytes on disk"
    );
}
