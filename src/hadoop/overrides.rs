//! Properties the user may not set, because images are built around them.

use crate::cluster::{Cluster, ConfigFile, Properties, Property};
use crate::diagnostic::Problem;

/// Why a property is not the user's, and what to do instead.
struct Owned {
    file: ConfigFile,
    keys: &'static [&'static str],
    reason: &'static str,
    instead: &'static str,
}

/// As few as can be: those that other parts of an image depend on.
const OWNED: [Owned; 7] = [
    Owned {
        file: ConfigFile::Core,
        keys: &["fs.defaultFS"],
        reason: "every node finds the NameNode by the master's name in its hosts file",
        instead: "to change the name in it, change the name of the master node",
    },
    Owned {
        file: ConfigFile::Core,
        keys: &["hadoop.tmp.dir"],
        reason: "the image has this directory with the owner and mode the daemons need",
        instead: "to keep data on another disk, mount it at /var/lib/hadoop",
    },
    Owned {
        file: ConfigFile::Hdfs,
        keys: &[
            "dfs.namenode.name.dir",
            "dfs.namenode.checkpoint.dir",
            "dfs.datanode.data.dir",
        ],
        reason: "the image has this directory, and first boot decides by it whether to format",
        instead: "to keep data on another disk, mount it at /var/lib/hadoop",
    },
    Owned {
        file: ConfigFile::Yarn,
        keys: &["yarn.nodemanager.local-dirs", "yarn.nodemanager.log-dirs"],
        reason: "the image has this directory with the owner and mode the NodeManager needs",
        instead: "to keep data on another disk, mount it at /var/lib/hadoop",
    },
    Owned {
        file: ConfigFile::Hdfs,
        keys: &[
            "dfs.namenode.rpc-address",
            "dfs.namenode.rpc-bind-host",
            "dfs.datanode.hostname",
        ],
        reason: "names and addresses of daemons follow from the nodes",
        instead: "change the name or address of the node",
    },
    Owned {
        file: ConfigFile::Yarn,
        keys: &[
            "yarn.resourcemanager.hostname",
            "yarn.resourcemanager.bind-host",
            "yarn.nodemanager.hostname",
            "yarn.nodemanager.bind-host",
        ],
        reason: "names and addresses of daemons follow from the nodes",
        instead: "change the name or address of the node",
    },
    Owned {
        file: ConfigFile::Core,
        keys: &[
            "net.topology.node.switch.mapping.impl",
            "net.topology.table.file.name",
        ],
        reason: "the table of racks follows from the nodes",
        instead: "set rack = \"/rack1\" on the nodes",
    },
];

/// Properties, of the cluster and of single nodes, that cannot be set or whose
/// value cannot work on this cluster.
pub fn check_overrides(cluster: &Cluster) -> Vec<Problem> {
    let workers = cluster.workers().count();
    std::iter::once(&cluster.properties)
        .chain(cluster.nodes.iter().map(|node| &node.properties))
        .flat_map(|properties| check(properties, workers))
        .collect()
}

fn check(properties: &Properties, workers: usize) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, keys) in properties {
        for (key, property) in keys {
            let owned = OWNED
                .iter()
                .find(|owned| owned.file == *file && owned.keys.contains(&&**key));
            if let Some(Owned {
                reason, instead, ..
            }) = owned
            {
                let message = format!("{key} cannot be set: {reason}");
                problems.push(Problem::new(property.span.clone(), message).help(*instead));
            } else if let Some(problem) = check_value(*file, key, property, workers) {
                problems.push(problem);
            }
        }
    }
    problems
}

fn check_value(
    file: ConfigFile,
    key: &str,
    Property { value, span }: &Property,
    workers: usize,
) -> Option<Problem> {
    // XML 1.0 has no way to write most control characters.
    if value
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\t' | '\n'))
    {
        let message = format!("the value of {key} has a control character");
        return Some(Problem::new(span.clone(), message));
    }
    let copies: usize = match (file, key) {
        (ConfigFile::Hdfs, "dfs.replication") => value.trim().parse().ok()?,
        _ => return None,
    };
    (copies > workers).then(|| {
        Problem::new(
            span.clone(),
            format!(
                "{copies} copies of each block need as many DataNodes, the cluster has {workers}: \
                 every block would stay under-replicated"
            ),
        )
        .help(format!(
            "set dfs.replication to {workers} or less, or add workers"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hadoop::fixture::{cluster, set};

    #[rstest::rstest]
    #[case(ConfigFile::Core, "fs.defaultFS", "hdfs://other:8020", "cannot be set")]
    #[case(ConfigFile::Hdfs, "dfs.datanode.data.dir", "/mnt/usb", "cannot be set")]
    #[case(ConfigFile::Hdfs, "dfs.replication", "3", "the cluster has 2")]
    #[case(
        ConfigFile::Core,
        "hadoop.http.staticuser.user",
        "a\u{1}",
        "control character"
    )]
    fn what_cannot_work_is_shown_where_it_stands(
        #[case] file: ConfigFile,
        #[case] key: &str,
        #[case] value: &str,
        #[case] says: &str,
    ) {
        let mut own = cluster(&["pi4-4gb", "pi4-4gb", "pi4-4gb"]);
        set(&mut own.properties, file, key, value, 3..5);
        set(&mut own.nodes[1].properties, file, key, value, 8..9);
        let problems = check_overrides(&own);
        let spans: Vec<_> = problems
            .iter()
            .map(|problem| problem.span.clone())
            .collect();
        assert_eq!(spans, [3..5, 8..9]);
        assert!(problems[0].message.contains(says), "{problems:?}");
    }

    #[test]
    fn everything_else_is_the_users() {
        let mut own = cluster(&["pi4-4gb", "pi4-4gb", "pi4-4gb"]);
        set(
            &mut own.properties,
            ConfigFile::Hdfs,
            "dfs.replication",
            "1",
            0..1,
        );
        set(
            &mut own.properties,
            ConfigFile::Hdfs,
            "dfs.blocksize",
            "32m",
            0..1,
        );
        assert_eq!(check_overrides(&own), []);
    }
}
