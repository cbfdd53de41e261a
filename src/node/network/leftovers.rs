//! Networks that the base was set up for before.
//!
//! A node has the address the cluster file gives it and no other. Profiles
//! that Raspberry Pi Imager, cloud-init or somebody at the keyboard made in
//! the base could take its interface, and may hold the passphrase of another
//! network.

use std::collections::BTreeSet;

use super::ifupdown::{self, INTERFACES};
use super::{KEYFILE, NETWORK_FILE};
use crate::edit::EditError;
use crate::node::Profile;
use crate::node::draft::Draft;
use crate::node::reader::Reader;

/// Directories whose files are networks, and how their names end.
const NETWORKS: &[(&str, &str)] = &[
    ("/etc/NetworkManager/system-connections", ""),
    ("/etc/netplan", ".yaml"),
    ("/etc/systemd/network", ".network"),
];

/// Files of the base that set up an interface.
pub(in crate::node) fn find(root: Reader<'_>) -> Result<BTreeSet<String>, EditError> {
    let mut found: BTreeSet<String> = ifupdown::configured(root)?.into_iter().collect();
    for (dir, end) in NETWORKS {
        let names = root.names(dir)?;
        found.extend(
            names
                .iter()
                .filter(|name| name.ends_with(end))
                .map(|name| format!("{dir}/{name}")),
        );
    }
    for ours in [KEYFILE, NETWORK_FILE] {
        found.remove(ours);
    }
    Ok(found)
}

pub(super) fn remove(profile: &Profile, draft: &mut Draft<'_>) {
    for path in &profile.networks {
        if path == INTERFACES {
            draft.file(
                INTERFACES,
                "# Written by pidoop.\nauto lo\niface lo inet loopback\n",
            );
        } else {
            draft.remove(path);
        }
    }
}
