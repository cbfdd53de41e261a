//! A cluster for tests.

use std::net::Ipv4Addr;

use super::{AuthorizedKey, ClusterKey, NodeInputs, Passphrase, Profile, parse_authorized_key};
use crate::cluster::{
    Access, Addressing, Board, Cluster, ClusterName, Country, Hostname, ImageChoice, Network, Node,
    Properties, Role, Settings, SourceChoice, Ssid, Swap, UserName, Wifi,
};

pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfophOcZbe/HNUOAB8g5PCKKCAj2opuSb6qFWgXyknC me@desk";

/// With everything that has a meaning in one of the files it is put into.
pub(crate) const PASSPHRASE: &str = " a\\b \"c\" #;='$x ";

/// 2026-09-15, when the newest image of these tests was made.
pub(crate) const EPOCH: i64 = 1_789_430_400;

fn node(name: &str, role: Role, last: u8) -> Node {
    Node {
        name: Hostname::new(name).unwrap(),
        role,
        board: Board::named("pi4-4gb").unwrap(),
        address: Ipv4Addr::new(192, 168, 1, last),
        mac: None,
        wifi: false,
        rack: None,
        properties: Properties::new(),
    }
}

/// A master and two workers at 192.168.1.10 and on.
pub(crate) fn cluster() -> Cluster {
    let recipe = |name: &str| SourceChoice::Recipe {
        name: name.to_owned(),
        span: 0..0,
    };
    Cluster {
        name: ClusterName::new("elephant").unwrap(),
        image: ImageChoice {
            base: recipe("raspios-trixie-lite-arm64"),
            java: recipe("temurin-17"),
            hadoop: recipe("hadoop-3.5.0"),
        },
        access: Access {
            user: UserName::new("keeper").unwrap(),
            authorized_keys: vec![(KEY.to_owned(), 0..0)],
            password_hash: None,
            passwordless_sudo: true,
        },
        network: Network {
            addressing: Addressing::Static,
            subnet: "192.168.1.0/24".parse().unwrap(),
            gateway: Some(Ipv4Addr::new(192, 168, 1, 1)),
            dns: vec![Ipv4Addr::new(192, 168, 1, 1)],
            ntp: Vec::new(),
            domain: None,
            spare_workers: 2,
            link: None,
            wifi: None,
        },
        settings: Settings {
            timezone: "Europe/London".to_owned(),
            locale: "en_GB.UTF-8".to_owned(),
            swap: Swap::Zram,
            journal_mib: 200,
        },
        nodes: vec![
            node("master", Role::master(), 10),
            node("worker1", Role::worker(), 11),
            node("worker2", Role::worker(), 12),
        ],
        properties: Properties::new(),
    }
}

/// The same with everybody on Wi-Fi.
pub(crate) fn wireless() -> Cluster {
    let mut cluster = cluster();
    cluster.network.wifi = Some(Wifi {
        ssid: Ssid::new("Elephant House").unwrap(),
        passphrase_file: ("wifi.passphrase".to_owned(), 0..0),
        country: Country::new("GB").unwrap(),
        hidden: false,
    });
    for node in &mut cluster.nodes {
        node.wifi = true;
    }
    cluster
}

/// The units of a node's role.
pub(crate) fn services(node: &Node) -> Vec<String> {
    let names: &[&str] = match node.role.is_master() {
        true => &[
            "hdfs-namenode.service",
            "hdfs-secondarynamenode.service",
            "yarn-resourcemanager.service",
            "mapred-historyserver.service",
        ],
        false => &["hdfs-datanode.service", "yarn-nodemanager.service"],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Calls `make` with the inputs of the node at `index`.
pub(crate) fn with_inputs<T>(
    cluster: &Cluster,
    index: usize,
    profile: &Profile,
    make: impl FnOnce(&NodeInputs<'_>) -> T,
) -> T {
    let keys: Vec<AuthorizedKey> = cluster
        .access
        .authorized_keys
        .iter()
        .map(|(line, _)| parse_authorized_key(line).unwrap())
        .collect();
    let passphrase =
        (cluster.network.wifi.as_ref()).map(|_| Passphrase::from_text(PASSPHRASE).unwrap());
    let node = &cluster.nodes[index];
    make(&NodeInputs {
        cluster,
        node,
        profile,
        key: &ClusterKey::new([7; 32]),
        authorized_keys: &keys,
        passphrase: passphrase.as_ref(),
        services: &services(node),
        epoch: EPOCH,
    })
}
