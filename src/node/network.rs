//! The node's address.

use std::fmt::Write;

use super::draft::Draft;
use super::{NetworkStack, NodeInputs};
use crate::cluster::Addressing;
use crate::edit::{Content, Mode, Owner};

/// Longest wait for the network at boot, in seconds. Daemons retry for ever,
/// so nothing is lost by starting without; a missing cable costs no more.
const WAIT_SECONDS: u32 = 30;

pub(super) const KEYFILE: &str = "/etc/NetworkManager/system-connections/pidoop.nmconnection";
pub(super) const NETWORK_FILE: &str = "/etc/systemd/network/10-pidoop.network";
pub(super) const DHCPCD_CONF: &str = "/etc/dhcpcd.conf";

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    match inputs.profile.network {
        NetworkStack::NetworkManager => network_manager(inputs, draft),
        NetworkStack::Dhcpcd => dhcpcd(inputs, draft),
        NetworkStack::Networkd => networkd(inputs, draft),
    }
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

/// A keyfile (nm-settings-keyfile(5)). NetworkManager ignores one that others
/// may read. Without a MAC address it fits any wired interface, whatever its
/// name: adapters on USB are not always `eth0`.
fn network_manager(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let network = &inputs.cluster.network;
    let uuid = inputs.key.connection_uuid(&inputs.node.name);
    let mut text = format!(
        "[connection]\n\
         id=pidoop\n\
         uuid={uuid}\n\
         type=ethernet\n\
         autoconnect-priority=100\n\
         # For ever: a router may need longer to boot than a node.\n\
         autoconnect-retries=0\n\n\
         [ethernet]\n"
    );
    if let Some(mac) = inputs.node.mac {
        text.push_str(&format!("mac-address={mac}\n"));
    }
    text.push_str("\n[ipv4]\nmay-fail=false\n");
    match network.addressing {
        Addressing::Static => {
            let gateway = network
                .gateway
                .map(|gateway| format!(",{gateway}"))
                .unwrap_or_default();
            text.push_str(&format!(
                "method=manual\naddress1={}{gateway}\n",
                address(inputs)
            ));
            if !network.dns.is_empty() {
                text.push_str(&format!("dns={};\n", dns(inputs, ";")));
            }
        }
        Addressing::Dhcp => text.push_str("method=auto\ndhcp-timeout=2147483647\n"),
    }
    if let Some(domain) = &network.domain {
        text.push_str(&format!("dns-search={domain};\n"));
    }
    text.push_str("\n[ipv6]\nmethod=auto\nmay-fail=true\n");
    draft
        .content(KEYFILE, Content::text(text), Owner::ROOT, Mode::SECRET)
        .enable("NetworkManager.service")
        .enable_in(
            "NetworkManager-wait-online.service",
            "network-online.target",
        )
        .drop_in(
            "NetworkManager-wait-online.service",
            &format!("[Service]\nEnvironment=NM_ONLINE_TIMEOUT={WAIT_SECONDS}\n"),
        );
}

/// The whole file, with the defaults of Raspberry Pi OS: a block of our own
/// behind one the base has for the same interface would not count.
fn dhcpcd(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let network = &inputs.cluster.network;
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
         interface eth0\n"
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

/// A network file (systemd.network(5)).
fn networkd(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
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
    // networkd leaves resolv.conf to systemd-resolved.
    let resolved = inputs.profile.has("/usr/lib/systemd/systemd-resolved");
    if !resolved && network.addressing == Addressing::Static && !network.dns.is_empty() {
        let mut text = String::new();
        for server in &network.dns {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "nameserver {server}");
        }
        draft.file("/etc/resolv.conf", text);
    }
}

#[cfg(test)]
mod tests {

    use insta::assert_snapshot;

    use super::*;
    use crate::cluster::MacAddr;
    use crate::node::fake_base::base;
    use crate::node::fake_cluster::{cluster, with_inputs};
    use crate::node::made::Made;
    use crate::node::{Profile, Release, personality};

    #[test]
    fn networkmanager_gets_a_keyfile() {
        let mut cluster = cluster();
        cluster.network.domain = Some("lan".to_owned());
        cluster.network.dns.push([9, 9, 9, 9].into());
        cluster.nodes[1].mac = Some(MacAddr::new("dc:a6:32:01:02:03").unwrap());
        let made = Made::new(Release::Trixie, &cluster, 1);
        assert_eq!(made.attributes(KEYFILE), "0600 0:0");
        assert_snapshot!(made.text(KEYFILE), @r"
    [connection]
    id=pidoop
    uuid=70118d97-bdc7-48eb-bf22-68cada855d84
    type=ethernet
    autoconnect-priority=100
    # For ever: a router may need longer to boot than a node.
    autoconnect-retries=0

    [ethernet]
    mac-address=dc:a6:32:01:02:03

    [ipv4]
    may-fail=false
    method=manual
    address1=192.168.1.11/24,192.168.1.1
    dns=192.168.1.1;9.9.9.9;
    dns-search=lan;

    [ipv6]
    method=auto
    may-fail=true
    ");
        let wait = "/etc/systemd/system/NetworkManager-wait-online.service.d/10-pidoop.conf";
        assert!(made.text(wait).contains("NM_ONLINE_TIMEOUT=30"));
    }

    #[test]
    fn a_router_may_hand_out_the_address() {
        let mut cluster = cluster();
        cluster.network.addressing = Addressing::Dhcp;
        let text = Made::new(Release::Bookworm, &cluster, 1).text(KEYFILE);
        assert!(
            text.contains("method=auto") && !text.contains("address1"),
            "{text}"
        );
        let text = Made::new(Release::Bullseye, &cluster, 1).text(DHCPCD_CONF);
        assert!(text.ends_with("interface eth0\n"), "{text}");
    }

    #[test]
    fn bullseye_gets_a_block_for_dhcpcd() {
        let made = Made::new(Release::Bullseye, &cluster(), 1);
        assert!(!made.has(KEYFILE));
        let text = made.text(DHCPCD_CONF);
        let block = "interface eth0\nstatic ip_address=192.168.1.11/24\nstatic routers=192.168.1.1\n\
                 static domain_name_servers=192.168.1.1\n";
        assert!(text.ends_with(block), "{text}");
    }

    #[test]
    fn debian_with_neither_has_networkd() {
        let cluster = cluster();
        let (root, boot) = base(Release::Debian13);
        let root = root
            .without("/usr/sbin/NetworkManager")
            .file("/usr/lib/systemd/system/systemd-networkd.service", "");
        let profile = Profile::detect(&root, &boot).unwrap();
        let edits = with_inputs(&cluster, 1, &profile, |inputs| personality(inputs).unwrap());
        let mut made = Made {
            root: crate::edit::Tree::read_from(&root).unwrap(),
            boot: crate::edit::Tree::read_from(&boot).unwrap(),
        };
        made.apply(&edits);
        assert_snapshot!(made.text(NETWORK_FILE), @r"
    # Written by pidoop.
    [Match]
    Name=eth* en* host0

    [Network]
    Address=192.168.1.11/24
    Gateway=192.168.1.1
    DNS=192.168.1.1
    ");
        assert_eq!(made.text("/etc/resolv.conf"), "nameserver 192.168.1.1\n");
        let link = "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service";
        assert_eq!(
            made.link(link).unwrap(),
            "/usr/lib/systemd/system/systemd-networkd.service"
        );
        let proof =
            crate::node::prove(&made.root, &made.boot, &cluster, &cluster.nodes[1]).unwrap();
        assert!(proof.network.contains(NETWORK_FILE), "{proof}");
    }
}
