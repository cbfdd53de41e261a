//! `pidoop build`: one image for each node.

use std::io::Write;
use std::time::Instant;

use camino::Utf8Path;
use fs_err::OpenOptions;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use rayon::prelude::*;

use super::farewell::{Card, Farewell};
use super::inputs::Inputs;
use super::load::load;
use super::lock_file::LockFile;
use super::nodes::check_names;
use super::plan::{memory_plan, resolve};
use super::secret::{Origin, cluster_key};
use super::session::Session;
use super::{Failure, bake_failure};
use crate::artefact::{ImageRecord, Manifest, digest_of, sums_file};
use crate::bake::{BakeError, Build, DirLock, How, NodeImage, Scratch};
use crate::cli::{BuildArgs, ExitStatus, GlobalArgs};
use crate::plan::{NodePlan, Plan};
use crate::tool::DEBUGFS;

/// Makes the images.
pub(super) fn run(global: &GlobalArgs, args: &BuildArgs) -> Result<ExitStatus, Failure> {
    let begun = Instant::now();
    super::interrupt::clean_up_on_signals("no image is half made")?;
    // The plan has it in its name.
    DEBUGFS.ask_ahead();
    let loaded = load(&args.cluster.file)?;
    let memory = memory_plan(&loaded)?;
    for note in loaded.notes()? {
        super::say(global, format_args!("{note}"));
    }
    check_names(&loaded, &args.node)?;
    let lock = LockFile::open(&loaded, args.sources.locked)?;
    let session = Session::with_sources(global, args.json, &args.sources)?;
    fs_err::create_dir_all(&args.out)?;
    let _lock = DirLock::take_unless_busy(&args.out)?
        .ok_or_else(|| bake_failure(BakeError::Busy(args.out.clone())))?;

    Scratch::sweep(&args.out)?;

    let inputs = Inputs::obtain(&loaded, &lock, &session)?;
    // Only what a build can be made of is kept for the next one.
    lock.settle(inputs.lock.clone(), &session)?
        .tell(&lock, &session);
    let (key, origin) = cluster_key(loaded.dir())?;
    if let Origin::Made = origin {
        session.reporter.note(format!(
            "made {}: every identity of the cluster follows from it; keep it, and keep it secret",
            loaded.dir().join("cluster.key")
        ));
    }
    let plan = resolve(&loaded, memory, &inputs, &key)?;
    let chosen: Vec<&NodePlan> = plan
        .nodes
        .iter()
        .filter(|node| args.node.is_empty() || args.node.contains(&node.name))
        .collect();
    let build = Build {
        plan: &plan,
        materials: &inputs.materials,
        cache: session.fetcher.cache().root(),
        out: &args.out,
        reporter: &session.reporter,
    };
    let images = build.images(&chosen).map_err(bake_failure)?;
    let records: Vec<ImageRecord<'_>> = chosen
        .iter()
        .zip(&images)
        .map(|(node, image)| ImageRecord {
            node,
            bytes: image.bytes,
            access: image.access.to_string(),
        })
        .collect();
    write_beside(&args.out, &plan, records, &images, args.sums, &session)?;

    if args.json {
        let paths: Vec<&str> = images.iter().map(|image| image.path.as_str()).collect();
        let nodes: Vec<serde_json::Value> = images.iter().map(outcome).collect();
        let line = serde_json::json!({
            "event": "built", "version": 1, "images": paths, "nodes": nodes,
        });
        writeln!(std::io::stdout(), "{line}")?;
    } else {
        super::say(
            global,
            format_args!("{}", farewell(&plan, &images, &args.out)),
        );
        super::say(
            global,
            format_args!("built in {:.1} s", begun.elapsed().as_secs_f64()),
        );
    }
    Ok(ExitStatus::Ok)
}

/// One image for programs.
fn outcome(image: &NodeImage) -> serde_json::Value {
    let (how, blocks) = match image.how {
        How::Unchanged => ("unchanged", Some(0)),
        How::Patched { blocks } => ("patched", Some(blocks)),
        How::Built => ("built", None),
    };
    serde_json::json!({ "node": image.node, "image": image.path, "how": how, "blocks": blocks })
}

/// Writes the manifest, `known_hosts`, and digests if wanted.
fn write_beside(
    out: &Utf8Path,
    plan: &Plan,
    records: Vec<ImageRecord<'_>>,
    images: &[NodeImage],
    sums: bool,
    session: &Session,
) -> Result<(), Failure> {
    let manifest = Manifest::new(plan, records)
        .to_json()
        .map_err(Failure::bug)?;
    put(&out.join("manifest.json"), &manifest)?;
    put(&out.join("known_hosts"), &plan.known_hosts)?;
    if !sums {
        // Digests of older images would be wrong now.
        match fs_err::remove_file(out.join("SHA256SUMS")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => return Ok(()),
        }
    }
    let total = images.iter().map(|image| image.bytes).sum();
    let task = session.reporter.task("digests of the images", Some(total));
    let digests: Vec<String> = images
        .par_iter()
        .map(|image| digest_of(&image.path, &task))
        .collect::<Result<_, _>>()?;
    task.finish();
    let pairs = digests
        .iter()
        .zip(images)
        .map(|(digest, image)| (digest.as_str(), image.path.file_name().unwrap_or_default()));
    put(&out.join("SHA256SUMS"), &sums_file(pairs))
}

/// Writes a small file that is whole under its name or not there.
fn put(path: &Utf8Path, text: &str) -> Result<(), Failure> {
    let scratch = Scratch::for_target(path)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(scratch.path())?
        .write_all(text.as_bytes())?;
    scratch.keep()?;
    Ok(())
}

/// What to say about these images.
fn farewell<'a>(plan: &'a Plan, images: &'a [NodeImage], out: &'a Utf8Path) -> Farewell<'a> {
    let cards = plan
        .cluster
        .nodes
        .iter()
        .filter_map(|node| {
            let image = images
                .iter()
                .find(|image| image.node == node.name.as_str())?;
            Some(Card {
                node,
                image: &image.path,
                bytes: image.bytes,
                ways: image.access.ways(),
                how: image.how,
            })
        })
        .collect();
    Farewell {
        cluster: &plan.cluster,
        memory: &plan.memory,
        out,
        cards,
    }
}
