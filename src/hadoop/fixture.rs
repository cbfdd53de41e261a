//! Clusters for the tests of this module.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::{Defaults, HadoopVersion, Layout, MemoryPlan, configuration};
use crate::cluster::{
    Access, Addressing, Board, Cluster, ClusterName, ConfigFile, Hostname, ImageChoice, Network,
    Node, Properties, Property, Role, Settings, SourceChoice, SourceSpan, Swap, UserName,
};
use crate::edit::{Edit, Mode, Owner};
use crate::hadoop::ConfigInputs;

/// The release the fixture of default keys is of.
pub(super) const RELEASE: HadoopVersion = HadoopVersion::new(3, 5, 0);

fn recipe(name: &str) -> SourceChoice {
    SourceChoice::Recipe {
        name: name.to_owned(),
        span: 0..0,
    }
}

fn node(name: &str, role: Role, board: &str, last: u8) -> Node {
    Node {
        name: Hostname::new(name).unwrap(),
        role,
        board: Board::named(board).unwrap(),
        address: Ipv4Addr::new(192, 168, 1, last),
        mac: None,
        wifi: false,
        rack: None,
        properties: Properties::new(),
    }
}

/// A cluster of these boards, the master's first; workers are `worker1`, ….
pub(super) fn cluster(boards: &[&str]) -> Cluster {
    let nodes = boards
        .iter()
        .zip(10..)
        .map(|(board, last)| match last {
            10 => node("master", Role::master(), board, 10),
            _ => node(&format!("worker{}", last - 10), Role::worker(), board, last),
        })
        .collect();
    Cluster {
        name: ClusterName::new("elephant").unwrap(),
        image: ImageChoice {
            base: recipe("raspios-trixie-lite-arm64"),
            java: recipe("temurin-17"),
            hadoop: recipe("hadoop-3.5.0"),
        },
        access: Access {
            user: UserName::new("pi").unwrap(),
            authorized_keys: Vec::new(),
            password_hash: None,
            passwordless_sudo: true,
        },
        network: Network {
            addressing: Addressing::Static,
            subnet: "192.168.1.0/24".parse().unwrap(),
            gateway: Some(Ipv4Addr::new(192, 168, 1, 1)),
            dns: Vec::new(),
            ntp: Vec::new(),
            domain: None,
            spare_workers: 8,
            link: None,
            wifi: None,
        },
        settings: Settings {
            timezone: "Etc/UTC".to_owned(),
            locale: "C.UTF-8".to_owned(),
            swap: Swap::Zram,
            journal_mib: 200,
        },
        nodes,
        properties: Properties::new(),
    }
}

/// Sets a property the user could have written at `span`.
pub(super) fn set(
    properties: &mut Properties,
    file: ConfigFile,
    key: &str,
    value: &str,
    span: SourceSpan,
) {
    let property = Property {
        value: value.to_owned(),
        span,
    };
    properties
        .entry(file)
        .or_default()
        .insert(key.to_owned(), property);
}

/// Calls `use_inputs` with the inputs of the node at `index` on Java 17.
pub(super) fn with_inputs<T>(
    cluster: &Cluster,
    index: usize,
    use_inputs: impl FnOnce(&ConfigInputs<'_>) -> T,
) -> T {
    let memory = MemoryPlan::for_cluster(cluster).unwrap();
    use_inputs(&ConfigInputs {
        cluster,
        node: &cluster.nodes[index],
        memory: &memory,
        layout: &Layout::default(),
        java_major: 17,
        hadoop_version: RELEASE,
    })
}

/// The keys of [`RELEASE`], each with a default of the kind it has
/// (`scripts/hadoop-default-keys.py`).
pub(super) fn release_defaults() -> Defaults {
    let list = include_str!("../../tests/fixtures/hadoop-3.5.0-keys.tsv");
    let mut defaults = Defaults::default();
    for line in list.lines() {
        let [file, key, kind] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line:?} is no line of the list");
        };
        let value = match kind {
            "boolean" => "true",
            "integer" => "1",
            "quantity" => "10s",
            "decimal" => "0.5",
            _ => "",
        };
        let keys = match file {
            "core-site.xml" => &mut defaults.core,
            "hdfs-site.xml" => &mut defaults.hdfs,
            "yarn-site.xml" => &mut defaults.yarn,
            _ => &mut defaults.mapred,
        };
        keys.insert(key.to_owned(), value.to_owned());
    }
    defaults
}

/// Files of the node at `index` by name.
pub(super) fn files(cluster: &Cluster, index: usize) -> BTreeMap<String, String> {
    let edits = with_inputs(cluster, index, |inputs| configuration(inputs).unwrap());
    edits
        .into_iter()
        .map(|edit| {
            let Edit::PutFile {
                path,
                content,
                owner,
                mode,
            } = edit
            else {
                panic!("{edit} is no file");
            };
            assert_eq!((owner, mode), (Owner::ROOT, Mode::FILE));
            assert_eq!(path.parent().unwrap().as_str(), "/opt/hadoop/etc/hadoop");
            let text = String::from_utf8(content.bytes().to_vec()).unwrap();
            (path.file_name().to_owned(), text)
        })
        .collect()
}

/// The cluster of the design's example: three Pi 4 with 4 GB.
pub(super) fn example() -> Cluster {
    cluster(&["pi4-4gb", "pi4-4gb", "pi4-4gb"])
}
