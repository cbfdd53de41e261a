//! Why there is no plan.

use thiserror::Error;

use crate::diagnostic::Problem;
use crate::node::{IdentityError, NodeError};
use crate::overlay::OverlayError;

/// Why there is no plan.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A node cannot be what the cluster file says on this base image.
    #[error("{node}: {source}")]
    Node {
        /// Its name.
        node: String,
        /// Why.
        source: Box<NodeError>,
    },
    /// The list of host keys could not be made.
    #[error("known_hosts: {source}")]
    KnownHosts {
        /// Why.
        source: Box<IdentityError>,
    },
    /// An overlay does not exist or does not render.
    #[error(transparent)]
    Overlay(Box<OverlayError>),
    /// Properties in the cluster file that cannot work.
    #[error("{} properties in the cluster file cannot work", .0.len())]
    Properties(Vec<Problem>),
}

impl PlanError {
    pub(super) fn overlay(error: OverlayError) -> Self {
        Self::Overlay(Box::new(error))
    }
}
