//! `kill -9` at any moment: what is there is right, and the next run succeeds.

use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use fs_err as fs;
use pidoop::source::Sha256;
use rustix::process::{Pid, Signal, kill_process};

use super::cluster::{Publisher, lock};
use crate::support::chance::Chance;
use crate::support::world::{Sandbox, assert_same_bytes, copy_sparsely, names, world};

/// How many moments; each is followed by a run to the end.
const MOMENTS: usize = 50;

/// Kills a run of pidoop after a while.
fn kill(sandbox: &Sandbox, args: &str, after: Duration) {
    let mut command = sandbox.command(args);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    // It may have come to its end by itself.
    let _ = kill_process(Pid::from_child(&child), Signal::KILL);
    child.wait().unwrap();
}

/// Whatever has a final name is whole.
#[track_caller]
fn what_is_there_is_right(sandbox: &Sandbox, expected_lock: &str, moment: &str) {
    let blobs = sandbox.cache().join("blobs");
    for name in names(&blobs) {
        let data = fs::read(blobs.join(&name).join("data")).unwrap();
        assert_eq!(Sha256::of(&data).to_string(), name, "killed {moment}");
    }
    if sandbox.path("cluster.lock").exists() {
        assert_eq!(lock(sandbox), expected_lock, "killed {moment}");
    }
    if sandbox.image("worker1").exists() {
        assert_same_bytes(&sandbox.image("worker1"), &world().usual_image("worker1"));
    }
}

/// Nothing is left that nobody would ever clear away.
#[track_caller]
fn nothing_is_left_behind(sandbox: &Sandbox, moment: &str) {
    let work = "home/.cache/pidoop/partial";
    let is_workroom = |name: &String| name.starts_with("work-");
    if sandbox.names(work).iter().any(is_workroom) {
        // A program that the killed one was just starting had its locks for a
        // moment longer; whoever comes next clears up.
        sandbox.run("plan").works();
    }
    let hidden = |dir: &str| {
        let names = sandbox.names(dir).into_iter();
        names.filter(|name| name.starts_with('.') && name != ".pidoop.lock")
    };
    let left: Vec<String> = [
        ".",
        "out",
        "home/.cache/pidoop/bases",
        "home/.cache/pidoop/layers",
    ]
    .into_iter()
    .flat_map(hidden)
    .chain(sandbox.names(work))
    .chain(sandbox.names("home/.cache/pidoop/downloads"))
    .collect();
    assert!(left.is_empty(), "killed {moment}, left: {left:?}");
}

/// What is in the cache when a run begins. Unpacking the base takes most of the
/// time of a run, so in most it is there: then the moments fall on the rest.
struct Start {
    /// The cache of an undisturbed fetch whose unpacked base is taken; none for an
    /// empty cache.
    base: Option<Utf8PathBuf>,
    /// How long such a run takes undisturbed.
    length: Duration,
}

impl Start {
    fn sandbox(&self, publisher: &Publisher) -> Sandbox {
        let sandbox = publisher.sandbox();
        if let Some(cache) = &self.base {
            fs::create_dir_all(sandbox.cache()).unwrap();
            copy_sparsely(&cache.join("bases"), &sandbox.cache().join("bases"));
        }
        sandbox
    }
}

/// A run of pidoop, stopped at fifty moments and each time run again, the second
/// time to its end. `right` judges what the second run made.
fn stopped_fifty_times(publisher: &Publisher, args: &str, seed: u64, right: impl Fn(&Sandbox)) {
    let timed = |sandbox: &Sandbox| {
        let begun = Instant::now();
        sandbox.run(args).works();
        begun.elapsed()
    };
    let first = publisher.sandbox();
    let cold = Start {
        base: None,
        length: timed(&first),
    };
    let expected = lock(&first);
    // A build makes a layer of it; a fetch keeps it.
    let fetched = publisher.sandbox();
    fetched.run("fetch").works();
    let mut warm = Start {
        base: Some(fetched.cache()),
        length: Duration::ZERO,
    };
    warm.length = timed(&warm.sandbox(publisher));

    let mut chance = Chance::new(seed);
    let (mut halves, mut blobs) = (0, 0);
    for count in 0..MOMENTS {
        let start = if count % 10 == 0 { &cold } else { &warm };
        let after = chance.duration(start.length);
        let moment = format!("after {after:?} of {:?}", start.length);
        let sandbox = start.sandbox(publisher);
        kill(&sandbox, args, after);
        halves += sandbox.names("home/.cache/pidoop/downloads").len();
        blobs += sandbox.names("home/.cache/pidoop/blobs").len();
        what_is_there_is_right(&sandbox, &expected, &moment);
        sandbox.run(args).works();
        assert_eq!(lock(&sandbox), expected, "killed {moment}");
        assert_eq!(sandbox.names("home/.cache/pidoop/blobs").len(), 3);
        what_is_there_is_right(&sandbox, &expected, &moment);
        nothing_is_left_behind(&sandbox, &moment);
        right(&sandbox);
    }
    // The moments were what they are meant to be: some within downloads, some
    // behind them.
    assert!(halves > 0 && blobs > 0, "{halves} halves, {blobs} whole");
}

#[test]
fn fifty_moments_of_fetch() {
    let publisher = Publisher::new();
    publisher.serve_slowly(20, Duration::from_millis(10));
    stopped_fifty_times(&publisher, "fetch", 0x5eed_f37c, |_| {});
}

#[test]
fn fifty_moments_of_fetch_and_build() {
    let publisher = Publisher::new();
    publisher.serve_slowly(10, Duration::from_millis(10));
    stopped_fifty_times(&publisher, "build -n worker1", 0x5eed_b01d, |sandbox| {
        assert_same_bytes(&sandbox.image("worker1"), &world().usual_image("worker1"));
    });
}

#[test]
fn an_interrupt_says_that_nothing_is_lost() {
    let publisher = Publisher::new();
    publisher.serve_slowly(100, Duration::from_millis(100));
    let sandbox = publisher.sandbox();
    let mut command = sandbox.command("fetch");
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    while sandbox.names("home/.cache/pidoop/downloads").is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("goes on where this one stopped"), "{said}");
}
