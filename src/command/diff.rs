//! `pidoop diff`: what a build would change, or how two images differ.

mod document;
mod outcome;
mod scope;
mod words;

use std::io::Write;

use camino::Utf8Path;
use rayon::prelude::*;

use super::built::{Built, lock, strays};
use super::expected::{Expected, node_named};
use super::load::load;
use super::nodes::check_names;
use super::unpacked::RawImage;
use super::{Failure, bake_failure};
use crate::bake::{ImageDifference, SeenImage, Stock, compare_images, compare_node};
use crate::cli::{DiffArgs, ExitStatus, GlobalArgs};
use crate::edit::compare::Look;
use crate::plan::{NodePlan, Plan};

use outcome::{Compared, Outcome, State};
use scope::Scope;

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
    for note in loaded.notes()? {
        super::say(global, format_args!("{note}"));
    }
    check_names(&loaded, &args.node)?;
    let expected = Expected::of(&loaded, global)?;
    let stock = expected.stock(global)?;
    let plan = &expected.plan;
    let comparison = Comparison {
        plan,
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
        .map(|node| Ok((node, Built::find(&args.out, &node.image, global)?)))
        .collect::<Result<_, Failure>>()?;
    let images: Vec<Compared> = chosen
        .par_iter()
        .map(|(node, built)| comparison.node(node, built.as_ref(), &args.out))
        .collect::<Result<_, _>>()?;
    let planned: Vec<&str> = plan.nodes.iter().map(|node| node.image.as_str()).collect();
    let strays = match args.node.is_empty() {
        true => strays(&args.out, &planned)?,
        false => Vec::new(),
    };
    Ok(Outcome {
        labels,
        images,
        strays,
    })
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
        let node = node_named(&self.plan.nodes, &name, image)?;
        Ok(Compared {
            node: Some(node.name.clone()),
            image: image.to_owned(),
            state: State::Seen(self.difference(node, &seen)?),
        })
    }

    fn difference(&self, node: &NodePlan, seen: &SeenImage) -> Result<ImageDifference, Failure> {
        compare_node(self.plan, node, self.stock, seen, self.look).map_err(bake_failure)
    }
}
