//! `pidoop plan`: what a build would make.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::Failure;
use super::inputs::Inputs;
use super::load::{Loaded, load, overlay_failure};
use super::lock_file::LockFile;
use super::secret::existing_key;
use super::session::Session;
use crate::cli::{ExitStatus, GlobalArgs, PlanArgs};
use crate::edit::Edit;
use crate::hadoop::{MemoryPlan, check_overrides};
use crate::node::ClusterKey;
use crate::plan::{Plan, PlanError, PlanInputs, outline};
use crate::tool::DEBUGFS;

/// Prints the plan; without the inputs, as much of it as needs none.
pub(super) fn run(global: &GlobalArgs, args: &PlanArgs) -> Result<ExitStatus, Failure> {
    let loaded = load(&args.cluster.file)?;
    let memory = memory_plan(&loaded)?;
    for note in loaded.notes()? {
        super::say(global, format_args!("{note}"));
    }
    let lock = LockFile::open(&loaded, args.sources.locked)?;
    let mut session = Session::with_sources(global, false, &args.sources)?;
    session.fetcher.offline = true;
    let mut out = std::io::stdout().lock();
    let inputs = match Inputs::obtain(&loaded, &lock, &session) {
        Ok(inputs) => inputs,
        Err(failure) if failure.is_missing_input() && !args.json && !args.edits => {
            write!(out, "{}", outline(&loaded.cluster, &memory))?;
            super::say(
                global,
                format_args!(
                    "\nthe inputs are not all at hand; pidoop fetch and build get them:\n{}",
                    failure.words()
                ),
            );
            return Ok(ExitStatus::Ok);
        }
        Err(failure) => return Err(failure),
    };
    let key = match existing_key(loaded.dir())? {
        Some(key) => key,
        None => {
            // A plan writes nothing, a secret least of all.
            super::say(
                global,
                format_args!("note: there is no cluster.key yet; build makes it, and other ids\n"),
            );
            ClusterKey::new([0; ClusterKey::LEN])
        }
    };
    let plan = resolve(&loaded, memory, &inputs, &key)?;
    inputs
        .materials
        .keep()
        .map_err(super::supply::source_failure)?;
    if args.json {
        let document = Document {
            schema: 1,
            plan: &plan,
            edits: args.edits.then(|| EditLists::of(&plan)),
        };
        let text = serde_json::to_string_pretty(&document).map_err(Failure::bug)?;
        writeln!(out, "{text}")?;
        return Ok(ExitStatus::Ok);
    }
    write!(out, "{plan}")?;
    if args.edits {
        write_edits(&mut out, &plan)?;
    }
    Ok(ExitStatus::Ok)
}

/// The memory plan, or every reason why there is none.
pub(super) fn memory_plan(loaded: &Loaded) -> Result<MemoryPlan, Failure> {
    let mut problems = check_overrides(&loaded.cluster);
    let memory = MemoryPlan::for_cluster(&loaded.cluster);
    if let Err(found) = &memory {
        problems.extend(found.iter().cloned());
    }
    loaded.refuse_if_any(problems)?;
    memory.map_err(|_| Failure::usage("there is no memory plan"))
}

/// The plan for these inputs.
pub(super) fn resolve(
    loaded: &Loaded,
    memory: MemoryPlan,
    inputs: &Inputs,
    key: &ClusterKey,
) -> Result<Plan, Failure> {
    DEBUGFS.check().map_err(Failure::environment)?;
    let version = DEBUGFS.version().map_err(Failure::environment)?;
    let inputs = PlanInputs {
        cluster: &loaded.cluster,
        memory,
        base: inputs.base.clone(),
        components: inputs.components.clone(),
        recipes: vec![loaded.java_recipe()?, loaded.hadoop_recipe()?],
        java_major: inputs.java.major,
        hadoop_version: inputs.hadoop.version,
        overlays: &loaded.overlays,
        key,
        authorized_keys: &loaded.authorized_keys,
        passphrase: loaded.passphrase.as_ref(),
        writer: version.map_or_else(|| "e2fsprogs".to_owned(), |v| format!("e2fsprogs {v}")),
        epoch: source_date_epoch()?,
    };
    Plan::new(inputs).map_err(|error| match error {
        PlanError::Properties(problems) => match loaded.refuse_if_any(problems) {
            Err(failure) => failure,
            Ok(()) => Failure::bug(anyhow::anyhow!("properties were refused without a reason")),
        },
        PlanError::KnownHosts { .. } => Failure::bug(error),
        PlanError::Overlay(error) => overlay_failure(*error),
        _ => Failure::usage(error),
    })
}

/// `SOURCE_DATE_EPOCH`, where a release build sets it
/// (reproducible-builds.org's convention).
pub(super) fn source_date_epoch() -> Result<Option<i64>, Failure> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Err(_) => Ok(None),
        Ok(text) => match text.parse::<u32>() {
            Ok(seconds) => Ok(Some(i64::from(seconds))),
            Err(_) => Err(Failure::usage(format!(
                "SOURCE_DATE_EPOCH is {text:?}, not a number of seconds since 1970"
            ))),
        },
    }
}

/// The plan as programs read it; `docs/plan-json.md` is its description.
#[derive(Serialize)]
struct Document<'a> {
    /// Version of this document's shape.
    schema: u32,
    #[serde(flatten)]
    plan: &'a Plan,
    /// Each edit as a sentence; left out unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<EditLists<'a>>,
}

#[derive(Serialize)]
struct EditLists<'a> {
    layer: Vec<String>,
    nodes: BTreeMap<&'a str, NodeEdits>,
}

#[derive(Serialize)]
struct NodeEdits {
    boot: Vec<String>,
    root: Vec<String>,
}

impl<'a> EditLists<'a> {
    fn of(plan: &'a Plan) -> Self {
        let list = |edits: &[Edit]| edits.iter().map(ToString::to_string).collect();
        let nodes = plan.nodes.iter().map(|node| {
            let edits = NodeEdits {
                boot: list(&node.edits.boot),
                root: list(&node.edits.root),
            };
            (node.name.as_str(), edits)
        });
        Self {
            layer: list(&plan.layer.edits),
            nodes: nodes.collect(),
        }
    }
}

fn write_edits(out: &mut impl Write, plan: &Plan) -> Result<(), Failure> {
    let mut list = |title: String, edits: &[Edit]| -> std::io::Result<()> {
        writeln!(out, "\n{title}")?;
        edits.iter().try_for_each(|edit| writeln!(out, "  {edit}"))
    };
    list(
        "edits of the layer, root partition".to_owned(),
        &plan.layer.edits,
    )?;
    for node in &plan.nodes {
        list(
            format!("edits of {}, boot partition", node.name),
            &node.edits.boot,
        )?;
        list(
            format!("edits of {}, root partition", node.name),
            &node.edits.root,
        )?;
    }
    Ok(())
}
