//! Names of nodes.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::Ipv4Addr;

use super::NodeInputs;
use super::draft::Draft;
use crate::cluster::Cluster;

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    draft
        .file("/etc/hostname", format!("{}\n", inputs.node.name))
        .file("/etc/hosts", hosts_file(inputs.cluster));
}

/// `/etc/hosts`, the same on every node.
///
/// No line gives a node's own name a loopback address: Hadoop's daemons would
/// listen there and nowhere else. The short name comes first on its line,
/// because that is what an address resolves back to.
pub fn hosts_file(cluster: &Cluster) -> String {
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n\
         ::1\t\tlocalhost ip6-localhost ip6-loopback\n\
         ff02::1\t\tip6-allnodes\n\
         ff02::2\t\tip6-allrouters\n\
         \n",
    );
    let nodes = cluster
        .nodes
        .iter()
        .map(|node| (node.address, node.name.to_string()));
    let mut line = |address: Ipv4Addr, name: &str| {
        let full = match &cluster.network.domain {
            Some(domain) => format!(" {name}.{domain}"),
            None => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{address}\t{name}{full}");
    };
    for (address, name) in nodes {
        line(address, &name);
    }
    for (address, name) in spare_workers(cluster) {
        line(address, &name);
    }
    text
}

/// Addresses and names of workers that may be added later: every node knows
/// them already, so another card needs no change elsewhere.
///
/// They continue the workers' numbering (`worker2` is followed by `worker3`)
/// and the addresses behind the highest worker's, as far as the subnet goes.
pub fn spare_workers(cluster: &Cluster) -> Vec<(Ipv4Addr, String)> {
    let network = &cluster.network;
    let subnet = network.subnet;
    let mut taken: BTreeSet<Ipv4Addr> = cluster.nodes.iter().map(|node| node.address).collect();
    taken.extend(network.gateway);
    taken.extend(&network.dns);
    taken.extend(
        network
            .ntp
            .iter()
            .filter_map(|server| server.parse::<Ipv4Addr>().ok()),
    );
    taken.extend([subnet.network(), subnet.broadcast()]);
    let highest = cluster.workers().map(|node| node.address).max();
    let Some(first) = highest.and_then(|address| u32::from(address).checked_add(1)) else {
        return Vec::new();
    };
    let last = u32::from(subnet.broadcast());
    (first..=last)
        .map(Ipv4Addr::from)
        .filter(|address| subnet.contains(address) && !taken.contains(address))
        .zip(spare_names(cluster))
        .take(usize::try_from(network.spare_workers).unwrap_or(usize::MAX))
        .collect()
}

/// Names that follow the workers'.
fn spare_names(cluster: &Cluster) -> impl Iterator<Item = String> {
    let taken: BTreeSet<String> = cluster
        .nodes
        .iter()
        .map(|node| node.name.to_string())
        .collect();
    let numbered = cluster
        .workers()
        .filter_map(|node| split_number(node.name.as_str()))
        .max_by_key(|(_, number, _)| *number);
    let (stem, number, width) = match numbered {
        Some((stem, number, width)) => (stem.to_owned(), number, width),
        None => ("worker".to_owned(), 0, 1),
    };
    std::iter::successors(number.checked_add(1), |number| number.checked_add(1))
        .map(move |number| format!("{stem}{number:0width$}"))
        .filter(move |name| !taken.contains(name))
}

/// `node07` as `node`, 7 and the width 2; none without digits at the end.
fn split_number(name: &str) -> Option<(&str, u64, usize)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[stem.len()..];
    let width = if digits.starts_with('0') {
        digits.len()
    } else {
        1
    };
    Some((stem, digits.parse().ok()?, width))
}

#[cfg(test)]
mod tests {

    use insta::assert_snapshot;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::cluster::Hostname;
    use crate::node::Release;
    use crate::node::fake_cluster::cluster;
    use crate::node::made::Made;

    #[test]
    fn the_hosts_file_is_the_same_everywhere() {
        let mut cluster = cluster();
        cluster.network.domain = Some("lan".to_owned());
        let made = Made::new(Release::Trixie, &cluster, 1);
        assert_eq!(made.text("/etc/hostname"), "worker1\n");
        assert_eq!(
            made.text("/etc/hosts"),
            Made::new(Release::Bullseye, &cluster, 0).text("/etc/hosts")
        );
        assert_snapshot!(made.text("/etc/hosts"), @r"
    127.0.0.1	localhost
    ::1		localhost ip6-localhost ip6-loopback
    ff02::1		ip6-allnodes
    ff02::2		ip6-allrouters

    192.168.1.10	master master.lan
    192.168.1.11	worker1 worker1.lan
    192.168.1.12	worker2 worker2.lan
    192.168.1.13	worker3 worker3.lan
    192.168.1.14	worker4 worker4.lan
    ");
    }

    #[rstest]
    #[case(&["worker1", "worker2"], "worker3")]
    #[case(&["node07", "node09"], "node10")]
    #[case(&["pi-a", "pi-b"], "worker1")]
    #[case(&["w1", "w9"], "w10")]
    #[case(&["w4294967295", "x"], "w4294967296")]
    #[case(&["w18446744073709551615", "x"], "")]
    fn spare_names_go_on_counting(#[case] names: &[&str], #[case] expected: &str) {
        let mut cluster = cluster();
        for (node, name) in cluster.nodes.iter_mut().skip(1).zip(names) {
            node.name = Hostname::new(name).unwrap();
        }
        let spares = spare_workers(&cluster);
        assert_eq!(spares.first().map_or("", |(_, name)| name), expected);
    }

    #[test]
    fn a_spare_name_that_a_node_has_is_passed_over() {
        let mut cluster = cluster();
        cluster.nodes[0].name = Hostname::new("worker3").unwrap();
        let names: Vec<String> = spare_workers(&cluster)
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        assert_eq!(names, ["worker4", "worker5"]);
    }

    proptest! {
        /// Whatever the subnet: spare addresses are in it and nobody's.
        #[test]
        fn spare_addresses_are_free(prefix in 24u8..31, spares in 0u32..40, gateway in 1u8..255) {
            let mut cluster = cluster();
            cluster.network.subnet = ipnet::Ipv4Net::new(Ipv4Addr::new(192, 168, 1, 8), prefix).unwrap().trunc();
            cluster.network.gateway = Some(Ipv4Addr::new(192, 168, 1, gateway));
            cluster.network.spare_workers = spares;
            let found = spare_workers(&cluster);
            let subnet = cluster.network.subnet;
            let mut seen: BTreeSet<Ipv4Addr> = cluster.nodes.iter().map(|node| node.address).collect();
            seen.extend(cluster.network.gateway);
            seen.extend([subnet.network(), subnet.broadcast()]);
            let mut names: BTreeSet<String> = cluster.nodes.iter().map(|node| node.name.to_string()).collect();
            prop_assert!(found.len() <= spares as usize);
            for (address, name) in &found {
                prop_assert!(subnet.contains(address));
                prop_assert!(seen.insert(*address), "{address} twice");
                prop_assert!(names.insert(name.clone()), "{name} twice");
            }
            // As many as asked for, where there is room.
            if prefix == 24 {
                prop_assert_eq!(found.len(), spares as usize);
            }
        }
    }
}
