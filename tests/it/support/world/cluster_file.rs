//! A cluster.toml in the making.

use std::fmt::Write as _;

use camino::Utf8Path;

use super::{Flavour, World};

/// One `[[node]]`.
#[derive(Clone, Debug)]
struct NodeEntry {
    name: String,
    role: &'static str,
    board: &'static str,
    last: u8,
    more: String,
}

/// What a cluster file says: a master and two workers on Raspberry Pi 4 with
/// the world's inputs, unless told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct ClusterFile {
    base: String,
    java: String,
    hadoop: String,
    access: String,
    nodes: Vec<NodeEntry>,
    more: String,
}

/// The public key that may log in. Its private half was thrown away.
pub(crate) const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxJUmVUvVPT2kfjBgkIHEgjGQhPA2Bw2HWjxYO1hWtb somebody@desk";

/// A Wi-Fi network's name that is more than letters.
pub(crate) const SSID: &str = "Tiny; World é";

impl ClusterFile {
    pub(crate) fn new(world: &World) -> Self {
        let file = Self {
            base: String::new(),
            java: from_path(&world.java()),
            hadoop: from_path(&world.hadoop()),
            access: format!("authorized_keys = [\"{PUBLIC_KEY}\"]"),
            nodes: Vec::new(),
            more: String::new(),
        };
        file.base(&world.base(Flavour::Trixie))
            .node("master", "master", 10)
            .node("worker1", "worker", 11)
            .node("worker2", "worker", 12)
    }

    /// With this base image.
    pub(crate) fn base(mut self, path: &Utf8Path) -> Self {
        self.base = from_path(path);
        self
    }

    /// With inputs written like this, as values in TOML.
    pub(crate) fn inputs(mut self, base: &str, java: &str, hadoop: &str) -> Self {
        self.base = base.to_owned();
        self.java = java.to_owned();
        self.hadoop = hadoop.to_owned();
        self
    }

    /// With this base image, which has to have this digest.
    pub(crate) fn base_with_sha256(mut self, path: &Utf8Path, sha256: &str) -> Self {
        self.base = format!("{{ path = \"{path}\", sha256 = \"{sha256}\" }}");
        self
    }

    /// With this Java archive.
    pub(crate) fn java(mut self, path: &Utf8Path) -> Self {
        self.java = from_path(path);
        self
    }

    /// With this Hadoop archive.
    pub(crate) fn hadoop(mut self, path: &Utf8Path) -> Self {
        self.hadoop = from_path(path);
        self
    }

    /// With a user of this name, who is `pi` in the base.
    pub(crate) fn user(mut self, name: &str) -> Self {
        self.access = format!("user = \"{name}\"\n{}", self.access);
        self
    }

    /// With these lines in `[access]`.
    pub(crate) fn access(mut self, lines: &str) -> Self {
        self.access = lines.to_owned();
        self
    }

    /// With a node on Wi-Fi; the sandbox needs the passphrase.
    pub(crate) fn wireless(mut self, name: &str) -> Self {
        let node = self.nodes.iter_mut().find(|node| node.name == name);
        node.unwrap().more.push_str("wifi = true\n");
        self.more(&format!(
            "\n[network.wifi]\nssid = \"{SSID}\"\npassphrase_file = \"wifi.passphrase\"\n\
             country = \"GB\"\n"
        ))
    }

    /// One node more, at `10.4.0.last`.
    pub(crate) fn node(mut self, name: &str, role: &'static str, last: u8) -> Self {
        let (name, more) = (name.to_owned(), String::new());
        self.nodes.push(NodeEntry {
            name,
            role,
            board: "pi4-4gb",
            last,
            more,
        });
        self
    }

    /// With another board for a node.
    pub(crate) fn board(mut self, name: &str, board: &'static str) -> Self {
        self.entry(name).board = board;
        self
    }

    /// With a Hadoop property for one node alone.
    pub(crate) fn node_property(mut self, name: &str, file: &str, key: &str, value: &str) -> Self {
        let text = format!("[node.hadoop.properties.\"{file}\"]\n\"{key}\" = \"{value}\"\n");
        self.entry(name).more = text;
        self
    }

    fn entry(&mut self, name: &str) -> &mut NodeEntry {
        let found = self.nodes.iter_mut().find(|node| node.name == name);
        found.expect("a node of this name")
    }

    /// Without the nodes after the first `count`.
    pub(crate) fn first_nodes(mut self, count: usize) -> Self {
        self.nodes.truncate(count);
        self
    }

    /// With a Hadoop property for all nodes.
    pub(crate) fn property(mut self, file: &str, key: &str, value: &str) -> Self {
        write!(
            self.more,
            "\n[hadoop.properties.\"{file}\"]\n\"{key}\" = \"{value}\"\n"
        )
        .unwrap();
        self
    }

    /// With this text at its end.
    pub(crate) fn more(mut self, text: &str) -> Self {
        self.more.push_str(text);
        self
    }

    /// The file's text.
    pub(crate) fn text(&self) -> String {
        let Self {
            base,
            java,
            hadoop,
            access,
            nodes,
            more,
        } = self;
        let mut text = format!(
            "schema = 1\n\n[cluster]\nname = \"tiny\"\n\n\
             [image]\nbase = {base}\njava = {java}\nhadoop = {hadoop}\n\n\
             [access]\n{access}\n\n\
             [network]\nsubnet = \"10.4.0.0/24\"\ngateway = \"10.4.0.1\"\n"
        );
        for NodeEntry {
            name,
            role,
            board,
            last,
            more,
        } in nodes
        {
            write!(
                text,
                "\n[[node]]\nname = \"{name}\"\nrole = \"{role}\"\nboard = \"{board}\"\n\
                 address = \"10.4.0.{last}\"\n{more}"
            )
            .unwrap();
        }
        text + more
    }
}

fn from_path(path: &Utf8Path) -> String {
    format!("{{ path = \"{path}\" }}")
}
