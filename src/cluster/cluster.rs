//! The checked cluster.

use std::fmt;
use std::net::Ipv4Addr;

use serde::Serialize;

use super::{
    Board, ClusterName, Hostname, LinkSpeed, MacAddr, Network, Properties, SourceSpan, UserName,
};

/// Where an input comes from, as the user named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceChoice {
    /// A recipe by name.
    Recipe {
        /// Its name, such as `temurin-17`.
        name: String,
        /// Where the user wrote it.
        #[serde(skip)]
        span: SourceSpan,
    },
    /// A file, relative to the cluster file; `~/` is the user's home.
    Path {
        /// The path as written.
        path: String,
        /// Expected SHA-256 of the file.
        sha256: Option<String>,
        /// Recipe whose unpack rules and services apply; the default recipe of
        /// this input if none.
        recipe: Option<String>,
        /// Where the user wrote it.
        #[serde(skip)]
        span: SourceSpan,
    },
    /// An address.
    Url {
        /// The address.
        url: String,
        /// Expected SHA-256 of what is there.
        sha256: Option<String>,
        /// Recipe whose unpack rules and services apply; the default recipe of
        /// this input if none.
        recipe: Option<String>,
        /// Where the user wrote it.
        #[serde(skip)]
        span: SourceSpan,
    },
}

/// The three inputs of every image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageChoice {
    /// The operating system image.
    pub base: SourceChoice,
    /// The Java runtime.
    pub java: SourceChoice,
    /// Hadoop.
    pub hadoop: SourceChoice,
}

/// Who can log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The user people log in as.
    pub user: UserName,
    /// Files with public keys, or the keys themselves (`ssh-ed25519 AAAA…`),
    /// as written.
    pub authorized_keys: Vec<(String, SourceSpan)>,
    /// A crypt(3) hash for the console and sudo; never shown.
    #[serde(skip)]
    pub password_hash: Option<String>,
    /// Whether the user may use sudo without a password. On unless a password
    /// hash is given.
    pub passwordless_sudo: bool,
}

/// What a node does. A role names services and overlays in recipes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Role(pub String);

impl Role {
    /// The node with the NameNode and ResourceManager.
    pub fn master() -> Self {
        Self("master".to_owned())
    }

    /// A node with a DataNode and NodeManager.
    pub fn worker() -> Self {
        Self("worker".to_owned())
    }

    /// Whether this is the master's role.
    pub fn is_master(&self) -> bool {
        self.0 == "master"
    }

    /// Whether this is the workers' role.
    pub fn is_worker(&self) -> bool {
        self.0 == "worker"
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its host name.
    pub name: Hostname,
    /// What it does.
    pub role: Role,
    /// Which board it is.
    pub board: Board,
    /// Its address, also in the hosts file when the router hands it out.
    pub address: Ipv4Addr,
    /// Hardware address of the interface it is reached by, if the user gave
    /// it.
    pub mac: Option<MacAddr>,
    /// Whether it is on the Wi-Fi network and not on a cable.
    pub wifi: bool,
    /// Rack, such as `/rack1`; the default rack if none.
    pub rack: Option<String>,
    /// Properties for this node alone.
    pub properties: Properties,
}

impl Node {
    /// Speed of its link. Wi-Fi counts as the slowest: it is shared by all
    /// who are on it, and what a node sends another crosses it twice.
    pub fn link(&self) -> LinkSpeed {
        match self.wifi {
            true => LinkSpeed::Fast,
            false => self.board.link,
        }
    }
}

/// Swap of the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Swap {
    /// Compressed memory; nothing is written to the card.
    Zram,
    /// None at all.
    None,
}

/// Settings of the operating system that are the same on all nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Time zone as in `/usr/share/zoneinfo`, `Etc/UTC` by default.
    pub timezone: String,
    /// Locale, `C.UTF-8` by default.
    pub locale: String,
    /// Swap, zram by default.
    pub swap: Swap,
    /// Most the journal may take on the card, in MiB; 200 by default.
    pub journal_mib: u32,
}

/// A cluster file that has been read and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// What images are made of.
    pub image: ImageChoice,
    /// Who can log in.
    pub access: Access,
    /// The network.
    pub network: Network,
    /// The operating system.
    pub settings: Settings,
    /// All nodes, in the order written. One is the master, at least one a
    /// worker.
    pub nodes: Vec<Node>,
    /// Properties for all nodes.
    pub properties: Properties,
}

impl Cluster {
    /// The master.
    pub fn master(&self) -> &Node {
        // A checked cluster has exactly one; the first node stands in so that
        // this needs no panic.
        self.nodes
            .iter()
            .find(|node| node.role.is_master())
            .unwrap_or(&self.nodes[0])
    }

    /// The workers, in the order written.
    pub fn workers(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.role.is_worker())
    }
}
