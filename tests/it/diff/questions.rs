//! Questions that cannot be answered, or have little to answer.

use fs_err as fs;

use super::{NODES, built, states};
use crate::support::world::{ClusterFile, Flavour, Sandbox, world};

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
