//! What templates in overlays may ask for.

use serde::Serialize;

use super::{Account, NodeError, Profile, Release, users};
use crate::cluster::{Cluster, Node};
use crate::edit::Owner;

/// Name of the user all daemons run as.
pub const HADOOP_USER: &str = "hadoop";

/// Places that units, scripts and configuration agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// The Java runtime.
    pub java: &'static str,
    /// Hadoop.
    pub hadoop: &'static str,
    /// Hadoop's configuration directory.
    pub conf: &'static str,
    /// Everything the daemons keep.
    pub data: &'static str,
    /// The daemons' logs.
    pub log: &'static str,
    /// The daemons' process ids.
    pub run: &'static str,
    /// Programs of the overlays.
    pub lib: &'static str,
    /// What units remember.
    pub state: &'static str,
    /// Facts about the node, one `NAME=value` a line.
    pub node_facts: &'static str,
    /// The `clusterID` that HDFS is formatted with; on the master only.
    pub cluster_id: &'static str,
}

impl Paths {
    /// They are the same on every node.
    pub const DEFAULT: Self = Self {
        java: "/opt/java",
        hadoop: "/opt/hadoop",
        conf: "/opt/hadoop/etc/hadoop",
        data: "/var/lib/hadoop",
        log: "/var/log/hadoop",
        run: "/run/hadoop",
        lib: "/usr/local/lib/pidoop",
        state: "/var/lib/pidoop",
        node_facts: "/etc/pidoop/node.conf",
        cluster_id: "/etc/pidoop/cluster-id",
    };
}

/// Numeric owners, for templates that must name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ids {
    /// The user people log in as.
    pub user: Owner,
    /// The user the daemons run as.
    pub hadoop: Owner,
}

/// The value overlay templates are filled in from. It holds no secret: a
/// template cannot leak what it cannot name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TemplateContext<'a> {
    /// The whole cluster.
    pub cluster: &'a Cluster,
    /// The node being made.
    pub node: &'a Node,
    /// The master.
    pub master: &'a Node,
    /// The workers, in the order written.
    pub workers: Vec<&'a Node>,
    /// Login name of the user.
    pub user: &'a str,
    /// The operating system.
    pub release: Release,
    /// Places.
    pub paths: Paths,
    /// Numeric owners.
    pub ids: Ids,
}

impl<'a> TemplateContext<'a> {
    /// The context of one node.
    ///
    /// # Errors
    /// [`NodeError`] if the base has no room for the users.
    pub fn new(cluster: &'a Cluster, node: &'a Node, profile: &Profile) -> Result<Self, NodeError> {
        Ok(Self {
            cluster,
            node,
            master: cluster.master(),
            workers: cluster.workers().collect(),
            user: cluster.access.user.as_str(),
            release: profile.release,
            paths: Paths::DEFAULT,
            ids: Ids {
                user: users::user_owner(profile)?,
                hadoop: users::hadoop_owner(profile)?,
            },
        })
    }
}

impl From<&Account> for Owner {
    fn from(account: &Account) -> Self {
        Self::new(account.uid, account.gid)
    }
}
