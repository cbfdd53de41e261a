//! Logs that outlive a reboot.

use super::NodeInputs;
use super::draft::Draft;
use crate::edit::{Mode, Owner};

/// Raspberry Pi OS keeps the journal in memory since Bookworm; a node without
/// screen has nobody to read it there. The name sorts behind the release's
/// own drop-in, and the last value counts (journald.conf(5)).
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let mib = inputs.cluster.settings.journal_mib;
    let groups = &inputs.profile.accounts.groups;
    let gid = groups.get("systemd-journal").map_or(0, |group| group.gid);
    draft
        .file(
            "/etc/systemd/journald.conf.d/90-pidoop.conf",
            format!("# Written by pidoop.\n[Journal]\nStorage=persistent\nSystemMaxUse={mib}M\n"),
        )
        .dir("/var/log/journal", Owner::new(0, gid), Mode::new(0o2755));
}
