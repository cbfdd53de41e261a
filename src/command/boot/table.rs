//! The verdict as people and programs read it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::boot::{HdfsState, Outcome, Report, YarnState};
use crate::hadoop::{Daemon, JVM_OVERHEAD_MIB, NodeMemory};

/// What no emulator shows, in one sentence.
const NOT_REHEARSED: &str = "not rehearsed: the firmware, what config.txt changes beyond the files \
                             it names, cards' speed and wear, Wi-Fi, pins, clocks, the device \
                             trees of a Pi 4 or 5";

/// Everything that was seen of a healthy cluster.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    /// `booted`.
    pub(super) event: &'static str,
    /// Version of this line's shape.
    pub(super) version: u32,
    /// Name of the cluster.
    pub(super) cluster: String,
    /// Whether it is one.
    pub(super) healthy: bool,
    /// Seconds from the first start until it was.
    pub(super) seconds: u64,
    /// The nodes booted.
    pub(super) nodes: Vec<Row>,
    /// Whether these are all nodes of the cluster file.
    pub(super) whole: bool,
    /// What the NameNode said last.
    pub(super) hdfs: Option<HdfsState>,
    /// What the ResourceManager said last.
    pub(super) yarn: Option<YarnState>,
    /// How the job ended.
    pub(super) job: Option<Report>,
}

/// One node.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Its name.
    pub(super) node: String,
    /// Its machine.
    pub(super) machine: String,
    /// Memory of the machine, in MiB.
    pub(super) machine_mib: u32,
    /// Seconds until it was up.
    pub(super) up_after_s: u64,
    /// How often it restarted by itself.
    pub(super) restarts: u32,
    /// Memory in use at its last report, in MiB.
    pub(super) used_mib: u64,
    /// What the plan has for the system and the daemons, in MiB.
    pub(super) planned_mib: u32,
    /// Its daemons.
    pub(super) daemons: Vec<DaemonRow>,
    /// Failed units that a node can live without.
    pub(super) failed_units: Vec<String>,
    /// Where ssh and its daemons' pages are on this computer while it stays.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) reach: BTreeMap<&'static str, String>,
}

/// One daemon.
#[derive(Debug, Serialize)]
pub(super) struct DaemonRow {
    /// Which.
    pub(super) daemon: Daemon,
    /// The most it had in memory, in MiB.
    pub(super) seen_mib: u64,
    /// What the plan counts for it: heap and the rest of a JVM, in MiB.
    pub(super) planned_mib: u32,
}

impl Row {
    /// The row of a node.
    pub(super) fn new(
        plan: &NodeMemory,
        machine: String,
        machine_mib: u32,
        outcome: &Outcome,
    ) -> Self {
        let node = plan.name.to_string();
        let report = outcome.seen.up.get(&node);
        let daemons = plan
            .heaps_mib
            .iter()
            .map(|(daemon, heap)| DaemonRow {
                daemon: *daemon,
                seen_mib: outcome
                    .peaks
                    .get(&(node.clone(), *daemon))
                    .map_or(0, |kib| kib.div_ceil(1024)),
                planned_mib: heap + JVM_OVERHEAD_MIB,
            })
            .collect();
        Self {
            machine,
            machine_mib,
            up_after_s: outcome.up_after.get(&node).map_or(0, |d| d.as_secs()),
            restarts: outcome.restarts.get(&node).copied().unwrap_or(0),
            used_mib: report.map_or(0, |report| report.memory.used_mib()),
            planned_mib: plan.os_mib + plan.daemons_mib(),
            daemons,
            failed_units: report.map_or_else(Vec::new, |report| report.failed_units.clone()),
            reach: BTreeMap::new(),
            node,
        }
    }

    fn cells(&self) -> [String; 6] {
        let daemons: Vec<String> = self
            .daemons
            .iter()
            .map(|row| {
                let over = if row.is_over() { "!" } else { "" };
                format!(
                    "{} {}/{}{over}",
                    row.daemon.short_name(),
                    row.seen_mib,
                    row.planned_mib
                )
            })
            .collect();
        [
            self.node.clone(),
            self.machine.clone(),
            self.machine_mib.to_string(),
            format!("{} s", self.up_after_s),
            format!("{}/{}", self.used_mib, self.planned_mib),
            daemons.join("  "),
        ]
    }
}

