//! Where Hadoop lives in an image.

use serde::Serialize;

use super::{Daemon, MemoryPlan};
use crate::cluster::Hostname;
use crate::edit::{ImagePath, ImagePathError, Mode};

/// Directories of Java and Hadoop, and the user that runs the daemons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// The Hadoop release.
    pub hadoop_home: ImagePath,
    /// The Java runtime.
    pub java_home: ImagePath,
    /// Hadoop's configuration.
    pub conf_dir: ImagePath,
    /// Everything the daemons keep; may be a mount point of its own, so nothing
    /// uses it directly, only directories in it.
    pub data_dir: ImagePath,
    /// Logs of daemons started by hand, and of containers.
    pub log_dir: ImagePath,
    /// Process ids.
    pub run_dir: ImagePath,
    /// The user, also the group, that runs all daemons.
    pub user: String,
}

/// A directory that must exist before a daemon starts, owned by
/// [`Layout::user`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateDir {
    /// Where.
    pub path: ImagePath,
    /// Its mode.
    pub mode: Mode,
}

impl Default for Layout {
    fn default() -> Self {
        // The paths are good, as a test holds, so the root never stands in.
        let path = |text| ImagePath::new(text).unwrap_or_else(|_| ImagePath::root());
        Self {
            hadoop_home: path("/opt/hadoop"),
            java_home: path("/opt/java"),
            conf_dir: path("/opt/hadoop/etc/hadoop"),
            data_dir: path("/var/lib/hadoop"),
            log_dir: path("/var/log/hadoop"),
            run_dir: path("/run/hadoop"),
            user: "hadoop".to_owned(),
        }
    }
}

impl Layout {
    /// `hadoop.tmp.dir`: never below `/tmp`, which a reboot empties.
    pub fn tmp_dir(&self) -> String {
        format!("{}/tmp", self.data_dir)
    }

    /// `dfs.namenode.name.dir`, without the scheme.
    pub fn name_dir(&self) -> String {
        format!("{}/hdfs/name", self.data_dir)
    }

    /// `dfs.namenode.checkpoint.dir`, without the scheme.
    pub fn checkpoint_dir(&self) -> String {
        format!("{}/hdfs/namesecondary", self.data_dir)
    }

    /// `dfs.datanode.data.dir`, without the scheme.
    pub fn block_dir(&self) -> String {
        format!("{}/hdfs/data", self.data_dir)
    }

    /// `yarn.nodemanager.local-dirs`.
    pub fn local_dir(&self) -> String {
        format!("{}/yarn/local", self.data_dir)
    }

    /// `yarn.nodemanager.log-dirs`.
    pub fn container_log_dir(&self) -> String {
        format!("{}/userlogs", self.log_dir)
    }

    /// The rack table, when there are racks.
    pub fn topology_table(&self) -> String {
        format!("{}/topology.table", self.conf_dir)
    }

    /// Directories the daemons of the node called `name` need, parents first.
    /// All belong to [`user`](Self::user).
    ///
    /// # Errors
    /// A directory of this layout that cannot be joined to.
    pub fn state_dirs(
        &self,
        memory: &MemoryPlan,
        name: &Hostname,
    ) -> Result<Vec<StateDir>, ImagePathError> {
        // A DataNode refuses a block directory that others may write to
        // (dfs.datanode.data.dir.perm, 700 by default).
        let own = |daemon| match daemon {
            Daemon::NameNode => vec![self.name_dir()],
            Daemon::SecondaryNameNode => vec![self.checkpoint_dir()],
            Daemon::DataNode => vec![self.block_dir()],
            Daemon::NodeManager => vec![self.local_dir(), self.container_log_dir()],
            Daemon::ResourceManager | Daemon::JobHistoryServer => Vec::new(),
        };
        let shared = [
            self.data_dir.to_string(),
            self.log_dir.to_string(),
            self.tmp_dir(),
        ];
        let parents = [
            format!("{}/hdfs", self.data_dir),
            format!("{}/yarn", self.data_dir),
        ];
        let mut dirs: Vec<StateDir> = Vec::new();
        for path in shared {
            dirs.push(StateDir {
                path: ImagePath::new(&path)?,
                mode: Mode::EXECUTABLE,
            });
        }
        for daemon in Daemon::ALL
            .into_iter()
            .filter(|daemon| memory.runs(name, *daemon))
        {
            for path in own(daemon) {
                let path = ImagePath::new(&path)?;
                for parent in &parents {
                    let parent = ImagePath::new(parent)?;
                    if path.is_within(&parent) && dirs.iter().all(|dir| dir.path != parent) {
                        dirs.push(StateDir {
                            path: parent,
                            mode: Mode::EXECUTABLE,
                        });
                    }
                }
                let in_log_dir = path.is_within(&self.log_dir);
                let open = in_log_dir || daemon == Daemon::NodeManager;
                let mode = if open {
                    Mode::EXECUTABLE
                } else {
                    Mode::PRIVATE_DIR
                };
                dirs.push(StateDir { path, mode });
            }
        }
        Ok(dirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hadoop::fixture::cluster;

    #[test]
    fn the_default_has_no_path_but_those_written() {
        let Layout {
            hadoop_home,
            java_home,
            conf_dir,
            data_dir,
            log_dir,
            run_dir,
            ..
        } = Layout::default();
        for path in [hadoop_home, java_home, conf_dir, data_dir, log_dir, run_dir] {
            assert!(!path.is_root());
        }
    }

    #[test]
    fn each_node_gets_the_directories_of_its_daemons() {
        let cluster = cluster(&["pi4-1gb", "pi4-2gb", "pi4-2gb"]);
        let memory = MemoryPlan::for_cluster(&cluster).unwrap();
        let dirs = |index: usize| -> Vec<String> {
            Layout::default()
                .state_dirs(&memory, &cluster.nodes[index].name)
                .unwrap()
                .iter()
                .map(|dir| format!("{} {}", dir.mode, dir.path))
                .collect()
        };
        let common = [
            "0755 /var/lib/hadoop",
            "0755 /var/log/hadoop",
            "0755 /var/lib/hadoop/tmp",
        ];
        let master = [
            "0755 /var/lib/hadoop/hdfs",
            "0700 /var/lib/hadoop/hdfs/name",
        ];
        assert_eq!(dirs(0), [&common[..], &master].concat());
        let worker = [
            "0755 /var/lib/hadoop/hdfs",
            "0700 /var/lib/hadoop/hdfs/data",
            "0755 /var/lib/hadoop/yarn",
            "0755 /var/lib/hadoop/yarn/local",
            "0755 /var/log/hadoop/userlogs",
        ];
        assert_eq!(dirs(1), [&common[..], &worker].concat());
    }
}
