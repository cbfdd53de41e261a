//! Who answers for names outside the cluster.

use std::fmt::Write;

use crate::cluster::Addressing;
use crate::node::NodeInputs;
use crate::node::draft::Draft;

pub(in crate::node) const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Raspberry Pi OS ships one that names a server of Google's, which stays
/// where nothing writes another: on a network without name servers each lookup
/// then waits for an answer that cannot come. A link is the resolver's own
/// business (systemd-resolved(8)).
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    if inputs.profile.resolv_conf_is_link {
        return;
    }
    let network = &inputs.cluster.network;
    let mut text = String::from("# Written by pidoop.\n");
    if network.addressing == Addressing::Static {
        for server in &network.dns {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "nameserver {server}");
        }
    }
    draft.file(RESOLV_CONF, text);
}
