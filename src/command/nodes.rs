//! Nodes named on the command line.

use super::Failure;
use super::load::Loaded;

/// Refuses nodes that the cluster file does not have.
pub(super) fn check_names(loaded: &Loaded, names: &[String]) -> Result<(), Failure> {
    let nodes = &loaded.cluster.nodes;
    let known: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(
            Failure::usage(format!("there is no node {name} in {}", loaded.file))
                .hint(format!("the nodes are {}", known.join(", "))),
        ),
    }
}
