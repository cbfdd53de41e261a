//! One node's image: left as it is, changed in place, or made from the layer.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::{File, OpenOptions};

use super::doubt::Doubt;
use super::intent::{Intent, access_to};
use super::layer::LayerFile;
use super::origin::{Origin, fingerprint};
use super::record::{Records, Standing};
use super::rehearsal::{Draft, Rehearsal, moved};
use super::{BakeError, LayerImage, Scratch};
use crate::disk::ext4::refill;
use crate::disk::{Delta, PiImage, copy_file, open_scattered};
use crate::node::Proof;
use crate::plan::{NodePlan, Plan};
use crate::progress::Reporter;

/// An image that stands complete under its final name.
#[derive(Clone, Debug)]
pub struct NodeImage {
    /// Whose it is.
    pub node: String,
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Who can log in, how and from where, proven from the finished bytes.
    pub access: Proof,
    /// What it took to have it.
    pub how: How,
}

/// What it took to have an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing: it was there, just as planned.
    Unchanged,
    /// It was there for an older plan, and some blocks were changed.
    Patched {
        /// How many, of 4096 bytes.
        blocks: u64,
    },
    /// It was made from the layer.
    Built,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => f.write_str("unchanged"),
            Self::Patched { blocks: 1 } => f.write_str("patched (1 block)"),
            Self::Patched { blocks } => write!(f, "patched ({blocks} blocks)"),
            Self::Built => f.write_str("built"),
        }
    }
}

/// What there is of an image before it is made.
#[derive(Debug)]
pub(super) enum Found {
    /// All of it.
    Done(NodeImage),
    /// An image that was made for another plan, or lets nobody in, and that
    /// nobody touched.
    Older(Standing),
    /// Nothing that is trusted.
    Doubtful(Doubt),
}

impl Found {
    /// Whether it is as it was before this build.
    pub(super) fn is_as_it_was(&self) -> bool {
        matches!(self, Self::Done(image) if image.how == How::Unchanged)
    }

    /// Whether all of it is there.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// The image, if all of it is there.
    pub(super) fn done(self) -> Option<NodeImage> {
        match self {
            Self::Done(image) => Some(image),
            Self::Older(_) | Self::Doubtful(_) => None,
        }
    }
}

/// What the images of a build have in common.
#[derive(Debug)]
pub(super) struct Oven<'a> {
    pub(super) plan: &'a Plan,
    pub(super) out: &'a Utf8Path,
    pub(super) records: Records,
    pub(super) reporter: &'a Reporter,
    /// How many images wait to be made.
    pub(super) waiting: AtomicUsize,
}

