//! The overlays that come with pidoop: read as overlays are, and their scripts
//! and units judged by running them and by the programs that know them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use camino::Utf8Path;
use pidoop::edit::{Edit, Mode};
use pidoop::hadoop::{Daemon, Layout};
use pidoop::overlay::{Overlay, Owners};

mod format;
mod grow;
mod job;
mod layout;
mod report;
mod time;
mod zram;

const OVERLAYS: [&str; 2] = ["base", "hadoop"];

/// A file of an overlay.
fn overlay_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("overlays")
        .join(path)
}

fn words(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

/// A program for the `PATH` of a script under test.
fn program(directory: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(directory).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A `PATH` with `first` in front.
fn path_with(first: &Path) -> String {
    format!("{}:{}", first.display(), std::env::var("PATH").unwrap())
}

/// Whether a program is here; says aloud when a check is left out for want of
/// it.
fn is_here(program: &str) -> bool {
    let here = Command::new(program).arg("--version").output().is_ok();
    if !here {
        println!("{program} is not here, so it judges nothing");
    }
    here
}

fn listing(overlay: &str) -> Vec<(String, Vec<u8>)> {
    let root = overlay_file(overlay);
    let files = walkdir::WalkDir::new(&root).sort_by_file_name();
    files
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(&root).unwrap();
            (
                name.to_str().unwrap().to_owned(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

/// What an overlay puts down, by path.
fn edits(name: &str) -> Vec<Edit> {
    let overlay = Overlay::parse(name, listing(name)).unwrap();
    // Nothing in them depends on a node: no context at all will do.
    let edits = overlay.edits(
        &(),
        &Owners::from([("root".to_owned(), pidoop::edit::Owner::ROOT)]),
    );
    edits.unwrap().root
}

#[test]
fn scripts_can_run_and_nothing_else_can() {
    for name in OVERLAYS {
        let edits = edits(name);
        assert!(!edits.is_empty());
        for edit in edits {
            let Edit::PutFile {
                path,
                content,
                mode,
                ..
            } = edit
            else {
                continue;
            };
            let expected = if content.bytes().starts_with(b"#!") {
                0o755
            } else {
                0o644
            };
            assert_eq!(mode, Mode::new(expected), "{path}");
        }
    }
}

#[test]
fn shellcheck_finds_nothing() {
    if !is_here("shellcheck") {
        return;
    }
    for name in OVERLAYS {
        for (path, bytes) in listing(name) {
            let mut check = Command::new("shellcheck");
            if path.ends_with(".sh") {
                check.args(["-s", "sh"]);
            } else if !bytes.starts_with(b"#!/bin/") {
                continue;
            }
            let output = check.arg(overlay_file(name).join(path)).output().unwrap();
            assert!(output.status.success(), "{}", words(&output));
        }
    }
}

/// A root directory with both overlays and what their units refer to.
fn root_with_overlays(root: &Utf8Path) {
    for edit in OVERLAYS.into_iter().flat_map(edits) {
        let Edit::PutFile { path, content, .. } = edit else {
            continue;
        };
        let target = root.join(path.as_str().trim_start_matches('/'));
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(&target, content.bytes()).unwrap();
    }
    let scripts = root.join("usr/local/lib/pidoop");
    for script in std::fs::read_dir(&scripts).unwrap() {
        let script = script.unwrap();
        let text = std::fs::read_to_string(script.path()).unwrap();
        program(
            scripts.as_std_path(),
            script.file_name().to_str().unwrap(),
            &text,
        );
    }
    for name in ["hdfs", "yarn", "mapred"] {
        program(root.join("opt/hadoop/bin").as_std_path(), name, "");
    }
    program(root.join("usr/bin").as_std_path(), "perl", "");
    let targets = root.join("usr/lib/systemd/system");
    std::fs::create_dir_all(&targets).unwrap();
    for target in [
        "basic",
        "multi-user",
        "network-online",
        "shutdown",
        "sysinit",
        "time-sync",
    ] {
        std::fs::write(
            targets.join(format!("{target}.target")),
            "[Unit]\nDescription=a target\n",
        )
        .unwrap();
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    if !is_here("systemd-analyze") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    root_with_overlays(root);
    let units: Vec<String> = std::fs::read_dir(root.join("etc/systemd/system"))
        .unwrap()
        .map(|unit| unit.unwrap().file_name().into_string().unwrap())
        .filter(|unit| unit.ends_with(".service"))
        .collect();
    assert_eq!(units.len(), 13, "{units:?}");
    let verify = |units: &[String]| {
        let mut verify = Command::new("systemd-analyze");
        verify
            .args(["verify", "--man=no", &format!("--root={root}")])
            .args(units);
        words(&verify.output().unwrap())
    };
    assert_eq!(verify(&units), "");

    // It would have said so: it exits with 0 either way.
    let broken = root.join("etc/systemd/system/hdfs-datanode.service");
    let text = std::fs::read_to_string(&broken).unwrap();
    std::fs::write(&broken, text.replace("Restart=always", "Restart=sometimes")).unwrap();
    assert!(verify(&["hdfs-datanode.service".to_owned()]).contains("sometimes"));
}

#[test]
fn every_daemon_has_its_unit() {
    let home = Layout::default().hadoop_home;
    for daemon in Daemon::ALL {
        let unit = format!(
            "hadoop/etc/systemd/system/{}.service",
            daemon.service_name()
        );
        let text = std::fs::read_to_string(overlay_file(&unit)).unwrap();
        let [program, argument] = daemon.command();
        let start = format!("\nExecStart={home}/bin/{program} {argument}\n");
        for line in [
            start.as_str(),
            "\nUser=hadoop\n",
            "\nRestart=always\n",
            "\nRestartSec=10\n",
            "\nStartLimitIntervalSec=0\n",
            "\nSuccessExitStatus=143\n",
        ] {
            assert!(text.contains(line), "{unit} has no {line:?}");
        }
        // A unit that names ssh or another node would wait for it.
        assert!(!text.contains("ssh"), "{unit}");
    }
}

#[test]
fn the_login_message_names_the_node() {
    let dir = tempfile::tempdir().unwrap();
    let facts = dir.path().join("node.conf");
    std::fs::write(
        &facts,
        "PIDOOP_CLUSTER=elephant\nPIDOOP_NODE=worker1\nPIDOOP_ROLE=worker\n\
         PIDOOP_ADDRESS=10.0.0.11\nPIDOOP_MASTER=master\nPIDOOP_USER=pi\n",
    )
    .unwrap();
    let run = |facts: &Path| {
        let script = overlay_file("base/etc/update-motd.d/50-pidoop");
        Command::new("sh")
            .arg(script)
            .env("PIDOOP_FACTS", facts)
            .output()
            .unwrap()
    };
    let text = words(&run(&facts));
    assert!(
        text.contains("worker1 (10.0.0.11), worker of the cluster elephant"),
        "{text}"
    );
    assert!(text.contains("http://master:9870"), "{text}");
    let absent = run(&dir.path().join("absent"));
    assert!(absent.status.success() && absent.stdout.is_empty());
}
