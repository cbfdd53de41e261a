//! Logging in to nodes as a person would, from outside the cluster.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use super::program::Program;

/// Who logs in, with what, trusting whom.
#[derive(Clone)]
pub(crate) struct Ssh {
    pub(crate) user: String,
    pub(crate) key: PathBuf,
    /// The file that came with the images. No other host key is accepted.
    pub(crate) known_hosts: PathBuf,
}

impl Ssh {
    /// Runs `command` in the user's login shell on the node at `address`.
    pub(crate) fn run(&self, address: Ipv4Addr, command: &str) -> Program {
        Program::new("ssh")
            // Nobody's own settings.
            .args(["-F", "/dev/null", "-T"])
            .args([
                "-o",
                "StrictHostKeyChecking=yes",
                "-o",
                "GlobalKnownHostsFile=/dev/null",
            ])
            .args([
                "-o",
                &format!("UserKnownHostsFile={}", self.known_hosts.display()),
            ])
            .args([
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "IdentityAgent=none",
                "-o",
                "BatchMode=yes",
            ])
            .args(["-o", "ConnectTimeout=5", "-o", "ServerAliveInterval=10"])
            .arg("-i")
            .arg(&self.key)
            .arg(format!("{}@{address}", self.user))
            .arg(command)
    }

    /// The same, with another key.
    pub(crate) fn with_key(&self, key: PathBuf) -> Self {
        Self {
            key,
            ..self.clone()
        }
    }
}
