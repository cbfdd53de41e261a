//! One run of a program.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, PipeWriter, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::children::was_interrupted;
use super::tool::search_path;
use super::{Running, Tool, ToolError};

/// How much of the end of standard error goes into an error, in bytes.
const TAIL: usize = 2048;

/// A program with everything it needs to run, as data.
///
/// The child's environment holds `PATH`, `LC_ALL=C`, `TZ=UTC`, what
/// [`Call::env`] adds, and `MKE2FS_CONFIG` if we have it; nothing else.
#[derive(Clone, Debug)]
pub struct Call {
    tool: Tool,
    program: Utf8PathBuf,
    args: Vec<String>,
    env: BTreeMap<&'static str, String>,
    stdin: Vec<u8>,
}

/// How a program ended and what it said.
#[derive(Clone, Debug)]
pub struct Output {
    /// The whole command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output; to both streams, in order, if it was
    /// run by [`Call::run_merged`].
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Call {
    pub(super) fn unchecked(tool: Tool, program: Utf8PathBuf) -> Self {
        Self {
            tool,
            program,
            args: Vec::new(),
            env: BTreeMap::new(),
            stdin: Vec::new(),
        }
    }

    /// Appends an argument.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Appends arguments.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable in the child's environment.
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.insert(name, value.into());
        self
    }

    /// Makes e2fsprogs take `epoch`, in seconds since 1970, for the present
    /// (lib/ext2fs/openfs.c, `E2FSPROGS_FAKE_TIME`; e2fsck/unix.c,
    /// `E2FSCK_TIME`).
    pub fn fake_time(self, epoch: u64) -> Self {
        let epoch = epoch.to_string();
        self.env("E2FSPROGS_FAKE_TIME", epoch.clone())
            .env("E2FSCK_TIME", epoch)
    }

    /// What the program reads from standard input; nothing otherwise.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// The whole command line, quoted so that a shell would read it back.
    pub fn command_line(&self) -> String {
        let words = self.args.iter().map(|arg| shell_word(arg));
        std::iter::once(self.tool.name.to_owned())
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Runs the program to its end, however it ends.
    ///
    /// # Errors
    /// [`ToolError::Start`] or [`ToolError::Interrupted`]; never
    /// [`ToolError::Failed`].
    pub fn run(&self) -> Result<Output, ToolError> {
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.finish(command, None)
    }

    /// Like [`Call::run`], with both output streams in one, in the order they
    /// were written: for programs whose complaints only make sense beside the
    /// line they are about.
    ///
    /// # Errors
    /// Those of [`Call::run`].
    pub fn run_merged(&self) -> Result<Output, ToolError> {
        let (reader, writer) = io::pipe().map_err(|e| self.start_error(e))?;
        let second: PipeWriter = writer.try_clone().map_err(|e| self.start_error(e))?;
        let mut command = self.command();
        command.stdout(writer).stderr(second);
        self.finish(command, Some(Box::new(reader)))
    }

    /// Runs the program; an exit code other than 0 is an error.
    ///
    /// # Errors
    /// Those of [`Call::run`], and [`ToolError::Failed`].
    pub fn run_ok(&self) -> Result<Output, ToolError> {
        self.run()?.into_ok()
    }

    /// Starts the program with all three streams piped, for conversations.
    /// The bytes of [`Call::stdin`] are not sent.
    ///
    /// # Errors
    /// [`ToolError::Start`] or [`ToolError::Interrupted`].
    pub fn start(&self) -> Result<Running, ToolError> {
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::start(&mut command).map_err(|e| self.start_error(e))
    }

    /// Starts the program with nothing to read, and both output streams going
    /// to the end of the file `log`, which is made if need be: for programs
    /// that run on while we do something else.
    ///
    /// # Errors
    /// [`ToolError::Start`] or [`ToolError::Interrupted`].
    pub fn start_logging(&self, log: &Utf8Path) -> Result<Running, ToolError> {
        let open = || {
            let log = fs::OpenOptions::new().create(true).append(true).open(log)?;
            let log = log.into_parts().0;
            Ok((log.try_clone()?, log))
        };
        let (first, second) = open().map_err(|e| self.start_error(e))?;
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(first).stderr(second);
        Running::start(&mut command).map_err(|e| self.start_error(e))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::piped()).env_clear();
        command
            .env("PATH", search_path())
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        if let Some(config) = env::var_os("MKE2FS_CONFIG") {
            command.env("MKE2FS_CONFIG", config);
        }
        command.envs(&self.env);
        command
    }

    fn finish(
        &self,
        mut command: Command,
        merged: Option<Box<dyn Read + Send>>,
    ) -> Result<Output, ToolError> {
        let started = Running::start(&mut command);
        // With it go our own copies of a merged pipe's writing end; while one
        // of them lived, the reader would never see the end.
        drop(command);
        let mut running = started.map_err(|e| self.start_error(e))?;
        let stdin = running.take_stdin();
        let stdout = match merged {
            Some(pipe) => Some(pipe),
            None => running
                .take_stdout()
                .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        };
        let stderr = running.take_stderr();
        let (stdout, stderr) = thread::scope(|scope| {
            // A program may stop listening before the end of its input; its
            // exit code then says why.
            scope.spawn(|| stdin.map(|mut pipe| pipe.write_all(&self.stdin)));
            let said = scope.spawn(|| drain(stderr));
            (
                drain(stdout),
                said.join().unwrap_or_else(|_| Ok(Vec::new())),
            )
        });
        let status = running.wait().map_err(|e| self.start_error(e))?;
        if was_interrupted() {
            return Err(ToolError::Interrupted {
                command: self.command_line(),
            });
        }
        Ok(Output {
            command: self.command_line(),
            status,
            stdout: stdout.map_err(|e| self.start_error(e))?,
            stderr: stderr.map_err(|e| self.start_error(e))?,
        })
    }

