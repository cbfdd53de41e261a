//! Whether the node gets its address.

use super::Obstacles;
use super::daemon::check_enabled;
use crate::cluster::{Addressing, Cluster, Node};
use crate::edit::EditError;
use crate::node::network::{DHCPCD_CONF, KEYFILE, NETWORK_FILE};
use crate::node::reader::Reader;

/// How the address comes about, in words; obstacles if it does not.
pub(super) fn check(
    root: Reader<'_>,
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
        let private = root
            .follow(KEYFILE)?
            .is_some_and(|(_, entry)| entry.owner.uid == 0 && entry.mode.bits() & 0o077 == 0);
        if !private {
            obstacles.add(format!(
                "{KEYFILE} is not root's alone, so NetworkManager ignores it"
            ));
        }
        check_enabled(root, "NetworkManager.service", obstacles)?;
        let given = match value(&text, "ipv4", "method") {
            Some("manual") => value(&text, "ipv4", "address1"),
            _ => None,
        };
        let given = given.and_then(|address| address.split(',').next());
        compare(
            KEYFILE,
            given,
            value(&text, "ipv4", "method") == Some("auto"),
            &wanted,
            obstacles,
        );
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
        let mut lines = text.lines().map(str::trim);
        let given = lines.find_map(|line| line.strip_prefix("static ip_address="));
        compare(DHCPCD_CONF, given, given.is_none(), &wanted, obstacles);
        DHCPCD_CONF
    } else {
        obstacles.add(format!(
            "nothing sets an address: none of {KEYFILE}, {NETWORK_FILE} and {DHCPCD_CONF} is there"
        ));
        return Ok(String::new());
    };
    Ok(match wanted {
        Some(_) => format!("set by {file}"),
        None => format!("by DHCP, a reservation of your router, with {file}"),
    })
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

/// Value of a key in a section of an INI-like file.
fn value<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            inside = name.trim_end_matches(']') == section;
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            return Some(value.trim());
        }
    }
    None
}
