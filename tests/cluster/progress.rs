//! What a person sees of a run: lines with the seconds since its start, and a
//! count of what held.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

/// The run's own account of itself.
pub(crate) struct Progress {
    begun: Instant,
    held: usize,
}

impl Progress {
    pub(crate) fn start() -> Self {
        Self {
            begun: Instant::now(),
            held: 0,
        }
    }

    /// One line, or more, about what goes on.
    pub(crate) fn say(&self, words: &str) {
        let seconds = self.begun.elapsed().as_secs();
        let mut stdout = std::io::stdout().lock();
        for line in words.lines() {
            // Nobody listening is no reason to stop.
            writeln!(stdout, "[{seconds:4} s] {line}").ok();
        }
        stdout.flush().ok();
    }

    /// Something was asserted, and held.
    pub(crate) fn holds(&mut self, what: &str) {
        self.held += 1;
        self.say(&format!("  ok  {what}"));
    }

    /// The last word, in the form of Rust's own test harness.
    pub(crate) fn finish(&self, result: anyhow::Result<()>) -> ExitCode {
        let (verdict, failed, code) = match &result {
            Ok(()) => ("ok", 0, ExitCode::SUCCESS),
            Err(error) => {
                self.say(&format!("FAILED: {error:#}"));
                ("FAILED", 1, ExitCode::FAILURE)
            }
        };
        let (held, seconds) = (self.held, self.begun.elapsed().as_secs_f32());
        let mut stdout = std::io::stdout().lock();
        writeln!(
            stdout,
            "\ntest result: {verdict}. {held} passed; {failed} failed; 0 ignored; finished in \
             {seconds:.2}s"
        )
        .ok();
        code
    }
}
