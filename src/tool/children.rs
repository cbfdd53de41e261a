//! Children that run now, and what becomes of them when we are interrupted.

use std::collections::BTreeMap;
use std::io;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::handover;

type Shared = Arc<Mutex<Child>>;

static CHILDREN: LazyLock<Mutex<BTreeMap<u64, Shared>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(0);
static STOPPED: AtomicBool = AtomicBool::new(false);

/// A child process that is killed when this handle goes away, or when
/// [`kill_children`] is called.
#[derive(Debug)]
pub struct Running {
    id: u64,
    child: Shared,
}

impl Running {
    /// Starts `command`.
    ///
    /// # Errors
    /// What the system said; `Interrupted` after [`kill_children`].
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        // The list is locked over the start, so that no child can slip in
        // between a sweep and the flag.
        let mut children = lock(&CHILDREN);
        if was_interrupted() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = Arc::new(Mutex::new(command.spawn()?));
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        children.insert(id, Arc::clone(&child));
        Ok(Self { id, child })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// Its standard input, if it was piped and not taken yet.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        lock(&self.child).stdin.take()
    }

    /// Its standard output, if it was piped and not taken yet.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        lock(&self.child).stdout.take()
    }

    /// Its standard error, if it was piped and not taken yet.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        lock(&self.child).stderr.take()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// What the system said.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        lock(&self.child).try_wait()
    }

    /// Waits for its end. The child stays killable by others meanwhile, hence
    /// the short naps in place of a blocking wait.
    ///
    /// # Errors
    /// What the system said.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let mut nap = Duration::from_micros(50);
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            thread::sleep(nap);
            nap = (nap * 2).min(Duration::from_millis(20));
        }
    }

    /// Kills it and waits for its end.
    ///
    /// # Errors
    /// What the system said.
    pub fn kill(&mut self) -> io::Result<()> {
        let mut child = lock(&self.child);
        child.kill()?;
        child.wait().map(|_| ())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        lock(&CHILDREN).remove(&self.id);
        let mut child = lock(&self.child);
        if !matches!(child.try_wait(), Ok(Some(_))) {
            // Already gone, or not ours to stop: nothing is left to do.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Kills every child that runs now and lets no further one start; what was
/// handed to them goes away too.
pub fn kill_children() {
    STOPPED.store(true, Ordering::SeqCst);
    for child in lock(&CHILDREN).values() {
        // It may have ended on its own; that is what was wanted.
        let _ = lock(child).kill();
    }
    handover::remove_all();
}

/// Whether [`kill_children`] has been called.
pub(super) fn was_interrupted() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::Stdio;
    use std::time::Instant;

    use super::*;
    use crate::tool::{Tool, ToolError};

    const SLEEP: Tool = Tool::any_version("sleep", "coreutils");

    /// Not a test of its own: what the next test runs in a process of its own,
    /// since stopping children is for a whole process.
    #[test]
    #[ignore = "started by children_are_killed_and_no_more_are_started"]
    fn sleeper() {
        thread::spawn(|| {
            // The word to go on comes from the next test.
            let _ = std::io::stdin().read_line(&mut String::new());
            kill_children();
        });
        let begun = Instant::now();
        let error = SLEEP.call().unwrap().arg("600").run().unwrap_err();
        assert!(matches!(error, ToolError::Interrupted { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(60));
        let late = SLEEP.call().unwrap().arg("0").run().unwrap_err();
        assert!(matches!(late, ToolError::Interrupted { .. }), "{late}");
        // The harness captures what is printed; the exit code is the verdict.
        std::process::exit(42);
    }

    #[test]
    fn children_are_killed_and_no_more_are_started() {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([
            "--ignored",
            "--exact",
            "tool::children::tests::sleeper",
            "--nocapture",
        ]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("running 1 test")));
        let children = format!("/proc/{0}/task", child.id());
        let grandchild = loop {
            let found = Path::new(&children).read_dir().unwrap().find_map(|task| {
                let list = task.unwrap().path().join("children");
                let pid = std::fs::read_to_string(list)
                    .unwrap_or_default()
                    .trim()
                    .to_owned();
                (!pid.is_empty()).then_some(pid)
            });
            match found {
                Some(pid) => break pid,
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(42));
        assert!(!Path::new("/proc").join(grandchild).exists());
    }
}
