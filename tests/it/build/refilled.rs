//! Older images of which only contents of files change: neither is the layer's
//! metadata needed for that, nor are the image's judged again, and the bytes are
//! those of new images all the same.

use fs_err as fs;

use super::patched::is_as_if_new;
use super::patched_in_doubt::{
    NODES, change_records, how, reshaped, skeleton, usual, with_old_images,
};
use crate::support::world::{ClusterFile, Image, Run, Sandbox};

/// Programs that take down how they were called.
fn overhear(sandbox: &mut Sandbox) {
    for tool in ["debugfs", "e2fsck"] {
        let log = sandbox.path("calls");
        let script =
            format!("#!/bin/sh\necho {tool} \"$@\" >>'{log}'\nexec /usr/sbin/{tool} \"$@\"\n");
        sandbox.install_program(tool, &script);
    }
}

/// Runs a build, and tells whether anything was tried out on metadata, or judged.
#[track_caller]
fn build(sandbox: &Sandbox) -> (Run, bool) {
    let log = sandbox.path("calls");
    fs::write(&log, "").unwrap();
    let run = sandbox.run("build --json").works();
    let calls = fs::read_to_string(&log).unwrap();
    let is_work = |call: &str| call.starts_with("debugfs -w") || call.starts_with("e2fsck -fn");
    let rehearsed = calls.lines().any(is_work);
    (run, rehearsed)
}

#[track_caller]
fn all(run: &Run, expected: &str) {
    for node in NODES {
        assert_eq!(how(run, node), expected, "{node}: {run}");
    }
}

fn blocksize(value: &str) -> ClusterFile {
    usual().property("hdfs-site.xml", "dfs.blocksize", value)
}

#[test]
fn contents_change_without_a_rehearsal() {
    let mut sandbox = with_old_images();
    overhear(&mut sandbox);
    // Not even what a rehearsal would take place on has to be whole.
    let skeleton = skeleton(&sandbox);
    let whole = fs::read(&skeleton).unwrap();
    fs::write(&skeleton, &whole[..100]).unwrap();
    for value in ["32m", "131072k", "8m"] {
        sandbox.write_cluster(&blocksize(value));
        let (run, rehearsed) = build(&sandbox);
        all(&run, "patched");
        assert!(!rehearsed, "{value}");
        all(&build(&sandbox).0, "unchanged");
    }
    fs::write(&skeleton, &whole).unwrap();
    for node in NODES {
        Image::open(&sandbox.image(node)).judge();
    }
    is_as_if_new(&sandbox);
}

/// One way and the other, in turn: what the one leaves is what the other finds.
#[test]
fn other_blocks_are_rehearsed() {
    let mut sandbox = with_old_images();
    overhear(&mut sandbox);
    let steps = [
        (blocksize("32m"), false),
        (reshaped(), true),
        (
            reshaped().property("hdfs-site.xml", "dfs.blocksize", "64m"),
            false,
        ),
        (blocksize("64m"), true),
        (blocksize("128m"), false),
        (blocksize("128m").board("worker1", "pi4-8gb"), false),
        (usual(), false),
    ];
    for (index, (cluster, expected)) in steps.into_iter().enumerate() {
        sandbox.write_cluster(&cluster);
        let (run, rehearsed) = build(&sandbox);
        assert!(!run.stdout.contains("\"built\",\"blocks\""), "{run}");
        assert_eq!(rehearsed, expected, "step {index}");
        is_as_if_new(&sandbox);
    }
}

/// Whatever debugfs says of where files are, it is not believed against what the
/// inodes say of themselves.
#[test]
fn where_files_are_is_not_taken_on_trust() {
    let replies = [
        "s/located at block [0-9]*/located at block 9/",
        "s/^Inode [0-9]* is/Inode 12 is/",
        "s/offset 0x/offset 0xf/",
        "s/^[1-9][0-9]*$/0/",
        "s/^[1-9][0-9]*$/7/",
        "s/^[1-9][0-9]*$/4000000000/",
        "s/^[1-9][0-9]*$/none/",
    ];
    for reply in replies {
        let mut sandbox = with_old_images();
        overhear(&mut sandbox);
        let script = format!(
            "#!/bin/sh\ncase $1 in -f) /usr/sbin/debugfs \"$@\" 2>&1 | sed '{reply}' ;;\n\
             *) exec /usr/sbin/debugfs \"$@\" ;; esac\n"
        );
        fs::write(sandbox.path("programs/debugfs"), script).unwrap();
        let (run, rehearsed) = build(&sandbox);
        all(&run, "patched");
        assert!(rehearsed, "{reply}");
        fs::remove_file(sandbox.path("programs/debugfs")).unwrap();
        is_as_if_new(&sandbox);
    }
}

#[test]
fn a_record_that_says_other_things_of_contents_is_noticed() {
    let sandbox = with_old_images();
    change_records(&sandbox, |record| {
        let contents = record["imprint"]["contents"].as_array_mut().unwrap();
        assert!(contents.len() > 20);
        for content in contents {
            content[0] = 9.into();
        }
    });
    all(&sandbox.run("build --json").works(), "patched");
    is_as_if_new(&sandbox);
}
