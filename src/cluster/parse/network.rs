//! `[network]`: how nodes reach each other.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use toml::Spanned;

use crate::cluster::{Addressing, LinkSpeed, Network};
use crate::diagnostic::{Fault, Problem, Section, Text};

use super::wifi::{self, ReadWifi};

/// Names of spare workers that every hosts file gets by default.
const SPARE_WORKERS: u32 = 16;

/// The network with the places that cross-checks point at.
#[derive(Debug)]
pub(super) struct ReadNetwork {
    pub(super) network: Network,
    pub(super) subnet: Spanned<Ipv4Net>,
    pub(super) gateway: Option<Spanned<Ipv4Addr>>,
    pub(super) dns: Vec<Spanned<Ipv4Addr>>,
}

/// What could be read of the section; the Wi-Fi network also where the rest is
/// wrong.
#[derive(Debug)]
pub(super) struct ReadSection {
    pub(super) network: Option<ReadNetwork>,
    pub(super) wifi: Option<ReadWifi>,
}

pub(super) fn read(mut section: Section<'_>) -> ReadSection {
    let mut network = read_network(&mut section);
    let wifi = section.section("wifi").map(wifi::read);
    section.finish();
    if let (Some(read), Some(wifi)) = (&mut network, &wifi) {
        read.network.wifi.clone_from(&wifi.wifi);
    }
    ReadSection { network, wifi }
}

fn read_network(section: &mut Section<'_>) -> Option<ReadNetwork> {
    section.require("subnet", "\"192.168.1.0/24\"");
    let mode = section.parsed("mode", "\"static\"", check_mode);
    let subnet = section.parsed("subnet", "\"192.168.1.0/24\"", check_subnet);
    let gateway = section.parsed("gateway", "\"192.168.1.1\"", check_address);
    let dns = texts(section, "dns", "[\"192.168.1.1\"]", check_address);
    let ntp = texts(section, "ntp", "[\"pool.ntp.org\"]", check_host);
    let domain = section.parsed("domain", "\"lan\"", check_domain);
    let spare = section.integer("spare_workers", 0..=250, "16");
    let link = section.parsed("link", "\"1G\"", check_link);
    if let (Some(subnet), Some(gateway)) = (&subnet, &gateway) {
        gateway_fits(section, subnet, gateway);
    }
    let subnet = subnet?;
    let network = Network {
        addressing: mode.map_or(Addressing::Static, Spanned::into_inner),
        subnet: *subnet.get_ref(),
        gateway: gateway.as_ref().map(|gateway| *gateway.get_ref()),
        dns: dns.iter().map(|server| *server.get_ref()).collect(),
        ntp: ntp.into_iter().map(Spanned::into_inner).collect(),
        domain: domain.map(Spanned::into_inner),
        spare_workers: spare
            .and_then(|number| u32::try_from(*number.get_ref()).ok())
            .unwrap_or(SPARE_WORKERS),
        link: link.map(Spanned::into_inner),
        wifi: None,
    };
    Some(ReadNetwork {
        network,
        subnet,
        gateway,
        dns,
    })
}

fn texts<T>(
    section: &mut Section<'_>,
    key: &'static str,
    example: &str,
    check: impl Fn(&str) -> Result<T, Fault>,
) -> Vec<Spanned<T>> {
    let texts: Vec<Text<'_>> = section.texts(key, example).unwrap_or_default();
    texts
        .iter()
        .filter_map(|text| section.accept(text, check(text.get_ref())))
        .collect()
}

fn gateway_fits(section: &Section<'_>, subnet: &Spanned<Ipv4Net>, gateway: &Spanned<Ipv4Addr>) {
    let (net, address) = (subnet.get_ref(), *gateway.get_ref());
    let problem = if !net.contains(&address) {
        format!("the gateway {address} is outside the subnet {net}")
    } else if address == net.network() {
        format!("the gateway {address} is the address of the subnet itself")
    } else if address == net.broadcast() {
        format!("the gateway {address} is the subnet's broadcast address")
    } else {
        return;
    };
    section.problems().add(
        Problem::new(gateway.span(), problem)
            .related(subnet.span(), "the subnet")
            .help("nodes reach their gateway only within their own subnet"),
    );
}

