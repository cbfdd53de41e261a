//! An address by systemd-networkd.

use super::{WAIT_SECONDS, address};
use crate::cluster::Addressing;
use crate::node::NodeInputs;
use crate::node::draft::Draft;

pub(in crate::node) const NETWORK_FILE: &str = "/etc/systemd/network/10-pidoop.network";

/// A network file (systemd.network(5)).
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let network = &inputs.cluster.network;
    let mut text = String::from("# Written by pidoop.\n[Match]\n");
    match inputs.node.mac {
        Some(mac) => text.push_str(&format!("MACAddress={mac}\n")),
        None => text.push_str("Name=eth* en* host0\n"),
    }
    text.push_str("\n[Network]\n");
    match network.addressing {
        Addressing::Static => {
            text.push_str(&format!("Address={}\n", address(inputs)));
            if let Some(gateway) = network.gateway {
                text.push_str(&format!("Gateway={gateway}\n"));
            }
            for server in &network.dns {
                text.push_str(&format!("DNS={server}\n"));
            }
        }
        Addressing::Dhcp => text.push_str("DHCP=ipv4\n"),
    }
    if let Some(domain) = &network.domain {
        text.push_str(&format!("Domains={domain}\n"));
    }
    let programs = inputs.profile.unit_dir.trim_end_matches("/system");
    draft
        .file(NETWORK_FILE, text)
        .enable("systemd-networkd.service")
        .enable_in(
            "systemd-networkd-wait-online.service",
            "network-online.target",
        )
        .drop_in(
            "systemd-networkd-wait-online.service",
            &format!(
                "[Service]\nExecStart=\n\
                 ExecStart={programs}/systemd-networkd-wait-online --any --timeout={WAIT_SECONDS}\n"
            ),
        );
}
