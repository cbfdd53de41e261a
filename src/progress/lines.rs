//! Progress as plain lines, for logs.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::{Clock, Event, Listener, TaskId, Unit, system_clock};

/// Least time between two lines of one task.
const INTERVAL: Duration = Duration::from_secs(5);

/// Work shorter than this says nothing.
const QUICK: Duration = Duration::from_secs(1);

/// How often it is looked whether work has become slow when no events come in.
const TICK: Duration = Duration::from_millis(250);

/// Says of each task that takes longer than a second that it is under way and
/// that it has ended, and between these at most once each five seconds how far
/// it is: where the total is known with the percentage, and of bytes with how
/// fast they pass and how long the rest takes.
pub struct Lines<W> {
    clock: Clock,
    state: Arc<Mutex<State<W>>>,
}

struct State<W> {
    writer: W,
    tasks: BTreeMap<TaskId, Running>,
}

struct Running {
    title: String,
    total: Option<u64>,
    unit: Unit,
    started: Duration,
    /// When it was last spoken of; never, as long as it is quick.
    last_line: Option<Duration>,
    /// Since when, and from where on, its speed is measured.
    measured: (Duration, u64),
}

impl Running {
    /// How far it is, and how it goes.
    fn so_far(&self, done: u64, now: Duration) -> String {
        let total = match self.total {
            Some(total) if total > 0 => total,
            _ => return amount(done, self.unit),
        };
        let share = format!("{}%", u128::from(done) * 100 / u128::from(total));
        let (since, from) = self.measured;
        let seconds = now.saturating_sub(since).as_secs_f64();
        let rate = done.saturating_sub(from) as f64 / seconds;
        // Standing still has no end, and the first moment no speed.
        if self.unit != Unit::Bytes || !rate.is_finite() || rate < 1.0 {
            return share;
        }
        let left = Duration::from_secs_f64(total.saturating_sub(done) as f64 / rate);
        format!(
            "{share}, {}/s, {} left",
            amount(rate as u64, self.unit),
            span(left)
        )
    }
}

impl<W: Write + Send + 'static> Lines<W> {
    /// Writes to `writer`, also while no events come.
    pub fn new(writer: W) -> Self {
        let lines = Self::with_clock(writer, system_clock());
        let (state, clock) = (Arc::downgrade(&lines.state), lines.clock.clone());
        // Without a thread silent work is told of later, which is no reason to stop.
        let _ = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || tick_while_alive(&state, &clock));
        lines
    }
}

impl<W> Lines<W> {
    fn with_clock(writer: W, clock: Clock) -> Self {
        Self {
            clock,
            state: Arc::new(Mutex::new(State {
                writer,
                tasks: BTreeMap::new(),
            })),
        }
    }
}

fn tick_while_alive<W: Write>(state: &Weak<Mutex<State<W>>>, clock: &Clock) {
    loop {
        std::thread::sleep(TICK);
        let Some(state) = state.upgrade() else { return };
        state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .tick(clock());
    }
}

impl<W: Write + Send> Listener for Lines<W> {
    fn hear(&self, event: &Event) {
        let now = (self.clock)();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tick(now);
        if let Some(line) = state.line(event, now) {
            state.say(&line);
        }
    }
}

impl<W: Write> State<W> {
    fn say(&mut self, line: &str) {
        // Whoever read these lines has gone; the work goes on without them.
        let _ = writeln!(self.writer, "{line}").and_then(|()| self.writer.flush());
    }

    /// Tells of the work that has become slow.
    fn tick(&mut self, now: Duration) {
        let slow: Vec<String> = self
            .tasks
            .values_mut()
            .filter(|running| running.last_line.is_none() && now >= running.started + QUICK)
            .map(|running| {
                running.last_line = Some(now);
                let size = running
                    .total
                    .map(|n| format!(" ({})", amount(n, running.unit)))
                    .unwrap_or_default();
                format!("{}{size}", running.title)
            })
            .collect();
        for line in slow {
            self.say(&line);
        }
    }

