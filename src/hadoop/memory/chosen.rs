//! Memory values the user set in the cluster file.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, ConfigFile, Hostname, Node, Property, SourceSpan};
use crate::diagnostic::Problem;

/// A number the user chose, and where.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// The number, in MiB or vcores.
    pub(super) value: u32,
    /// The key's place in the cluster file.
    pub(super) span: SourceSpan,
}

impl Chosen {
    /// The chosen value if there is one.
    pub(super) fn or(chosen: Option<&Self>, otherwise: u32) -> u32 {
        chosen.map_or(otherwise, |chosen| chosen.value)
    }
}

/// What the user chose for one node's containers.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeChoices {
    pub(super) memory: Option<Chosen>,
    pub(super) vcores: Option<Chosen>,
}

/// Every memory value the user chose.
#[derive(Clone, Debug, Default)]
pub(super) struct Choices {
    pub(super) nodes: BTreeMap<Hostname, NodeChoices>,
    pub(super) minimum: Option<Chosen>,
    pub(super) maximum: Option<Chosen>,
    pub(super) maximum_vcores: Option<Chosen>,
    pub(super) master: Option<Chosen>,
    pub(super) master_heap: Option<Chosen>,
    pub(super) map: Option<Chosen>,
    pub(super) map_heap: Option<Chosen>,
    pub(super) reduce: Option<Chosen>,
    pub(super) reduce_heap: Option<Chosen>,
    pub(super) sort: Option<Chosen>,
}

impl Choices {
    /// Reads the properties of `cluster`. The scheduler's and the job's values
    /// count as the master has them.
    pub(super) fn of(cluster: &Cluster, problems: &mut Vec<Problem>) -> Self {
        let nodes = cluster
            .workers()
            .map(|node| {
                let mut number = |key| number(cluster, node, ConfigFile::Yarn, key, problems);
                let choices = NodeChoices {
                    memory: number("yarn.nodemanager.resource.memory-mb"),
                    vcores: number("yarn.nodemanager.resource.cpu-vcores"),
                };
                (node.name.clone(), choices)
            })
            .collect();
        let master = cluster.master();
        let mut yarn = |key| number(cluster, master, ConfigFile::Yarn, key, problems);
        let minimum = yarn("yarn.scheduler.minimum-allocation-mb");
        let maximum = yarn("yarn.scheduler.maximum-allocation-mb");
        let maximum_vcores = yarn("yarn.scheduler.maximum-allocation-vcores");
        let mut mapred = |key| number(cluster, master, ConfigFile::Mapred, key, problems);
        let sizes = [
            mapred("yarn.app.mapreduce.am.resource.mb"),
            mapred("mapreduce.map.memory.mb"),
            mapred("mapreduce.reduce.memory.mb"),
            mapred("mapreduce.task.io.sort.mb"),
        ];
        let [application_master, map, reduce, sort] = sizes;
        let heap = |key| heap(cluster, master, key);
        // A problem of a cluster-wide value would come once for each node.
        problems.dedup();
        Self {
            nodes,
            minimum,
            maximum,
            maximum_vcores,
            master: application_master,
            master_heap: heap("yarn.app.mapreduce.am.command-opts"),
            map,
            map_heap: heap("mapreduce.map.java.opts"),
            reduce,
            reduce_heap: heap("mapreduce.reduce.java.opts"),
            sort,
        }
    }

    /// What was chosen for the containers of any node.
    pub(super) fn of_any_node(&self) -> Option<Chosen> {
        self.nodes.values().find_map(|node| node.memory.clone())
    }

    /// What was chosen for the node called `name`.
    pub(super) fn of_node(&self, name: &Hostname) -> NodeChoices {
        self.nodes.get(name).cloned().unwrap_or_default()
    }
}

/// The value a node gets from the cluster file: its own before the cluster's.
fn property<'a>(
    cluster: &'a Cluster,
    node: &'a Node,
    file: ConfigFile,
    key: &str,
) -> Option<&'a Property> {
    [&node.properties, &cluster.properties]
        .into_iter()
        .find_map(|all| all.get(&file)?.get(key))
}

fn number(
    cluster: &Cluster,
    node: &Node,
    file: ConfigFile,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<Chosen> {
    let Property { value, span } = property(cluster, node, file, key)?;
    match value.trim().parse::<u32>() {
        // A million MiB is beyond any board and keeps sums within 32 bits.
        Ok(value) if (1..1_000_000).contains(&value) => Some(Chosen {
            value,
            span: span.clone(),
        }),
        _ => {
            problems.push(
                Problem::new(
                    span.clone(),
                    format!("{key} is {value:?}, not a number above 0"),
                )
                .help("leave the key out to get a value that fits the boards"),
            );
            None
        }
    }
}

/// The heap that the last `-Xmx` of the JVM options `key` gives, in MiB; 0 for
/// options that give none, where Hadoop takes eight tenths of the container.
fn heap(cluster: &Cluster, master: &Node, key: &str) -> Option<Chosen> {
    let Property { value, span } = property(cluster, master, ConfigFile::Mapred, key)?;
    let size = value
        .split_whitespace()
        .rev()
        .find_map(|option| option.strip_prefix("-Xmx"));
    let value = match size {
        Some(size) => heap_size_mib(size)?,
        None => 0,
    };
    Some(Chosen {
        value,
        span: span.clone(),
    })
}

/// A JVM size such as `512m`, rounded up to MiB.
fn heap_size_mib(size: &str) -> Option<u32> {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let bytes = match size[digits.len()..].to_ascii_lowercase().as_str() {
        "" => number,
        "k" => number.checked_mul(1 << 10)?,
        "m" => number.checked_mul(1 << 20)?,
        "g" => number.checked_mul(1 << 30)?,
        _ => return None,
    };
    u32::try_from(bytes.div_ceil(1 << 20))
        .ok()
        .filter(|mib| *mib < 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jvm_sizes_are_read_as_java_does() {
        for (size, mib) in [("512m", 512), ("1g", 1024), ("1G", 1024), ("1536K", 2)] {
            assert_eq!(heap_size_mib(size), Some(mib), "{size}");
        }
        for bad in ["", "m", "12x", "1.5g", "99999999999g"] {
            assert_eq!(heap_size_mib(bad), None, "{bad}");
        }
    }
}
