//! The network: a switch in the test's own namespace, where the test itself is
//! the computer "outside" the cluster, and a cable for each node.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use ipnet::Ipv4Net;

use super::program::Program;

const SWITCH: &str = "switch";

/// The switch.
pub(crate) struct Network;

impl Network {
    /// Sets up the switch and gives this end of it `outside`, an address in
    /// `subnet`.
    pub(crate) fn new(subnet: Ipv4Net, outside: Ipv4Addr) -> Result<Self> {
        let address = format!("{outside}/{}", subnet.prefix_len());
        ip(&["link", "set", "lo", "up"])?;
        // Without forwarding delay a port passes frames as soon as it is up.
        ip(&[
            "link",
            "add",
            "name",
            SWITCH,
            "type",
            "bridge",
            "forward_delay",
            "0",
        ])?;
        ip(&["addr", "add", &address, "dev", SWITCH])?;
        ip(&["link", "set", SWITCH, "up"])?;
        Ok(Self)
    }

    /// A new network namespace for `node` with one interface, `eth0`, down and
    /// without address, its other end in the switch.
    pub(crate) fn plug(&self, node: &str) -> Result<Cable> {
        let port = port(node);
        ip(&["netns", "add", node])?;
        let cable = Cable {
            namespace: node.to_owned(),
        };
        ip(&[
            "link", "add", "name", &port, "type", "veth", "peer", "name", "eth0", "netns", node,
        ])?;
        ip(&["link", "set", &port, "master", SWITCH, "up"])?;
        Ok(cable)
    }
}

/// One node's cable; pulled when dropped.
pub(crate) struct Cable {
    namespace: String,
}

impl Cable {
    /// Where the node's network namespace can be entered.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.namespace)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // Takes the other end along at once; the kernel clears up a namespace
        // in its own time, and this node's next cable has the same name.
        ip(&["link", "del", &port(&self.namespace)]).ok();
        ip(&["netns", "del", &self.namespace]).ok();
    }
}

/// The switch's end of a node's cable.
fn port(node: &str) -> String {
    format!("to-{node}")
}

fn ip(args: &[&str]) -> Result<()> {
    Program::new("ip")
        .args(args)
        .output()
        .map(drop)
        .context("setting up the network")
}
