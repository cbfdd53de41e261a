//! `pidoop diff`: what a build would change, or how two images differ.

mod document;
mod outcome;
mod scope;
mod words;

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::inputs::Inputs;
use super::load::{Loaded, load};
use super::plan::{memory_plan, resolve};
use super::secret::existing_key;
use super::session::Session;
use super::unpacked::RawImage;
use super::{Failure, bake_failure};
use crate::bake::{
    BakeError, DirLock, SeenImage, Stock, cached_layer, compare_images, compare_node,
};
use crate::cli::{DiffArgs, ExitStatus, GlobalArgs};
use crate::edit::compare::Look;
use crate::plan::{NodePlan, Plan};

use outcome::{Compared, Outcome, State};
use scope::Scope;

/// Ends of the names of images that were compressed for release.
const COMPRESSED: [&str; 3] = [".xz", ".zst", ".gz"];

/// Prints what differs.
pub(super) fn run(global: &GlobalArgs, args: &DiffArgs) -> Result<ExitStatus, Failure> {
    let scope = Scope::parse(&args.path)?;
    let look = Look { times: args.times };
    let mut outcome = match &args.images[..] {
        [before, after] => two_images(global, args, before, after, look)?,
        _ => cluster(global, args, look)?,
    };
    outcome.keep_only(&scope);
    let differs = outcome.differs();
    if args.json {
        let text = document::text(&outcome).map_err(Failure::bug)?;
        writeln!(std::io::stdout(), "{text}")?;
    } else {
        let mut out = anstream::stdout();
        words::write(&mut out, &outcome, args.stat)?;
        out.flush()?;
        super::say(global, format_args!("{}", outcome.verdict()));
    }
    Ok(match differs {
        true => ExitStatus::CheckFailed,
        false => ExitStatus::Ok,
    })
}

/// Two images that the user named.
fn two_images(
    global: &GlobalArgs,
    args: &DiffArgs,
    before: &Utf8Path,
    after: &Utf8Path,
    look: Look,
) -> Result<Outcome, Failure> {
    if !args.node.is_empty() {
        return Err(Failure::usage(
            "--node chooses among the nodes of a cluster file, and two images are compared \
             without one",
        ));
    }
    let raw = [RawImage::of(before, global)?, RawImage::of(after, global)?];
    let open = |raw: &RawImage, named: &Utf8Path| {
        SeenImage::open(raw.path())
            .map_err(|error| bake_failure(error).context(format!("{named} cannot be compared")))
    };
    let (one, two) = (open(&raw[0], before)?, open(&raw[1], after)?);
    let difference = compare_images(&one, &two, look);
    Ok(Outcome {
        labels: [before.to_string(), after.to_string()],
        images: vec![Compared {
            node: None,
            image: before.to_owned(),
            state: State::Seen(difference),
        }],
        strays: Vec::new(),
    })
}

/// The cluster file and its images.
fn cluster(global: &GlobalArgs, args: &DiffArgs, look: Look) -> Result<Outcome, Failure> {
    let loaded = load(&args.cluster.file)?;
    let memory = memory_plan(&loaded)?;
    for note in loaded.notes()? {
        super::say(global, format_args!("{note}"));
    }
    check_names(&loaded, &args.node)?;
    let key = existing_key(loaded.dir())?.ok_or_else(|| {
        Failure::usage(format!(
            "there is no {}, from which every identity in the images follows",
            loaded.dir().join("cluster.key")
        ))
        .hint("put it back beside the cluster file; if there never was one, build first")
    })?;
    let mut session = Session::open(global, false)?;
    session.fetcher.offline = true;
    let inputs = Inputs::obtain(&loaded, &session)?;
    let plan = resolve(&loaded, memory, &inputs, &key)?;

    let cache = session.fetcher.cache().root();
    let stock = match cached_layer(&plan.layer, cache) {
        Some(layer) => Stock::layer(&layer),
        None => {
            super::say(
                global,
                format_args!(
                    "note: the layer of these inputs is not in the cache; \
                     comparing with what would go into it"
                ),
            );
            Stock::base(&inputs.base_image, &inputs.archives)
        }
    };
    let stock = stock.map_err(bake_failure)?;
    let comparison = Comparison {
        plan: &plan,
        stock: &stock,
        look,
    };
    let labels = ["in the image".to_owned(), "in a build".to_owned()];
    if let [image] = &args.images[..] {
        let compared = comparison.one_image(global, image, &args.node)?;
        return Ok(Outcome {
            labels,
            images: vec![compared],
            strays: Vec::new(),
        });
    }

    let _lock = lock(&args.out)?;
    let chosen: Vec<(&NodePlan, Option<Built>)> = plan
        .nodes
        .iter()
        .filter(|node| args.node.is_empty() || args.node.contains(&node.name))
        .map(|node| Ok((node, Built::find(&args.out, node, global)?)))
        .collect::<Result<_, Failure>>()?;
    let images: Vec<Compared> = chosen
        .par_iter()
        .map(|(node, built)| comparison.node(node, built.as_ref(), &args.out))
        .collect::<Result<_, _>>()?;
    let strays = match args.node.is_empty() {
        true => strays(&args.out, &plan)?,
        false => Vec::new(),
    };
    Ok(Outcome {
        labels,
        images,
        strays,
    })
}

