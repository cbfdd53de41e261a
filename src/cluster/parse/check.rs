//! What must hold between the parts of a cluster file.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Range;

use toml::Spanned;

use crate::diagnostic::{Problem, Problems};

use super::network::{ReadNetwork, ReadSection};
use super::node::{ReadNode, ReadNodes};

/// Reports every problem between nodes, and between nodes and the network.
pub(super) fn nodes(read: &ReadNodes, section: Option<&ReadSection>, problems: &Problems) {
    let nodes = &read.nodes;
    duplicates(
        nodes,
        |node| node.name.as_ref(),
        "the name",
        "a node's name is its own",
        problems,
    );
    duplicates(
        nodes,
        |node| node.address.as_ref(),
        "the address",
        "every node needs an address of its own",
        problems,
    );
    duplicates(
        nodes,
        |node| node.mac.as_ref(),
        "the MAC address",
        "`ip link` on the node prints its own",
        problems,
    );
    if let Some(network) = section.and_then(|section| section.network.as_ref()) {
        for address in nodes.iter().filter_map(|node| node.address.as_ref()) {
            address_fits(address, network, problems);
        }
    }
    if let Some(section) = section {
        wifi(nodes, section, problems);
    }
    roles(read, problems);
    racks(nodes, problems);
}

/// Nodes on a Wi-Fi network that nothing is said of, and the other way round:
/// whoever wrote either wants the nodes to be reached that way.
fn wifi(nodes: &[ReadNode], section: &ReadSection, problems: &Problems) {
    let mut on_it = nodes
        .iter()
        .filter_map(|node| node.wifi.as_ref())
        .filter(|wifi| *wifi.get_ref());
    match (&section.wifi, on_it.next()) {
        (None, Some(first)) => problems.add(
            Problem::new(
                first.span(),
                "this node is on a Wi-Fi network, and the file has none",
            )
            .help("add `[network.wifi]` with `ssid`, `passphrase_file` and `country`"),
        ),
        (Some(read), None) if !nodes.is_empty() => problems.add(
            Problem::new(read.header.clone(), "no node is on this Wi-Fi network")
                .label("used by none")
                .help(
                    "write `wifi = true` in each `[[node]]` that has no cable, \
                     or leave the section out",
                ),
        ),
        _ => {}
    }
}

fn duplicates<T: std::fmt::Display>(
    nodes: &[ReadNode],
    of: impl Fn(&ReadNode) -> Option<&Spanned<T>>,
    what: &str,
    help: &str,
    problems: &Problems,
) {
    let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for value in nodes.iter().filter_map(of) {
        let text = value.get_ref().to_string();
        match seen.get(&text) {
            Some(first) => problems.add(
                Problem::new(value.span(), format!("{what} {text} is used twice"))
                    .label("used again")
                    .related(first.clone(), "first used here")
                    .help(help),
            ),
            None => {
                seen.insert(text, value.span());
            }
        }
    }
}

fn address_fits(address: &Spanned<Ipv4Addr>, network: &ReadNetwork, problems: &Problems) {
    let (at, own) = (address.span(), *address.get_ref());
    let subnet = network.subnet.get_ref();
    let problem = |message: String| Problem::new(at.clone(), message);
    if !subnet.contains(&own) {
        problems.add(
            problem(format!("the address {own} is outside the subnet {subnet}"))
                .related(network.subnet.span(), "the subnet")
                .help(format!(
                    "use an address between {} and {}",
                    first_host(subnet),
                    last_host(subnet)
                )),
        );
    } else if own == subnet.network() || own == subnet.broadcast() {
        let what = if own == subnet.network() {
            "the subnet itself"
        } else {
            "its broadcasts"
        };
        problems.add(
            problem(format!(
                "no node can have the address {own}, which is for {what}"
            ))
            .related(network.subnet.span(), "the subnet"),
        );
    } else if let Some(gateway) = network.gateway.as_ref().filter(|g| *g.get_ref() == own) {
        problems.add(
            problem(format!("the address {own} is the gateway's"))
                .label("taken")
                .related(gateway.span(), "the gateway"),
        );
    } else if let Some(server) = network.dns.iter().find(|server| *server.get_ref() == own) {
        problems.add(
            problem(format!("the address {own} is a name server's"))
                .label("taken")
                .related(server.span(), "the name server")
                .help("nodes serve no names: they have a hosts file"),
        );
    }
}

fn first_host(subnet: &ipnet::Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(subnet.network()).saturating_add(1))
}

fn last_host(subnet: &ipnet::Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(subnet.broadcast()).saturating_sub(1))
}

/// One master, at least one worker.
fn roles(read: &ReadNodes, problems: &Problems) {
    let nodes = &read.nodes;
    let Some(first) = nodes.first() else {
        // A `node` that is no table has been reported.
        if read.span.is_none() {
            problems.add(
                Problem::new(0..0, "the file has no nodes")
                    .label("`[[node]]` is missing")
                    .help("add a `[[node]]` section for the master and one for each worker"),
            );
        }
        return;
    };
    let masters: Vec<_> = nodes
        .iter()
        .filter_map(|n| n.role.as_ref())
        .filter(|r| r.get_ref().is_master())
        .collect();
    for again in masters.iter().skip(1) {
        problems.add(
            Problem::new(again.span(), "a cluster has one master, this is another")
                .label("another")
                .related(masters[0].span(), "the first")
                .help("make it a worker, or write a cluster file of its own"),
        );
    }
    // A role that could not be read may be the one that seems to be missing.
    if nodes.iter().any(|node| node.role.is_none()) {
        return;
    }
    if masters.is_empty() {
        problems.add(
            Problem::new(first.header.clone(), "no node is the master")
                .label("the first of the nodes")
                .help("give one node `role = \"master\"`"),
        );
    }
    // Where all are masters, it has been said that all but one should not be.
    if masters.len() == 1 && nodes.len() == 1 {
        problems.add(
            Problem::new(first.header.clone(), "no node is a worker")
                .label("the only node")
                .help("add a `[[node]]` with `role = \"worker\"`: the data has to be somewhere"),
        );
    }
}

/// All racks are equally deep: the NameNode refuses a node whose rack is not
/// (`org.apache.hadoop.net.NetworkTopology`, `InvalidTopologyException`).
/// A node without a rack is in `/default-rack`.
fn racks(nodes: &[ReadNode], problems: &Problems) {
    let depth = |rack: &str| rack.matches('/').count();
    let mut named = nodes.iter().filter_map(|node| node.rack.as_ref());
    let Some(first) = named.next() else { return };
    for rack in named {
        if depth(rack.get_ref()) != depth(first.get_ref()) {
            problems.add(
                Problem::new(
                    rack.span(),
                    format!(
                        "the rack {} is not as deep as {}",
                        rack.get_ref(),
                        first.get_ref()
                    ),
                )
                .related(first.span(), "another depth")
                .help("the NameNode takes only racks of one depth"),
            );
        }
    }
    if depth(first.get_ref()) != 1
        && let Some(without) = nodes.iter().find(|node| node.rack.is_none())
    {
        problems.add(
            Problem::new(
                without.header.clone(),
                "this node has no rack, which is /default-rack",
            )
            .related(first.span(), "another depth")
            .help("the NameNode takes only racks of one depth: give it one as well"),
        );
    }
}
