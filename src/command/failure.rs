//! Why a command stopped, and what a person can do about it.

use std::fmt;
use std::io;

use crate::cli::ExitStatus;
use crate::source::SourceError;

/// What to do about a full disk.
pub(super) const DISK_FULL: &str = "the disk is full: free some space and run it again";

/// An error on its way to a person: words, advice and an exit status.
#[derive(Debug)]
pub struct Failure {
    status: ExitStatus,
    error: anyhow::Error,
    hint: Option<String>,
    /// Text already complete, such as rendered problems of a cluster file.
    verbatim: bool,
    /// Whether it is several, all of inputs that could not be had.
    all_missing: bool,
}

impl Failure {
    /// The command line or a file the user wrote is wrong.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(ExitStatus::Usage, anyhow::anyhow!("{message}"))
    }

    /// The machine could not do it.
    pub fn environment(error: impl Into<anyhow::Error>) -> Self {
        Self::new(ExitStatus::Environment, error.into())
    }

    /// Something looked at is not as it should be.
    pub fn check_failed(message: impl fmt::Display) -> Self {
        Self::new(ExitStatus::CheckFailed, anyhow::anyhow!("{message}"))
    }

    /// A contradiction inside pidoop.
    pub fn bug(error: impl Into<anyhow::Error>) -> Self {
        Self::new(ExitStatus::Bug, error.into())
            .hint("this is a bug in pidoop; please report it with the message above")
    }

    /// Problems of a file, already rendered for people.
    pub fn problems(rendered: String) -> Self {
        let mut failure = Self::new(ExitStatus::Usage, anyhow::anyhow!("{rendered}"));
        failure.verbatim = true;
        failure
    }

    /// With the exit status of what the machine could not do, such as an input
    /// that is not there.
    #[must_use]
    pub fn of_the_machine(mut self) -> Self {
        self.status = ExitStatus::Environment;
        self
    }

    /// With the given exit status.
    pub fn new(status: ExitStatus, error: anyhow::Error) -> Self {
        Self {
            status,
            error,
            hint: None,
            verbatim: false,
            all_missing: false,
        }
    }

    /// Several things that went wrong side by side, as one. The first says how
    /// the run ends, and what to do.
    pub fn several(failures: impl IntoIterator<Item = Self>) -> Self {
        let mut failures: Vec<Self> = failures.into_iter().collect();
        if failures.len() < 2 {
            let none = || Self::bug(anyhow::anyhow!("a failure without a cause"));
            return failures.pop().unwrap_or_else(none);
        }
        let all_missing = failures.iter().all(Self::is_missing_input);
        let status = failures[0].status;
        let mut hints: Vec<String> = Vec::new();
        for hint in failures
            .iter_mut()
            .filter_map(|failure| failure.hint.take())
        {
            // What to do is often the same for all of them.
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        let words: Vec<String> = failures
            .iter()
            .map(|failure| {
                let text = failure.to_string();
                let text = text.trim_end();
                text.strip_prefix("error: ").unwrap_or(text).to_owned()
            })
            .collect();
        let hint = (!hints.is_empty()).then(|| hints.join("\n  help: "));
        Self {
            status,
            error: anyhow::anyhow!("{}", words.join("\n")),
            hint,
            verbatim: false,
            all_missing,
        }
    }

    /// With advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the thing being done when it happened.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.error = self.error.context(doing.to_string());
        self
    }

    /// What happened, without saying that it is an error.
    pub fn words(&self) -> String {
        self.error.to_string()
    }

    /// Whether an input could not be had, as against being wrong.
    pub fn is_missing_input(&self) -> bool {
        let source = self.error.downcast_ref::<SourceError>();
        self.all_missing || matches!(source, Some(SourceError::Unobtainable { .. }))
    }

    /// Whether nobody reads standard output any more.
    pub fn is_closed_pipe(&self) -> bool {
        let io = self.error.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit status.
    pub fn status(&self) -> ExitStatus {
        self.status
    }
}

/// The whole message: what happened, the causes, then the advice.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.verbatim {
            return write!(f, "{}", self.error);
        }
        write!(f, "error: {}", self.error)?;
        let mut last = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            // Many errors repeat their source in their own sentence.
            if !last.contains(&cause) {
                write!(f, "\n  because: {cause}")?;
            }
            last = cause;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  help: {hint}")?;
        }
        Ok(())
    }
}

/// A file that cannot be read or written is the machine's matter.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let full = error.kind() == io::ErrorKind::StorageFull;
        let failure = Self::environment(error);
        if full {
            failure.hint(DISK_FULL)
        } else {
            failure
        }
    }
}