impl Oven<'_> {
    fn path(&self, node: &NodePlan) -> Utf8PathBuf {
        self.out.join(&node.image)
    }

    /// What there is of the node's image.
    pub(super) fn find(&self, node: &NodePlan) -> Found {
        let path = self.path(node);
        let standing = match self.records.standing(&path) {
            Ok(standing) => standing,
            Err(doubt) => return Found::Doubtful(doubt),
        };
        if standing.record.origin.plan != fingerprint(self.plan, node) {
            return Found::Older(standing);
        }
        // Whatever is wrong shows when it is made anew.
        let image = access_to(self.plan, node, &path)
            .and_then(|access| self.image(node, &path, access, How::Unchanged));
        match image {
            Ok(image) => Found::Done(image),
            Err(_) => Found::Older(standing),
        }
    }

    /// Makes the node's image what is planned: in place if there is one from
    /// this layer that nobody touched, otherwise from a copy of the layer.
    ///
    /// # Errors
    /// When any step fails, or what was read back is not what was planned, or
    /// nobody could log in. Then the image is as it was before, or not there.
    pub(super) fn bake(
        &self,
        node: &NodePlan,
        found: Found,
        draft: Draft,
        layer: &LayerImage,
    ) -> Result<NodeImage, BakeError> {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let doubt = match found {
            Found::Done(image) => return Ok(image),
            Found::Older(standing) if standing.record.origin.layer != self.plan.layer.id => None,
            Found::Older(standing)
                if standing.record.origin.skeleton.0 != layer.skeleton.digest() =>
            {
                Doubt::OtherLayer.words()
            }
            Found::Older(standing) => {
                let rehearsal = Rehearsal::of(self.plan, draft, layer)?;
                let Rehearsal { intent, delta, .. } = &rehearsal;
                let image = self.patch(node, (intent, delta), layer.file(), standing)?;
                self.end(rehearsal, layer);
                return Ok(image);
            }
            Found::Doubtful(doubt) => doubt.words(),
        };
        if let Some(words) = doubt {
            let path = self.path(node);
            self.reporter
                .note(format!("{path} {words}, so it is built afresh"));
        }
        self.build(node, draft, layer)
    }

    fn build(
        &self,
        node: &NodePlan,
        draft: Draft,
        layer: &LayerImage,
    ) -> Result<NodeImage, BakeError> {
        let task = self
            .reporter
            .items(format!("baking {}", node.name), Some(3));
        let path = self.path(node);
        let scratch = Scratch::for_target(&path)?;
        let (copied, rehearsal) = rayon::join(
            || copy_file(&layer.path, scratch.path()),
            || Rehearsal::of(self.plan, draft, layer),
        );
        copied?;
        let rehearsal = rehearsal?;
        task.advance(1);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(scratch.path())?;
        rehearsal.delta.write(&file, scratch.path())?;
        task.advance(1);
        let access = rehearsal.verify(self.plan, node, scratch.path())?;
        // Not waiting for the disk, which would double the time of a build:
        // after a power cut no build relies on this file.
        let Rehearsal { intent, delta, .. } = &rehearsal;
        self.finish(node, &file, scratch, (intent, delta), layer.file())?;
        self.end(rehearsal, layer);
        task.advance(1);
        task.finish();
        self.image(node, &path, access, How::Built)
    }

    /// Makes the image what is planned, if no more has to change than contents of
    /// files that take as many blocks as before.
    ///
    /// # Errors
    /// Those of [`bake`](Self::bake).
    pub(super) fn refill(
        &self,
        node: &NodePlan,
        intent: &Intent,
        layer: LayerFile<'_>,
        old: Standing,
    ) -> Result<Found, BakeError> {
        match self.refilled(node, intent, layer, &old) {
            Some(delta) => self
                .patch(node, (intent, &delta), layer, old)
                .map(Found::Done),
            None => Ok(Found::Older(old)),
        }
    }

    /// The image's own blocks with other contents in its files, if that is all
    /// there is to do. Whatever is in the way shows when it is made otherwise.
    fn refilled(
        &self,
        node: &NodePlan,
        intent: &Intent,
        layer: LayerFile<'_>,
        old: &Standing,
    ) -> Option<Delta> {
        let origin = &old.record.origin;
        if origin.layer != self.plan.layer.id || origin.skeleton.0 != layer.skeleton {
            return None;
        }
        let (now, before) = (intent.imprint.as_ref()?, origin.imprint.as_ref()?);
        let contents = now.instead_of(before, &intent.root)?;
        let root = PiImage::open(self.path(node)).ok()?.root();
        let pieces = refill(&root, &contents).ok()??;
        old.personality.with(moved(pieces, root.start))
    }

    /// Takes the old personality off and puts the new one on. From the first
    /// byte that changes until all was read back, the file has its scratch
    /// name.
    fn patch(
        &self,
        node: &NodePlan,
        (intent, delta): (&Intent, &Delta),
        layer: LayerFile<'_>,
        old: Standing,
    ) -> Result<NodeImage, BakeError> {
        let task = self
            .reporter
            .items(format!("patching {}", node.name), Some(3));
        let path = self.path(node);
        let base = open_scattered(layer.path)?;
        let steps = delta.instead_of(&old.personality, &base)?;
        task.advance(1);
        let scratch = Scratch::adopt(&path)?;
        let done = steps
            .write(&old.file, scratch.path())
            .map_err(BakeError::from)
            .and_then(|()| {
                task.advance(1);
                // What it was copied from it was held against when it was new; since
                // then nobody wrote to it.
                let disk = PiImage::open(scratch.path())?;
                intent.verify(self.plan, node, &disk, delta, Vec::new())
            });
        let access = match done {
            Ok(access) => access,
            Err(error) => {
                self.put_back(node, &base, delta, old, scratch);
                return Err(error);
            }
        };
        self.finish(node, &old.file, scratch, (intent, delta), layer)?;
        task.advance(1);
        task.finish();
        let how = match steps.len() {
            0 => How::Unchanged,
            blocks => How::Patched { blocks },
        };
        self.image(node, &path, access, how)
    }

    /// Makes the image what it was before a patch that failed. If that fails,
    /// too, the image is gone.
    fn put_back(
        &self,
        node: &NodePlan,
        base: &File,
        tried: &Delta,
        old: Standing,
        scratch: Scratch,
    ) {
        let whole = || -> Result<(), BakeError> {
            // All that the patch may have written, whether it came to it or not.
            let steps = old.personality.instead_of(tried, base)?;
            steps.write(&old.file, scratch.path())?;
            Ok(())
        };
        if whole().is_err() {
            return;
        }
        let stamp = Records::stamp(&old.file);
        if let (Ok(stamp), Ok(())) = (stamp, scratch.keep()) {
            // Without a record the next build makes the image afresh.
            let (path, origin) = (self.path(node), &old.record.origin);
            let _ = self.records.keep(&path, stamp, origin, &old.personality);
        }
    }

    /// Has what a rehearsal took in memory serve the next one, if there is one:
    /// otherwise it goes at once, while other images are being made.
    fn end(&self, rehearsal: Rehearsal, layer: &LayerImage) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            rehearsal.end(layer);
        }
    }

    /// Gives the image its name, and takes it down.
    fn finish(
        &self,
        node: &NodePlan,
        file: &File,
        scratch: Scratch,
        (intent, delta): (&Intent, &Delta),
        layer: LayerFile<'_>,
    ) -> Result<(), BakeError> {
        let stamp = Records::stamp(file)?;
        scratch.keep()?;
        let origin = Origin::of(self.plan, node, layer.skeleton, intent.imprint.clone());
        self.records.keep(&self.path(node), stamp, &origin, delta)
    }

    fn image(
        &self,
        node: &NodePlan,
        path: &Utf8Path,
        access: Proof,
        how: How,
    ) -> Result<NodeImage, BakeError> {
        Ok(NodeImage {
            node: node.name.clone(),
            path: path.to_owned(),
            bytes: fs_err::metadata(path)?.len(),
            access,
            how,
        })
    }
}
