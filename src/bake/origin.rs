//! What an image follows from.

use serde::{Deserialize, Serialize};

use super::imprint::Imprint;
use crate::edit::cache_key;
use crate::plan::{NodePlan, Plan};
use crate::source::Sha256;

/// Changes when the same plan would give other bytes of a personality.
pub(super) const FORMAT: &str = "pidoop-node-1";

/// What an image was made from: another one of the same origin has the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// Digest of everything in the plan that its content follows from.
    pub(super) plan: String,
    /// The layer it is a copy of, apart from blocks of its own.
    pub(super) layer: String,
    /// Digest of the layer's metadata it was held against: a layer made again
    /// by other tools may have other bytes.
    pub(super) skeleton: Sha256,
    /// What a build that changes contents only goes by.
    pub(super) imprint: Option<Imprint>,
}

impl Origin {
    /// That of the image of `node`, made from a layer with this skeleton.
    pub(super) fn of(
        plan: &Plan,
        node: &NodePlan,
        skeleton: [u8; 32],
        imprint: Option<Imprint>,
    ) -> Self {
        Self {
            plan: fingerprint(plan, node),
            layer: plan.layer.id.clone(),
            skeleton: Sha256(skeleton),
            imprint,
        }
    }
}

/// Digest of everything that a node's image follows from.
pub(super) fn fingerprint(plan: &Plan, node: &NodePlan) -> String {
    let digest = cache_key(&[
        FORMAT.as_bytes(),
        plan.layer.id.as_bytes(),
        node.personality.as_bytes(),
        &plan.epoch.to_le_bytes(),
        &node.disk_id.get().to_le_bytes(),
    ]);
    hex::encode(digest)
}
