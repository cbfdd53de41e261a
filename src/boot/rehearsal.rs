//! Several machines, watched until they are a cluster.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::BootError;
use super::guest::{Ending, Guest};
use super::lan::Lan;
use super::report::{Event, Report};
use super::verdict::{Part, Seen, is_vital};
use super::web::{HdfsState, Web, YarnState};
use crate::hadoop::Daemon;

/// How often the machines are looked at.
const NAP: Duration = Duration::from_millis(500);

/// How often the web pages are asked once every node was up.
const ROUND: Duration = Duration::from_secs(5);

/// How often a node may restart before it is taken for one that always will.
const RESTARTS: u32 = 3;

/// A machine and what it is for.
#[derive(Debug)]
pub struct Actor {
    /// What must run on it.
    pub part: Part,
    /// The machine.
    pub guest: Guest,
}

/// Something worth telling while machines are watched.
#[derive(Clone, Debug)]
pub enum Happening<'a> {
    /// A node reported.
    Reported {
        /// The node.
        node: &'a str,
        /// What it said.
        report: &'a Report,
        /// How long after it was switched on.
        after: Duration,
    },
    /// A node restarted by itself, and starts from its card again.
    Restarted {
        /// The node.
        node: &'a str,
    },
    /// All nodes were up; what is still missing.
    Judged {
        /// As sentences; none if all is well.
        missing: &'a [String],
        /// How long after the first machine was switched on.
        after: Duration,
    },
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Everything seen.
    pub seen: Seen,
    /// How long each node took until it was up, from being switched on.
    pub up_after: BTreeMap<String, Duration>,
    /// How often each node restarted by itself.
    pub restarts: BTreeMap<String, u32>,
    /// The most that each daemon of each node had in memory, in KiB.
    pub peaks: BTreeMap<(String, Daemon), u64>,
    /// Time from the first start until all was well.
    pub took: Duration,
}

/// Machines that run together.
#[derive(Debug)]
pub struct Rehearsal {
    // Before the network, so that machines go first.
    actors: Vec<Actor>,
    lan: Lan,
    web: Web,
    begun: Instant,
    outcome: Outcome,
}

impl Rehearsal {
    /// Machines on a network, all off.
    pub fn new(actors: Vec<Actor>, lan: Lan) -> Self {
        Self {
            actors,
            lan,
            web: Web::new(),
            begun: Instant::now(),
            outcome: Outcome::default(),
        }
    }

    /// Switches all machines on.
    ///
    /// # Errors
    /// Those of [`Guest::switch_on`].
    pub fn begin(&mut self) -> Result<(), BootError> {
        self.begun = Instant::now();
        self.actors
            .iter_mut()
            .try_for_each(|actor| actor.guest.switch_on())
    }

