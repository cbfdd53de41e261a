//! Getting the three inputs to hand and knowing what is in them.

use super::Failure;
use super::base_image::BaseImage;
use super::load::Loaded;
use super::lock_file::LockFile;
use super::materials::{Materials, Part};
use super::session::Session;
use super::supply::{Supplied, Supply, source_failure};
use crate::edit::{ArchiveId, Owner, Selection, Unpack};
use crate::hadoop::{self, BaseJvmFacts, HadoopFacts, JavaFacts, Severity, compat};
use crate::lock::Lock;
use crate::node::hadoop_owner;
use crate::plan::{BaseFacts, Component};
use crate::recipe::{ComponentRecipe, UnpackOwner};
use crate::source::{
    Cache, KnownArchive, LooksInto, Needed, Sha256, SourceError, StagedArchive, hadoop_looks_into,
    inspect_hadoop, inspect_java, java_looks_into, recall, recall_hadoop, recall_java, stage,
};

/// The inputs of a cluster, verified and looked into.
#[derive(Debug)]
pub(super) struct Inputs {
    /// What is in the base image.
    pub(super) base: BaseFacts,
    /// Java and Hadoop.
    pub(super) components: Vec<Component>,
    /// What a layer is made from.
    pub(super) materials: Materials,
    /// What the Java runtime is.
    pub(super) java: JavaFacts,
    /// What the Hadoop release is.
    pub(super) hadoop: HadoopFacts,
    /// What they turned out to be, for the lock.
    pub(super) lock: Lock,
}

impl Inputs {
    /// Gets everything, fetching what is not at hand, and refuses
    /// combinations that are known not to work.
    pub(super) fn obtain(
        loaded: &Loaded,
        lock: &LockFile,
        session: &Session,
    ) -> Result<Self, Failure> {
        let java_recipe = loaded.java_recipe()?;
        let hadoop_recipe = loaded.hadoop_recipe()?;
        let java_needed = presumably_needed(java_recipe, java_looks_into)?;
        let hadoop_needed = presumably_needed(hadoop_recipe, hadoop_looks_into)?;
        let supply = Supply::gather(
            loaded,
            lock,
            session,
            |java| Opened::of(java, &java_needed, session, recall_java, inspect_java),
            |hadoop| {
                Opened::of(
                    hadoop,
                    &hadoop_needed,
                    session,
                    recall_hadoop,
                    inspect_hadoop,
                )
            },
        )?;
        let now = supply.lock();
        let Supply {
            base: base_file,
            image:
                BaseImage {
                    facts: base,
                    jvm,
                    raw,
                },
            java: java_file,
            hadoop: hadoop_file,
            made: (opened_java, opened_hadoop),
        } = supply;
        let (java, hadoop) = (opened_java.seen.facts, opened_hadoop.seen.facts);
        judge(&java, &hadoop, &jvm, session)?;
        judge_recipe(hadoop_recipe, &java)?;
        let problems = hadoop::check_properties(&loaded.cluster, &hadoop.defaults);
        loaded.refuse_if_any(problems)?;

        let hadoop_owner = hadoop_owner(&base.profile).map_err(Failure::usage)?;
        let made = |recipe, file, home: &str, version, known| {
            component(recipe, file, home, version, known, hadoop_owner)
        };
        let components = [
            made(
                java_recipe,
                &java_file,
                &opened_java.seen.home,
                java.version.clone(),
                opened_java.known,
            ),
            made(
                hadoop_recipe,
                &hadoop_file,
                &opened_hadoop.seen.home,
                hadoop.version.to_string(),
                opened_hadoop.known,
            ),
        ];
        let [of_java, of_hadoop] = &components;
        let materials = Materials::new(
            (session.fetcher.cache().clone(), session.reporter.clone()),
            (base_file.file, raw),
            [
                part(of_java, java_file, opened_java.staged)?,
                part(of_hadoop, hadoop_file, opened_hadoop.staged)?,
            ],
        );
        Ok(Self {
            base,
            components: components.into(),
            materials,
            java,
            hadoop,
            lock: now,
        })
    }
}

/// A component, and what was seen in it.
#[derive(Debug)]
struct Opened<T> {
    known: KnownArchive,
    /// Unpacked, if that was needed.
    staged: Option<StagedArchive>,
    seen: T,
}

