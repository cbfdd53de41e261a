//! An address by dhcpcd.

use super::wifi::Radio;
use super::{WAIT_SECONDS, address, dns};
use crate::cluster::Addressing;
use crate::node::NodeInputs;
use crate::node::draft::Draft;

pub(in crate::node) const DHCPCD_CONF: &str = "/etc/dhcpcd.conf";

/// The whole file, with the defaults of Raspberry Pi OS: a block of our own
/// behind one the base has for the same interface would not count.
pub(super) fn write(inputs: &NodeInputs<'_>, radio: Option<Radio<'_>>, draft: &mut Draft<'_>) {
    let network = &inputs.cluster.network;
    let interface = radio.map_or("eth0", |_| "wlan0");
    let mut text = format!(
        "# Written by pidoop.\n\
         hostname\n\
         clientid\n\
         persistent\n\
         option rapid_commit\n\
         option domain_name_servers, domain_name, domain_search, host_name\n\
         option classless_static_routes\n\
         option interface_mtu\n\
         require dhcp_server_identifier\n\
         slaac private\n\
         timeout {WAIT_SECONDS}\n\n\
         interface {interface}\n"
    );
    if network.addressing == Addressing::Static {
        text.push_str(&format!("static ip_address={}\n", address(inputs)));
        if let Some(gateway) = network.gateway {
            text.push_str(&format!("static routers={gateway}\n"));
        }
        if !network.dns.is_empty() {
            text.push_str(&format!(
                "static domain_name_servers={}\n",
                dns(inputs, " ")
            ));
        }
    }
    if let Some(domain) = &network.domain {
        text.push_str(&format!("static domain_search={domain}\n"));
    }
    draft
        .file(DHCPCD_CONF, text)
        .enable("dhcpcd.service")
        .drop_in(
            "dhcpcd.service",
            // -w: started means that there is an address.
            "[Service]\nExecStart=\nExecStart=/sbin/dhcpcd -q -w\n",
        );
}