    fn line(&mut self, event: &Event, now: Duration) -> Option<String> {
        match event {
            Event::TaskStarted {
                task,
                title,
                total,
                unit,
                ..
            } => {
                let running = Running {
                    title: title.clone(),
                    total: *total,
                    unit: *unit,
                    started: now,
                    last_line: None,
                    measured: (now, 0),
                };
                self.tasks.insert(*task, running);
                None
            }
            Event::TaskAdvanced { task, done } => {
                let running = self.tasks.get_mut(task)?;
                if now < running.last_line? + INTERVAL {
                    return None;
                }
                running.last_line = Some(now);
                let so_far = running.so_far(*done, now);
                running.measured = (now, *done);
                Some(format!("{}: {so_far}", running.title))
            }
            Event::TaskResumed { task, done } => {
                self.tasks.get_mut(task)?.measured = (now, *done);
                None
            }
            Event::TaskFinished { task, done } => {
                let running = self.tasks.remove(task)?;
                running.last_line?;
                let took = (now - running.started).as_secs_f64();
                let what = match done {
                    0 => String::new(),
                    done => format!("{} in ", amount(*done, running.unit)),
                };
                Some(format!("{}: done, {what}{took:.1} s", running.title))
            }
            Event::TaskAbandoned { task, .. } => {
                let running = self.tasks.remove(task)?;
                running.last_line?;
                Some(format!("{}: given up", running.title))
            }
            Event::Note { line } => Some(line.clone()),
        }
    }
}

/// A stretch of time as people say it.
fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// `count` as people read it.
pub(crate) fn amount(count: u64, unit: Unit) -> String {
    const STEPS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match unit {
        Unit::Items => count.to_string(),
        Unit::Bytes => match STEPS.iter().find(|(size, _)| count >= *size) {
            Some((size, name)) => format!("{:.1} {name}", count as f64 / *size as f64),
            None => format!("{count} B"),
        },
    }
}

impl<W> fmt::Debug for Lines<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reporter;
    use super::super::recorded::{HandClock, SharedBytes};
    use super::*;

    #[test]
    fn a_log_stays_short() {
        let (bytes, clock) = (SharedBytes::default(), HandClock::default());
        let reporter = Reporter::new(Lines::with_clock(bytes.clone(), clock.clock()));
        let task = reporter.task("fetching hadoop-3.5.0", Some(3 << 20));
        for _ in 0..12 {
            clock.pass(1_000);
            task.advance(1 << 18);
        }
        task.finish();
        let files = reporter.items("staging", None);
        files.advance(7);
        clock.pass(5_000);
        files.advance(7);
        reporter.note("waiting for another build");
        drop(files);
        insta::assert_snapshot!(bytes.text(), @r"
        fetching hadoop-3.5.0 (3.0 MiB)
        fetching hadoop-3.5.0: 50%, 256.0 KiB/s, 6 s left
        fetching hadoop-3.5.0: 91%, 256.0 KiB/s, 1 s left
        fetching hadoop-3.5.0: done, 3.0 MiB in 12.0 s
        staging
        waiting for another build
        staging: given up
        ");
    }

    #[test]
    fn what_an_earlier_try_did_is_not_counted_as_speed() {
        let (bytes, clock) = (SharedBytes::default(), HandClock::default());
        let reporter = Reporter::new(Lines::with_clock(bytes.clone(), clock.clock()));
        let task = reporter.task("fetching java", Some(100 << 20));
        task.stands_at(50 << 20);
        clock.pass(2_000);
        task.advance(2 << 20);
        clock.pass(5_000);
        task.advance(5 << 20);
        task.stands_at(0);
        clock.pass(5_000);
        task.advance(1 << 20);
        insta::assert_snapshot!(bytes.text(), @r"
        fetching java (100.0 MiB)
        fetching java: 57%, 1.0 MiB/s, 43 s left
        fetching java: 1%, 204.8 KiB/s, 9 min left
        ");
    }

    #[test]
    fn quick_work_says_nothing() {
        let (bytes, clock) = (SharedBytes::default(), HandClock::default());
        let reporter = Reporter::new(Lines::with_clock(bytes.clone(), clock.clock()));
        let task = reporter.task("reading java", Some(100));
        clock.pass(900);
        task.advance(100);
        task.finish();
        drop(reporter.items("checking", Some(2)));
        assert_eq!(bytes.text(), "");
    }

    #[test]
    fn silent_work_is_told_of_once_it_is_slow() {
        let bytes = SharedBytes::default();
        let reporter = Reporter::new(Lines::new(bytes.clone()));
        let _task = reporter.items("growing", None);
        let begun = std::time::Instant::now();
        while bytes.text().is_empty() && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(bytes.text(), "growing\n");
    }

    #[test]
    fn amounts_read_well() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (925 << 20, "925.0 MiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(amount(bytes, Unit::Bytes), text);
        }
        assert_eq!(amount(2048, Unit::Items), "2048");
    }
}