impl<T> Opened<T> {
    /// Recalls what is in a component, or unpacks it and looks into it.
    fn of(
        supplied: &Supplied,
        needed: &Needed,
        session: &Session,
        recall_seen: impl Fn(&Sha256, &Cache) -> Result<Option<T>, SourceError>,
        inspect: impl Fn(&StagedArchive, &Cache) -> Result<T, SourceError>,
    ) -> Result<Self, Failure> {
        let (cache, file) = (session.fetcher.cache(), &supplied.file);
        let opened = || {
            let recalled = (
                recall(&file.sha256, cache)?,
                recall_seen(&file.sha256, cache)?,
            );
            if let (Some(known), Some(seen)) = recalled {
                let staged = None;
                return Ok(Self {
                    known,
                    staged,
                    seen,
                });
            }
            let archive = stage(file, needed, cache, &session.reporter)?;
            Ok(Self {
                seen: inspect(&archive, cache)?,
                known: archive.known(),
                staged: Some(archive),
            })
        };
        opened().map_err(source_failure)
    }
}

/// What is needed of a component, as far as can be said before anything was seen in
/// it. How deep it lies in its archive is presumed to be what its recipe says.
fn presumably_needed(recipe: &ComponentRecipe, looks_into: LooksInto) -> Result<Needed, Failure> {
    let rule = &recipe.unpack;
    Ok(needed(rule.strip, &rule.drop)?.and_for(looks_into))
}

/// What images need of a component.
fn needed(strip: usize, drop: &[String]) -> Result<Needed, Failure> {
    let selection = Selection::new(strip, drop);
    selection.map(Needed::of).map_err(Failure::usage)
}

/// What a layer is made from, of one component.
fn part(
    component: &Component,
    supplied: Supplied,
    staged: Option<StagedArchive>,
) -> Result<Part, Failure> {
    let rule = &component.unpack;
    Ok(Part {
        file: supplied.file,
        needed: needed(rule.strip, &rule.drop)?,
        staged,
    })
}

fn component(
    recipe: &ComponentRecipe,
    supplied: &Supplied,
    home: &str,
    version: String,
    known: KnownArchive,
    hadoop_owner: Owner,
) -> Component {
    let rule = &recipe.unpack;
    Component {
        kind: recipe.kind.to_string(),
        recipe: recipe.name.clone(),
        version,
        origin: supplied.wanted.origin.clone(),
        content_bytes: known.content_bytes,
        archive: ArchiveId(supplied.file.sha256.to_string()),
        into: rule.into.clone(),
        link: rule.link.clone(),
        unpack: Unpack {
            // Seen in the archive itself: vendors differ in how deep it lies.
            strip: home.split('/').filter(|part| !part.is_empty()).count(),
            drop: rule.drop.clone(),
            owner: match rule.owner {
                UnpackOwner::Root => Owner::ROOT,
                UnpackOwner::Hadoop => hadoop_owner,
            },
        },
    }
}

/// Refuses what is known not to work, and says what is worth knowing.
fn judge(
    java: &JavaFacts,
    hadoop: &HadoopFacts,
    base: &BaseJvmFacts,
    session: &Session,
) -> Result<(), Failure> {
    let found = compat::check(java, hadoop, base);
    let (refusals, notes): (Vec<_>, Vec<_>) = found
        .iter()
        .partition(|problem| problem.severity() == Severity::Refusal);
    for note in notes {
        session.reporter.note(format!("note: {note}"));
    }
    if refusals.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = refusals
        .iter()
        .map(|problem| format!("  - {problem}"))
        .collect();
    Err(Failure::usage(format!(
        "this Java, this Hadoop and this base image do not work together:\n{}",
        list.join("\n")
    )))
}

/// Holds the Java runtime against what the Hadoop recipe asks for.
fn judge_recipe(recipe: &ComponentRecipe, java: &JavaFacts) -> Result<(), Failure> {
    match &recipe.java {
        Some(range) if !range.contains(java.major) => Err(Failure::usage(format!(
            "recipe {} needs Java {}{}, and this is Java {}",
            recipe.name,
            range.min,
            range
                .max
                .map_or(" or later".to_owned(), |max| format!(" to {max}")),
            java.major
        ))
        .hint("choose another image.java in the cluster file, such as \"temurin-17\"")),
        _ => Ok(()),
    }
}
