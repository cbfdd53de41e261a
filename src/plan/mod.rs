//! The plan: what a build will do, as a value.
//!
//! [`Plan::new`] turns the checked cluster, what was found in the base image
//! and the archives, and the cluster's secret into every edit of every image.
//! The same value is printed, hashed, carried out and verified.

mod base;
mod component;
mod error;
mod layer;
mod node;
mod origin;
mod render;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

pub use base::BaseFacts;
pub use component::Component;
pub use error::PlanError;
pub use layer::Layer;
pub use node::NodePlan;
pub use render::outline;

use crate::cluster::{Cluster, Node};
use crate::edit::{Edits, Owner};
use crate::hadoop::{ConfigInputs, Daemon, HadoopVersion, Layout, MemoryPlan, configuration};
use crate::node::{
    AuthorizedKey, ClusterKey, NodeInputs, Passphrase, TemplateContext, personality,
};
use crate::overlay::Overlays;
use crate::recipe::{ComponentRecipe, Service};

/// What stays free on the root filesystem for logs and first data until the
/// card is filled at first boot, in bytes.
const ROOM: u64 = 1 << 30;

/// The overlay every node gets, whatever its recipes name.
pub const BASE_OVERLAY: &str = "base";

/// Everything a plan follows from.
#[derive(Debug)]
pub struct PlanInputs<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// Its memory plan.
    pub memory: MemoryPlan,
    /// The base image.
    pub base: BaseFacts,
    /// Java and Hadoop.
    pub components: Vec<Component>,
    /// Recipes of the components, for services and overlays.
    pub recipes: Vec<&'a ComponentRecipe>,
    /// Feature release of the Java runtime.
    pub java_major: u32,
    /// The Hadoop release.
    pub hadoop_version: HadoopVersion,
    /// All overlays.
    pub overlays: &'a Overlays,
    /// The cluster's secret.
    pub key: &'a ClusterKey,
    /// Who may log in.
    pub authorized_keys: &'a [AuthorizedKey],
    /// The secret of the Wi-Fi network, if nodes are on one.
    pub passphrase: Option<&'a Passphrase>,
    /// Name and version of the e2fsprogs that will write.
    pub writer: String,
    /// The moment every inode is dated with; the base's own if none is given.
    pub epoch: Option<i64>,
}

/// The resolved build.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The cluster.
    pub cluster: Cluster,
    /// The base image.
    pub base: BaseFacts,
    /// Java and Hadoop.
    pub components: Vec<Component>,
    /// The shared layer.
    pub layer: Layer,
    /// One for each node, in the order of the cluster file.
    pub nodes: Vec<NodePlan>,
    /// Who gets how much memory.
    pub memory: MemoryPlan,
    /// The moment every inode is dated with, in seconds since 1970.
    pub epoch: i64,
    /// Name and version of the e2fsprogs that will write.
    pub writer: String,
    /// `known_hosts` for the machine people log in from.
    #[serde(skip)]
    pub known_hosts: String,
}

impl Plan {
    /// Resolves everything.
    ///
    /// # Errors
    /// When the cluster does not fit the base image, an overlay does not
    /// render, or the user's properties contradict the build.
    pub fn new(inputs: PlanInputs<'_>) -> Result<Self, PlanError> {
        let epoch = inputs.epoch.unwrap_or(inputs.base.written_at);
        let layer = Layer::new(
            &inputs.base,
            &inputs.components,
            ROOM,
            epoch,
            &inputs.writer,
        );
        let nodes = inputs
            .cluster
            .nodes
            .iter()
            .map(|node| node_plan(&inputs, node, epoch))
            .collect::<Result<_, _>>()?;
        let known_hosts =
            crate::node::known_hosts(inputs.cluster, inputs.key).map_err(|source| {
                PlanError::KnownHosts {
                    source: Box::new(source),
                }
            })?;
        Ok(Self {
            cluster: inputs.cluster.clone(),
            base: inputs.base,
            components: inputs.components,
            layer,
            nodes,
            memory: inputs.memory,
            epoch,
            writer: inputs.writer,
            known_hosts,
        })
    }
}

fn node_plan(inputs: &PlanInputs<'_>, node: &Node, epoch: i64) -> Result<NodePlan, PlanError> {
    let on_node = |source: crate::node::NodeError| PlanError::Node {
        node: node.name.to_string(),
        source: Box::new(source),
    };
    let services = services(inputs, node);
    let mut edits = overlay_edits(inputs, node)?;
    let own = NodeInputs {
        cluster: inputs.cluster,
        node,
        profile: &inputs.base.profile,
        key: inputs.key,
        authorized_keys: inputs.authorized_keys,
        passphrase: inputs.passphrase,
        services: &services,
        epoch,
    };
    edits.extend(personality(&own).map_err(on_node)?);
    let config = ConfigInputs {
        cluster: inputs.cluster,
        node,
        memory: &inputs.memory,
        layout: &Layout::default(),
        java_major: inputs.java_major,
        hadoop_version: inputs.hadoop_version,
    };
    let files = configuration(&config).map_err(PlanError::Properties)?;
    edits.root.extend(files);

    Ok(NodePlan {
        name: node.name.to_string(),
        role: node.role.to_string(),
        board: node.board.name.to_owned(),
        address: node.address,
        image: format!("{}-{}.img", inputs.cluster.name, node.name),
        disk_id: inputs.key.disk_id(&node.name),
        services,
        personality: hex::encode(edits.digest()),
        edits,
    })
}

/// Units that start at boot on a node.
fn services(inputs: &PlanInputs<'_>, node: &Node) -> Vec<String> {
    let fits = |service: &&Service| {
        Daemon::of_service(&service.name)
            .is_none_or(|daemon| inputs.memory.runs(&node.name, daemon))
    };
    inputs
        .recipes
        .iter()
        .flat_map(|recipe| recipe.services_of(&node.role.0))
        .filter(fits)
        .map(|service| service.unit.clone())
        .collect()
}

/// What the overlays bring, in the order their recipes name them.
fn overlay_edits(inputs: &PlanInputs<'_>, node: &Node) -> Result<Edits, PlanError> {
    let context =
        TemplateContext::new(inputs.cluster, node, &inputs.base.profile).map_err(|source| {
            PlanError::Node {
                node: node.name.to_string(),
                source: Box::new(source),
            }
        })?;
    let owners: BTreeMap<String, Owner> = [
        ("root".to_owned(), Owner::ROOT),
        ("hadoop".to_owned(), context.ids.hadoop),
        (inputs.cluster.access.user.to_string(), context.ids.user),
    ]
    .into();
    let mut names = vec![BASE_OVERLAY];
    for name in inputs.recipes.iter().flat_map(|recipe| &recipe.overlays) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut edits = Edits::default();
    for name in names {
        let overlay = inputs.overlays.find(name).map_err(PlanError::overlay)?;
        edits.extend(
            overlay
                .edits(&context, &owners)
                .map_err(PlanError::overlay)?,
        );
    }
    Ok(edits)
}
