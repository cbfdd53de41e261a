//! Whether the node gets its address.

use super::Obstacles;
use super::daemon::check_enabled;
use super::ini::value;
use super::radio;
use crate::cluster::{Addressing, Cluster, Node};
use crate::edit::EditError;
use crate::node::network::{DHCPCD_CONF, KEYFILE, NETWORK_FILE, in_the_way};
use crate::node::reader::Reader;

/// How the address comes about, in words; obstacles if it does not.
pub(super) fn check(
    root: Reader<'_>,
    boot: Reader<'_>,
    cluster: &Cluster,
    node: &Node,
    obstacles: &mut Obstacles,
) -> Result<String, EditError> {
    let prefix = cluster.network.subnet.prefix_len();
    let wanted = match cluster.network.addressing {
        Addressing::Static => Some(format!("{}/{prefix}", node.address)),
        Addressing::Dhcp => None,
    };
    let file = if let Some(text) = root.text(KEYFILE)? {
        keyfile(root, &text, node, &wanted, obstacles)?;
        KEYFILE
    } else if let Some(text) = root.text(NETWORK_FILE)? {
        check_enabled(root, "systemd-networkd.service", obstacles)?;
        let automatic = matches!(value(&text, "Network", "DHCP"), Some("yes" | "ipv4"));
        compare(
            NETWORK_FILE,
            value(&text, "Network", "Address"),
            automatic,
            &wanted,
            obstacles,
        );
        NETWORK_FILE
    } else if let Some(text) = root.text(DHCPCD_CONF)? {
        check_enabled(root, "dhcpcd.service", obstacles)?;
        let interface = if node.wifi { "wlan0" } else { "eth0" };
        let given = static_address(&text, interface);
        compare(DHCPCD_CONF, given, given.is_none(), &wanted, obstacles);
        DHCPCD_CONF
    } else {
        obstacles.add(format!(
            "nothing sets an address: none of {KEYFILE}, {NETWORK_FILE} and {DHCPCD_CONF} is there"
        ));
        return Ok(String::new());
    };
    for other in in_the_way(root)? {
        obstacles.add(format!("{other} takes the node's interface"));
    }
    let way = radio::check(root, boot, cluster, node, file, obstacles)?;
    Ok(match wanted {
        Some(_) => format!("set by {file}{way}"),
        None => format!("by DHCP, a reservation of your router, with {file}{way}"),
    })
}

/// NetworkManager's profile.
fn keyfile(
    root: Reader<'_>,
    text: &str,
    node: &Node,
    wanted: &Option<String>,
    obstacles: &mut Obstacles,
) -> Result<(), EditError> {
    if !root.is_roots_alone(KEYFILE)? {
        obstacles.add(format!(
            "{KEYFILE} is not root's alone, so NetworkManager ignores it"
        ));
    }
    check_enabled(root, "NetworkManager.service", obstacles)?;
    let kind = value(text, "connection", "type").unwrap_or_default();
    let expected = if node.wifi { "wifi" } else { "ethernet" };
    if kind != expected {
        obstacles.add(format!(
            "{KEYFILE} is for an interface of type {kind:?}, and the node is on {expected}"
        ));
    }
    let method = value(text, "ipv4", "method");
    let given = match method {
        Some("manual") => value(text, "ipv4", "address1"),
        _ => None,
    };
    let given = given.and_then(|address| address.split(',').next());
    compare(KEYFILE, given, method == Some("auto"), wanted, obstacles);
    Ok(())
}

/// The address that dhcpcd gives an interface: what stands ahead of the first
/// `interface` is for all (dhcpcd.conf(5)).
fn static_address<'a>(text: &'a str, interface: &str) -> Option<&'a str> {
    let mut applies = true;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("interface ") {
            applies = name.trim() == interface;
        } else if applies && let Some(address) = line.strip_prefix("static ip_address=") {
            return Some(address.trim());
        }
    }
    None
}

fn compare(
    file: &str,
    given: Option<&str>,
    automatic: bool,
    wanted: &Option<String>,
    obstacles: &mut Obstacles,
) {
    match (given, wanted) {
        (Some(given), Some(wanted)) if given == wanted => {}
        (Some(given), Some(wanted)) => {
            obstacles.add(format!("{file} sets the address {given}, not {wanted}"));
        }
        (None, Some(wanted)) => obstacles.add(format!("{file} does not set the address {wanted}")),
        (_, None) if automatic => {}
        (_, None) => obstacles.add(format!("{file} does not ask for an address by DHCP")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_the_interface_it_stands_below() {
        let text = "static ip_address=1/8\ninterface eth0\nstatic ip_address=2/8\n";
        assert_eq!(static_address(text, "wlan0"), Some("1/8"));
        let text = "timeout 30\ninterface eth0\nstatic ip_address=2/8\n interface wlan0 \n";
        assert_eq!(static_address(text, "eth0"), Some("2/8"));
        assert_eq!(static_address(text, "wlan0"), None);
    }
}
