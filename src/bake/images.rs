//! All images of a build.

use camino::Utf8Path;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::node::Oven;
use super::record::Records;
use super::{BakeError, Materials, NodeImage, ensure_layer};
use crate::plan::{NodePlan, Plan};
use crate::progress::Reporter;

/// How many images are made at a time, whatever the machine: while some wait
/// for the disk or for a program, another has the processor, and each takes as
/// much memory as its filesystem has metadata, some 20 MB.
const AT_A_TIME: usize = 4;

/// What a build works with.
#[derive(Clone, Copy)]
pub struct Build<'a> {
    /// What to make.
    pub plan: &'a Plan,
    /// What the layer is made from.
    pub materials: &'a dyn Materials,
    /// The cache, for the layer and for what is known of earlier images.
    pub cache: &'a Utf8Path,
    /// The directory of the images. The caller holds its lock.
    pub out: &'a Utf8Path,
    /// Hears of progress.
    pub reporter: &'a Reporter,
}

impl std::fmt::Debug for Build<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Build")
            .field("cache", &self.cache)
            .field("out", &self.out)
            .finish_non_exhaustive()
    }
}

impl Build<'_> {
    /// Makes the images of `nodes`, in their order. Those that are there and
    /// just what is planned are left alone; if all are, no layer is needed.
    ///
    /// # Errors
    /// The first failure; images that were done by then stay.
    pub fn images(&self, nodes: &[&NodePlan]) -> Result<Vec<NodeImage>, BakeError> {
        let oven = Oven {
            plan: self.plan,
            out: self.out,
            records: Records::new(self.cache),
            reporter: self.reporter,
        };
        let pool = ThreadPoolBuilder::new()
            .num_threads(AT_A_TIME)
            .build()
            .map_err(std::io::Error::other)?;
        pool.install(|| self.with(&oven, nodes))
    }

    fn with(&self, oven: &Oven<'_>, nodes: &[&NodePlan]) -> Result<Vec<NodeImage>, BakeError> {
        let mut images: Vec<Option<NodeImage>> =
            nodes.par_iter().map(|node| oven.unchanged(node)).collect();
        if images.iter().any(Option::is_none) {
            oven.records.sweep();
            let (layer, unsettled) = ensure_layer(
                &self.plan.layer,
                self.plan.epoch,
                self.materials,
                self.cache,
                self.reporter,
            )?;
            let make = || {
                nodes
                    .par_iter()
                    .zip(images)
                    .map(|(node, image)| match image {
                        Some(image) => Ok(Some(image)),
                        None => oven.bake(node, &layer).map(Some),
                    })
                    .collect::<Result<_, _>>()
            };
            // The layer reaches the disk while images are made from it.
            let (settled, made) = rayon::join(|| unsettled.settle(), make);
            (images, ()) = (made?, settled?);
        }
        Ok(images.into_iter().flatten().collect())
    }
}
