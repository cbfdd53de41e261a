//! The configuration directory of one node.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{
    HadoopVersion, Layout, MemoryPlan, core, env, hdfs, log4j, mapred, overrides, scheduler,
    topology, xml, yarn,
};
use crate::cluster::{Cluster, ConfigFile, Node};
use crate::diagnostic::Problem;
use crate::edit::{Content, Edit, ImagePath, ImagePathError, Mode, Owner};

/// Everything the configuration of a node follows from.
#[derive(Clone, Copy, Debug)]
pub struct ConfigInputs<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// Which of its nodes.
    pub node: &'a Node,
    /// The cluster's memory plan.
    pub memory: &'a MemoryPlan,
    /// Where things are in the image.
    pub layout: &'a Layout,
    /// Feature release of the Java runtime: 8, 11, 17.
    pub java_major: u32,
    /// The Hadoop release.
    pub hadoop_version: HadoopVersion,
}

/// Keys and values of one file, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteProperties(BTreeMap<String, String>);

impl SiteProperties {
    /// Sets `key`, in place of what it had.
    pub(super) fn set(&mut self, key: &str, value: impl Display) {
        self.0.insert(key.to_owned(), value.to_string());
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All keys with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl ConfigInputs<'_> {
    /// How many workers the cluster has.
    pub(super) fn worker_count(&self) -> usize {
        self.cluster.workers().count()
    }

    /// The most copies of a block that can exist.
    pub(super) fn replication(&self) -> usize {
        self.worker_count().clamp(1, 3)
    }

    /// The master's host name.
    pub(super) fn master(&self) -> &str {
        self.cluster.master().name.as_str()
    }
}

/// The properties of `file` that pidoop writes for a node, without the user's.
pub fn generated(file: ConfigFile, inputs: &ConfigInputs<'_>) -> SiteProperties {
    match file {
        ConfigFile::Core => core::properties(inputs),
        ConfigFile::Hdfs => hdfs::properties(inputs),
        ConfigFile::Yarn => yarn::properties(inputs),
        ConfigFile::Mapred => mapred::properties(inputs),
        ConfigFile::CapacityScheduler => scheduler::properties(inputs),
    }
}

/// The properties of `file` for a node: pidoop's, then the cluster's, then the
/// node's own.
pub fn properties(file: ConfigFile, inputs: &ConfigInputs<'_>) -> SiteProperties {
    let mut site = generated(file, inputs);
    for chosen in [&inputs.cluster.properties, &inputs.node.properties] {
        for (key, property) in chosen.get(&file).into_iter().flatten() {
            site.set(key, &property.value);
        }
    }
    site
}

/// Edits that put the whole configuration directory of a node in place, each
/// file `root:root 0644`.
///
/// # Errors
/// Properties of the user's that contradict what the images are built around
/// (see [`check_overrides`](super::check_overrides)), racks that form no tree,
/// or a layout whose paths cannot be joined to.
pub fn configuration(inputs: &ConfigInputs<'_>) -> Result<Vec<Edit>, Vec<Problem>> {
    let mut problems = overrides::check_overrides(inputs.cluster);
    problems.extend(topology::check_racks(inputs.cluster));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut files: Vec<(&str, String)> = ConfigFile::ALL
        .into_iter()
        .map(|file| {
            (
                file.file_name(),
                xml::document(file, &properties(file, inputs)),
            )
        })
        .collect();
    files.push(("hadoop-env.sh", env::hadoop(inputs)));
    files.push(("yarn-env.sh", env::yarn(inputs)));
    files.push(("mapred-env.sh", env::mapred(inputs)));
    files.push(("log4j.properties", log4j::properties(inputs.layout)));
    files.push(("workers", topology::workers(inputs.cluster)));
    files.sort();
    let mut edits = files
        .into_iter()
        .map(|(name, text)| Ok(file(inputs.layout.conf_dir.join(name)?, text)))
        .collect::<Result<Vec<Edit>, ImagePathError>>()
        .map_err(path_problem)?;
    if let Some(table) = topology::table(inputs.cluster) {
        let path = ImagePath::new(&inputs.layout.topology_table()).map_err(path_problem)?;
        edits.push(file(path, table));
    }
    Ok(edits)
}

fn file(path: ImagePath, text: String) -> Edit {
    Edit::PutFile {
        path,
        content: Content::text(text),
        owner: Owner::ROOT,
        mode: Mode::FILE,
    }
}

#[allow(clippy::needless_pass_by_value)]
fn path_problem(error: ImagePathError) -> Vec<Problem> {
    vec![Problem::new(0..0, error.to_string())]
}

#[cfg(test)]
mod tests;
