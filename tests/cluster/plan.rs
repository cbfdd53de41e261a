//! The memory plan, as `pidoop plan --json` tells it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use pidoop::hadoop::memory::JVM_OVERHEAD_MIB;
use serde_json::Value;

use super::cluster_file::NodeEntry;
use super::pidoop::Pidoop;

/// What is planned for each node, by its name.
pub(crate) struct MemoryPlan(BTreeMap<String, NodePlan>);

/// What is planned for a node.
pub(crate) struct NodePlan {
    /// Heap of each daemon in MiB, by its name in lower case.
    heaps: BTreeMap<String, u64>,
    /// Memory that YARN may give to containers, in MiB.
    containers: Option<u64>,
}

impl MemoryPlan {
    /// Asks pidoop.
    pub(crate) fn ask(pidoop: &Pidoop) -> Result<Self> {
        let plan = pidoop.run("plan").arg("--json").output()?;
        let plan: Value = serde_json::from_slice(&plan).context("pidoop plan --json")?;
        let nodes = plan["memory"]["nodes"]
            .as_array()
            .context("the plan has no memory.nodes")?;
        let nodes = nodes.iter().map(|node| {
            let name = node["name"]
                .as_str()
                .context("a planned node has no name")?;
            Ok((
                name.to_owned(),
                NodePlan::read(node).context(name.to_owned())?,
            ))
        });
        Ok(Self(nodes.collect::<Result<_>>()?))
    }

    /// What is planned for a node.
    pub(crate) fn of(&self, entry: NodeEntry) -> Result<&NodePlan> {
        self.0
            .get(entry.name)
            .with_context(|| format!("nothing is planned for {}", entry.name))
    }
}

impl NodePlan {
    fn read(node: &Value) -> Result<Self> {
        let heaps = node["heaps_mib"].as_object().context("no heaps_mib")?;
        let heaps = heaps.iter().map(|(daemon, heap)| {
            Ok((
                daemon.clone(),
                heap.as_u64().with_context(|| format!("{daemon}: {heap}"))?,
            ))
        });
        Ok(Self {
            heaps: heaps.collect::<Result<_>>()?,
            containers: node["containers"]["memory_mib"].as_u64(),
        })
    }

    /// The daemons of the node, in lower case.
    pub(crate) fn daemons(&self) -> BTreeSet<&str> {
        self.heaps.keys().map(String::as_str).collect()
    }

    /// Most the heap of a daemon may take, in MiB, if there is such a daemon.
    pub(crate) fn heap(&self, daemon: &str) -> Option<u64> {
        self.heaps.get(daemon).copied()
    }

    /// Memory all of a daemon is counted with, in MiB.
    pub(crate) fn memory(&self, daemon: &str) -> Option<u64> {
        self.heap(daemon)
            .map(|heap| heap + u64::from(JVM_OVERHEAD_MIB))
    }

    /// Memory that YARN may give to containers, in MiB.
    pub(crate) fn containers(&self) -> Result<u64> {
        self.containers.context("no containers are planned")
    }
}
