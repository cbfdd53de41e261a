//! One node's image, as planned.

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::edit::Edits;
use crate::node::DiskId;

/// What turns a copy of the layer into one node's image.
#[derive(Clone, Debug, Serialize)]
pub struct NodePlan {
    /// Host name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Board.
    pub board: String,
    /// Address on the cluster's network.
    pub address: Ipv4Addr,
    /// File name of the image, such as `elephant-master.img`.
    pub image: String,
    /// MBR disk id; also in `fstab` and on the kernel command line.
    pub disk_id: DiskId,
    /// Units that start at boot.
    pub services: Vec<String>,
    /// SHA-256 over all edits, lower-case hex: changes exactly when the node's
    /// own content does.
    pub personality: String,
    /// What is done to the copy.
    #[serde(skip)]
    pub edits: Edits,
}
