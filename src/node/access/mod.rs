//! Proof that somebody can log in, read back from a finished image.

mod account;
mod address;
mod daemon;
mod ini;
mod radio;
mod sshd_config;

use std::fmt;
use std::net::Ipv4Addr;

use serde::Serialize;

use super::reader::Reader;
use crate::cluster::{Cluster, Node};
use crate::edit::{EditError, ReadTree};
use sshd_config::{Login, SshdConfig};

/// One way in that the image allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// With the private key that belongs to this one.
    Key {
        /// Type, such as `ssh-ed25519`.
        kind: String,
        /// The key's comment; may be empty.
        comment: String,
    },
    /// With the password.
    Password,
}

/// Who can log in, how, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Login name.
    pub user: String,
    /// Address of the node.
    pub address: Ipv4Addr,
    /// How the address comes about.
    pub network: String,
    /// The ways in, at least one.
    pub ways: Vec<Way>,
    /// Fingerprint of the key the node answers with, `SHA256:…`.
    pub host_key: String,
}

/// The proof in one sentence, without a full stop.
impl Proof {
    /// How one logs in, in words: "with the ssh-ed25519 key me@desk".
    pub fn ways(&self) -> String {
        let words: Vec<String> = self
            .ways
            .iter()
            .map(|way| match way {
                Way::Key { kind, comment } if comment.is_empty() => format!("with a {kind} key"),
                Way::Key { kind, comment } => format!("with the {kind} key {comment}"),
                Way::Password => "with the password".to_owned(),
            })
            .collect();
        words.join(" or ")
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user,
            address,
            network,
            ways: _,
            host_key,
        } = self;
        let ways = self.ways();
        write!(
            f,
            "{user}@{address} {ways}, address {network}, host key {host_key}"
        )
    }
}

/// Collects what stands in the way.
#[derive(Debug, Default)]
struct Obstacles(Vec<String>);

impl Obstacles {
    fn add(&mut self, obstacle: impl Into<String>) {
        self.0.push(obstacle.into());
    }
}

/// Proves from the finished filesystems alone that the user can log in to
/// `node`.
///
/// # Errors
/// Everything that stands in the way, each as a sentence without a full stop.
pub fn prove(
    root: &dyn ReadTree,
    boot: &dyn ReadTree,
    cluster: &Cluster,
    node: &Node,
) -> Result<Proof, Vec<String>> {
    let mut obstacles = Obstacles::default();
    let proof = gather(Reader(root), Reader(boot), cluster, node, &mut obstacles);
    match proof {
        Ok(proof) if obstacles.0.is_empty() => Ok(proof),
        Ok(_) => Err(obstacles.0),
        Err(error) => {
            obstacles.add(format!("the image could not be read: {error}"));
            Err(obstacles.0)
        }
    }
}

fn gather(
    root: Reader<'_>,
    boot: Reader<'_>,
    cluster: &Cluster,
    node: &Node,
    obstacles: &mut Obstacles,
) -> Result<Proof, EditError> {
    let user = cluster.access.user.as_str();
    let accounts = account::read(root)?;
    let mut groups: Vec<&str> = accounts.groups_of(user).collect();
    let primary = accounts
        .users
        .get(user)
        .and_then(|account| accounts.group_name(account.gid));
    groups.extend(primary);
    let login = Login {
        user,
        groups: &groups,
    };
    let config = SshdConfig::read(root, login)?;

    daemon::check_runs(root, boot, obstacles)?;
    let host_key = daemon::host_key(root, &config, obstacles)?;
    if let Some(keyword) = config.shuts_out(login) {
        obstacles.add(format!(
            "{keyword} in sshd's configuration keeps {user} out"
        ));
    }
    let ways = account::ways_in(root, &accounts, &config, user, obstacles)?;
    let network = address::check(root, boot, cluster, node, obstacles)?;
    Ok(Proof {
        user: user.to_owned(),
        address: node.address,
        network,
        ways,
        host_key,
    })
}

#[cfg(test)]
mod tests;
