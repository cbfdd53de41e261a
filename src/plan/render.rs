//! The plan in words.

use std::fmt;

use super::{NodePlan, Plan};
use crate::cluster::Cluster;
use crate::hadoop::MemoryPlan;

/// Bytes in mebibytes or gibibytes, as people say them.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.0.div_ceil(1 << 20);
        if mib >= 1024 {
            write!(f, "{}.{} GiB", mib / 1024, mib % 1024 * 10 / 1024)
        } else {
            write!(f, "{mib} MiB")
        }
    }
}

/// What can be said of a cluster before its inputs are at hand.
pub fn outline(cluster: &Cluster, memory: &MemoryPlan) -> String {
    let workers = cluster.workers().count();
    let noun = if workers == 1 { "worker" } else { "workers" };
    format!(
        "cluster {}: one master, {workers} {noun}\n\nmemory plan\n{}",
        cluster.name,
        indent(&memory.render_table())
    )
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}\n").replace("  \n", "\n"))
        .collect()
}

/// The whole plan for people; no secret is in it.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = &self.base;
        writeln!(f, "inputs")?;
        writeln!(
            f,
            "  base    {} {}",
            base.profile.release, base.profile.arch
        )?;
        writeln!(f, "          {}", base.origin)?;
        for component in &self.components {
            writeln!(
                f,
                "  {:<7} {} in {}",
                component.kind, component.version, component.into
            )?;
            writeln!(f, "          {}", component.origin)?;
        }
        writeln!(
            f,
            "\nlayer {}",
            self.layer.id.get(..12).unwrap_or(&self.layer.id)
        )?;
        writeln!(
            f,
            "  root filesystem of {}, shared by all nodes",
            Size(self.layer.root_bytes)
        )?;
        writeln!(f, "\nimages")?;
        let width = self
            .nodes
            .iter()
            .map(|node| node.image.len())
            .max()
            .unwrap_or(0);
        for node in &self.nodes {
            let NodePlan {
                image,
                role,
                board,
                address,
                ..
            } = node;
            writeln!(f, "  {image:<width$}  {role:<6}  {board:<11}  {address}")?;
            writeln!(
                f,
                "  {:<width$}  {} edits; starts {}",
                "",
                count(node),
                node.services.join(", ")
            )?;
        }
        write!(f, "\n{}", outline(&self.cluster, &self.memory))
    }
}

fn count(node: &NodePlan) -> usize {
    node.edits.root.len() + node.edits.boot.len()
}
