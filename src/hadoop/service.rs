//! The daemons a node can run.

use std::fmt;

use serde::Serialize;

use crate::cluster::Role;

/// A Hadoop daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Daemon {
    /// Keeps the names and places of all blocks of HDFS.
    #[serde(rename = "namenode")]
    NameNode,
    /// Merges the NameNode's edit log into its image.
    #[serde(rename = "secondarynamenode")]
    SecondaryNameNode,
    /// Shares out the memory of the NodeManagers to applications.
    #[serde(rename = "resourcemanager")]
    ResourceManager,
    /// Keeps the history of finished MapReduce jobs.
    #[serde(rename = "jobhistoryserver")]
    JobHistoryServer,
    /// Stores blocks of HDFS.
    #[serde(rename = "datanode")]
    DataNode,
    /// Runs the containers of applications.
    #[serde(rename = "nodemanager")]
    NodeManager,
}

/// A TCP port a daemon listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// What is spoken there.
    pub purpose: &'static str,
}

const fn port(number: u16, purpose: &'static str) -> Port {
    Port { number, purpose }
}

impl Daemon {
    /// All of them, the master's first.
    pub const ALL: [Self; 6] = [
        Self::NameNode,
        Self::SecondaryNameNode,
        Self::ResourceManager,
        Self::JobHistoryServer,
        Self::DataNode,
        Self::NodeManager,
    ];

    /// Those that a node of this role runs when its memory allows; none for a
    /// role of the user's own.
    pub fn of_role(role: &Role) -> &'static [Self] {
        if role.is_master() {
            &Self::ALL[..4]
        } else if role.is_worker() {
            &Self::ALL[4..]
        } else {
            &[]
        }
    }

    /// The name Hadoop's documentation uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NameNode => "NameNode",
            Self::SecondaryNameNode => "SecondaryNameNode",
            Self::ResourceManager => "ResourceManager",
            Self::JobHistoryServer => "JobHistoryServer",
            Self::DataNode => "DataNode",
            Self::NodeManager => "NodeManager",
        }
    }

    /// The name in a column heading.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::NameNode => "NN",
            Self::SecondaryNameNode => "SNN",
            Self::ResourceManager => "RM",
            Self::JobHistoryServer => "JHS",
            Self::DataNode => "DN",
            Self::NodeManager => "NM",
        }
    }

    /// Name of its systemd service, without `.service`.
    pub const fn service_name(self) -> &'static str {
        match self {
            Self::NameNode => "hdfs-namenode",
            Self::SecondaryNameNode => "hdfs-secondarynamenode",
            Self::ResourceManager => "yarn-resourcemanager",
            Self::JobHistoryServer => "mapred-historyserver",
            Self::DataNode => "hdfs-datanode",
            Self::NodeManager => "yarn-nodemanager",
        }
    }

    /// The daemon whose service has this name.
    pub fn of_service(name: &str) -> Option<Self> {
        let name = name.strip_suffix(".service").unwrap_or(name);
        Self::ALL
            .into_iter()
            .find(|daemon| daemon.service_name() == name)
    }

    /// The command that runs it in the foreground: a program in Hadoop's `bin`
    /// and its argument.
    pub const fn command(self) -> [&'static str; 2] {
        match self {
            Self::NameNode => ["hdfs", "namenode"],
            Self::SecondaryNameNode => ["hdfs", "secondarynamenode"],
            Self::ResourceManager => ["yarn", "resourcemanager"],
            Self::JobHistoryServer => ["mapred", "historyserver"],
            Self::DataNode => ["hdfs", "datanode"],
            Self::NodeManager => ["yarn", "nodemanager"],
        }
    }

    /// The environment variable whose value the launcher adds to the JVM's
    /// options: command and argument in upper case (hadoop-functions.sh).
    pub const fn opts_variable(self) -> &'static str {
        match self {
            Self::NameNode => "HDFS_NAMENODE_OPTS",
            Self::SecondaryNameNode => "HDFS_SECONDARYNAMENODE_OPTS",
            Self::ResourceManager => "YARN_RESOURCEMANAGER_OPTS",
            Self::JobHistoryServer => "MAPRED_HISTORYSERVER_OPTS",
            Self::DataNode => "HDFS_DATANODE_OPTS",
            Self::NodeManager => "YARN_NODEMANAGER_OPTS",
        }
    }

    /// The ports it listens on with the configuration pidoop writes. Besides
    /// these, a DataNode has one on the loopback interface.
    pub const fn ports(self) -> &'static [Port] {
        match self {
            Self::NameNode => const { &[port(8020, "rpc"), port(9870, "web")] },
            Self::SecondaryNameNode => const { &[port(9868, "web")] },
            Self::ResourceManager => {
                const {
                    &[
                        port(8030, "scheduler"),
                        port(8031, "tracker"),
                        port(8032, "client"),
                        port(8033, "admin"),
                        port(8088, "web"),
                    ]
                }
            }
            Self::JobHistoryServer => {
                const { &[port(10020, "rpc"), port(10033, "admin"), port(19888, "web")] }
            }
            Self::DataNode => const { &[port(9864, "web"), port(9866, "data"), port(9867, "rpc")] },
            Self::NodeManager => {
                const {
                    &[
                        port(8040, "localizer"),
                        port(8042, "web"),
                        port(13562, "shuffle"),
                        port(45454, "rpc"),
                    ]
                }
            }
        }
    }

    /// The port with this purpose; 0 if it has none.
    pub fn port(self, purpose: &str) -> u16 {
        self.ports()
            .iter()
            .find(|port| port.purpose == purpose)
            .map_or(0, |port| port.number)
    }
}

impl fmt::Display for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_options_variable_is_the_command_in_upper_case() {
        for daemon in Daemon::ALL {
            let [program, argument] = daemon.command();
            let expected = format!("{program}_{argument}_OPTS").to_uppercase();
            assert_eq!(daemon.opts_variable(), expected);
        }
    }

    #[test]
    fn no_two_daemons_share_a_port_or_a_service() {
        let ports: Vec<u16> = Daemon::ALL
            .iter()
            .flat_map(|daemon| daemon.ports())
            .map(|port| port.number)
            .collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
        for daemon in Daemon::ALL {
            assert_eq!(Daemon::of_service(daemon.service_name()), Some(daemon));
        }
        assert_eq!(
            Daemon::of_service("hdfs-datanode.service"),
            Some(Daemon::DataNode)
        );
        assert_eq!(Daemon::of_service("sshd"), None);
    }
}
