//! What Hadoop says of itself: its web services, and the names of its daemons.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use super::cluster_file::MASTER;

/// Where the daemons of the master answer (hdfs-default.xml, yarn-default.xml,
/// mapred-default.xml).
const NAME_NODE: u16 = 9870;
const RESOURCE_MANAGER: u16 = 8088;
const HISTORY_SERVER: u16 = 19888;

/// Names of the DataNodes the NameNode hears from.
pub(crate) fn live_data_nodes() -> Result<BTreeSet<String>> {
    let bean = name_node_bean("NameNodeInfo")?;
    // A document within the document, by "host:port".
    let live = bean["LiveNodes"]
        .as_str()
        .context("NameNodeInfo has no LiveNodes")?;
    let live: BTreeMap<String, Value> = serde_json::from_str(live)?;
    Ok(live
        .keys()
        .map(|name| name.split(':').next().unwrap_or_default().to_owned())
        .collect())
}

/// Whether HDFS may be written to.
pub(crate) fn safe_mode_is_off() -> Result<bool> {
    let bean = name_node_bean("FSNamesystemState")?;
    Ok(bean["FSState"]
        .as_str()
        .context("FSNamesystemState has no FSState")?
        == "Operational")
}

/// Memory of each NodeManager that runs, in MiB, by its node's name.
pub(crate) fn node_managers() -> Result<BTreeMap<String, u64>> {
    let metrics = get(RESOURCE_MANAGER, "/ws/v1/cluster/metrics")?;
    let active = metrics["clusterMetrics"]["activeNodes"].as_u64();
    let nodes = get(RESOURCE_MANAGER, "/ws/v1/cluster/nodes")?;
    let nodes = nodes["nodes"]["node"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let running = nodes
        .iter()
        .filter(|node| node["state"] == "RUNNING")
        .map(|node| {
            let name = node["nodeHostName"]
                .as_str()
                .context("a node without name")?;
            let megabytes = |key: &str| {
                node[key]
                    .as_u64()
                    .with_context(|| format!("node {name} without {key}"))
            };
            let memory = megabytes("usedMemoryMB")? + megabytes("availMemoryMB")?;
            Ok((name.to_owned(), memory))
        })
        .collect::<Result<BTreeMap<_, _>>>()?;
    ensure!(
        active == u64::try_from(running.len()).ok(),
        "the ResourceManager counts {active:?} active nodes and lists {running:?}"
    );
    Ok(running)
}

/// What the JobHistoryServer knows of the only job that is called `name`.
pub(crate) fn finished_job(name: &str) -> Result<Value> {
    let history = get(HISTORY_SERVER, "/ws/v1/history/mapreduce/jobs")?;
    let jobs = all_of(&history["jobs"]["job"]);
    let jobs: Vec<_> = jobs.into_iter().filter(|job| job["name"] == name).collect();
    match jobs.as_slice() {
        [job] => Ok((*job).clone()),
        jobs => Err(anyhow!("{} jobs called {name:?} in {history}", jobs.len())),
    }
}

/// The members of a list; one alone is not put into an array by all versions,
/// and an empty list may be null.
fn all_of(list: &Value) -> Vec<&Value> {
    match list {
        Value::Array(members) => members.iter().collect(),
        Value::Null => Vec::new(),
        alone => vec![alone],
    }
}

fn name_node_bean(name: &str) -> Result<Value> {
    let query = format!("/jmx?qry=Hadoop:service=NameNode,name={name}");
    let document = get(NAME_NODE, &query)?;
    Ok(document["beans"]
        .get(0)
        .with_context(|| format!("no bean {name} in {document}"))?
        .clone())
}

/// A document of one of the master's web services, asked for from outside.
fn get(port: u16, path: &str) -> Result<Value> {
    let url = format!("http://{}:{port}{path}", MASTER.address);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .proxy(None)
        .build()
        .into();
    let text = agent
        .get(&url)
        .header("Accept", "application/json")
        .call()
        .with_context(|| format!("asking {url}"))?
        .body_mut()
        .read_to_string()?;
    serde_json::from_str(&text).with_context(|| format!("{url} answered {text}"))
}
