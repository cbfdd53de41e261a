//! The story the test tells.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};

use super::cluster::Cluster;
use super::cluster_file::{self, MASTER, NodeEntry, WORKERS};
use super::hadoop;
use super::images::Images;
use super::interrupt::NotYet;
use super::memory;
use super::pidoop::Pidoop;
use super::plan::MemoryPlan;
use super::progress::Progress;
use super::workshop::Workshop;

/// How long Hadoop may take from a node's boot to its work, in seconds. Two
/// slow cores start seven Java processes at once.
pub(crate) const START_SECONDS: u64 = 180;

/// Plays it; at the first thing that does not hold, the nodes are heard.
pub(crate) fn play(workshop: &Workshop, progress: &mut Progress) -> Result<()> {
    let pidoop = Pidoop::new(workshop)?;
    let plan = MemoryPlan::ask(&pidoop)?;
    let images = Images::make(workshop, &pidoop, progress)?;
    progress.say("putting the images on cards and the cards into nodes");
    let mut cluster = Cluster::assemble(workshop, &images)?;
    let story = Story {
        cluster: &mut cluster,
        progress,
        workshop,
        plan: &plan,
    };
    let result = story.tell();
    if result.is_err() {
        for node in cluster.nodes() {
            progress.say(&node.last_words());
        }
    }
    result
}

/// What the chapters of the story share. Those about the systems and about the
/// work are in files of their own.
pub(crate) struct Story<'a> {
    pub(crate) cluster: &'a mut Cluster,
    pub(crate) progress: &'a mut Progress,
    pub(crate) workshop: &'a Workshop,
    pub(crate) plan: &'a MemoryPlan,
}

