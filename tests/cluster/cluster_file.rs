//! The cluster that is built: its cluster file, and what the test must know of
//! it.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result};
use ipnet::Ipv4Net;
use pidoop::cluster::Board;

use super::inputs::Inputs;

/// Name of the cluster.
pub(crate) const NAME: &str = "herd";

/// Who logs in from outside.
pub(crate) const USER: &str = "keeper";

const BOARD: &str = "pi4-2gb";

/// A node of the cluster file.
#[derive(Clone, Copy)]
pub(crate) struct NodeEntry {
    pub(crate) name: &'static str,
    pub(crate) role: &'static str,
    pub(crate) address: Ipv4Addr,
}

/// The one master.
pub(crate) const MASTER: NodeEntry = NodeEntry {
    name: "master",
    role: "master",
    address: Ipv4Addr::new(10, 77, 0, 10),
};

/// The workers.
pub(crate) const WORKERS: [NodeEntry; 2] = [
    NodeEntry {
        name: "worker1",
        role: "worker",
        address: Ipv4Addr::new(10, 77, 0, 11),
    },
    NodeEntry {
        name: "worker2",
        role: "worker",
        address: Ipv4Addr::new(10, 77, 0, 12),
    },
];

/// The computer outside the cluster: the test itself.
pub(crate) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The network all are in.
pub(crate) fn subnet() -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(10, 77, 0, 0), 24)
}

/// What the nodes are, or pretend to be.
pub(crate) fn board() -> Result<Board> {
    Board::named(BOARD).with_context(|| format!("pidoop knows no board {BOARD}"))
}

/// All nodes, the master first.
pub(crate) fn nodes() -> impl Iterator<Item = NodeEntry> {
    std::iter::once(MASTER).chain(WORKERS)
}

/// The cluster file, with `inputs` and the public key in `key`.
pub(crate) fn text(inputs: &Inputs, key: &Path) -> Result<String> {
    let mut text = String::new();
    write!(
        text,
        r#"schema = 1

[cluster]
name = "{NAME}"

[image]
base   = {{ path = "{base}" }}
java   = {{ path = "{java}" }}
hadoop = {{ path = "{hadoop}" }}

[access]
user = "{USER}"
authorized_keys = ["{key}"]

[network]
subnet  = "{subnet}"
gateway = "{OUTSIDE}"
"#,
        base = inputs.base.display(),
        java = inputs.java.display(),
        hadoop = inputs.hadoop.display(),
        key = key.display(),
        subnet = subnet(),
    )?;
    for NodeEntry {
        name,
        role,
        address,
    } in nodes()
    {
        write!(
            text,
            r#"
[[node]]
name = "{name}"
role = "{role}"
board = "{BOARD}"
address = "{address}"
"#
        )?;
    }
    Ok(text)
}