    fn start_error(&self, source: io::Error) -> ToolError {
        let command = self.command_line();
        if source.kind() == io::ErrorKind::Interrupted {
            ToolError::Interrupted { command }
        } else {
            ToolError::Start { command, source }
        }
    }
}

impl Output {
    /// The exit code; `None` if a signal ended the program.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard output as text.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// This output if the program ended with exit code 0.
    ///
    /// # Errors
    /// [`ToolError::Failed`].
    pub fn into_ok(self) -> Result<Self, ToolError> {
        if self.status.success() {
            Ok(self)
        } else {
            Err(self.failed())
        }
    }

    /// The error for callers who find that this output means failure.
    pub fn failed(&self) -> ToolError {
        let ending = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("failed with exit code {code}"),
            (None, Some(signal)) => format!("was killed by signal {signal}"),
            (None, None) => "failed".to_owned(),
        };
        let said = if self.stderr.is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        ToolError::Failed {
            command: self.command.clone(),
            ending,
            said: tail(said),
        }
    }
}

fn drain(stream: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The last [`TAIL`] bytes, from the start of a line if one begins there.
fn tail(said: &[u8]) -> String {
    if said.len() <= TAIL {
        return String::from_utf8_lossy(said).into_owned();
    }
    let end = &said[said.len() - TAIL..];
    let line = end.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
    format!("…\n{}", String::from_utf8_lossy(&end[line..]))
}

fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SH: Tool = Tool::any_version("sh", "dash");

    fn sh(script: &str) -> Call {
        SH.call().unwrap().args(["-c", script])
    }

    #[test]
    fn the_environment_is_made_from_nothing() {
        let output = sh("env | sort").fake_time(7).run_ok().unwrap();
        let names: Vec<String> = output
            .stdout_text()
            .lines()
            .filter_map(|line| line.split('=').next().map(str::to_owned))
            .filter(|name| !["PWD", "OLDPWD", "_", "SHLVL", "MKE2FS_CONFIG"].contains(&&**name))
            .collect();
        assert_eq!(
            names,
            ["E2FSCK_TIME", "E2FSPROGS_FAKE_TIME", "LC_ALL", "PATH", "TZ"]
        );
    }

    #[test]
    fn large_input_and_output_do_not_block_each_other() {
        let input = vec![b'x'; 3 << 20];
        let output = SH
            .call()
            .unwrap()
            .args(["-c", "cat; cat >&2"])
            .stdin(input.clone());
        assert_eq!(output.run_ok().unwrap().stdout, input);
    }

    #[test]
    fn merged_streams_keep_their_order() {
        let output = sh("echo a; echo b >&2; echo c").run_merged().unwrap();
        assert_eq!(output.stdout_text(), "a\nb\nc\n");
    }

    #[test]
    fn a_failure_shows_the_command_line_and_the_end_of_what_was_said() {
        let script = "i=0; while [ $i -lt 900 ]; do echo line $i >&2; i=$((i+1)); done; exit 3";
        let message = sh(script).run_ok().unwrap_err().to_string();
        assert!(message.starts_with("sh -c 'i=0;"), "{message}");
        assert!(message.contains("failed with exit code 3"), "{message}");
        assert!(message.contains("\nline 899"), "{message}");
        assert!(!message.contains("line 100\n"), "{message}");
        let said = message.split("it said:").nth(1).unwrap();
        assert!(said.len() <= TAIL + 16, "{} bytes of it", said.len());
    }

    #[test]
    fn a_program_that_stops_listening_is_judged_by_its_exit_code() {
        let output = sh("exit 0").stdin(vec![b'x'; 1 << 20]).run_ok().unwrap();
        assert!(output.stdout.is_empty());
        let killed = sh("kill -9 $$").run_ok().unwrap_err().to_string();
        assert!(killed.contains("was killed by signal 9"), "{killed}");
    }

    #[test]
    fn what_a_child_says_goes_to_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let log = Utf8PathBuf::from_path_buf(dir.path().join("log")).unwrap();
        for words in ["one", "two"] {
            let script = format!("cat; echo {words}; echo err >&2");
            let mut child = sh(&script).start_logging(&log).unwrap();
            assert!(child.wait().unwrap().success());
        }
        assert_eq!(fs::read_to_string(log).unwrap(), "one\nerr\ntwo\nerr\n");
    }

    #[test]
    fn a_dropped_child_is_killed() {
        let running = sh("exec sleep 600").start().unwrap();
        let process = format!("/proc/{}", running.id());
        assert!(std::path::Path::new(&process).exists());
        drop(running);
        assert!(!std::path::Path::new(&process).exists());
    }
}
