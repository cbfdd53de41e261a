//! The nodes together, the network between them, and the person outside.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use pidoop::cluster::Board;

use super::card::Card;
use super::cluster_file::{self, NodeEntry};
use super::images::Images;
use super::interrupt::{self, NotYet};
use super::network::Network;
use super::node::Node;
use super::ssh::Ssh;
use super::workshop::Workshop;

/// How long a node may take from power to the first login.
const BOOT_SECONDS: u64 = 90;

/// Three nodes and a switch.
pub(crate) struct Cluster {
    nodes: Vec<Node>,
    network: Network,
    /// How its user logs in.
    pub(crate) ssh: Ssh,
    /// What each node's memory is cut down to.
    pub(crate) board: Board,
}

impl Cluster {
    /// Puts the images on cards and the cards into nodes; all are off.
    pub(crate) fn assemble(workshop: &Workshop, images: &Images) -> Result<Self> {
        let cards = workshop.path("cards");
        let nodes = cluster_file::nodes()
            .map(|entry| {
                let card = Card::insert(&images.of(entry.name), &cards, entry.name)
                    .with_context(|| format!("the card of {}", entry.name))?;
                Ok(Node::new(entry, card, workshop.run(), workshop.logs()))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            nodes,
            network: Network::new(cluster_file::subnet(), cluster_file::OUTSIDE)?,
            ssh: Ssh {
                user: cluster_file::USER.to_owned(),
                key: workshop.key_pair("key")?,
                known_hosts: images.known_hosts(),
            },
            board: cluster_file::board()?,
        })
    }

    /// All nodes, the master first.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// One node.
    pub(crate) fn node(&self, entry: NodeEntry) -> Result<&Node> {
        self.nodes()
            .find(|node| node.name() == entry.name)
            .context("no such node")
    }

    fn node_mut(&mut self, entry: NodeEntry) -> Result<&mut Node> {
        self.nodes
            .iter_mut()
            .find(|node| node.name() == entry.name)
            .context("no such node")
    }

    /// Switches nodes on and waits until its user can log in to each.
    pub(crate) fn boot(&mut self, entries: &[NodeEntry]) -> Result<()> {
        let wanted = |node: &&mut Node| entries.iter().any(|entry| entry.name == node.name());
        for node in self.nodes.iter_mut().filter(wanted) {
            node.boot(&self.network, self.board.visible_mib)?;
        }
        for entry in entries {
            self.wait_for_login(*entry)?;
        }
        Ok(())
    }

    fn wait_for_login(&mut self, entry: NodeEntry) -> Result<()> {
        let what = format!("{} to let its user in", entry.name);
        let ssh = self.ssh.clone();
        self.until(&what, BOOT_SECONDS, |_| {
            let output = ssh.run(entry.address, "true").run()?;
            let words = output.words();
            if words.contains("Host key verification failed") {
                return Err(NotYet::Never(anyhow!("{words}")));
            }
            if !output.status.success() {
                return Err(NotYet::Wait(anyhow!("{words}")));
            }
            Ok(())
        })
    }

    /// Waits for something while all nodes that were switched on live.
    pub(crate) fn until<T>(
        &mut self,
        what: &str,
        seconds: u64,
        mut probe: impl FnMut(&Self) -> Result<T, NotYet>,
    ) -> Result<T> {
        interrupt::until(what, Duration::from_secs(seconds), || {
            for node in &mut self.nodes {
                node.check_alive().map_err(NotYet::Never)?;
            }
            probe(self)
        })
    }

    /// What `command` prints on a node, run by the user who logs in.
    pub(crate) fn user(&self, node: NodeEntry, command: &str) -> Result<String> {
        self.ssh
            .run(node.address, command)
            .text()
            .with_context(|| format!("on {}", node.name))
    }

    /// What a bash script prints on a node, run in a login shell of hadoop.
    pub(crate) fn hadoop(&self, node: NodeEntry, script: &str) -> Result<Vec<u8>> {
        self.ssh
            .run(node.address, "sudo -n -u hadoop -i bash -s")
            .input(format!("set -euo pipefail\n{script}\n"))
            .seconds(300)
            .output()
            .with_context(|| format!("as hadoop on {}: {script}", node.name))
    }

    /// As [`Cluster::hadoop`], as text.
    pub(crate) fn hadoop_text(&self, node: NodeEntry, script: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.hadoop(node, script)?)
            .trim()
            .to_owned())
    }

    /// Writes `bytes` to `path` in HDFS, from a pipe into `node`.
    pub(crate) fn put(&self, node: NodeEntry, path: &str, bytes: &[u8]) -> Result<()> {
        self.ssh
            .run(
                node.address,
                &format!("sudo -n -u hadoop -i hdfs dfs -put - {path}"),
            )
            .input(bytes)
            .seconds(120)
            .output()
            .map(drop)
            .with_context(|| format!("writing {path} through {}", node.name))
    }

    /// Shuts nodes down, all at once.
    pub(crate) fn shut_down(&mut self, entries: &[NodeEntry]) -> Result<()> {
        for entry in entries {
            self.node_mut(*entry)?.ask_to_halt()?;
        }
        for entry in entries {
            self.node_mut(*entry)?.wait_until_halted()?;
        }
        Ok(())
    }

    /// Takes the power of nodes away, one right after the other.
    pub(crate) fn cut_power(&mut self, entries: &[NodeEntry]) -> Result<()> {
        for entry in entries {
            self.node_mut(*entry)?.cut_power()?;
        }
        Ok(())
    }
}
