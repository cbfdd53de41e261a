//! What was asserted, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

/// Results of checks, by scene and check, in the order they came.
pub(crate) struct Ledger {
    begun: Instant,
    scenes: Vec<String>,
    checks: Vec<String>,
    /// How often a check held in a scene, of how many times.
    counts: BTreeMap<(String, String), (u32, u32)>,
    failures: Vec<String>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            scenes: Vec::new(),
            checks: Vec::new(),
            counts: BTreeMap::new(),
            failures: Vec::new(),
        }
    }
}

impl Ledger {
    /// Writes down what came of `check` in `scene`; the line for people.
    pub(crate) fn note(&mut self, scene: &str, check: &str, result: &Result<()>) -> String {
        for (list, name) in [(&mut self.scenes, scene), (&mut self.checks, check)] {
            if !list.iter().any(|known| known == name) {
                list.push(name.to_owned());
            }
        }
        let key = (scene.to_owned(), check.to_owned());
        let (held, of) = self.counts.entry(key).or_default();
        *of += 1;
        match result {
            Ok(()) => {
                *held += 1;
                format!("  ok  {scene}: {check}")
            }
            Err(error) => {
                let line = format!("  FAILED  {scene}: {check}: {error:#}");
                self.failures.push(line.clone());
                line
            }
        }
    }

    /// The last words, in the form of Rust's own test harness, and of scripts.
    pub(crate) fn finish(&self) -> ExitCode {
        let held: u32 = self.counts.values().map(|(held, _)| held).sum();
        let of: u32 = self.counts.values().map(|(_, of)| of).sum();
        let failed = of - held;
        let verdict = if failed == 0 { "ok" } else { "FAILED" };
        let seconds = self.begun.elapsed().as_secs_f32();
        let mut stdout = std::io::stdout().lock();
        writeln!(
            stdout,
            "\ntest result: {verdict}. {held} passed; {failed} failed; 0 ignored; finished in \
             {seconds:.2}s\n{held} passed, {failed} failed"
        )
        .ok();
        if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// A table of checks and scenes, and every failure once more.
impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(String::len).max().unwrap_or(0);
        for (number, scene) in self.scenes.iter().enumerate() {
            writeln!(f, "{:>3} = {scene}", number + 1)?;
        }
        write!(f, "{:width$}", "")?;
        for number in 1..=self.scenes.len() {
            write!(f, " {number:>5}")?;
        }
        for check in &self.checks {
            write!(f, "\n{check:width$}")?;
            for scene in &self.scenes {
                let cell = match self.counts.get(&(scene.clone(), check.clone())) {
                    None => "-".to_owned(),
                    Some((1, 1)) => "ok".to_owned(),
                    Some((0, 1)) => "FAIL".to_owned(),
                    Some((held, of)) => format!("{held}/{of}"),
                };
                write!(f, " {cell:>5}")?;
            }
        }
        for failure in &self.failures {
            write!(f, "\n{failure}")?;
        }
        Ok(())
    }
}
