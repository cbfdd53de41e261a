//! What a build would make, worked out with what is at hand.

use camino::Utf8PathBuf;

use super::inputs::Inputs;
use super::load::Loaded;
use super::lock_file::LockFile;
use super::plan::{memory_plan, resolve};
use super::secret::existing_key;
use super::session::Session;
use super::supply::source_failure;
use super::{Failure, bake_failure};
use crate::bake::{Materials as _, Stock, cached_layer};
use crate::cli::GlobalArgs;
use crate::plan::{NodePlan, Plan};
use crate::source::{RawBase, StagedArchives};

/// The plan of a cluster and what its images are made from. Nothing is
/// fetched, built or written for it.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) plan: Plan,
    from: From,
}

/// What the images are made from.
#[derive(Debug)]
enum From {
    Layer(Utf8PathBuf),
    Base(RawBase, StagedArchives),
}

impl Expected {
    /// Of the cluster that was loaded.
    pub(super) fn of(loaded: &Loaded, global: &GlobalArgs) -> Result<Self, Failure> {
        let memory = memory_plan(loaded)?;
        let key = existing_key(loaded.dir())?.ok_or_else(|| {
            Failure::usage(format!(
                "there is no {}, from which every identity in the images follows",
                loaded.dir().join("cluster.key")
            ))
            .hint("put it back beside the cluster file; if there never was one, build first")
        })?;
        let mut session = Session::open(global, false)?;
        session.fetcher.offline = true;
        let lock = LockFile::open(loaded, false)?;
        let inputs = Inputs::obtain(loaded, &lock, &session)?;
        let plan = resolve(loaded, memory, &inputs, &key)?;
        let from = match cached_layer(&plan.layer, session.fetcher.cache().root()) {
            Some(layer) => From::Layer(layer),
            None => {
                let materials = &inputs.materials;
                let base = materials.raw_base().map_err(source_failure)?;
                From::Base(base, materials.archives().map_err(source_failure)?)
            }
        };
        Ok(Self { plan, from })
    }

    /// What its images are made from: the layer, or the base if there is none.
    pub(super) fn stock(&self, global: &GlobalArgs) -> Result<Stock<'_>, Failure> {
        match &self.from {
            From::Layer(layer) => Stock::layer(layer),
            From::Base(base, archives) => {
                super::say(
                    global,
                    format_args!(
                        "note: the layer of these inputs is not in the cache; \
                         comparing with what would go into it"
                    ),
                );
                Stock::base(base.path(), archives)
            }
        }
        .map_err(bake_failure)
    }
}

/// The node called `name`, of an image called `image`.
pub(super) fn node_named<'a>(
    nodes: &'a [NodePlan],
    name: &str,
    image: &camino::Utf8Path,
) -> Result<&'a NodePlan, Failure> {
    nodes.iter().find(|node| node.name == name).ok_or_else(|| {
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        Failure::usage(format!(
            "the host name in {image} is {name:?}, which is no node of this cluster"
        ))
        .hint(format!(
            "say whose it is with --node; the nodes are {}",
            names.join(", ")
        ))
    })
}
