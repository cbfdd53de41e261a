//! Events as JSON lines, for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::{Clock, Event, Listener, TaskId, system_clock};

/// Version of the line format. It goes up when a field changes its meaning or
/// goes away; new events and new fields do not raise it.
const SCHEMA: u32 = 1;

/// Least time between two `task-advanced` lines of one task.
const ADVANCE_INTERVAL: Duration = Duration::from_millis(200);

/// Writes every event as one JSON object on a line of its own, advances at most
/// five times a second for each task.
pub struct JsonLines<W> {
    clock: Clock,
    state: Mutex<State<W>>,
}

struct State<W> {
    writer: W,
    advanced: BTreeMap<TaskId, Duration>,
}

#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    #[serde(flatten)]
    event: &'a Event,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `writer`, which is flushed after each line.
    pub fn new(writer: W) -> Self {
        Self::with_clock(writer, system_clock())
    }

    fn with_clock(writer: W, clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::new(State {
                writer,
                advanced: BTreeMap::new(),
            }),
        }
    }
}

impl<W: Write + Send> Listener for JsonLines<W> {
    fn hear(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::TaskAdvanced { task, .. } => {
                let now = (self.clock)();
                let due = state
                    .advanced
                    .get(task)
                    .is_none_or(|at| now >= *at + ADVANCE_INTERVAL);
                if !due {
                    return;
                }
                state.advanced.insert(*task, now);
            }
            Event::TaskFinished { task, .. } | Event::TaskAbandoned { task, .. } => {
                state.advanced.remove(task);
            }
            Event::TaskStarted { .. } | Event::TaskResumed { .. } | Event::Note { .. } => {}
        }
        if let Ok(mut line) = serde_json::to_vec(&Line {
            schema: SCHEMA,
            event,
        }) {
            line.push(b'\n');
            // A reader that closed the pipe wants no more lines; the work goes on.
            let _ = state
                .writer
                .write_all(&line)
                .and_then(|()| state.writer.flush());
        }
    }
}

impl<W> fmt::Debug for JsonLines<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reporter;
    use super::super::recorded::{HandClock, SharedBytes};
    use super::*;

    #[test]
    fn lines_are_versioned_and_thinned_out() {
        let (bytes, clock) = (SharedBytes::default(), HandClock::default());
        let reporter = Reporter::new(JsonLines::with_clock(bytes.clone(), clock.clock()));
        let task = reporter.task("fetching \"x\"", Some(9));
        task.advance(1);
        task.advance(1);
        clock.pass(200);
        task.advance(1);
        task.finish();
        reporter.items("checking", None);
        reporter.note("done");
        insta::assert_snapshot!(bytes.text(), @r#"
        {"schema":1,"event":"task-started","task":1,"parent":null,"title":"fetching \"x\"","total":9,"unit":"bytes"}
        {"schema":1,"event":"task-advanced","task":1,"done":1}
        {"schema":1,"event":"task-advanced","task":1,"done":3}
        {"schema":1,"event":"task-finished","task":1,"done":3}
        {"schema":1,"event":"task-started","task":2,"parent":null,"title":"checking","total":null,"unit":"items"}
        {"schema":1,"event":"task-abandoned","task":2,"done":0}
        {"schema":1,"event":"note","line":"done"}
        "#);
    }
}
