//! What of the archives lies on the disk while a layer is made.

use camino::Utf8Path;
use fs_err as fs;
use rstest::rstest;

use crate::support::tools::run;
use crate::support::world::{ClusterFile, Image, Run, Sandbox, assert_same_bytes, world};

/// Keeps what lies there of unpacked archives whenever debugfs begins to write.
fn watch(sandbox: &mut Sandbox) {
    let (seen, cache) = (sandbox.path("seen"), sandbox.cache());
    // When debugfs writes an image, nothing is there any more.
    let watching = format!(
        "#!/bin/sh\ncase \" $* \" in\n\
         *' -w '*) cat '{cache}'/partial/work-*/files/* >> '{seen}' 2> /dev/null ;;\n\
         esac\nexec /usr/sbin/debugfs \"$@\"\n"
    );
    sandbox.install_program("debugfs", &watching);
}

/// What was seen since it was last asked.
fn seen(sandbox: &Sandbox) -> String {
    let bytes = fs::read(sandbox.path("seen")).unwrap();
    fs::remove_file(sandbox.path("seen")).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Titles of the readings in which archives were unpacked.
fn readings(run: &Run) -> Vec<String> {
    let lines = run.json_lines();
    let titles = lines.iter().filter(|line| line["event"] == "task-started");
    let titles = titles.map(|line| line["title"].as_str().unwrap().to_owned());
    titles
        .filter(|title| title.starts_with("unpacking ") && title.ends_with(".tar.gz"))
        .collect()
}

#[track_caller]
fn has_the_kept_alone(seen: &str) {
    for kept in ["# sourced by the launchers", "not a jimage", "A licence."] {
        assert!(seen.contains(kept), "{kept}");
    }
    // bin/*.cmd of Hadoop and man of Java.
    for dropped in ["@echo off", ".TH java 1"] {
        assert!(!seen.contains(dropped), "{dropped}");
    }
}

#[test]
fn what_a_recipe_drops_never_reaches_the_disk() {
    let mut sandbox = Sandbox::with(&ClusterFile::new(world()));
    watch(&mut sandbox);
    let run = sandbox.run("build --json").works();
    has_the_kept_alone(&seen(&sandbox));
    assert_eq!(readings(&run).len(), 2, "{run}");
    // Nor where the archives are known and the layer is gone.
    for dir in ["home/.cache/pidoop/layers", "out"] {
        fs::remove_dir_all(sandbox.path(dir)).unwrap();
    }
    let run = sandbox.run("build --json").works();
    has_the_kept_alone(&seen(&sandbox));
    assert_eq!(readings(&run).len(), 2, "{run}");
    for node in ["master", "worker1", "worker2"] {
        assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
    }
}

/// A copy of the archive `from` whose one directory at the top is called `top`.
fn repack(from: &Utf8Path, top: &str, to: &Utf8Path) {
    let dir = to.with_extension("dir");
    let first = top.split('/').next().unwrap();
    let script = format!(
        "mkdir -p '{dir}/{top}'; tar -xzf '{from}' --strip-components=1 -C '{dir}/{top}'; \
         tar --sort=name --owner=0 --group=0 --mtime=@0 -C '{dir}' -czf '{to}' {first}"
    );
    run("sh", &["-ec", &script]);
}

// The recipe says that one folder is on top, and to drop "man": that is all of the
// first, until it shows where Java is in it.
#[rstest]
#[case::deeper("opt/man", 2)]
#[case::less_deep(".", 1)]
fn an_archive_laid_out_otherwise_gets_all_it_needs(#[case] top: &str, #[case] expected: usize) {
    let place = Sandbox::new();
    let java = place.path("java.tar.gz");
    repack(&world().java(), top, &java);
    let mut sandbox = Sandbox::with(&ClusterFile::new(world()).java(&java).first_nodes(2));
    watch(&mut sandbox);
    let run = sandbox.run("build --json").works();
    let mut of_java = readings(&run);
    of_java.retain(|title| title.contains("java.tar.gz"));
    assert_eq!(of_java.len(), expected, "{run}");
    assert!(seen(&sandbox).contains("not a jimage"));
    let image = Image::open(&sandbox.image("master"));
    image.judge();
    assert_eq!(image.text("/opt/temurin-17/lib/modules"), "not a jimage");
    assert!(!image.exists("/opt/temurin-17/man"));
}
