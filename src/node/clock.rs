//! The time, on boards without a battery.

use jiff::Timestamp;

use super::draft::Draft;
use super::{NodeError, NodeInputs};
use crate::cluster::Network;
use crate::edit::{Content, Mode, Owner};

/// Serves the time to the workers, in the `hadoop` overlay; for the master.
pub(super) const TIME_SERVER_UNIT: &str = "pidoop-time.service";

/// Longest wait for the first synchronisation at boot, in seconds. YARN
/// refuses containers when clocks are ten minutes apart, so waiting is worth
/// something; but a network without time servers must not stop a node.
const WAIT_SECONDS: u32 = 60;

/// Debian's servers, as systemd-timesyncd is built with.
const POOL: &str = "0.debian.pool.ntp.org 1.debian.pool.ntp.org 2.debian.pool.ntp.org";

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    let master = inputs.node.role.is_master();
    if master {
        draft.enable(TIME_SERVER_UNIT);
    }
    if inputs.profile.has_unit("systemd-timesyncd.service") {
        timesyncd(inputs, draft);
    }
    if inputs.profile.has("/sbin/fake-hwclock") || inputs.profile.has("/etc/fake-hwclock.data") {
        let moment =
            Timestamp::from_second(inputs.epoch).map_err(|_| NodeError::Epoch(inputs.epoch))?;
        let text = moment.strftime("%Y-%m-%d %H:%M:%S\n").to_string();
        draft.file("/etc/fake-hwclock.data", text);
    }
    Ok(())
}

fn timesyncd(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let service = draft.unit_path("systemd-timesyncd.service");
    draft
        .enable_in("systemd-timesyncd.service", "sysinit.target")
        .link(
            "/etc/systemd/system/dbus-org.freedesktop.timesync1.service",
            &service,
        )
        .file(
            "/etc/systemd/timesyncd.conf.d/10-pidoop.conf",
            servers(inputs),
        );
    // The moment counts that this file was last changed, and every inode of
    // an image is dated with the epoch (systemd-timesyncd(8)).
    let account = inputs.profile.accounts.users.get("systemd-timesync");
    let owner = account.map_or(Owner::ROOT, Owner::from);
    draft
        .dir("/var/lib/systemd/timesync", owner, Mode::EXECUTABLE)
        .content(
            "/var/lib/systemd/timesync/clock",
            Content::text(""),
            owner,
            Mode::FILE,
        );
    if inputs.profile.has_unit("systemd-time-wait-sync.service") {
        let programs = inputs.profile.unit_dir.trim_end_matches("/system");
        draft
            .enable_in("systemd-time-wait-sync.service", "sysinit.target")
            .drop_in(
                "systemd-time-wait-sync.service",
                &format!(
                    "[Service]\nExecStart=\n\
                 ExecStart=-/usr/bin/timeout {WAIT_SECONDS} {programs}/systemd-time-wait-sync\n"
                ),
            );
    }
}

/// Workers ask the master first: that the clocks agree matters more than that
/// they are right. Servers behind it keep a worker right while the master is
/// away.
fn servers(inputs: &NodeInputs<'_>) -> String {
    let network = &inputs.cluster.network;
    let mut text = String::from("# Written by pidoop.\n[Time]\n");
    let others = others(network);
    if inputs.node.role.is_master() {
        text.push_str(&format!("NTP={others}\n"));
    } else {
        let master = &inputs.cluster.master().name;
        text.push_str(&format!("NTP={master} {others}\n"));
    }
    text
}

/// The user's servers, or Debian's and then the router, which often is one.
fn others(network: &Network) -> String {
    match (network.ntp.as_slice(), network.gateway) {
        ([], Some(gateway)) => format!("{POOL} {gateway}"),
        ([], None) => POOL.to_owned(),
        (servers, _) => servers.join(" "),
    }
}
