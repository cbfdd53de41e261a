//! What this machine must have, and the namespaces the test moves into.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use super::program::Program;

/// The argument that tells the test that it is in its own namespaces; the
/// number of the run follows.
pub(crate) const INSIDE: &str = "--inside-own-namespaces";

/// Programs this test calls, and the Debian packages they are in.
const TOOLS: &[(&str, &str)] = &[
    ("cp", "coreutils"),
    ("debugfs", "e2fsprogs"),
    ("e2fsck", "e2fsprogs"),
    ("findmnt", "util-linux"),
    ("ip", "iproute2"),
    ("journalctl", "systemd"),
    ("losetup", "mount"),
    ("mount", "mount"),
    ("mountpoint", "util-linux"),
    ("perl", "perl-base"),
    ("resize2fs", "e2fsprogs"),
    ("setpriv", "util-linux"),
    ("sfdisk", "fdisk"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("systemd-nspawn", "systemd-container"),
    ("umount", "mount"),
    ("unshare", "util-linux"),
];

/// An error that names all that is missing at once.
pub(crate) fn check() -> Result<()> {
    let mut missing = Vec::new();
    if !rustix::process::geteuid().is_root() {
        missing.push("root (to mount, to make network namespaces, to boot containers)".to_owned());
    }
    for (tool, package) in TOOLS {
        if !in_path(tool) {
            missing.push(format!("{tool} (Debian package {package})"));
        }
    }
    if !Path::new("/dev/loop-control").exists() {
        missing.push("loop devices (the kernel's loop driver)".to_owned());
    }
    if !missing.is_empty() {
        bail!(
            "this machine lacks\n  {}\nrun scripts/cluster-test as root",
            missing.join("\n  ")
        );
    }
    Ok(())
}

/// The PATH with the directories of system tools, which a user's may lack.
pub(crate) fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin")
}

fn in_path(tool: &str) -> bool {
    std::env::split_paths(&search_path()).any(|directory| directory.join(tool).is_file())
}

/// Starts this test anew, in mount, network and process namespaces that only
/// it and its children are in. When it ends, even by SIGKILL, the kernel ends
/// the containers and takes the mounts away. Returns only if that is not
/// possible.
pub(crate) fn move_into_own_namespaces() -> anyhow::Error {
    let this = match std::env::current_exe() {
        Ok(this) => this,
        Err(error) => return anyhow!(error).context("finding the test's own program"),
    };
    let error = Command::new("unshare")
        .args(["--mount", "--net", "--propagation", "private"])
        .args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(this)
        .args(std::env::args_os().skip(1))
        .args([INSIDE, &std::process::id().to_string()])
        .env("PATH", search_path())
        .exec();
    anyhow!(error).context("starting unshare")
}

/// Lays empty file systems over the places where `ip netns` and
/// `systemd-nspawn` keep their books, so that nothing of ours stays there and
/// nobody else's is in the way. Only this test's mount namespace sees them.
pub(crate) fn cover_shared_directories() -> Result<()> {
    for directory in ["/run/netns", "/run/systemd/nspawn"] {
        fs_err::create_dir_all(directory)?;
        Program::new("mount")
            .args(["-t", "tmpfs", "-o", "mode=755", "tmpfs", directory])
            .output()
            .with_context(|| format!("covering {directory}"))?;
    }
    Ok(())
}
