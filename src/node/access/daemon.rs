//! Whether sshd runs, and with which host key.

use ssh_key::{HashAlg, PrivateKey, PublicKey};

use super::Obstacles;
use super::sshd_config::SshdConfig;
use crate::edit::{EditError, EntryKind};
use crate::node::reader::Reader;

/// Scripts that delete host keys run as init before systemd does.
const KEY_DELETERS: &[&str] = &["firstboot", "init_resize"];

/// Where sshd looks if no `HostKey` is set (sshd_config(5)).
const DEFAULT_HOST_KEYS: &[&str] = &[
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
];

/// Whether `unit` is switched off for good.
pub(super) fn is_masked(root: Reader<'_>, unit: &str) -> Result<bool, EditError> {
    let entry = root.entry(&format!("/etc/systemd/system/{unit}"))?;
    Ok(entry.is_some_and(|entry| match entry.kind {
        EntryKind::Symlink { target } => target == "/dev/null",
        // An empty file masks too (systemd.unit(5)).
        EntryKind::File { len } => len == 0,
        _ => false,
    }))
}

/// Whether `unit` starts with the system and is not masked; what is wrong
/// otherwise.
pub(super) fn check_enabled(
    root: Reader<'_>,
    unit: &str,
    obstacles: &mut Obstacles,
) -> Result<(), EditError> {
    let link = format!("/etc/systemd/system/multi-user.target.wants/{unit}");
    if root.entry(&link)?.is_none() {
        obstacles.add(format!("{unit} is not enabled: there is no {link}"));
    } else if !root.leads_somewhere(&link)? {
        obstacles.add(format!("{unit} is enabled by {link}, which leads nowhere"));
    }
    if is_masked(root, unit)? {
        obstacles.add(format!("{unit} is masked"));
    }
    Ok(())
}

/// sshd starts at boot and nothing takes its keys away first.
pub(super) fn check_runs(
    root: Reader<'_>,
    boot: Reader<'_>,
    obstacles: &mut Obstacles,
) -> Result<(), EditError> {
    check_enabled(root, "ssh.service", obstacles)?;
    for (path, what) in [
        ("/etc/ssh/sshd_not_to_be_run", "keeps sshd from starting"),
        ("/etc/nologin", "keeps everybody but root out"),
    ] {
        if root.entry(path)?.is_some() {
            obstacles.add(format!("{path} {what}"));
        }
    }
    let regenerate = "regenerate_ssh_host_keys.service";
    for target in ["multi-user.target", "sysinit.target"] {
        let link = format!("/etc/systemd/system/{target}.wants/{regenerate}");
        if root.entry(&link)?.is_some() && !is_masked(root, regenerate)? {
            obstacles.add(format!(
                "{regenerate} is enabled and would delete the host keys"
            ));
        }
    }
    let cmdline = boot.text("/cmdline.txt")?.unwrap_or_default();
    let init = cmdline
        .split_whitespace()
        .filter_map(|token| token.strip_prefix("init="));
    for script in init {
        if KEY_DELETERS.iter().any(|name| script.contains(name)) {
            obstacles.add(format!(
                "cmdline.txt starts {script}, which deletes the host keys"
            ));
        }
    }
    Ok(())
}

/// Fingerprint of the first host key that sshd will accept.
pub(super) fn host_key(
    root: Reader<'_>,
    config: &SshdConfig,
    obstacles: &mut Obstacles,
) -> Result<String, EditError> {
    let mut paths = config.all("hostkey");
    if paths.is_empty() {
        paths = DEFAULT_HOST_KEYS.to_vec();
    }
    let mut reasons = Vec::new();
    for path in paths {
        match check_host_key(root, path)? {
            Ok(fingerprint) => return Ok(fingerprint),
            Err(reason) => reasons.push(format!("{path} {reason}")),
        }
    }
    obstacles.add(format!("sshd has no host key: {}", reasons.join(", ")));
    Ok(String::new())
}

fn check_host_key(root: Reader<'_>, path: &str) -> Result<Result<String, String>, EditError> {
    let (Some((_, entry)), Some(text)) = (root.follow(path)?, root.text(path)?) else {
        return Ok(Err("is not there".to_owned()));
    };
    // sshd ignores a private key that others may read.
    if entry.owner.uid != 0 || entry.mode.bits() & 0o077 != 0 {
        let (owner, mode) = (entry.owner, entry.mode);
        return Ok(Err(format!("is {mode} {owner}, sshd wants 0600 0:0")));
    }
    let Ok(private) = PrivateKey::from_openssh(&text) else {
        return Ok(Err("is no private key".to_owned()));
    };
    let beside = root.text(&format!("{path}.pub"))?;
    let fingerprint = private.fingerprint(HashAlg::Sha256);
    let agrees = match beside.map(|line| PublicKey::from_openssh(line.trim())) {
        Some(Ok(public)) => public.fingerprint(HashAlg::Sha256) == fingerprint,
        Some(Err(_)) => false,
        None => true,
    };
    Ok(match agrees {
        true => Ok(fingerprint.to_string()),
        false => Err("does not belong to the .pub beside it".to_owned()),
    })
}
