//! The node's address: by which interface, and set by what.

mod dhcpcd;
mod ifupdown;
mod leftovers;
mod manager;
mod networkd;
mod resolver;
#[cfg(test)]
mod tests;
mod wifi;

use super::draft::Draft;
use super::{NetworkStack, NodeError, NodeInputs};

pub(super) use dhcpcd::DHCPCD_CONF;
pub(super) use ifupdown::in_the_way;
pub(super) use leftovers::find as leftovers;
pub(super) use manager::{KEYFILE, STATE, keyfile_ssid};
pub(super) use networkd::NETWORK_FILE;
pub(super) use resolver::RESOLV_CONF;
pub(super) use wifi::{BLOCKS, COUNTRY, WLAN, WPA_CONF, wpa_ssid};

/// Longest wait for the network at boot, in seconds. Daemons retry for ever,
/// so nothing is lost by starting without; a missing cable costs no more.
const WAIT_SECONDS: u32 = 30;

/// # Errors
/// [`NodeError::Wifi`] if the node is on Wi-Fi and the base cannot be.
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    leftovers::remove(inputs.profile, draft);
    let wifi = wifi::of(inputs)?;
    match inputs.profile.network {
        NetworkStack::NetworkManager => manager::write(inputs, wifi, draft),
        NetworkStack::Dhcpcd => dhcpcd::write(inputs, wifi, draft),
        NetworkStack::Networkd => networkd::write(inputs, draft),
    }
    wifi::write(inputs, wifi, draft);
    resolver::write(inputs, draft);
    Ok(())
}

/// `A.B.C.D/N` of the node.
fn address(inputs: &NodeInputs<'_>) -> String {
    let prefix = inputs.cluster.network.subnet.prefix_len();
    format!("{}/{prefix}", inputs.node.address)
}

fn dns(inputs: &NodeInputs<'_>, separator: &str) -> String {
    let servers = &inputs.cluster.network.dns;
    servers
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(separator)
}
