//! What lets a stock image be watched: it has no user, no ssh and no network.

use anyhow::{Context, Result};
use camino::Utf8Path;
use pidoop::boot::Report;

use super::disk::Disk;

/// Prints what the test asks about to the port that reports go to, in their form,
/// every few seconds.
const PROBE: &str = r#"#!/bin/sh
port=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^pidoop\.report=//p')
state() { printf '"%s":"%s"' "$1" "$(systemctl is-active "$1")"; }
while :; do
	printf 'pidoop-report: {"event":"booting","services":{%s,%s,%s},"detail":"%s"}\n' \
		"$(state multi-user.target)" "$(state userconfig.service)" "$(state ssh.service)" \
		"$(awk 'NR > 1 { printf "%s ", $1 }' /proc/swaps)" >"$port"
	sleep 5
done
"#;

const UNIT: &str = "\
[Unit]
Description=Tell the test how this system is
[Service]
ExecStart=/usr/local/sbin/stock-probe
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
";

/// Puts the probe into the card.
pub(crate) fn insert(disk: &Disk, scratch: &Utf8Path) -> Result<()> {
    let files = [
        ("probe", PROBE, "/usr/local/sbin/stock-probe", "0100755"),
        (
            "unit",
            UNIT,
            "/etc/systemd/system/stock-probe.service",
            "0100644",
        ),
    ];
    let mut commands = String::new();
    for (name, text, path, mode) in files {
        let file = scratch.join(name);
        fs_err::write(&file, text)?;
        commands.push_str(&put(&file, path, mode));
    }
    commands.push_str(
        "symlink /etc/systemd/system/multi-user.target.wants/stock-probe.service \
         /etc/systemd/system/stock-probe.service\n",
    );
    disk.write(&commands)
}

/// debugfs commands that write a file of root.
pub(crate) fn put(file: &Utf8Path, path: &str, mode: &str) -> String {
    format!(
        "write {file} {path}\n\
         set_inode_field {path} mode {mode}\n\
         set_inode_field {path} uid 0\n\
         set_inode_field {path} gid 0\n"
    )
}

/// The state of a unit in a report of the probe.
pub(crate) fn state<'a>(report: &'a Report, unit: &str) -> &'a str {
    report.services.get(unit).map_or("", String::as_str)
}

/// What a report of the probe says is swapped to.
pub(crate) fn swaps(report: &Report) -> Result<&str> {
    report.detail.as_deref().context("the probe tells no swaps")
}