fn check_mode(text: &str) -> Result<Addressing, Fault> {
    match text {
        "static" => Ok(Addressing::Static),
        "dhcp" => Ok(Addressing::Dhcp),
        _ => Err(Fault::new(
            format!("mode is \"static\" or \"dhcp\", not {text:?}"),
            "static: images set their addresses; dhcp: the router does, by reservation",
        )),
    }
}

fn check_subnet(text: &str) -> Result<Ipv4Net, Fault> {
    const LIKE: &str = "write it like `192.168.1.0/24`";
    if text.contains(':') {
        return Err(Fault::new(
            format!("{text:?} is not an IPv4 subnet"),
            "Hadoop speaks IPv4 only",
        ));
    }
    let net: Ipv4Net = text.parse().map_err(|_| {
        let help = match text.parse::<Ipv4Addr>() {
            Ok(address) => format!("add the length of the prefix: `{address}/24`"),
            Err(_) => LIKE.to_owned(),
        };
        Fault::new(format!("{text:?} is not a subnet"), help)
    })?;
    if net.trunc() != net {
        return Err(Fault::new(
            format!("{net} is an address within a subnet, not a subnet"),
            format!("write `{}`", net.trunc()),
        ));
    }
    if !(8..=30).contains(&net.prefix_len()) {
        return Err(Fault::new(
            format!(
                "a subnet with the prefix length {} cannot hold a cluster",
                net.prefix_len()
            ),
            LIKE,
        ));
    }
    check_unicast(net.network())?;
    Ok(net)
}

pub(super) fn check_address(text: &str) -> Result<Ipv4Addr, Fault> {
    let address: Ipv4Addr = text.parse().map_err(|_| {
        let help = match text {
            _ if text.contains(':') => "Hadoop speaks IPv4 only",
            _ if text.contains('/') => "leave the prefix length to `subnet`",
            _ => "write it like `192.168.1.10`",
        };
        Fault::new(format!("{text:?} is not an IPv4 address"), help)
    })?;
    check_unicast(address)?;
    Ok(address)
}

/// Refuses addresses that no node on a network can have.
fn check_unicast(address: Ipv4Addr) -> Result<(), Fault> {
    let kind = match address {
        _ if address.is_loopback() => "a loopback address",
        _ if address.is_multicast() => "a multicast address",
        _ if address.octets()[0] == 0 => "an address of no network",
        _ if address.octets()[0] >= 240 => "a reserved address",
        _ if address.is_link_local() => "a link-local address",
        _ => return Ok(()),
    };
    Err(Fault::new(
        format!("{address} is {kind}"),
        "use your network's addresses, such as 192.168.1.x",
    ))
}

/// A host name or an address.
fn check_host(text: &str) -> Result<String, Fault> {
    if text.parse::<std::net::IpAddr>().is_ok() || is_domain(text) {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        format!("{text:?} is neither a host name nor an address"),
        "write it like `pool.ntp.org`",
    ))
}

fn check_domain(text: &str) -> Result<String, Fault> {
    if !is_domain(text) || text.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(Fault::new(
            format!("{text:?} is not a domain"),
            "write it like `lan` or `cluster.example.org`",
        ));
    }
    if text == "local" {
        // RFC 6762 gives the name to multicast DNS; avahi answers for it.
        return Err(Fault::new(
            "the domain `local` belongs to multicast DNS",
            "use another, such as `lan`; NAME.local works without it",
        ));
    }
    Ok(text.to_owned())
}

/// Dot-joined labels of letters, digits and inner hyphens (RFC 1123).
fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn check_link(text: &str) -> Result<LinkSpeed, Fault> {
    match text {
        "100M" => Ok(LinkSpeed::Fast),
        "300M" => Ok(LinkSpeed::UsbGigabit),
        "1G" => Ok(LinkSpeed::Gigabit),
        _ => Err(Fault::new(
            format!("link is \"100M\", \"300M\" or \"1G\", not {text:?}"),
            "it is the slowest link between two nodes, in bits per second",
        )),
    }
}
