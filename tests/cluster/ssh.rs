//! Logging in to nodes as a person would, from outside the cluster.

use std::net::{Ipv4Addr, SocketAddr};
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
        self.program(5)
            .arg(format!("{}@{address}", self.user))
            .arg(command)
    }

    /// The same on `node`, whose port is reached at `door`; an emulated one may
    /// take its time.
    #[allow(dead_code, reason = "used by the boot proofs, which share this file")]
    pub(crate) fn through(&self, door: SocketAddr, node: &str, command: &str) -> Program {
        self.program(300)
            .args(["-o", "ServerAliveCountMax=30"])
            .args(["-o", &format!("HostKeyAlias={node}")])
            .args(["-p", &door.port().to_string()])
            .arg(format!("{}@{}", self.user, door.ip()))
            .arg(command)
    }

    /// ssh, which waits so many seconds for an answer.
    fn program(&self, patience: u32) -> Program {
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
            .args(["-o", &format!("ConnectTimeout={patience}")])
            .args(["-o", "ServerAliveInterval=10"])
            .arg("-i")
            .arg(&self.key)
    }

    /// The same, with another key.
    pub(crate) fn with_key(&self, key: PathBuf) -> Self {
        Self {
            key,
            ..self.clone()
        }
    }
}
