//! Where the daemons keep what is theirs.

use super::draft::Draft;
use super::{NodeError, NodeInputs, users};
use crate::edit::Mode;
use crate::hadoop::{Daemon, Layout};

/// Directories that the services of a node need before they start. They are
/// baked empty: a `current` in one of them would pass for data and stop the
/// first format.
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    let owner = users::hadoop_owner(inputs.profile)?;
    let layout = Layout::default();
    let data = layout.data_dir.as_str();
    for path in [data, layout.log_dir.as_str(), layout.tmp_dir().as_str()] {
        draft.dir(path, owner, Mode::EXECUTABLE);
    }
    let daemons = inputs
        .services
        .iter()
        .filter_map(|unit| Daemon::of_service(unit));
    for daemon in daemons {
        for (path, mode) in directories(&layout, daemon) {
            draft.dir(&path, owner, mode);
        }
    }
    Ok(())
}

/// What one daemon needs, parents first.
fn directories(layout: &Layout, daemon: Daemon) -> Vec<(String, Mode)> {
    let open = |path: String| (path, Mode::EXECUTABLE);
    // A DataNode refuses blocks that others may write to, and names are
    // nobody's business either.
    let own = |path: String| (path, Mode::PRIVATE_DIR);
    let hdfs = open(format!("{}/hdfs", layout.data_dir));
    let yarn = open(format!("{}/yarn", layout.data_dir));
    match daemon {
        Daemon::NameNode => vec![hdfs, own(layout.name_dir())],
        Daemon::SecondaryNameNode => vec![hdfs, own(layout.checkpoint_dir())],
        Daemon::DataNode => vec![hdfs, own(layout.block_dir())],
        Daemon::NodeManager => {
            vec![
                yarn,
                open(layout.local_dir()),
                open(layout.container_log_dir()),
            ]
        }
        Daemon::ResourceManager | Daemon::JobHistoryServer => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::hadoop::{Layout, MemoryPlan};
    use crate::node::Release;
    use crate::node::context::Paths;
    use crate::node::fake_cluster::cluster;
    use crate::node::made::Made;

    #[test]
    fn hadoops_configuration_finds_its_directories() {
        let cluster = cluster();
        let memory = MemoryPlan::for_cluster(&cluster).unwrap();
        for (index, node) in cluster.nodes.iter().enumerate() {
            let made = Made::new(Release::Trixie, &cluster, index);
            let dirs = Layout::default().state_dirs(&memory, &node.name).unwrap();
            assert!(dirs.len() > 3);
            for dir in dirs {
                let expected = format!("{} 1001:1001", dir.mode);
                assert_eq!(made.attributes(dir.path.as_str()), expected, "{}", dir.path);
            }
        }
    }

    #[test]
    fn templates_see_the_places_hadoop_uses() {
        let (paths, layout) = (Paths::DEFAULT, Layout::default());
        assert_eq!(paths.java, layout.java_home.as_str());
        assert_eq!(paths.hadoop, layout.hadoop_home.as_str());
        assert_eq!(paths.conf, layout.conf_dir.as_str());
        assert_eq!(paths.data, layout.data_dir.as_str());
        assert_eq!(paths.log, layout.log_dir.as_str());
        assert_eq!(paths.run, layout.run_dir.as_str());
        assert_eq!(crate::node::HADOOP_USER, layout.user);
    }
}
