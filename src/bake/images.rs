//! All images of a build.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use camino::Utf8Path;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::layer::LayerFile;
use super::node::{Found, Oven};
use super::record::Records;
use super::rehearsal::Ground;
use super::{BakeError, LayerImage, Materials, NodeImage, Unsettled, cached_layer, ensure_layer};
use crate::plan::{NodePlan, Plan};
use crate::progress::Reporter;
use crate::tool::E2FSCK;

/// How many images are made at a time, whatever the machine: while some wait
/// for the disk or for a program, another has the processor.
const AT_A_TIME: usize = 4;

/// How much memory the metadata of images being made may take together, in bytes.
/// Each image has as much as its filesystem has metadata, 7 to 50 MB.
const MOST_METADATA: u64 = 150 << 20;

/// How many images are made at a time if each has `metadata` bytes of them.
fn at_a_time(metadata: u64) -> usize {
    let fitting = MOST_METADATA / metadata.max(1);
    usize::try_from(fitting).map_or(AT_A_TIME, |fitting| fitting.clamp(1, AT_A_TIME))
}

/// A place among the images that are being made; free again when this goes,
/// however it goes.
struct Place(mpsc::Sender<()>);

impl Drop for Place {
    fn drop(&mut self) {
        // Nobody waits any more at the end.
        let _ = self.0.send(());
    }
}

/// What was told of each of several, in their order.
fn in_order<T>(told: mpsc::Receiver<(usize, Result<T, BakeError>)>) -> Result<Vec<T>, BakeError> {
    let mut all: Vec<_> = told.into_iter().collect();
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, outcome)| outcome).collect()
}

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
            waiting: AtomicUsize::new(0),
        };
        let pool = ThreadPoolBuilder::new()
            .num_threads(AT_A_TIME)
            .build()
            .map_err(std::io::Error::other)?;
        let (found, mut ground) = self.find(&pool, &oven, nodes)?;
        if found.iter().any(|found| !found.is_as_it_was()) {
            oven.records.sweep();
        }
        let first = nodes.iter().zip(&found).find(|(_, found)| !found.is_done());
        let Some((first, _)) = first else {
            return Ok(found.into_iter().filter_map(Found::done).collect());
        };
        let missing = found.iter().filter(|found| !found.is_done()).count();
        oven.waiting.store(missing, Ordering::Relaxed);
        E2FSCK.ask_ahead();
        let (layer, unsettled) = thread::scope(|scope| {
            let layer = scope.spawn(|| {
                ensure_layer(
                    &self.plan.layer,
                    self.plan.epoch,
                    self.materials,
                    self.cache,
                    self.reporter,
                )
            });
            // What the first node asks of a layer that is there, the others will.
            if ground.is_none()
                && let Some(path) = cached_layer(&self.plan.layer, self.cache)
                && let Ok(opened) = Ground::open(self.plan, &path)
            {
                // Whatever is wrong shows when it is drafted.
                let _ = opened.intent(first);
                ground = Some(opened);
            }
            let layer = layer.join();
            layer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        let ground = match ground.filter(|_| unsettled.is_settled()) {
            Some(ground) => ground,
            None => Ground::open(self.plan, &layer.path)?,
        };
        self.make(
            &pool,
            &oven,
            nodes.iter().zip(found),
            ground,
            (&layer, unsettled),
        )
    }

    /// What there is of the images of `nodes`. Those that need other contents of
    /// files only get them at once, which takes nothing of the layer but what the
    /// edits ask of it: that is looked up for one after the other.
    fn find<'a>(
        &'a self,
        pool: &ThreadPool,
        oven: &Oven<'_>,
        nodes: &[&NodePlan],
    ) -> Result<(Vec<Found>, Option<Ground<'a>>), BakeError> {
        let path = OnceCell::new();
        let opened = OnceCell::new();
        let (tell, told) = mpsc::channel();
        let (finish, finished) = mpsc::channel();
        pool.in_place_scope(|scope| {
            for (index, node) in nodes.iter().enumerate() {
                let tell = tell.clone();
                scope.spawn(move |_| {
                    let _ = tell.send((index, *node, oven.find(node)));
                });
            }
            drop(tell);
            for (index, node, found) in told {
                let finish = finish.clone();
                let Found::Older(old) = found else {
                    let _ = finish.send((index, Ok(found)));
                    continue;
                };
                let opened = opened.get_or_init(|| {
                    let path = path.get_or_init(|| cached_layer(&self.plan.layer, self.cache));
                    let layer = LayerFile::at(path.as_deref()?)?;
                    // Whatever is wrong shows when the layer is needed.
                    Some((layer, Ground::open(self.plan, layer.path).ok()?))
                });
                let meant = opened
                    .as_ref()
                    .and_then(|(layer, ground)| Some((*layer, ground.intent(node).ok()?)));
                let Some((layer, intent)) = meant else {
                    let _ = finish.send((index, Ok(Found::Older(old))));
                    continue;
                };
                scope.spawn(move |_| {
                    let _ = finish.send((index, oven.refill(node, &intent, layer, old)));
                });
            }
        });
        drop(finish);
        let ground = opened.into_inner().flatten().map(|(_, ground)| ground);
        Ok((in_order(finished)?, ground))
    }

    /// Makes what is not found unchanged. What a node's edits come to is looked
    /// up for one after the other, most of which the ground knows from those
    /// before, while these are being made.
    fn make<'n>(
        &self,
        pool: &ThreadPool,
        oven: &Oven<'_>,
        nodes: impl Iterator<Item = (&'n &'n NodePlan, Found)>,
        mut ground: Ground<'_>,
        (layer, unsettled): (&LayerImage, Unsettled),
    ) -> Result<Vec<NodeImage>, BakeError> {
        let (tell, told) = mpsc::channel();
        let (free, freed) = mpsc::channel();
        let mut places = at_a_time(layer.skeleton.bytes());
        let mut settled = Ok(());
        pool.in_place_scope(|scope| {
            // The layer reaches the disk while images are made from it.
            scope.spawn(|_| settled = unsettled.settle());
            for (index, (node, found)) in nodes.enumerate() {
                if let Found::Done(image) = found {
                    let _ = tell.send((index, Ok(image)));
                    continue;
                }
                if places > 0 {
                    places -= 1;
                } else {
                    let _ = freed.recv();
                }
                let place = Place(free.clone());
                let draft = ground
                    .intent(node)
                    .and_then(|intent| ground.draft(node, intent, &layer.skeleton));
                let draft = match draft {
                    Ok(draft) => draft,
                    Err(error) => {
                        let _ = tell.send((index, Err(error)));
                        return;
                    }
                };
                let tell = tell.clone();
                scope.spawn(move |_| {
                    let _place = place;
                    let _ = tell.send((index, oven.bake(node, found, draft, layer)));
                });
            }
        });
        drop(tell);
        let images = in_order(told)?;
        settled?;
        Ok(images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_metadata_at_a_time_are_few_images() {
        let expected = [
            (0, 4),
            (7 << 20, 4),
            (48 << 20, 3),
            (100 << 20, 1),
            (u64::MAX, 1),
        ];
        for (metadata, images) in expected {
            assert_eq!(at_a_time(metadata), images, "{metadata}");
        }
    }

    #[test]
    fn a_place_is_free_again_after_a_panic() {
        let (free, freed) = mpsc::channel();
        let place = Place(free);
        let work = thread::spawn(move || {
            let _place = place;
            panic!("as a job may");
        });
        assert!(work.join().is_err());
        freed.recv().unwrap();
    }
}
