//! `[[node]]`: the machines.

use std::net::Ipv4Addr;
use std::ops::Range;

use toml::Spanned;

use crate::cluster::{Board, Hostname, MacAddr, Node, Properties, Role};
use crate::diagnostic::{Fault, Section, nearest};

use super::network::check_address;
use super::{board::check_board, property};

/// All nodes, as far as they could be read.
#[derive(Debug)]
pub(super) struct ReadNodes {
    pub(super) nodes: Vec<ReadNode>,
    /// Where `node` stands, whatever it is.
    pub(super) span: Option<Range<usize>>,
}

/// One node with the places of what it says; what could not be read is absent.
#[derive(Debug)]
pub(super) struct ReadNode {
    pub(super) header: Range<usize>,
    pub(super) name: Option<Spanned<Hostname>>,
    pub(super) role: Option<Spanned<Role>>,
    pub(super) board: Option<Spanned<Board>>,
    pub(super) address: Option<Spanned<Ipv4Addr>>,
    pub(super) mac: Option<Spanned<MacAddr>>,
    pub(super) wifi: Option<Spanned<bool>>,
    pub(super) rack: Option<Spanned<String>>,
    properties: Properties,
}

impl ReadNode {
    /// The node, if all of it could be read.
    pub(super) fn node(self) -> Option<Node> {
        Some(Node {
            name: self.name?.into_inner(),
            role: self.role?.into_inner(),
            board: self.board?.into_inner(),
            address: self.address?.into_inner(),
            mac: self.mac.map(Spanned::into_inner),
            wifi: self.wifi.is_some_and(Spanned::into_inner),
            rack: self.rack.map(Spanned::into_inner),
            properties: self.properties,
        })
    }
}

pub(super) fn read_all(root: &mut Section<'_>) -> ReadNodes {
    let nodes = root.sections("node").into_iter().map(read).collect();
    ReadNodes {
        nodes,
        span: root.key_span("node"),
    }
}

fn read(mut section: Section<'_>) -> ReadNode {
    section.require("name", "\"worker1\"");
    section.require("role", "\"worker\"");
    section.require("board", "\"pi4-4gb\"");
    section.require("address", "\"192.168.1.11\"");
    let node = ReadNode {
        header: section.span(),
        name: section.parsed("name", "\"worker1\"", check_name),
        role: section.parsed("role", "\"worker\"", check_role),
        board: section.parsed("board", "\"pi4-4gb\"", check_board),
        address: section.parsed("address", "\"192.168.1.11\"", check_address),
        mac: section.parsed("mac", "\"dc:a6:32:01:02:03\"", MacAddr::new),
        wifi: read_wifi(&mut section),
        rack: section.parsed("rack", "\"/rack1\"", check_rack),
        properties: property::read(section.section("hadoop")),
    };
    section.finish();
    node
}

fn read_wifi(section: &mut Section<'_>) -> Option<Spanned<bool>> {
    let span = section.value("wifi")?.span();
    let wifi = section.boolean("wifi")?;
    Some(Spanned::new(span, wifi))
}

fn check_name(text: &str) -> Result<Hostname, Fault> {
    Hostname::new(text).map_err(|message| {
        let mended: String = text
            .to_lowercase()
            .chars()
            .map(|c| if matches!(c, '_' | ' ' | '.') { '-' } else { c })
            .collect();
        match Hostname::new(&mended) {
            Ok(name) => Fault::new(message, format!("write `name = \"{name}\"`")),
            Err(_) => Fault::from(message),
        }
    })
}

fn check_role(text: &str) -> Result<Role, Fault> {
    const ROLES: [&str; 2] = ["master", "worker"];
    if ROLES.contains(&text) {
        return Ok(Role(text.to_owned()));
    }
    // Names these roles have in Hadoop's own and in older words.
    let meant = nearest(text, ROLES).or(match text.to_lowercase().as_str() {
        "namenode" | "resourcemanager" | "head" | "main" | "leader" | "primary" => Some("master"),
        "datanode" | "nodemanager" | "slave" | "node" | "agent" => Some("worker"),
        _ => None,
    });
    let known = "the roles are \"master\" and \"worker\"";
    Err(match meant {
        Some(meant) => Fault::new(
            format!("unknown role {text:?}"),
            format!("did you mean `{meant}`? {known}"),
        ),
        None => Fault::new(format!("unknown role {text:?}"), known),
    })
}

/// A path of racks as Hadoop's topology has them: `/rack1`, `/hall/rack1`.
fn check_rack(text: &str) -> Result<String, Fault> {
    let well_formed = text.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
    });
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(Fault::new(
            format!("{text:?} is not a rack"),
            "write it like `/rack1`: a slash, then letters, digits, '-', '_' or '.'",
        ))
    }
}
