//! Memory that the daemons really use, beside what was planned.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

use super::node::Node;
use super::plan::NodePlan;

/// One Java process of a node.
struct Daemon {
    /// Its main class without the package, in lower case: `namenode`.
    name: String,
    /// Most its heap may take, as on its command line.
    heap: String,
    /// Memory it has now, in MiB.
    resident: u64,
    /// Most it ever had, in MiB.
    peak: u64,
}

/// The Java processes of a node with a main class of Hadoop's, by name.
fn daemons(node: &Node) -> Result<Vec<Daemon>> {
    let mut daemons = Vec::new();
    for process in node.cgroup()?.processes()? {
        let place = Path::new("/proc").join(process.to_string());
        // Any process may end while we look.
        let Ok(command) = fs_err::read_to_string(place.join("cmdline")) else {
            continue;
        };
        let Ok(status) = fs_err::read_to_string(place.join("status")) else {
            continue;
        };
        if let Some(name) = main_class(&command) {
            // The last of several counts.
            let heap = command
                .split('\0')
                .filter_map(|word| word.strip_prefix("-Xmx"))
                .next_back();
            daemons.push(Daemon {
                name: name.to_lowercase(),
                heap: heap.unwrap_or("unset").to_owned(),
                resident: status_mib(&status, "VmRSS:")?,
                peak: status_mib(&status, "VmHWM:")?,
            });
        }
    }
    daemons.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(daemons)
}

/// How many of each daemon run on a node.
pub(crate) fn census(node: &Node) -> Result<BTreeMap<String, usize>> {
    let mut census = BTreeMap::new();
    for daemon in daemons(node)? {
        *census.entry(daemon.name).or_default() += 1;
    }
    Ok(census)
}

/// Column heads of [`rows`].
pub(crate) fn heads() -> String {
    format!(
        "{:10} {:18} {:>7} {:>8} {:>6} {:>8}",
        "node", "MiB", "heap", "resident", "peak", "planned"
    )
}

/// A row for each daemon of `node`, and one for all its processes.
pub(crate) fn rows(node: &Node, plan: &NodePlan) -> Result<String> {
    let row = |what: &str, heap: &str, resident: u64, peak: &str, planned: &str| {
        format!(
            "{:10} {what:18} {heap:>7} {resident:>8} {peak:>6} {planned:>8}\n",
            node.name()
        )
    };
    let mut rows = String::new();
    for Daemon {
        name,
        heap,
        resident,
        peak,
    } in daemons(node)?
    {
        let planned = plan
            .memory(&name)
            .map_or("-".to_owned(), |planned| planned.to_string());
        rows.push_str(&row(&name, &heap, resident, &peak.to_string(), &planned));
    }
    if let Some((anonymous, _)) = node.cgroup()?.memory()? {
        rows.push_str(&row("all, without files", "", anonymous, "", ""));
    }
    Ok(rows)
}

/// Every daemon has the heap that was planned, and never took more than it is
/// counted with.
pub(crate) fn check(node: &Node, plan: &NodePlan) -> Result<()> {
    for Daemon {
        name, heap, peak, ..
    } in daemons(node)?
    {
        // What is left of a job is no daemon of the plan.
        let (Some(heap_mib), Some(memory_mib)) = (plan.heap(&name), plan.memory(&name)) else {
            continue;
        };
        let node = node.name();
        ensure!(
            heap == format!("{heap_mib}m"),
            "{name} of {node} runs with -Xmx{heap}, planned are {heap_mib} MiB"
        );
        ensure!(
            peak <= memory_mib,
            "{name} of {node} took {peak} MiB, and is counted with {memory_mib}"
        );
    }
    if let Some((_, killed)) = node.cgroup()?.memory()?
        && killed > 0
    {
        return Err(anyhow!(
            "{killed} processes of {} died for want of memory",
            node.name()
        ));
    }
    Ok(())
}

/// The main class in a command line of words that end in NUL, if it is one of
/// Hadoop's.
fn main_class(command: &str) -> Option<&str> {
    let mut words = command.split('\0');
    words.next().filter(|program| program.ends_with("java"))?;
    let class = words.find(|word| word.starts_with("org.apache.hadoop."))?;
    class.rsplit('.').next()
}

fn status_mib(status: &str, key: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    // A process that is ending has no memory, and no such line.
    let Some(line) = line else { return Ok(0) };
    let kib = line.trim().trim_end_matches(" kB").parse::<u64>();
    Ok(kib.with_context(|| format!("{key}{line}"))? / 1024)
}
