//! `scripts/bench` on images small enough for a test: that it works, that it
//! leaves nothing behind, and that it notices a wrong image.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use fs_err as fs;

use crate::support::world::{ClusterFile, Run, Sandbox, names, world};

/// Runs the bench in a sandbox, with more options.
fn bench(sandbox: &Sandbox, options: &str) -> Run {
    let script = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/bench");
    let work = sandbox.path("work");
    fs::create_dir_all(&work).unwrap();
    let wrapper = [
        script.as_str(),
        "--quick",
        "-f",
        "cluster.toml",
        "--work",
        work.as_str(),
        "--out",
        "bench.md",
        "--pidoop",
    ];
    sandbox.finish(sandbox.wrapped(&wrapper, options), options)
}

/// Nothing is left in its directory, no loop device has a file from there.
fn assert_clean(sandbox: &Sandbox) {
    assert!(names(&sandbox.path("work")).is_empty());
    // The kernel takes a device away a moment after its mount.
    let begun = Instant::now();
    loop {
        let loops = Command::new("/usr/sbin/losetup")
            .arg("-a")
            .output()
            .unwrap();
        let loops = String::from_utf8_lossy(&loops.stdout).into_owned();
        if !loops.contains(sandbox.path("work").as_str()) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{loops}");
        sleep(Duration::from_millis(100));
    }
}

#[test]
fn all_ways_make_the_same_images() {
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    let run = bench(&sandbox, "").works();
    assert_clean(&sandbox);
    let document = fs::read_to_string(sandbox.path("bench.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let cells = document["cells"].as_array().unwrap();
    let measured = |scenario: &str, method: &str| {
        cells
            .iter()
            .filter(|cell| cell["scenario"] == scenario && cell["method"] == method)
            .any(|cell| cell["median_seconds"].as_f64().unwrap() > 0.0)
    };
    let mut expected = vec![
        ("cold-2", "pidoop"),
        ("cold-2", "floor"),
        ("cold-3", "pidoop"),
        ("rebuild-all", "pidoop"),
        ("rebuild-one", "pidoop"),
        ("unchanged", "pidoop"),
        ("one-node-new", "pidoop"),
        ("copies-2", "copies"),
    ];
    // Each root script is measured or said to be left out.
    if run
        .stdout
        .contains("Not measured: naive, copy-once, in-place")
    {
        println!("NOT TRIED: the root scripts, for want of root or of loop mounts");
    } else {
        expected.extend([
            ("cold-2", "naive"),
            ("cold-2", "copy-once"),
            ("rebuild-all", "in-place"),
            ("rebuild-all", "copy-once"),
            ("rebuild-one", "in-place"),
        ]);
    }
    for (scenario, method) in expected {
        assert!(measured(scenario, method), "{scenario} by {method}: {run}");
    }
    assert_eq!(document["failed"], serde_json::json!([]), "{run}");
    assert!(run.stdout.contains("| cold-2 | pidoop |"), "{run}");
}

#[test]
fn a_wrong_image_is_a_failure_and_no_figure() {
    let mut sandbox = Sandbox::with(&ClusterFile::new(world()));
    // As pidoop, but the images that are measured get a file more.
    sandbox.install_program(
        "forger",
        "#!/bin/sh\n\
         pidoop=$1\n\
         shift\n\
         \"$pidoop\" \"$@\" || exit\n\
         case \"$*\" in\n\
           *\"build \"*/dir/pidoop/out*)\n\
             for image in \"$TMPDIR\"/../out/*-master.img; do\n\
               offset=$(/usr/sbin/sfdisk -d \"$image\" |\n\
                 sed -n 's/.*img2.*start= *\\([0-9]*\\),.*/\\1/p')\n\
               /usr/sbin/debugfs -w -R 'mkdir /forged' \"$image?offset=$((offset * 512))\"\n\
             done ;;\n\
         esac\n",
    );
    let program = assert_cmd::cargo::cargo_bin!("pidoop");
    let forger = sandbox.write(
        "forged",
        format!(
            "#!/bin/sh\nexec {} {} \"$@\"\n",
            sandbox.path("programs/forger"),
            program.display()
        ),
    );
    sandbox.set_mode("forged", 0o755);
    let options = format!("--only cold-2 --only pidoop --pidoop {forger}");
    let run = bench(&sandbox, &options).exits(1);
    assert!(run.stdout.contains("FAILED: cold-2 by pidoop"), "{run}");
    assert!(!run.stdout.contains("| cold-2 | pidoop |"), "{run}");
    assert_clean(&sandbox);
}

#[test]
fn what_it_does_not_know_is_refused() {
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    let run = bench(&sandbox, "--only cold-4").exits(2);
    assert!(run.stderr.contains("--only cold-4: not one of"), "{run}");
    assert!(run.stderr.contains("cold-2"), "{run}");
    let run = bench(&sandbox, "--size real").exits(2);
    assert!(run.stderr.contains("those of the cluster file"), "{run}");
    let run = bench(&sandbox, "--update-docs").exits(2);
    assert!(run.stderr.contains("not those of -f"), "{run}");
    let run = bench(&sandbox, "--nodes 1").exits(2);
    assert!(run.stderr.contains("from 2 to 200 nodes"), "{run}");
    assert_clean(&sandbox);
}

/// The page has a part for each size of inputs; a run replaces its own alone.
#[test]
fn figures_of_one_size_leave_the_others() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let replaced = |size: &str, block: &str| {
        let script = "import sys; sys.path.insert(0, sys.argv[1]); import report; \
             print(report.replaced(open(sys.argv[2]).read(), sys.argv[4], sys.argv[3]), end='')";
        let output = Command::new("python3")
            .args(["-B", "-c", script])
            .arg(root.join("scripts/bench.d"))
            .arg(root.join("docs/benchmarks.md"))
            .args([size, block])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
            errors,
        )
    };
    let page = fs::read_to_string(root.join("docs/benchmarks.md")).unwrap();
    // What is between the markers of a size, and all that is not.
    let parts = |page: &str, size: &str| {
        let begin = format!("<!-- bench, {size} inputs: begin -->");
        let end = format!("<!-- bench, {size} inputs: end -->");
        let (before, rest) = page.split_once(&begin).unwrap();
        let (inside, after) = rest.split_once(&end).unwrap();
        (inside.trim().to_owned(), format!("{before}…{after}"))
    };
    for (size, other) in [("small", "real"), ("real", "small")] {
        let (done, changed, errors) = replaced(size, "new figures\n");
        assert!(done, "{errors}");
        let (inside, rest) = parts(&changed, size);
        assert_eq!(inside, "new figures");
        assert_eq!(rest, parts(&page, size).1);
        assert_eq!(parts(&changed, other).0, parts(&page, other).0);
    }
    let (done, _, errors) = replaced("huge", "");
    assert!(!done && errors.contains("the page has no"), "{errors}");
}
