//! From the text of a cluster file to a [`Cluster`], or to everything that is
//! wrong with it.

mod access;
mod board;
mod check;
mod image;
mod network;
mod node;
mod property;
mod settings;
#[cfg(test)]
mod tests;
mod wifi;

use crate::diagnostic::{Problem, Problems, Section, document};

use super::{Cluster, ClusterName};

/// The schema of cluster files that this version reads.
pub const SCHEMA: i64 = 1;

/// Reads and checks a cluster file.
///
/// # Errors
/// Every problem found, in the order of their places: all of them in one run,
/// unless the text is not TOML or has another schema, when the rest would be
/// guesses.
pub fn parse(text: &str) -> Result<Cluster, Vec<Problem>> {
    let table = document(text)?;
    let problems = Problems::new();
    let mut root = Section::root(&table, &problems);
    root.schema(SCHEMA).map_err(|problem| vec![problem])?;
    let cluster = read(root);
    match cluster {
        Some(cluster) if problems.is_empty() => Ok(cluster),
        _ => {
            let mut problems = problems.into_sorted();
            if problems.is_empty() {
                // Not reachable while every part that gives nothing says why.
                problems.push(Problem::new(
                    0..0,
                    "the cluster file could not be understood",
                ));
            }
            Err(problems)
        }
    }
}

fn read(mut root: Section<'_>) -> Option<Cluster> {
    root.require_section("cluster", "name = \"elephant\"");
    root.require_section("image", "base = \"raspios-trixie-lite-arm64\"");
    root.require_section("network", "subnet = \"192.168.1.0/24\"");

    let name = root.section("cluster").and_then(cluster_name);
    let image = root.section("image").and_then(image::read);
    let access = access::read(&mut root);
    let network = root.section("network").map(network::read);
    let settings = settings::read(root.section("settings"));
    let nodes = node::read_all(&mut root);
    let properties = property::read(root.section("hadoop"));

    let problems = root.problems();
    root.finish();
    check::nodes(&nodes, network.as_ref(), problems);

    let network = network?.network?.network;
    let nodes = nodes
        .nodes
        .into_iter()
        .map(node::ReadNode::node)
        .collect::<Option<Vec<_>>>()?;
    Some(Cluster {
        name: name?,
        image: image?,
        access: access?,
        network,
        settings: settings?,
        nodes,
        properties,
    })
}

fn cluster_name(mut section: Section<'_>) -> Option<ClusterName> {
    section.require("name", "\"elephant\"");
    let name = section.parsed("name", "\"elephant\"", ClusterName::new);
    section.finish();
    name.map(toml::Spanned::into_inner)
}