impl Story<'_> {
    fn tell(mut self) -> Result<()> {
        self.workers_start_before_the_master()?;
        self.storage_and_computing_are_complete("")?;
        let identities = self.systems_are_well(1)?;

        self.directories_are_there()?;
        let keepsake = self.a_file_is_written_and_read()?;
        self.words_are_counted()?;
        self.memory_is_as_planned()?;
        self.doors_open_to_the_right_people()?;

        self.all_reboot()?;
        self.storage_and_computing_are_complete(" again")?;
        self.the_file_is_found(&keepsake)?;
        let after = self.systems_are_well(2)?;
        ensure!(
            after == identities,
            "identities changed: {identities:?}, now {after:?}"
        );
        self.progress.holds("every node is who it was");

        self.the_power_fails()?;
        self.storage_and_computing_are_complete(" once more")?;
        self.the_file_is_found(&keepsake)?;
        self.no_unit_failed()?;
        self.all_shut_down()
    }

    fn workers_start_before_the_master(&mut self) -> Result<()> {
        self.progress.say("booting the workers, without a master");
        self.cluster.boot(&WORKERS)?;
        self.progress
            .holds("the workers have their addresses, and let their user in");
        for worker in WORKERS {
            self.daemons_run(worker)?;
        }
        // Long enough for the first rounds of connection attempts to fail.
        std::thread::sleep(Duration::from_secs(10));
        for worker in WORKERS {
            self.daemons_run(worker)?;
        }
        self.progress.holds("their daemons wait for a master");
        self.progress.say("booting the master");
        self.cluster.boot(&[MASTER])?;
        self.progress
            .holds("the master has its address, and lets its user in");
        self.daemons_run(MASTER)?;
        self.progress.holds("its daemons run");
        Ok(())
    }

    /// Waits until a node has one of each of the daemons planned for it.
    fn daemons_run(&mut self, entry: NodeEntry) -> Result<()> {
        let planned = self.plan.of(entry)?.daemons();
        let what = format!("{} to run {planned:?}", entry.name);
        self.cluster.until(&what, START_SECONDS, |cluster| {
            let census = memory::census(cluster.node(entry)?)?;
            let running: BTreeSet<_> = census.keys().map(String::as_str).collect();
            if running == planned && census.values().all(|count| *count == 1) {
                return Ok(());
            }
            Err(NotYet::Wait(anyhow!("it runs {census:?}")))
        })
    }

    fn storage_and_computing_are_complete(&mut self, again: &str) -> Result<()> {
        let workers: BTreeSet<_> = WORKERS
            .iter()
            .map(|worker| worker.name.to_owned())
            .collect();
        self.cluster.until("both DataNodes", START_SECONDS, |_| {
            let live = hadoop::live_data_nodes()?;
            if live == workers {
                Ok(())
            } else {
                Err(NotYet::Wait(anyhow!("live are {live:?}")))
            }
        })?;
        self.progress.holds(&format!("2 live DataNodes{again}"));

        self.cluster
            .until("safe mode to go off by itself", START_SECONDS, |_| {
                if hadoop::safe_mode_is_off()? {
                    return Ok(());
                }
                Err(NotYet::Wait(anyhow!("it is on")))
            })?;
        self.progress.holds(&format!("safe mode is off{again}"));

        let planned = WORKERS
            .iter()
            .map(|worker| Ok((worker.name.to_owned(), self.plan.of(*worker)?.containers()?)))
            .collect::<Result<BTreeMap<_, _>>>()?;
        self.cluster
            .until("both NodeManagers", START_SECONDS, |_| {
                let managers = hadoop::node_managers()?;
                if managers.len() < planned.len() {
                    return Err(NotYet::Wait(anyhow!("active are {managers:?}")));
                }
                if managers != planned {
                    let error = anyhow!("NodeManagers have {managers:?} MiB, planned {planned:?}");
                    return Err(NotYet::Never(error));
                }
                Ok(())
            })?;
        self.progress.holds(&format!(
            "2 active NodeManagers{again}, with {planned:?} MiB"
        ));
        Ok(())
    }

    fn memory_is_as_planned(&mut self) -> Result<()> {
        let mut table = format!("{}\n", memory::heads());
        let mut limited = true;
        for node in self.cluster.nodes() {
            table.push_str(&memory::rows(node, self.plan.of(node.entry)?)?);
            limited &= node.cgroup()?.memory()?.is_some();
        }
        self.progress.say(&table);
        for node in self.cluster.nodes() {
            memory::check(node, self.plan.of(node.entry)?)?;
        }
        let mib = self.cluster.board.visible_mib;
        let enough = if limited {
            format!("{mib} MiB were enough for every node")
        } else {
            // Only that controller is used here.
            format!("nodes had more than {mib} MiB: no memory controller of control groups 1")
        };
        self.progress
            .holds(&format!("every daemon keeps to its plan; {enough}"));
        Ok(())
    }

    /// Two nodes shut down in good order; one worker loses its power before.
    fn all_reboot(&mut self) -> Result<()> {
        self.progress.say(&format!(
            "pulling the plug of {}, shutting down the others",
            WORKERS[1].name
        ));
        self.cluster.cut_power(&[WORKERS[1]])?;
        self.cluster.shut_down(&[MASTER, WORKERS[0]])?;
        self.everybody_comes_back()
    }

    fn the_power_fails(&mut self) -> Result<()> {
        self.progress.say("the power fails: no node shuts down");
        let all: Vec<_> = cluster_file::nodes().collect();
        self.cluster.cut_power(&all)?;
        self.everybody_comes_back()
    }

    fn everybody_comes_back(&mut self) -> Result<()> {
        self.progress.say("booting all three");
        let all: Vec<_> = cluster_file::nodes().collect();
        self.cluster.boot(&all)?;
        self.progress.holds("all three are back");
        Ok(())
    }

    fn all_shut_down(&mut self) -> Result<()> {
        let all: Vec<_> = cluster_file::nodes().collect();
        self.cluster.shut_down(&all)?;
        self.progress
            .holds("all three shut down in good order, their cards clean");
        Ok(())
    }
}
