//! Builds killed at any moment, over images that are there already.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::chance::Chance;
use crate::support::world::{ClusterFile, Sandbox, assert_same_bytes, names, same_bytes, world};

const NODES: [&str; 3] = ["master", "worker1", "worker2"];

/// How often a build is killed.
const KILLS: u64 = 50;

/// Kills a build so long after its start. Whether it was still at work.
fn killed_after(sandbox: &Sandbox, delay: Duration) -> bool {
    let mut command = sandbox.command("build");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(delay);
    let _ = kill_process(Pid::from_child(&child), Signal::KILL);
    child.wait().unwrap().code().is_none()
}

/// The same directory all the time, so that one killed build finds what those
/// before it left.
#[test]
fn a_build_killed_at_any_moment_leaves_whole_images_and_the_next_is_right() {
    let plans = [
        ClusterFile::new(world()),
        ClusterFile::new(world())
            .property("hdfs-site.xml", "dfs.blocksize", "32m")
            .board("worker1", "pi4-8gb"),
        // Which takes other blocks.
        ClusterFile::new(world())
            .node_property("worker2", "hdfs-site.xml", "dfs.datanode.du.reserved", "1g")
            .property(
                "core-site.xml",
                "hadoop.http.filter.initializers",
                &"x".repeat(20_000),
            ),
    ];
    let fresh = plans.each_ref().map(|plan| {
        let sandbox = Sandbox::warm(plan);
        sandbox.run("build").works();
        sandbox
    });
    let sandbox = Sandbox::warm(&plans[0]);
    // Images from the layer, other contents, other blocks.
    let durations = plans.each_ref().map(|plan| {
        sandbox.write_cluster(plan);
        let begun = Instant::now();
        sandbox.run("build").works();
        begun.elapsed()
    });
    sandbox.write_cluster(&plans[1]);
    sandbox.run("build").works();

    let mut chance = Chance::new(20_261_126);
    let (mut plan, mut in_time) = (1, 0);
    // Plans of which there may be images.
    let mut possible = BTreeSet::from([plan]);
    for kill in 0..KILLS {
        plan = (plan + 1 + chance.below(2) as usize) % plans.len();
        possible.insert(plan);
        sandbox.write_cluster(&plans[plan]);
        // Every now and then it has everything to do, the layer too.
        if kill % 10 == 9 {
            fs::remove_dir_all(sandbox.path("out")).unwrap();
            fs::remove_dir_all(sandbox.cache().join("layers")).unwrap();
        }
        let longest = durations[chance.below(3) as usize];
        let delay = chance.duration(longest);
        in_time += u64::from(killed_after(&sandbox, delay));

        // What has a final name is a whole image, of this plan or of one before.
        for name in sandbox
            .finished()
            .iter()
            .filter(|name| name.ends_with(".img"))
        {
            let whole = possible.iter().any(|plan| {
                let path = |sandbox: &Sandbox| sandbox.path("out").join(name);
                same_bytes(&path(&sandbox), &path(&fresh[*plan]))
            });
            assert!(
                whole,
                "{name} is no whole image after {delay:?} (kill {kill})"
            );
        }
        if chance.below(3) == 0 {
            // Killed once more before any build comes to its end.
            continue;
        }
        sandbox.run("build").works();
        for node in NODES {
            assert_same_bytes(&sandbox.image(node), &fresh[plan].image(node));
        }
        possible = [plan].into();
    }
    // A machine that is busy now and was not before is no failure.
    assert!(in_time > 0, "no build was killed");
    sandbox.run("build").works();
    let left: Vec<String> = [
        "out",
        "home/.cache/pidoop/layers",
        "home/.cache/pidoop/images",
    ]
    .into_iter()
    .flat_map(|dir| names(&sandbox.path(dir)))
    .filter(|name| name.starts_with('.') && name != ".pidoop.lock")
    .collect();
    assert!(left.is_empty(), "left behind for ever: {left:?}");
}
