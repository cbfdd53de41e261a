//! The cluster file: what the user writes, and what it means.
//!
//! [`parse`] turns text into a [`Cluster`] or into every problem found, each
//! with its place in the text. Nothing here reads files, the clock or the
//! environment.

mod board;
#[allow(clippy::module_inception)]
mod cluster;
mod name;
mod network;
mod parse;
mod property;
mod wifi;

pub use board::{Board, LinkSpeed};
pub use cluster::{Access, Cluster, ImageChoice, Node, Role, Settings, SourceChoice, Swap};
pub use name::{ClusterName, Hostname, UserName};
pub use network::{Addressing, MacAddr, Network};
pub use parse::{SCHEMA, parse};
pub use property::{ConfigFile, Properties, Property, SourceSpan};
pub use wifi::{Country, Ssid, Wifi};
