//! Which nodes there are, and in which racks.

use crate::cluster::Cluster;
use crate::diagnostic::Problem;

/// Where Hadoop puts a node that nobody placed.
const DEFAULT_RACK: &str = "/default-rack";

/// Whether any node has a rack. With one switch none should: two racks force
/// copies of every block across the link between them.
pub(super) fn has_racks(cluster: &Cluster) -> bool {
    cluster.nodes.iter().any(|node| node.rack.is_some())
}

/// `workers`: one host name a line. Only `start-dfs.sh` and its kin read it.
pub(super) fn workers(cluster: &Cluster) -> String {
    cluster
        .workers()
        .map(|node| format!("{}\n", node.name))
        .collect()
}

/// The table for `TableMapping`, if there are racks: each node by name and by
/// address, since the NameNode asks by either.
pub(super) fn table(cluster: &Cluster) -> Option<String> {
    has_racks(cluster).then(|| {
        let rows = cluster.nodes.iter().flat_map(|node| {
            let rack = node.rack.as_deref().unwrap_or(DEFAULT_RACK);
            [
                format!("{} {rack}\n", node.name),
                format!("{} {rack}\n", node.address),
            ]
        });
        rows.collect()
    })
}

/// Racks that form no tree: all nodes are at the same depth, or the NameNode
/// refuses DataNodes with InvalidTopologyException.
pub(super) fn check_racks(cluster: &Cluster) -> Vec<Problem> {
    let depth = |rack: &str| rack.split('/').filter(|part| !part.is_empty()).count();
    let racks: Vec<(&str, &str)> = cluster
        .nodes
        .iter()
        .map(|node| {
            (
                node.name.as_str(),
                node.rack.as_deref().unwrap_or(DEFAULT_RACK),
            )
        })
        .collect();
    let mut problems = Vec::new();
    if !has_racks(cluster) {
        return problems;
    }
    for (name, rack) in &racks {
        let well_formed = rack.starts_with('/')
            && rack[1..].split('/').all(|part| !part.is_empty())
            && !rack.contains(|c: char| c.is_whitespace() || c.is_control());
        if !well_formed {
            problems.push(
                Problem::new(0..0, format!("{name}: {rack:?} is not the name of a rack"))
                    .help("write racks as /rack1"),
            );
        }
    }
    if let Some(((first, one), (second, other))) = racks
        .windows(2)
        .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
        .find(|((_, one), (_, other))| depth(one) != depth(other))
    {
        problems.push(
            Problem::new(
                0..0,
                format!(
                    "{first} is in rack {one} and {second} in {other}: the NameNode refuses nodes \
                     at different depths with InvalidTopologyException"
                ),
            )
            .help(format!(
                "give every node a rack with as many parts; one without counts as {DEFAULT_RACK}"
            )),
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hadoop::fixture::cluster;

    #[test]
    fn one_switch_needs_no_table() {
        assert_eq!(table(&cluster(&["pi4-4gb", "pi4-4gb"])), None);
    }

    #[test]
    fn the_table_has_names_and_addresses() {
        let mut racked = cluster(&["pi4-4gb", "pi4-4gb", "pi4-4gb"]);
        racked.nodes[2].rack = Some("/shelf2".to_owned());
        insta::assert_snapshot!(table(&racked).unwrap(), @r"
        master /default-rack
        192.168.1.10 /default-rack
        worker1 /default-rack
        192.168.1.11 /default-rack
        worker2 /shelf2
        192.168.1.12 /shelf2
        ");
        assert_eq!(check_racks(&racked), []);
    }

    #[test]
    fn racks_of_different_depth_are_refused() {
        let mut racked = cluster(&["pi4-4gb", "pi4-4gb", "pi4-4gb"]);
        racked.nodes[2].rack = Some("/room1/shelf2".to_owned());
        let problems = check_racks(&racked);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("InvalidTopologyException"));
        for bad in ["shelf", "/", "//a", "/a b"] {
            racked.nodes[2].rack = Some(bad.to_owned());
            assert!(!check_racks(&racked).is_empty(), "{bad:?} was accepted");
        }
    }
}
