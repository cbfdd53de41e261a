//! Builds that were stopped in the middle, and the ones after them.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::world::{ClusterFile, Sandbox, assert_same_bytes, names, world};

const NODES: [&str; 3] = ["master", "worker1", "worker2"];

/// Titles of the tasks of an undisturbed build, in the order they begin.
fn moments() -> Vec<String> {
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    let run = sandbox.run("build --json").works();
    let started = run
        .json_lines()
        .into_iter()
        .filter(|line| line["event"] == "task-started");
    started
        .map(|line| line["title"].as_str().unwrap().to_owned())
        .collect()
}

/// Sends a signal to a build as soon as it says that the task `count` has
/// begun, and gives its exit code.
fn stopped_at(sandbox: &Sandbox, count: usize, signal: Signal) -> Option<i32> {
    let mut command = sandbox.command("build --json");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut started = lines.filter(|line| line.as_ref().unwrap().contains("task-started"));
    assert!(
        started.nth(count).is_some(),
        "it ended before task {count} began"
    );
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap().code()
}

/// Everything of a build that was cut off is gone or whole.
#[track_caller]
fn builds_as_if_nothing_had_been(sandbox: &Sandbox, moment: &str) {
    sandbox.run("build").works();
    for node in NODES {
        assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
    }
    let kept = |dir: &str| {
        names(&sandbox.path(dir))
            .into_iter()
            .filter(|name| name != ".pidoop.lock")
    };
    let left: Vec<String> = kept("out")
        .chain(kept("home/.cache/pidoop/bases"))
        .chain(kept("home/.cache/pidoop/layers"))
        .filter(|name| name.starts_with('.'))
        .chain(names(&sandbox.path("home/.cache/pidoop/partial")))
        .collect();
    assert!(
        left.is_empty(),
        "left behind for ever after a stop at {moment:?}: {left:?}"
    );
}

#[rstest]
#[case(Signal::INT)]
#[case(Signal::KILL)]
fn a_build_after_a_stopped_one_is_like_any_other(#[case] signal: Signal) {
    let moments = moments();
    assert!(moments.len() >= 8, "{moments:?}");
    // Each signal gets every other moment.
    let first = usize::from(signal == Signal::KILL);
    for (count, moment) in moments.iter().enumerate().skip(first).step_by(2) {
        let sandbox = Sandbox::with(&ClusterFile::new(world()));
        let code = stopped_at(&sandbox, count, signal);
        let expected = (signal == Signal::INT).then_some(130);
        assert_eq!(code, expected, "at {moment:?}");
        for name in sandbox.finished() {
            // An image that was complete may stay, and nothing else.
            let node = NODES.iter().find(|node| name == format!("tiny-{node}.img"));
            let node = node.unwrap_or_else(|| panic!("{name} is there at {moment:?}"));
            assert_same_bytes(&sandbox.image(node), &world().usual_image(node));
        }
        if signal == Signal::INT {
            let mut hidden = sandbox.names("out");
            hidden.retain(|name| name.starts_with('.') && name != ".pidoop.lock");
            assert!(hidden.is_empty(), "{hidden:?} is left at {moment:?}");
            assert_eq!(sandbox.names("tmp"), [""; 0], "at {moment:?}");
        }
        builds_as_if_nothing_had_been(&sandbox, moment);
    }
}

#[test]
fn an_interrupt_while_a_tool_writes_leaves_no_secret_behind() {
    let mut sandbox = Sandbox::warm(&ClusterFile::new(world()));
    // Waits until told, so that the signal comes while it is at work.
    let begun = sandbox.path("begun");
    let slow = format!(
        "#!/bin/sh\ncase \" $* \" in *' -w '*) touch '{begun}'; sleep 60 ;; esac\n\
         exec /usr/sbin/debugfs \"$@\"\n"
    );
    sandbox.install_program("debugfs", &slow);
    let mut command = sandbox.command("build");
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    while !begun.exists() {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "it ended before it wrote anything"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    // Private keys are handed to debugfs, but not on a disk.
    assert_eq!(sandbox.names("tmp"), [""; 0]);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(sandbox.names("tmp"), [""; 0]);
    assert_eq!(sandbox.names("out"), [".pidoop.lock"]);
}
