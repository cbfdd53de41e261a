//! Running other programs, with a time limit and errors that can be read.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::interrupt;

/// How long a program may take unless said otherwise.
const USUAL_LIMIT: Duration = Duration::from_secs(60);

/// Of a failed program's words, the last bytes are shown.
const SHOWN_BYTES: usize = 4000;

/// One run of another program, to be.
pub(crate) struct Program {
    command: Command,
    input: Vec<u8>,
    limit: Duration,
}

/// What a program left behind.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Output {
    /// All it said, the end of it if it said much.
    pub(crate) fn words(&self) -> String {
        let mut words = String::from_utf8_lossy(&self.stdout).into_owned();
        words.push_str(&String::from_utf8_lossy(&self.stderr));
        let words = words.trim();
        let skipped = words.len().saturating_sub(SHOWN_BYTES);
        words.chars().skip(skipped).collect()
    }
}

impl Program {
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(name);
        command.env("LC_ALL", "C.UTF-8");
        Self {
            command,
            input: Vec::new(),
            limit: USUAL_LIMIT,
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Starts from an empty environment.
    pub(crate) fn bare(mut self) -> Self {
        self.command.env_clear();
        self
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Bytes for its standard input, which is empty otherwise.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    pub(crate) fn seconds(mut self, limit: u64) -> Self {
        self.limit = Duration::from_secs(limit);
        self
    }

    /// Runs it to its end, good or bad.
    pub(crate) fn run(mut self) -> Result<Output> {
        let shown = shown(&self.command);
        interrupt::check()?;
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {shown}"))?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (input, limit) = (self.input, self.limit);
        std::thread::scope(|scope| {
            // A program may leave its input unread; what it exits with counts.
            scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(&input)));
            let stdout = scope.spawn(move || read_all(stdout));
            let stderr = scope.spawn(move || read_all(stderr));
            let begun = Instant::now();
            let status = loop {
                if let Some(status) = child.try_wait()? {
                    break status;
                }
                let late = begun.elapsed() > limit;
                if late || interrupt::check().is_err() {
                    child.kill()?;
                    child.wait()?;
                    interrupt::check()?;
                    bail!("{shown} did not end within {} s", limit.as_secs());
                }
                std::thread::sleep(Duration::from_millis(10));
            };
            let stdout = stdout.join().unwrap_or_default();
            let stderr = stderr.join().unwrap_or_default();
            Ok(Output {
                status,
                stdout,
                stderr,
            })
        })
    }

    /// Runs it and keeps all it says in the file `log`; an error that begins with
    /// `what` unless it succeeds.
    pub(crate) fn logged(self, what: &str, log: impl AsRef<Path>) -> Result<()> {
        let output = self.run()?;
        fs_err::write(
            log.as_ref(),
            [output.stdout.as_slice(), &output.stderr].concat(),
        )?;
        if !output.status.success() {
            bail!("{what}: {}\n{}", output.status, output.words());
        }
        Ok(())
    }

    /// Runs it and gives its standard output; an error unless it succeeds.
    pub(crate) fn output(self) -> Result<Vec<u8>> {
        let shown = shown(&self.command);
        let output = self.run()?;
        if !output.status.success() {
            bail!("{shown}: {}\n{}", output.status, output.words());
        }
        Ok(output.stdout)
    }

    /// As [`Program::output`], as text without white space around it.
    pub(crate) fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.output()?).trim().to_owned())
    }
}

fn read_all(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // A broken pipe ends the words there; the exit status tells the rest.
        pipe.read_to_end(&mut bytes).ok();
    }
    bytes
}

fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
