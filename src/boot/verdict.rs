//! Whether what was booted is a cluster, judged by what its nodes report and
//! its web pages say.

use std::collections::BTreeMap;

use super::report::Report;
use super::web::{HdfsState, YarnState};
use crate::hadoop::Daemon;

/// A node that was booted, and what must run on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The daemons that its memory plan has.
    pub daemons: Vec<Daemon>,
}

/// What is known so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The last report of each node once it was up.
    pub up: BTreeMap<String, Report>,
    /// What the NameNode says, or why it says nothing.
    pub hdfs: Option<Result<HdfsState, String>>,
    /// What the ResourceManager says, or why it says nothing.
    pub yarn: Option<Result<YarnState, String>>,
    /// Whether the page of each daemon answers.
    pub pages: BTreeMap<(String, Daemon), Result<(), String>>,
    /// How the job ended.
    pub job: Option<Report>,
}

impl Seen {
    /// What is missing, as sentences; nothing if all is well. `job` says
    /// whether one was asked for.
    pub fn missing(&self, parts: &[Part], job: bool) -> Vec<String> {
        let mut missing = Vec::new();
        for part in parts {
            match self.up.get(&part.name) {
                None => missing.push(format!("{} is not up", part.name)),
                Some(report) => {
                    for problem in &report.problems {
                        missing.push(format!("{}: {problem}", part.name));
                    }
                }
            }
        }
        let count = |daemon| {
            let has = |part: &&Part| part.daemons.contains(&daemon);
            parts.iter().filter(has).count() as u64
        };
        for part in parts {
            for daemon in &part.daemons {
                let page = match daemon {
                    Daemon::NameNode => hdfs(self.hdfs.as_ref(), count(Daemon::DataNode)),
                    Daemon::ResourceManager => yarn(self.yarn.as_ref(), count(Daemon::NodeManager)),
                    _ => match self.pages.get(&(part.name.clone(), *daemon)) {
                        Some(Ok(())) => None,
                        Some(Err(error)) => Some(format!("its page does not answer: {error}")),
                        None => Some("its page was not asked yet".to_owned()),
                    },
                };
                missing.extend(page.map(|what| format!("{daemon} on {}: {what}", part.name)));
            }
        }
        if job {
            match &self.job {
                None => missing.push("the job has not ended".to_owned()),
                Some(report) if report.ok != Some(true) => missing.push(format!(
                    "the job failed: {}",
                    report.detail.as_deref().unwrap_or("it did not say why")
                )),
                Some(_) => {}
            }
        }
        missing
    }

    /// Why more waiting is useless, if it is.
    pub fn lost(&self) -> Option<String> {
        let job = self.job.as_ref().filter(|job| job.ok != Some(true))?;
        let detail = job.detail.as_deref().unwrap_or("it did not say why");
        Some(format!("the job failed: {detail}"))
    }
}

/// What is wrong with HDFS for so many DataNodes.
fn hdfs(state: Option<&Result<HdfsState, String>>, datanodes: u64) -> Option<String> {
    match state {
        None => Some("it was not asked yet".to_owned()),
        Some(Err(error)) => Some(format!("it does not answer: {error}")),
        Some(Ok(state)) if state.live_datanodes != datanodes => Some(format!(
            "it knows {} DataNodes of {datanodes}",
            state.live_datanodes
        )),
        Some(Ok(state)) if state.safe_mode => Some("it is in safe mode".to_owned()),
        Some(Ok(_)) => None,
    }
}

/// What is wrong with YARN for so many NodeManagers.
fn yarn(state: Option<&Result<YarnState, String>>, nodemanagers: u64) -> Option<String> {
    match state {
        None => Some("it was not asked yet".to_owned()),
        Some(Err(error)) => Some(format!("it does not answer: {error}")),
        Some(Ok(state)) if state.active_nodes != nodemanagers => Some(format!(
            "it knows {} NodeManagers of {nodemanagers}",
            state.active_nodes
        )),
        Some(Ok(_)) => None,
    }
}

