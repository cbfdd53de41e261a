//! Images on a filesystem whose files can share blocks: copies of the layer
//! cost next to nothing there, and are the same images.

use fs_err as fs;

use super::bad_machine::{not_tested, own_mounts};
use crate::support::tools::output;
use crate::support::world::{ClusterFile, Run, Sandbox, assert_same_bytes, world};

const NODES: [&str; 3] = ["master", "worker1", "worker2"];

/// Puts an XFS of its own on the directory `disk` for what follows, and looks
/// at the images before it is gone again.
const ON_XFS: &str = "PATH=$PATH:/usr/sbin:/sbin; truncate -s 512m blocks && mkfs.xfs -q -m reflink=1 blocks && \
     mkdir disk && mount -o loop blocks disk && \"$@\" --json >first && \
     for image in disk/out/*.img; do filefrag -v $image >$(basename $image).new; done && \
     cp changed.toml cluster.toml && \"$@\" --json >second && \
     for image in disk/out/*.img; do filefrag -v $image >$(basename $image).old; done && \
     cp --sparse=always disk/out/*.img .";

fn words(json: &str, how: &str) -> usize {
    json.matches(&format!("\"how\":\"{how}\"")).count()
}

#[test]
fn copies_share_their_blocks_with_the_layer_and_are_patched_like_others() {
    let Some(own_mounts) = own_mounts() else {
        return;
    };
    let is_root = rustix::process::geteuid().is_root();
    let has_xfs = output(
        "sh",
        &["-c", "PATH=$PATH:/usr/sbin:/sbin; command -v mkfs.xfs"],
    )
    .status
    .success();
    if !is_root || !has_xfs {
        return not_tested("no root or no mkfs.xfs here, so no blocks shared between images");
    }
    let usual = ClusterFile::new(world());
    let changed = ClusterFile::new(world()).property("hdfs-site.xml", "dfs.blocksize", "32m");
    let sandbox = Sandbox::warm(&usual);
    sandbox.write("changed.toml", changed.text());
    let wrapper = [own_mounts, &["sh", "-c", ON_XFS, "sh"]].concat();
    let build = "build --cache-dir disk/cache -o disk/out";
    let run: Run = sandbox.finish(sandbox.wrapped(&wrapper, build), build);
    run.works();
    let read = |name: &str| fs::read_to_string(sandbox.path(name)).unwrap();
    assert_eq!(words(&read("first"), "built"), 3);
    assert_eq!(words(&read("second"), "patched"), 3);

    let fresh = Sandbox::warm(&changed);
    fresh.run("build").works();
    for node in NODES {
        let name = format!("tiny-{node}.img");
        assert_same_bytes(&sandbox.path(&name), &fresh.image(node));
        for moment in ["new", "old"] {
            let extents = read(&format!("{name}.{moment}"));
            assert!(extents.contains("shared"), "{name}, {moment}: {extents}");
        }
    }
}
