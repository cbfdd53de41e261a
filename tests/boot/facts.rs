//! What a running node is, asked over ssh by the user who logs in.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::baked::SERVICES;
use super::bench::Bench;
use super::ssh::Ssh;

/// Prints a line `name=value` for each fact; lines of a value are joined by `|`.
/// One login for all: each costs an emulated processor seconds.
const SCRIPT: &str = r#"
fact() { printf '%s=' "$1"; shift; "$@" 2>&1 | tr '\n' '|'; echo; }
firmware=$(awk '$3 == "vfat" { print $2 }' /etc/fstab)
disk() { sudo -n od -An -tx4 -j440 -N4 "/dev/$(lsblk -no PKNAME "$(findmnt -no SOURCE /)")" | tr -d ' '; }
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
exists() { if [ -e "$1" ] || [ -L "$1" ]; then echo yes; else echo no; fi; }
fact user id -un
fact sudo sudo -n id -un
fact host_keys sudo -n sh -c 'for key in /etc/ssh/ssh_host_*_key; do ssh-keygen -y -f "$key" | cut -d " " -f 1,2; done'
fact uid1000 getent passwd 1000
fact target systemctl is-active multi-user.target
fact jobs systemctl list-jobs --no-legend
fact failed systemctl list-units --failed --no-legend --plain
fact running systemctl is-system-running
fact address ip -4 -o address show scope global
fact route ip -4 route show default
fact hostname hostname
fact hosts hex /etc/hosts
fact machine_id cat /etc/machine-id
fact passing_id exists /run/machine-id
fact disk disk
fact fstab hex /etc/fstab
fact cmdline hex "$firmware/cmdline.txt"
fact mounted findmnt -no TARGET "$firmware"
fact root_bytes lsblk -bdno SIZE "$(findmnt -no SOURCE /)"
fact filesystem_bytes stat -f -c '%b %S' /
fact swaps awk 'NR > 1 { print $1 }' /proc/swaps
fact swap_file exists /var/swap
fact wizard systemctl is-active userconfig.service
fact console systemctl is-active getty@tty1.service
fact banner exists /etc/ssh/sshd_config.d/rename_user.conf
fact cloud systemctl is-active cloud-init.target
fact cloud_log exists /var/log/cloud-init.log
fact cloud_state exists /var/lib/cloud
fact boots journalctl --list-boots --no-pager -q
"#;

/// Facts by name, and the state of each service.
pub(crate) struct Facts {
    facts: BTreeMap<String, String>,
    /// Whether each service of the role is active.
    pub(crate) services: BTreeMap<String, String>,
}

impl Facts {
    /// Asks a machine that is up.
    pub(crate) fn ask(bench: &Bench, ssh: &Ssh) -> Result<Self> {
        let mut script = SCRIPT.to_owned();
        for service in SERVICES {
            script.push_str(&format!("fact {service} systemctl is-active {service}\n"));
        }
        let text = bench.shell(ssh, &script)?.text().context("logging in")?;
        let facts: BTreeMap<String, String> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_end_matches('|').to_owned()))
            .collect();
        let services = SERVICES
            .iter()
            .map(|service| {
                let state = facts.get(*service).cloned().unwrap_or_default();
                ((*service).to_owned(), state)
            })
            .collect();
        Ok(Self { facts, services })
    }

    /// The text of a file that the node sent in hex digits.
    pub(crate) fn file(&self, name: &str) -> Result<String> {
        let sent = self.get(name);
        let bytes = hex::decode(sent).with_context(|| format!("{name}: {sent}"))?;
        String::from_utf8(bytes).with_context(|| format!("{name} is no text"))
    }

    /// A fact; empty if the node did not tell it.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.facts.get(name).map_or("", String::as_str)
    }
}
