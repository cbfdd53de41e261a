//! What is said while machines boot.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::super::Failure;
use crate::boot::{Event, Happening, Report};
use crate::progress::{Reporter, Task};

/// How many missing things a remark names; more would be noise.
const NAMED: usize = 2;

/// Turns happenings into progress, and into JSON lines where wanted.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    reporter: &'a Reporter,
    json: bool,
    tasks: BTreeMap<String, Task>,
    /// The last remark on each node.
    said: BTreeMap<String, String>,
    judged: Vec<String>,
}

/// A report as a JSON line.
#[derive(Serialize)]
struct ReportLine<'a> {
    event: &'static str,
    version: u32,
    node: &'a str,
    after_s: u64,
    report: &'a Report,
}

impl<'a> Teller<'a> {
    /// One that tells of these nodes, each with the name of its machine.
    pub(super) fn new<'n>(
        reporter: &'a Reporter,
        json: bool,
        nodes: impl IntoIterator<Item = (&'n str, String)>,
    ) -> Self {
        let tasks = nodes
            .into_iter()
            .map(|(node, machine)| {
                let title = format!("booting {node} on {machine}");
                (node.to_owned(), reporter.items(title, None))
            })
            .collect();
        Self {
            reporter,
            json,
            tasks,
            said: BTreeMap::new(),
            judged: Vec::new(),
        }
    }

    /// Tells of one happening.
    pub(super) fn tell(&mut self, happening: Happening<'_>) {
        match happening {
            Happening::Reported {
                node,
                report,
                after,
            } => {
                if self.json {
                    // Nobody may be reading any more; the verdict is the exit status.
                    let _ = line(&ReportLine {
                        event: "report",
                        version: 1,
                        node,
                        after_s: after.as_secs(),
                        report,
                    });
                }
                if let Some(words) = in_words(report)
                    && self.said.get(node) != Some(&words)
                {
                    self.said.insert(node.to_owned(), words.clone());
                    self.reporter
                        .note(format!("{node}, {} s: {words}", after.as_secs()));
                }
                if report.is_up()
                    && let Some(task) = self.tasks.remove(node)
                {
                    task.finish();
                }
            }
            Happening::Restarted { node } => {
                self.reporter.note(format!("{node}: restarts"));
            }
            Happening::Judged { missing, after } => {
                if missing != self.judged {
                    self.judged = missing.to_vec();
                    if !missing.is_empty() {
                        self.reporter.note(format!(
                            "{} s: waiting: {}",
                            after.as_secs(),
                            few(missing)
                        ));
                    }
                }
            }
        }
    }
}

/// A line of JSON on standard output.
pub(super) fn line(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(Failure::bug)?;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

/// What a report says that is worth a remark.
fn in_words(report: &Report) -> Option<String> {
    match report.event {
        Event::Up => Some("up".to_owned()),
        Event::Booting if report.problems.is_empty() => None,
        Event::Booting => Some(few(&report.problems)),
        Event::Alive if report.problems.is_empty() => None,
        Event::Alive => Some(format!("was up, but {}", few(&report.problems))),
        Event::Job => {
            let well = if report.ok == Some(true) {
                "the job is done"
            } else {
                "the job failed"
            };
            Some(format!(
                "{well}: {}",
                report.detail.as_deref().unwrap_or_default()
            ))
        }
        Event::Other => None,
    }
}

/// The first of several sentences, and how many more there are.
fn few(sentences: &[String]) -> String {
    let named = sentences
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match sentences.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::progress::{Event as Progress, Recorded};

    fn report(json: &str) -> Report {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn only_what_changes_is_worth_a_remark() {
        let (reporter, heard) = Recorded::reporter();
        let mut teller = Teller::new(&reporter, false, [("m", "virt".to_owned())]);
        for (second, json) in [
            (5, r#"{"event":"booting","problems":["a","b","c","d"]}"#),
            (9, r#"{"event":"up"}"#),
            (29, r#"{"event":"alive"}"#),
            (49, r#"{"event":"alive","problems":["e"]}"#),
            (54, r#"{"event":"alive","problems":["e"]}"#),
            (60, r#"{"event":"job","ok":true,"detail":"counted"}"#),
        ] {
            teller.tell(Happening::Reported {
                node: "m",
                report: &report(json),
                after: Duration::from_secs(second),
            });
        }
        for (second, missing) in [
            (70, &["x".to_owned()][..]),
            (75, &["x".to_owned()]),
            (80, &[]),
        ] {
            teller.tell(Happening::Judged {
                missing,
                after: Duration::from_secs(second),
            });
        }
        let notes: Vec<String> = heard
            .all()
            .into_iter()
            .filter_map(|event| match event {
                Progress::Note { line } => Some(line),
                _ => None,
            })
            .collect();
        assert_eq!(
            notes,
            [
                "m, 5 s: a, b, and 2 more",
                "m, 9 s: up",
                "m, 49 s: was up, but e",
                "m, 60 s: the job is done: counted",
                "70 s: waiting: x",
            ]
        );
        assert_eq!(heard.titles(), ["booting m on virt"]);
    }
}