/// Refuses nodes that the cluster file does not have.
fn check_names(loaded: &Loaded, names: &[String]) -> Result<(), Failure> {
    let nodes = &loaded.cluster.nodes;
    let known: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(
            Failure::usage(format!("there is no node {name} in {}", loaded.file))
                .hint(format!("the nodes are {}", known.join(", "))),
        ),
    }
}

/// Keeps builds out of the directory while its images are read. Where there is
/// none, or it cannot be written to, nobody builds.
fn lock(out: &Utf8Path) -> Result<Option<DirLock>, Failure> {
    if !out.is_dir() {
        return Ok(None);
    }
    match DirLock::try_take(out) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(bake_failure(BakeError::Busy(out.to_owned()))),
        Err(_) => Ok(None),
    }
}

/// An image that was built, as it lies in the output directory.
#[derive(Debug)]
struct Built {
    named: Utf8PathBuf,
    raw: RawImage,
}

impl Built {
    /// The image of `node`, or its compressed form if that is all there is.
    fn find(out: &Utf8Path, node: &NodePlan, global: &GlobalArgs) -> Result<Option<Self>, Failure> {
        let plain = out.join(&node.image);
        let packed = COMPRESSED.map(|end| Utf8PathBuf::from(format!("{plain}{end}")));
        let found = std::iter::once(plain).chain(packed);
        match found.into_iter().find(|path| path.is_file()) {
            None => Ok(None),
            Some(named) => {
                let raw = RawImage::of(&named, global)?;
                Ok(Some(Self { named, raw }))
            }
        }
    }
}

/// What images are held against.
struct Comparison<'a> {
    plan: &'a Plan,
    stock: &'a Stock<'a>,
    look: Look,
}

impl Comparison<'_> {
    /// A node's image in the output directory.
    fn node(
        &self,
        node: &NodePlan,
        built: Option<&Built>,
        out: &Utf8Path,
    ) -> Result<Compared, Failure> {
        let (image, state) = match built {
            None => (out.join(&node.image), State::Missing),
            Some(built) => {
                let state = match SeenImage::open(built.raw.path()) {
                    Ok(seen) => State::Seen(self.difference(node, &seen)?),
                    Err(error) => State::Unreadable(error.to_string()),
                };
                (built.named.clone(), state)
            }
        };
        Ok(Compared {
            node: Some(node.name.clone()),
            image,
            state,
        })
    }

    /// An image that the user named, of the node that is named or is in it.
    fn one_image(
        &self,
        global: &GlobalArgs,
        image: &Utf8Path,
        names: &[String],
    ) -> Result<Compared, Failure> {
        let raw = RawImage::of(image, global)?;
        let seen = SeenImage::open(raw.path())
            .map_err(|error| bake_failure(error).context(format!("{image} cannot be compared")))?;
        let name = match names {
            [] => seen.hostname().unwrap_or_default(),
            [name] => name.clone(),
            _ => {
                return Err(Failure::usage(
                    "one image is the image of one node; give --node once",
                ));
            }
        };
        let node = self.plan.nodes.iter().find(|node| node.name == name);
        let node = node.ok_or_else(|| {
            let names: Vec<&str> = self.plan.nodes.iter().map(|n| n.name.as_str()).collect();
            Failure::usage(format!(
                "the host name in {image} is {name:?}, which is no node of this cluster"
            ))
            .hint(format!(
                "say whose it is with --node; the nodes are {}",
                names.join(", ")
            ))
        })?;
        Ok(Compared {
            node: Some(node.name.clone()),
            image: image.to_owned(),
            state: State::Seen(self.difference(node, &seen)?),
        })
    }

    fn difference(
        &self,
        node: &NodePlan,
        seen: &SeenImage,
    ) -> Result<crate::bake::ImageDifference, Failure> {
        compare_node(self.plan, node, self.stock, seen, self.look).map_err(bake_failure)
    }
}

/// Images of nodes that the cluster file does not have.
fn strays(out: &Utf8Path, plan: &Plan) -> Result<Vec<Utf8PathBuf>, Failure> {
    let mut found = Vec::new();
    if !out.is_dir() {
        return Ok(found);
    }
    for entry in out.read_dir_utf8()? {
        let path = entry?.into_path();
        let name = path.file_name().unwrap_or_default();
        let planned = plan.nodes.iter().any(|node| node.image == name);
        if name.starts_with('.') || !name.ends_with(".img") || planned {
            continue;
        }
        // Other images may lie there too: only a node's is one too many.
        if SeenImage::open(&path).is_ok_and(|image| image.is_node()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
