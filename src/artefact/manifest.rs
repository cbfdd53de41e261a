//! `manifest.json`: what the images in a directory were made of.

use serde::Serialize;

use crate::plan::{BaseFacts, Component, Layer, NodePlan, Plan};

/// Everything needed to say where an image came from; no secret, no clock, no
/// path of the machine it was made on.
#[derive(Debug, Serialize)]
pub struct Manifest<'a> {
    /// Version of this document's shape.
    pub schema: u32,
    /// Version of pidoop.
    pub pidoop: &'static str,
    /// Version of e2fsprogs that wrote the filesystems.
    pub e2fsprogs: &'a str,
    /// Name of the cluster.
    pub cluster: &'a str,
    /// Moment that every inode is dated with, in seconds since 1970.
    pub epoch: i64,
    /// The base image.
    pub base: &'a BaseFacts,
    /// Java and Hadoop.
    pub components: &'a [Component],
    /// The shared layer.
    pub layer: &'a Layer,
    /// One for each image that was made.
    pub images: Vec<ImageRecord<'a>>,
}

/// One image.
#[derive(Clone, Debug, Serialize)]
pub struct ImageRecord<'a> {
    /// The node in it.
    #[serde(flatten)]
    pub node: &'a NodePlan,
    /// Length in bytes.
    pub bytes: u64,
    /// Who can log in, how and from where, as proven from the finished image.
    pub access: String,
}

impl<'a> Manifest<'a> {
    /// The manifest of a finished build.
    pub fn new(plan: &'a Plan, images: Vec<ImageRecord<'a>>) -> Self {
        Self {
            schema: 1,
            pidoop: env!("CARGO_PKG_VERSION"),
            e2fsprogs: &plan.writer,
            cluster: plan.cluster.name.as_str(),
            epoch: plan.epoch,
            base: &plan.base,
            components: &plan.components,
            layer: &plan.layer,
            images,
        }
    }

    /// The document's text.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}