/// Units of a node without which it is no node: pidoop's own, ssh, and the
/// daemons'. Others may fail in an emulator, such as what wants a radio.
pub(super) fn is_vital(unit: &str) -> bool {
    unit.starts_with("pidoop-") || unit == "ssh.service" || Daemon::of_service(unit).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Part> {
        let part = |name: &str, daemons: &[Daemon]| Part {
            name: name.to_owned(),
            daemons: daemons.to_vec(),
        };
        let worker = [Daemon::DataNode, Daemon::NodeManager];
        vec![
            part("master", &[Daemon::NameNode, Daemon::ResourceManager]),
            part("worker1", &worker),
            part("worker2", &worker),
        ]
    }

    fn report(json: &str) -> Report {
        serde_json::from_str(json).unwrap()
    }

    /// Everything as it should be.
    fn well() -> Seen {
        let mut seen = Seen {
            hdfs: Some(Ok(HdfsState {
                live_datanodes: 2,
                safe_mode: false,
            })),
            yarn: Some(Ok(YarnState { active_nodes: 2 })),
            ..Seen::default()
        };
        for part in parts() {
            seen.up
                .insert(part.name.clone(), report(r#"{"event":"up"}"#));
            for daemon in part.daemons {
                seen.pages.insert((part.name.clone(), daemon), Ok(()));
            }
        }
        seen
    }

    #[test]
    fn a_healthy_cluster_lacks_nothing() {
        assert_eq!(well().missing(&parts(), false), [""; 0]);
        assert_eq!(well().lost(), None);
    }

    #[test]
    fn nothing_seen_is_everything_missing() {
        insta::assert_snapshot!(Seen::default().missing(&parts(), true).join("\n"), @r"
        master is not up
        worker1 is not up
        worker2 is not up
        NameNode on master: it was not asked yet
        ResourceManager on master: it was not asked yet
        DataNode on worker1: its page was not asked yet
        NodeManager on worker1: its page was not asked yet
        DataNode on worker2: its page was not asked yet
        NodeManager on worker2: its page was not asked yet
        the job has not ended
        ");
    }

    #[test]
    fn one_thing_wrong_is_one_sentence() {
        type Spoil = fn(&mut Seen);
        let cases: [(Spoil, &str); 8] = [
            (
                |seen| {
                    seen.up.remove("worker2");
                },
                "worker2 is not up",
            ),
            (
                |seen| {
                    let sick = r#"{"event":"alive","problems":["ssh.service is failed"]}"#;
                    seen.up.insert("worker1".to_owned(), report(sick));
                },
                "worker1: ssh.service is failed",
            ),
            (
                |seen| {
                    seen.hdfs = Some(Ok(HdfsState {
                        live_datanodes: 1,
                        safe_mode: false,
                    }));
                },
                "NameNode on master: it knows 1 DataNodes of 2",
            ),
            (
                |seen| {
                    seen.hdfs = Some(Ok(HdfsState {
                        live_datanodes: 2,
                        safe_mode: true,
                    }));
                },
                "NameNode on master: it is in safe mode",
            ),
            (
                |seen| seen.hdfs = Some(Err("refused".to_owned())),
                "NameNode on master: it does not answer: refused",
            ),
            (
                |seen| seen.yarn = Some(Ok(YarnState { active_nodes: 3 })),
                "ResourceManager on master: it knows 3 NodeManagers of 2",
            ),
            (
                |seen| {
                    let key = ("worker1".to_owned(), Daemon::DataNode);
                    seen.pages.insert(key, Err("timeout".to_owned()));
                },
                "DataNode on worker1: its page does not answer: timeout",
            ),
            (
                |seen| {
                    let key = ("worker2".to_owned(), Daemon::NodeManager);
                    seen.pages.remove(&key);
                },
                "NodeManager on worker2: its page was not asked yet",
            ),
        ];
        for (spoil, sentence) in cases {
            let mut seen = well();
            spoil(&mut seen);
            assert_eq!(seen.missing(&parts(), false), [sentence]);
        }
    }

    #[test]
    fn part_of_a_cluster_is_judged_by_what_is_there() {
        let parts = parts();
        let mut seen = well();
        seen.up.retain(|name, _| name == "worker1");
        (seen.hdfs, seen.yarn) = (None, None);
        assert_eq!(seen.missing(&parts[1..2], false), [""; 0]);
        // The master and one worker: one DataNode is all there are.
        let mut seen = well();
        assert_eq!(
            seen.missing(&parts[..2], false),
            [
                "NameNode on master: it knows 2 DataNodes of 1",
                "ResourceManager on master: it knows 2 NodeManagers of 1",
            ]
        );
        seen.hdfs = Some(Ok(HdfsState {
            live_datanodes: 1,
            safe_mode: false,
        }));
        seen.yarn = Some(Ok(YarnState { active_nodes: 1 }));
        assert_eq!(seen.missing(&parts[..2], false), [""; 0]);
    }

    #[test]
    fn a_job_counts_when_asked_for() {
        let mut seen = well();
        assert_eq!(seen.missing(&parts(), true), ["the job has not ended"]);
        seen.job = Some(report(r#"{"event":"job","ok":true}"#));
        assert_eq!(seen.missing(&parts(), true), [""; 0]);
        seen.job = Some(report(r#"{"event":"job","ok":false,"detail":"no memory"}"#));
        assert_eq!(seen.missing(&parts(), true), ["the job failed: no memory"]);
        assert_eq!(seen.lost().as_deref(), Some("the job failed: no memory"));
    }

    #[test]
    fn what_a_node_is_for_is_vital() {
        for unit in [
            "pidoop-grow.service",
            "ssh.service",
            "hdfs-datanode.service",
        ] {
            assert!(is_vital(unit), "{unit}");
        }
        for unit in ["bluetooth.service", "systemd-remount-fs.service"] {
            assert!(!is_vital(unit), "{unit}");
        }
    }
}
