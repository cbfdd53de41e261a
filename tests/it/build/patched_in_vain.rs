//! Patches that fail: the image that was there stays.

use fs_err as fs;

use super::bad_machine::own_mounts;
use super::patched::is_as_if_new;
use super::patched_in_doubt::{NODES, how, reshaped, usual, with_old_images};
use crate::support::world::{Sandbox, assert_same_bytes, world};

#[test]
fn an_image_nobody_could_log_in_to_does_not_replace_one() {
    let sandbox = Sandbox::warm(&usual());
    sandbox.run("build").works();
    let recipe = include_str!("../../../recipes/hadoop-3.5.0.toml");
    sandbox.write(
        "recipes/hadoop-3.5.0.toml",
        recipe.replace(
            "overlays = [\"hadoop\"]",
            "overlays = [\"hadoop\", \"locked\"]",
        ),
    );
    sandbox.write(
        "overlays/locked/etc/ssh/sshd_config.d/00-locked.conf",
        "PubkeyAuthentication no\n",
    );
    sandbox.run("build").refuses(1, &["nobody could log in"]);
    for node in NODES {
        assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
    }
    assert!(
        sandbox
            .names("out")
            .iter()
            .all(|name| !name.ends_with(".partial"))
    );
    fs::remove_dir_all(sandbox.path("overlays")).unwrap();
    fs::remove_dir_all(sandbox.path("recipes")).unwrap();
    let run = sandbox.run("build --json").works();
    for node in NODES {
        assert_eq!(how(&run, node), "unchanged");
    }
}

#[test]
fn a_filesystem_found_damaged_does_not_replace_one() {
    let mut sandbox = with_old_images();
    sandbox.write_cluster(&reshaped());
    sandbox.install_program(
        "e2fsck",
        "#!/bin/sh\ncase $* in -fn*) echo 'Inode 12 is in a bad way'; exit 4 ;; esac\n\
         exec /usr/sbin/e2fsck \"$@\"\n",
    );
    let run = sandbox
        .run("build")
        .refuses(2, &["e2fsck found damage", "Inode 12 is in a bad way"]);
    assert!(run.stderr.contains("partition 2 of tiny-"), "{run}");
    for node in NODES {
        assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
    }
    fs::remove_file(sandbox.path("programs/e2fsck")).unwrap();
    let run = sandbox.run("build --json").works();
    for node in NODES {
        assert_eq!(how(&run, node), "patched");
    }
    is_as_if_new(&sandbox);
}

/// The disk is full in the middle of the patch: what was written by then is
/// taken back.
#[test]
fn a_patch_that_does_not_fit_is_taken_back() {
    let Some(own_mounts) = own_mounts() else {
        return;
    };
    let sandbox = Sandbox::warm(&usual().first_nodes(2));
    let large = "a line of a large property value, ".repeat(10_000);
    let plan =
        usual()
            .first_nodes(2)
            .property("core-site.xml", "hadoop.http.filter.initializers", &large);
    sandbox.write("large.toml", plan.text());
    for name in ["out", "old", "new"] {
        fs::create_dir(sandbox.path(name)).unwrap();
    }
    let script = "mount -t tmpfs -o size=64m tmpfs out && \"$@\" && \
                  { dd if=/dev/zero of=out/filler bs=4k 2>/dev/null; \
                  cp large.toml cluster.toml; \"$@\"; code=$?; \
                  cp --sparse=always out/*.img old; rm out/filler; \
                  \"$@\" --json >json && cp --sparse=always out/*.img new && exit $code; }";
    let wrapper = [own_mounts, &["sh", "-c", script, "sh"]].concat();
    let run = sandbox.finish(sandbox.wrapped(&wrapper, "build"), "build");
    run.refuses(3, &["No space left on device", "tiny-"]);
    let json = fs::read_to_string(sandbox.path("json")).unwrap();
    assert_eq!(json.matches("\"how\":\"patched\"").count(), 2, "{json}");
    let first = Sandbox::warm(&usual().first_nodes(2));
    first.run("build").works();
    let second = Sandbox::warm(&plan);
    second.run("build").works();
    for node in ["master", "worker1"] {
        let name = format!("tiny-{node}.img");
        assert_same_bytes(&sandbox.path("old").join(&name), &first.image(node));
        assert_same_bytes(&sandbox.path("new").join(&name), &second.image(node));
    }
}