    /// Watches until nothing is missing, telling of each happening. With `job`
    /// the job must have ended well too.
    ///
    /// # Errors
    /// [`BootError::NotHealthy`] after `limit`, and sooner if a machine ends,
    /// gives up, says that something vital failed, or the job failed.
    pub fn watch(
        &mut self,
        job: bool,
        limit: Duration,
        tell: &mut dyn FnMut(Happening<'_>),
    ) -> Result<(), BootError> {
        let parts: Vec<Part> = self.actors.iter().map(|actor| actor.part.clone()).collect();
        let mut asked: Option<Instant> = None;
        loop {
            self.look(tell)?;
            let all_were_up = parts
                .iter()
                .all(|part| self.outcome.seen.up.contains_key(&part.name));
            if all_were_up && asked.is_none_or(|asked| asked.elapsed() >= ROUND) {
                self.ask_pages();
                asked = Some(Instant::now());
                let missing = self.outcome.seen.missing(&parts, job);
                tell(Happening::Judged {
                    missing: &missing,
                    after: self.begun.elapsed(),
                });
                if missing.is_empty() {
                    self.outcome.took = self.begun.elapsed();
                    return Ok(());
                }
            }
            if let Some(reason) = self.outcome.seen.lost() {
                return Err(self.not_healthy(vec![reason]));
            }
            if self.begun.elapsed() >= limit {
                let mut missing = self.outcome.seen.missing(&parts, job);
                missing.insert(0, format!("gave up after {} s", limit.as_secs()));
                return Err(self.not_healthy(missing));
            }
            thread::sleep(NAP);
        }
    }

    /// What was seen so far.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The network.
    pub fn lan(&self) -> &Lan {
        &self.lan
    }

    /// Whether every machine still runs.
    pub fn is_on(&mut self) -> bool {
        self.actors.iter_mut().all(|actor| actor.guest.is_on())
    }

    /// Shuts all machines down, in parallel, cutting the power of those that
    /// take longer than `limit`. The names of those whose power was cut.
    pub fn end(&mut self, limit: Duration) -> Vec<String> {
        thread::scope(|scope| {
            let ends: Vec<_> = self
                .actors
                .iter_mut()
                .map(|actor| {
                    let name = actor.part.name.clone();
                    scope.spawn(move || (name, actor.guest.shut_down(limit)))
                })
                .collect();
            ends.into_iter()
                .filter_map(|end| end.join().ok())
                .filter_map(|(name, by_itself)| (!by_itself).then_some(name))
                .collect()
        })
    }

    /// Hears what every machine has to say.
    fn look(&mut self, tell: &mut dyn FnMut(Happening<'_>)) -> Result<(), BootError> {
        if !self.lan.is_alive() {
            return Err(BootError::Network("broke: its router stopped".to_owned()));
        }
        for actor in &mut self.actors {
            let name = actor.part.name.clone();
            for report in actor.guest.news()? {
                let after = actor.guest.on_for();
                tell(Happening::Reported {
                    node: &name,
                    report: &report,
                    after,
                });
                self.outcome.hear(&name, &report, after);
                if let Some(unit) = report.failed_units.iter().find(|unit| is_vital(unit)) {
                    return Err(actor.guest.failed(format!("{unit} failed")));
                }
            }
            match actor.guest.ending() {
                None => {}
                Some(Ending::Restarted) => {
                    let restarts = self.outcome.restarts.entry(name.clone()).or_default();
                    *restarts += 1;
                    if *restarts > RESTARTS {
                        return Err(actor.guest.ended(format!("it restarted {RESTARTS} times")));
                    }
                    tell(Happening::Restarted { node: &name });
                    self.outcome.seen.up.remove(&name);
                    actor.guest.switch_on()?;
                }
                Some(Ending::SwitchedOff) => {
                    return Err(actor.guest.ended("it switched itself off".to_owned()));
                }
                Some(Ending::Broke(how)) => return Err(actor.guest.ended(how)),
            }
            if let Some(what) = actor.guest.console().hopeless() {
                return Err(actor.guest.failed(what.to_owned()));
            }
        }
        Ok(())
    }

    /// Asks the web page of every daemon, all at once: each may take a minute.
    fn ask_pages(&mut self) {
        let seen = &self.outcome.seen;
        let mut asked = Vec::new();
        for actor in &self.actors {
            for daemon in &actor.part.daemons {
                let key = (actor.part.name.clone(), *daemon);
                // What answered once need not be asked again.
                if seen.pages.get(&key) != Some(&Ok(()))
                    && let Some(at) = self.lan.forward(&key.0, daemon.port("web"))
                {
                    asked.push((key, at));
                }
            }
        }
        let web = &self.web;
        let answers: Vec<_> = thread::scope(|scope| {
            let questions: Vec<_> = asked
                .into_iter()
                .map(|(key, at)| scope.spawn(move || (ask(web, key.1, at), key)))
                .collect();
            questions
                .into_iter()
                .filter_map(|question| question.join().ok())
                .collect()
        });
        let seen = &mut self.outcome.seen;
        for (answer, key) in answers {
            match answer {
                Answer::Hdfs(state) => seen.hdfs = Some(state),
                Answer::Yarn(state) => seen.yarn = Some(state),
                Answer::Page(page) => {
                    seen.pages.insert(key, page);
                }
            }
        }
    }

    /// The error, with the console of the first node that is not up.
    fn not_healthy(&self, missing: Vec<String>) -> BootError {
        let down = self
            .actors
            .iter()
            .find(|actor| !self.outcome.seen.up.contains_key(&actor.part.name));
        BootError::NotHealthy {
            missing,
            trouble: down.map_or_else(Default::default, |actor| actor.guest.console().trouble()),
        }
    }
}

/// What a daemon's page says.
enum Answer {
    Hdfs(Result<HdfsState, String>),
    Yarn(Result<YarnState, String>),
    Page(Result<(), String>),
}

fn ask(web: &Web, daemon: Daemon, at: SocketAddr) -> Answer {
    match daemon {
        Daemon::NameNode => Answer::Hdfs(web.hdfs(at)),
        Daemon::ResourceManager => Answer::Yarn(web.yarn(at)),
        _ => Answer::Page(web.answers(at)),
    }
}

impl Outcome {
    fn hear(&mut self, node: &str, report: &Report, after: Duration) {
        if report.event == Event::Job {
            self.seen.job = Some(report.clone());
            return;
        }
        for daemon in &report.memory.daemons {
            if let Some(kind) = Daemon::of_service(&daemon.name) {
                let peak = self.peaks.entry((node.to_owned(), kind)).or_default();
                *peak = daemon.peak_kib.max(daemon.rss_kib).max(*peak);
            }
        }
        if report.is_up() {
            self.up_after.entry(node.to_owned()).or_insert(after);
        }
        if report.is_up() || self.seen.up.contains_key(node) {
            self.seen.up.insert(node.to_owned(), report.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(json: &str) -> Report {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_nodes_say_adds_up() {
        let mut outcome = Outcome::default();
        let mut hear = |second, json: &str| {
            outcome.hear("w", &report(json), Duration::from_secs(second));
        };
        hear(
            9,
            r#"{"event":"booting","problems":["ssh.service is inactive"]}"#,
        );
        hear(
            20,
            r#"{"event":"up","memory":{"daemons":[{"name":"hdfs-datanode","rss_kib":5,"peak_kib":7}]}}"#,
        );
        hear(
            40,
            r#"{"event":"alive","problems":["x"],"memory":{"daemons":[{"name":"hdfs-datanode","rss_kib":6,"peak_kib":6}]}}"#,
        );
        hear(50, r#"{"event":"job","ok":true}"#);
        assert_eq!(outcome.up_after["w"], Duration::from_secs(20));
        assert_eq!(outcome.seen.up["w"].problems, ["x"]);
        assert_eq!(outcome.peaks[&("w".to_owned(), Daemon::DataNode)], 7);
        assert_eq!(outcome.seen.job.as_ref().unwrap().ok, Some(true));
    }

    #[test]
    fn a_node_that_only_boots_was_never_up() {
        let mut outcome = Outcome::default();
        outcome.hear("w", &report(r#"{"event":"booting"}"#), Duration::ZERO);
        assert!(outcome.seen.up.is_empty() && outcome.up_after.is_empty());
    }
}
