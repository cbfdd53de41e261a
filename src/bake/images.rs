//! All images of a build.

use std::sync::mpsc;

use camino::Utf8Path;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::node::{Found, Oven};
use super::record::Records;
use super::rehearsal::Ground;
use super::{
    BakeError, LayerImage, Materials, NodeImage, ensure_layer,
};
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
        let found: Vec<Found> = nodes.par_iter().map(|node| oven.find(node)).collect();
        if found
            .iter()
            .all(|found| matches!(found, Found::Unchanged(_)))
        {
            let images = found.into_iter().filter_map(|found| match found {
                Found::Unchanged(image) => Some(image),
                _ => None,
            });
            return Ok(images.collect());
        }
        oven.records.sweep();
        let (layer, unsettled) = ensure_layer(
            &self.plan.layer,
            self.plan.epoch,
            self.materials,
            self.cache,
            self.reporter,
        )?;
        // The layer reaches the disk while images are made from it.
        let (settled, made) = rayon::join(
            || unsettled.settle(),
            || self.make(oven, nodes, found, &layer),
        );
        let images = made?;
        settled?;
        Ok(images)
    }

    /// Makes what is not found unchanged. What a node's edits come to is looked
    /// up for one after the other, which most find known already, while those
    /// before are being made.
    fn make(
        &self,
        oven: &Oven<'_>,
        nodes: &[&NodePlan],
        found: Vec<Found>,
        layer: &LayerImage,
    ) -> Result<Vec<NodeImage>, BakeError> {
        let (tell, told) = mpsc::channel();
        rayon::scope(|scope| {
            let mut ground = None;
            for (index, (node, found)) in nodes.iter().zip(found).enumerate() {
                if let Found::Unchanged(image) = found {
                    let _ = tell.send((index, Ok(image)));
                    continue;
                }
                let ground = match &mut ground {
                    Some(ground) => Ok(ground),
                    none => Ground::open(self.plan, layer).map(|ground| none.insert(ground)),
                };
                let draft = match ground.and_then(|ground| ground.draft(node)) {
                    Ok(draft) => draft,
                    Err(error) => {
                        let _ = tell.send((index, Err(error)));
                        return;
                    }
                };
                let tell = tell.clone();
                scope.spawn(move |_| {
                    let _ = tell.send((index, oven.bake(node, found, draft, layer)));
                });
            }
        });
        drop(tell);
        let mut made: Vec<(usize, Result<NodeImage, BakeError>)> = told.into_iter().collect();
        made.sort_by_key(|(index, _)| *index);
        made.into_iter().map(|(_, image)| image).collect()
    }
}
