//! Progress as bars on a terminal. The only file that knows `indicatif`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::amount;
use super::{Clock, Event, Listener, TaskId, Unit, system_clock};

/// Work shorter than this shows nothing.
const QUICK: Duration = Duration::from_millis(250);

/// How often bars move when no events come in.
const TICK: Duration = Duration::from_millis(100);

/// Draws one bar for each task that takes longer than a quarter of a second;
/// parts of a task are indented below it. When work that was no part of other
/// work ends, one line saying so stays on the terminal.
pub struct Bars {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

struct State {
    multi: MultiProgress,
    tasks: BTreeMap<TaskId, Running>,
}

struct Running {
    title: String,
    parent: Option<TaskId>,
    total: Option<u64>,
    unit: Unit,
    done: u64,
    started: Duration,
    bar: Option<ProgressBar>,
}

impl Bars {
    /// Draws on standard error, and moves the bars while no events come.
    pub fn on_stderr() -> Self {
        let bars = Self::new(ProgressDrawTarget::stderr(), system_clock());
        let (state, clock) = (Arc::downgrade(&bars.state), bars.clock.clone());
        // Without a thread the bars stand still, which for people is not a reason to stop.
        let _ = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || tick_while_alive(&state, &clock));
        bars
    }

    fn new(target: ProgressDrawTarget, clock: Clock) -> Self {
        let multi = MultiProgress::with_draw_target(target);
        Self {
            clock,
            state: Arc::new(Mutex::new(State {
                multi,
                tasks: BTreeMap::new(),
            })),
        }
    }
}

fn tick_while_alive(state: &Weak<Mutex<State>>, clock: &Clock) {
    loop {
        std::thread::sleep(TICK);
        let Some(state) = state.upgrade() else { return };
        state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .tick(clock());
    }
}

impl Listener for Bars {
    fn hear(&self, event: &Event) {
        let now = (self.clock)();
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .hear(event, now);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing can be done about a terminal that cannot be cleared.
        let _ = state.multi.clear();
    }
}

impl State {
    fn hear(&mut self, event: &Event, now: Duration) {
        match event {
            Event::TaskStarted {
                task,
                parent,
                title,
                total,
                unit,
            } => {
                let running = Running {
                    title: title.clone(),
                    parent: *parent,
                    total: *total,
                    unit: *unit,
                    done: 0,
                    started: now,
                    bar: None,
                };
                self.tasks.insert(*task, running);
            }
            Event::TaskAdvanced { task, done } => {
                self.show_if_slow(*task, now);
                if let Some(running) = self.tasks.get_mut(task) {
                    // Threads sharing a task may report out of order.
                    running.done = running.done.max(*done);
                    if let Some(bar) = &running.bar {
                        bar.set_position(running.done);
                    }
                }
            }
            Event::TaskResumed { task, done } => {
                if let Some(running) = self.tasks.get_mut(task) {
                    running.done = *done;
                    if let Some(bar) = &running.bar {
                        bar.set_position(*done);
                        // What was done before says nothing of the speed now.
                        bar.reset_eta();
                    }
                }
            }
            Event::TaskFinished { task, done } => {
                let Some(running) = self.tasks.remove(task) else {
                    return;
                };
                let Some(bar) = running.bar else { return };
                bar.finish_and_clear();
                if running.parent.is_none() {
                    let took = (now - running.started).as_secs_f64();
                    let what = match done {
                        0 => String::new(),
                        done => format!("{} in ", amount(*done, running.unit)),
                    };
                    self.say(&format!("{}: {what}{took:.1} s", running.title));
                }
            }
            Event::TaskAbandoned { task, .. } => {
                if let Some(bar) = self.tasks.remove(task).and_then(|running| running.bar) {
                    bar.finish_and_clear();
                }
            }
            Event::Note { line } => self.say(line),
        }
    }

    fn tick(&mut self, now: Duration) {
        let slow: Vec<TaskId> = self.tasks.keys().copied().collect();
        for task in slow {
            self.show_if_slow(task, now);
        }
        for bar in self
            .tasks
            .values()
            .filter_map(|running| running.bar.as_ref())
        {
            bar.tick();
        }
    }

    fn show_if_slow(&mut self, task: TaskId, now: Duration) {
        let depth = self.depth(task);
        let below = self.last_bar_of(task);
        let Some(running) = self.tasks.get_mut(&task) else {
            return;
        };
        if running.bar.is_some() || now < running.started + QUICK {
            return;
        }
        // Until it is one of the others it must not draw: it would do so on a
        // line of its own, and leave that behind.
        let bar = ProgressBar::with_draw_target(running.total, ProgressDrawTarget::hidden());
        bar.set_style(style(running.total.is_some(), running.unit));
        bar.set_message(format!(
            "{:indent$}{}",
            "",
            running.title,
            indent = 2 * depth
        ));
        let bar = match below {
            Some(above) => self.multi.insert_after(&above, bar),
            None => self.multi.add(bar),
        };
        bar.set_position(running.done);
        // Else what was done before it was drawn would count as done at once.
        bar.reset_eta();
        running.bar = Some(bar);
    }