impl DaemonRow {
    fn is_over(&self) -> bool {
        self.seen_mib > u64::from(self.planned_mib)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["node", "machine", "MiB", "up after", "used", "daemons"].map(str::to_owned);
        let rows: Vec<[String; 6]> = std::iter::once(heading)
            .chain(self.nodes.iter().map(Row::cells))
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..6).map(width).collect();
        writeln!(f, "memory in MiB, each as seen/planned\n")?;
        for row in &rows {
            let mut text = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths[column];
                // Words stand left, numbers right.
                if matches!(column, 0 | 1 | 5) {
                    text.push_str(&format!("{cell:width$}  "));
                } else {
                    text.push_str(&format!("{cell:>width$}  "));
                }
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        writeln!(f)?;
        for row in &self.nodes {
            for daemon in row.daemons.iter().filter(|daemon| daemon.is_over()) {
                writeln!(
                    f,
                    "note: {} on {} took {} MiB, {} more than its plan",
                    daemon.daemon,
                    row.node,
                    daemon.seen_mib,
                    daemon.seen_mib - u64::from(daemon.planned_mib)
                )?;
            }
            if row.restarts > 0 {
                writeln!(f, "note: {} restarted {} times", row.node, row.restarts)?;
            }
            if !row.failed_units.is_empty() {
                writeln!(
                    f,
                    "note: on {} failed: {}",
                    row.node,
                    row.failed_units.join(", ")
                )?;
            }
        }
        if let Some(hdfs) = self.hdfs {
            writeln!(f, "HDFS: {} live DataNodes, writable", hdfs.live_datanodes)?;
        }
        if let Some(yarn) = self.yarn {
            writeln!(f, "YARN: {} active NodeManagers", yarn.active_nodes)?;
        }
        if let Some(job) = &self.job {
            writeln!(
                f,
                "job:  {}, {} s in all",
                job.detail.as_deref().unwrap_or("right"),
                job.seconds.unwrap_or(0)
            )?;
        }
        writeln!(f, "{NOT_REHEARSED}")?;
        let what = if self.whole {
            format!("cluster {} is", self.cluster)
        } else {
            let names: Vec<&str> = self.nodes.iter().map(|row| row.node.as_str()).collect();
            format!("of cluster {}, {} are", self.cluster, names.join(", "))
        };
        write!(f, "{what} healthy after {} s", self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(node: &str, daemons: &[(Daemon, u64, u32)]) -> Row {
        Row {
            node: node.to_owned(),
            machine: "virt".to_owned(),
            machine_mib: 1926,
            up_after_s: 312,
            restarts: 0,
            used_mib: 640,
            planned_mib: 1382,
            daemons: daemons
                .iter()
                .map(|(daemon, seen_mib, planned_mib)| DaemonRow {
                    daemon: *daemon,
                    seen_mib: *seen_mib,
                    planned_mib: *planned_mib,
                })
                .collect(),
            failed_units: Vec::new(),
            reach: BTreeMap::new(),
        }
    }

    fn table() -> Table {
        let mut worker = row(
            "worker1",
            &[
                (Daemon::DataNode, 160, 238),
                (Daemon::NodeManager, 290, 270),
            ],
        );
        worker.restarts = 1;
        worker.failed_units = vec!["bluetooth.service".to_owned()];
        Table {
            event: "booted",
            version: 1,
            cluster: "elephant".to_owned(),
            healthy: true,
            seconds: 401,
            nodes: vec![
                row(
                    "master",
                    &[
                        (Daemon::NameNode, 204, 366),
                        (Daemon::ResourceManager, 270, 366),
                    ],
                ),
                worker,
            ],
            whole: true,
            hdfs: Some(HdfsState {
                live_datanodes: 1,
                safe_mode: false,
            }),
            yarn: Some(YarnState { active_nodes: 1 }),
            job: None,
        }
    }

    #[test]
    fn people_read_a_table() {
        insta::assert_snapshot!(table().to_string());
    }

    #[test]
    fn a_part_is_called_a_part() {
        let mut table = table();
        table.whole = false;
        table.nodes.truncate(1);
        let text = table.to_string();
        assert!(
            text.ends_with("of cluster elephant, master are healthy after 401 s"),
            "{text}"
        );
    }
}
