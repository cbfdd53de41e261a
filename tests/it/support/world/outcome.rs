//! What one run of pidoop said and how it ended.

use std::os::unix::process::ExitStatusExt;
use std::process::Output;

/// A finished run. Paths in its words are made the same everywhere: `$HERE`
/// is the sandbox, `$WORLD` the shared inputs.
pub(crate) struct Run {
    command: String,
    pub(crate) code: Option<i32>,
    signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// From what a command called `command` left; `places` are paths with what
    /// stands for them.
    pub(super) fn new(command: String, output: &Output, places: &[(&str, &str)]) -> Self {
        let words = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes)
                .expect("pidoop's words are UTF-8")
                .to_owned();
            places
                .iter()
                .fold(text, |text, (path, name)| text.replace(path, name))
        };
        Self {
            command,
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: words(&output.stdout),
            stderr: words(&output.stderr),
        }
    }

    /// It worked.
    #[track_caller]
    pub(crate) fn works(self) -> Self {
        self.exits(0)
    }

    /// It ended with this exit code. Whatever the code, nothing panicked.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(!self.stderr.contains("panicked"), "{self}");
        self
    }

    /// It ended with this exit code and exactly one error, in which these
    /// words are.
    #[track_caller]
    pub(crate) fn refuses(self, code: i32, words: &[&str]) -> Self {
        let run = self.exits(code);
        let errors = run
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .count();
        assert_eq!(errors, 1, "one clear error is wanted\n{run}");
        run.says(words)
    }

    /// These words are in what it said to people, wherever lines break.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = plain(&self.stderr);
        for words in words {
            assert!(
                said.contains(&plain(words)),
                "it does not say {words:?}\n{self}"
            );
        }
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn document(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// What `build --json` says it took to have each image: node, and how.
    #[track_caller]
    pub(crate) fn how(&self) -> Vec<(String, String)> {
        let lines = self.json_lines();
        let built = lines.last().expect("a last line");
        assert_eq!(built["event"], "built", "{self}");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let nodes = built["nodes"].as_array().expect("a list of nodes");
        nodes
            .iter()
            .map(|node| (text(&node["node"]), text(&node["how"])))
            .collect()
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        let line = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self}"))
        };
        self.stdout.lines().map(line).collect()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            command,
            code,
            signal,
            stdout,
            stderr,
        } = self;
        let ended = match (code, signal) {
            (Some(code), _) => format!("exit code {code}"),
            (None, signal) => format!("signal {signal:?}"),
        };
        write!(
            f,
            "$ {command}\n{stdout}-- on standard error:\n{stderr}-- {ended}"
        )
    }
}