    /// How many tasks `task` is part of.
    fn depth(&self, task: TaskId) -> usize {
        let parent = |task: &TaskId| self.tasks.get(task).and_then(|running| running.parent);
        std::iter::successors(parent(&task), parent).count()
    }

    /// The bar under which a part of the same work goes: the last sibling's, or
    /// else the parent's.
    fn last_bar_of(&self, task: TaskId) -> Option<ProgressBar> {
        let parent = self.tasks.get(&task)?.parent?;
        let siblings = self
            .tasks
            .values()
            .filter(|running| running.parent == Some(parent));
        let last = siblings
            .filter_map(|running| running.bar.clone())
            .next_back();
        last.or_else(|| self.tasks.get(&parent)?.bar.clone())
    }

    fn say(&self, line: &str) {
        // Nothing can be done about a terminal that does not take a line.
        let _ = self.multi.println(line);
    }
}

fn style(has_total: bool, unit: Unit) -> ProgressStyle {
    // A test holds every template to the grammar; the default is plain but true.
    ProgressStyle::with_template(template(has_total, unit))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// One line whatever the terminal's width: the title gets what the rest leaves,
/// and loses its end where that is not enough. A bar on two lines could not be
/// drawn over.
fn template(has_total: bool, unit: Unit) -> &'static str {
    match (has_total, unit) {
        (true, Unit::Bytes) => {
            "{wide_msg} [{bar:12}] {percent:>3}% {binary_bytes_per_sec:>12} {eta:>4}"
        }
        (true, Unit::Items) => "{wide_msg} [{bar:12}] {pos}/{len}",
        (false, Unit::Bytes) => "{wide_msg} {spinner} {binary_bytes} {elapsed}",
        (false, Unit::Items) => "{wide_msg} {spinner} {elapsed}",
    }
}

impl fmt::Debug for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bars").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use indicatif::TermLike;

    use super::super::Reporter;
    use super::super::recorded::HandClock;
    use super::*;

    /// A terminal that keeps every string written to it.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl Paper {
        fn reporter(clock: &HandClock) -> (Reporter, Self) {
            let paper = Self::default();
            let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
            (Reporter::new(Bars::new(target, clock.clock())), paper)
        }

        fn text(&self) -> String {
            self.0.lock().unwrap().clone()
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)?;
            self.write_str("\n")
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.write_str("\n")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn quick_work_draws_nothing() {
        let clock = HandClock::default();
        let (reporter, paper) = Paper::reporter(&clock);
        let task = reporter.task("hashing", Some(100));
        clock.pass(200);
        task.advance(100);
        task.finish();
        assert_eq!(paper.text(), "");
    }

    #[test]
    fn slow_work_draws_a_bar_and_leaves_a_line() {
        let clock = HandClock::default();
        let (reporter, paper) = Paper::reporter(&clock);
        let task = reporter.task("fetching hadoop", Some(4096));
        let part = task.task("worker1", None);
        clock.pass(300);
        task.advance(2048);
        part.advance(1);
        assert!(paper.text().contains("fetching hadoop"), "{}", paper.text());
        assert!(paper.text().contains("50%"), "{}", paper.text());
        assert!(paper.text().contains("  worker1"), "{}", paper.text());
        part.finish();
        task.finish();
        assert!(
            paper.text().contains("fetching hadoop: 2.0 KiB in 0.3 s"),
            "{}",
            paper.text()
        );
        reporter.note("a remark");
        assert!(paper.text().contains("a remark"), "{}", paper.text());
    }

    /// Each line is moved over the last, so none may be longer than the terminal
    /// is wide.
    #[test]
    fn a_narrow_terminal_gets_whole_lines() {
        for has_total in [true, false] {
            for unit in [Unit::Bytes, Unit::Items] {
                let paper = Paper::default();
                let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
                let bar = ProgressBar::with_draw_target(has_total.then_some(4), target);
                bar.set_style(style(has_total, unit));
                bar.set_message(
                    "unpacking a file whose name is rather longer than others ".repeat(3),
                );
                bar.tick();
                let widest = paper.text().lines().map(|line| line.chars().count()).max();
                assert!(widest.is_some_and(|width| width <= 100), "{}", paper.text());
            }
        }
    }

    #[test]
    fn every_template_parses() {
        for has_total in [true, false] {
            for unit in [Unit::Bytes, Unit::Items] {
                assert!(ProgressStyle::with_template(template(has_total, unit)).is_ok());
            }
        }
    }
}
