use insta::assert_snapshot;

use super::{said_of_each, valid_with};
use crate::cluster::{Addressing, LinkSpeed};

const SUBNET: &str = "subnet  = \"192.168.1.0/24\"";
const GATEWAY: &str = "gateway = \"192.168.1.1\"";
const DNS: &str = "[\"192.168.1.1\"]";

#[test]
fn an_isolated_network_needs_no_gateway() {
    let network = valid_with(
        "gateway = \"192.168.1.1\"\ndns     = [\"192.168.1.1\"]\n",
        "",
    )
    .network;
    assert!(network.gateway.is_none() && network.dns.is_empty());
}

#[test]
fn the_router_may_hand_out_addresses_without_macs() {
    let network = valid_with(GATEWAY, "mode = \"dhcp\"\nlink = \"300M\"").network;
    assert_eq!(network.addressing, Addressing::Dhcp);
    assert_eq!(network.link, Some(LinkSpeed::UsbGigabit));
}

#[test]
fn a_wrong_subnet_is_told() {
    assert_snapshot!(said_of_each(&[
        (&format!("{SUBNET}\n"), ""),
        (SUBNET, "subnet = \"192.168.1.10/24\""),
        (SUBNET, "subnet = \"192.168.1.0\""),
        (SUBNET, "subnet = \"192.168.1.0/31\""),
        (SUBNET, "subnet = \"fd00::/64\""),
        (SUBNET, "subnet = \"127.0.0.0/8\""),
        (SUBNET, "subnet = \"home\""),
    ]), @r#"
    error: [network] has no `subnet`
      --> cluster.toml:15:1
       |
    15 | [network]
       | ^^^^^^^^^ `subnet` is missing
       |
       = help: add `subnet = "192.168.1.0/24"`
    ---
    error: 192.168.1.10/24 is an address within a subnet, not a subnet
      --> cluster.toml:16:10
       |
    16 | subnet = "192.168.1.10/24"
       |          ^^^^^^^^^^^^^^^^^
       |
       = help: write `192.168.1.0/24`
    ---
    error: "192.168.1.0" is not a subnet
      --> cluster.toml:16:10
       |
    16 | subnet = "192.168.1.0"
       |          ^^^^^^^^^^^^^
       |
       = help: add the length of the prefix: `192.168.1.0/24`
    ---
    error: a subnet with the prefix length 31 cannot hold a cluster
      --> cluster.toml:16:10
       |
    16 | subnet = "192.168.1.0/31"
       |          ^^^^^^^^^^^^^^^^
       |
       = help: write it like `192.168.1.0/24`
    ---
    error: "fd00::/64" is not an IPv4 subnet
      --> cluster.toml:16:10
       |
    16 | subnet = "fd00::/64"
       |          ^^^^^^^^^^^
       |
       = help: Hadoop speaks IPv4 only
    ---
    error: 127.0.0.0 is a loopback address
      --> cluster.toml:16:10
       |
    16 | subnet = "127.0.0.0/8"
       |          ^^^^^^^^^^^^^
       |
       = help: use your network's addresses, such as 192.168.1.x
    ---
    error: "home" is not a subnet
      --> cluster.toml:16:10
       |
    16 | subnet = "home"
       |          ^^^^^^
       |
       = help: write it like `192.168.1.0/24`
    "#);
}

#[test]
fn a_wrong_gateway_is_told() {
    assert_snapshot!(said_of_each(&[
        (GATEWAY, "gateway = \"192.168.2.1\""),
        (GATEWAY, "gateway = \"192.168.1.0\""),
        (GATEWAY, "gateway = \"192.168.1.255\""),
        (GATEWAY, "gateway = \"192.168.1.1/24\""),
        (GATEWAY, "gateway = \"router\""),
    ]), @r#"
    error: the gateway 192.168.2.1 is outside the subnet 192.168.1.0/24
      --> cluster.toml:17:11
       |
    16 | subnet  = "192.168.1.0/24"
       |           ---------------- the subnet
    17 | gateway = "192.168.2.1"
       |           ^^^^^^^^^^^^^
       |
       = help: nodes reach their gateway only within their own subnet
    ---
    error: the gateway 192.168.1.0 is the address of the subnet itself
      --> cluster.toml:17:11
       |
    16 | subnet  = "192.168.1.0/24"
       |           ---------------- the subnet
    17 | gateway = "192.168.1.0"
       |           ^^^^^^^^^^^^^
       |
       = help: nodes reach their gateway only within their own subnet
    ---
    error: the gateway 192.168.1.255 is the subnet's broadcast address
      --> cluster.toml:17:11
       |
    16 | subnet  = "192.168.1.0/24"
       |           ---------------- the subnet
    17 | gateway = "192.168.1.255"
       |           ^^^^^^^^^^^^^^^
       |
       = help: nodes reach their gateway only within their own subnet
    ---
    error: "192.168.1.1/24" is not an IPv4 address
      --> cluster.toml:17:11
       |
    17 | gateway = "192.168.1.1/24"
       |           ^^^^^^^^^^^^^^^^
       |
       = help: leave the prefix length to `subnet`
    ---
    error: "router" is not an IPv4 address
      --> cluster.toml:17:11
       |
    17 | gateway = "router"
       |           ^^^^^^^^
       |
       = help: write it like `192.168.1.10`
    "#);
}

#[test]
fn wrong_servers_and_domains_are_told() {
    assert_snapshot!(said_of_each(&[
        (DNS, "[\"::1\", \"224.0.0.1\"]"),
        (DNS, "\"192.168.1.1\""),
        (GATEWAY, "ntp = [\"pool ntp\"]"),
        (GATEWAY, "domain = \"local\""),
        (GATEWAY, "domain = \"-lan\""),
    ]), @r#"
    error: "::1" is not an IPv4 address
      --> cluster.toml:18:12
       |
    18 | dns     = ["::1", "224.0.0.1"]
       |            ^^^^^
       |
       = help: Hadoop speaks IPv4 only

    error: 224.0.0.1 is a multicast address
      --> cluster.toml:18:19
       |
    18 | dns     = ["::1", "224.0.0.1"]
       |                   ^^^^^^^^^^^
       |
       = help: use your network's addresses, such as 192.168.1.x
    ---
    error: `dns` is a string, expected a list of strings
      --> cluster.toml:18:11
       |
    18 | dns     = "192.168.1.1"
       |           ^^^^^^^^^^^^^ a string
       |
       = help: write it like `dns = ["192.168.1.1"]`
    ---
    error: "pool ntp" is neither a host name nor an address
      --> cluster.toml:17:8
       |
    17 | ntp = ["pool ntp"]
       |        ^^^^^^^^^^
       |
       = help: write it like `pool.ntp.org`
    ---
    error: the domain `local` belongs to multicast DNS
      --> cluster.toml:17:10
       |
    17 | domain = "local"
       |          ^^^^^^^
       |
       = help: use another, such as `lan`; NAME.local works without it
    ---
    error: "-lan" is not a domain
      --> cluster.toml:17:10
       |
    17 | domain = "-lan"
       |          ^^^^^^
       |
       = help: write it like `lan` or `cluster.example.org`
    "#);
}

#[test]
fn wrong_choices_are_told() {
    assert_snapshot!(said_of_each(&[
        (GATEWAY, "mode = \"auto\""),
        (GATEWAY, "link = \"10G\""),
        (GATEWAY, "link = 100"),
        (GATEWAY, "spare_workers = 1000"),
        (GATEWAY, "spare_workers = 99999999999999999999"),
        (GATEWAY, "gatway = \"192.168.1.1\""),
    ]), @r#"
    error: mode is "static" or "dhcp", not "auto"
      --> cluster.toml:17:8
       |
    17 | mode = "auto"
       |        ^^^^^^
       |
       = help: static: images set their addresses; dhcp: the router does, by reservation
    ---
    error: link is "100M", "300M" or "1G", not "10G"
      --> cluster.toml:17:8
       |
    17 | link = "10G"
       |        ^^^^^
       |
       = help: it is the slowest link between two nodes, in bits per second
    ---
    error: `link` is an integer, expected a string
      --> cluster.toml:17:8
       |
    17 | link = 100
       |        ^^^ an integer
       |
       = help: write it like `link = "1G"`
    ---
    error: `spare_workers` is between 0 and 250
      --> cluster.toml:17:17
       |
    17 | spare_workers = 1000
       |                 ^^^^
    ---
    error: `spare_workers` is between 0 and 250
      --> cluster.toml:17:17
       |
    17 | spare_workers = 99999999999999999999
       |                 ^^^^^^^^^^^^^^^^^^^^
    ---
    error: unknown key `gatway` in [network]
      --> cluster.toml:17:1
       |
    17 | gatway = "192.168.1.1"
       | ^^^^^^
       |
       = help: did you mean `gateway`?
    "#);
}
