//! Getting the three inputs to hand and knowing what is in them.

use camino::Utf8PathBuf;

use super::Failure;
use super::base_image::{BaseImage, Settling};
use super::load::Loaded;
use super::lock_file::LockFile;
use super::session::Session;
use super::supply::{Supplied, Supply, source_failure};
use crate::edit::{ArchiveId, Archives, Owner, Unpack};
use crate::hadoop::{self, BaseJvmFacts, HadoopFacts, JavaFacts, Severity, compat};
use crate::lock::Lock;
use crate::node::hadoop_owner;
use crate::plan::{BaseFacts, Component, blocks_of};
use crate::recipe::{ComponentRecipe, UnpackOwner};
use crate::source::{StagedArchives, inspect_hadoop, inspect_java, stage};

/// The inputs of a cluster, verified and opened.
#[derive(Debug)]
pub(super) struct Inputs {
    /// The raw base image.
    pub(super) base_image: Utf8PathBuf,
    /// What is in it.
    pub(super) base: BaseFacts,
    /// Java and Hadoop.
    pub(super) components: Vec<Component>,
    /// Their members.
    pub(super) archives: StagedArchives,
    /// What the Java runtime is.
    pub(super) java: JavaFacts,
    /// What the Hadoop release is.
    pub(super) hadoop: HadoopFacts,
    /// What they turned out to be, for the lock.
    pub(super) lock: Lock,
    /// Held until all is done, which then waits for the disk.
    _settling: Option<Settling>,
}

impl Inputs {
    /// Gets everything, fetching what is not at hand, and refuses
    /// combinations that are known not to work.
    pub(super) fn obtain(
        loaded: &Loaded,
        lock: &LockFile,
        session: &Session,
    ) -> Result<Self, Failure> {
        let cache = session.fetcher.cache();
        let supply = Supply::gather(loaded, lock, session, |component| {
            stage(&component.file, cache, &session.reporter).map_err(source_failure)
        })?;
        let now = supply.lock();
        let java_recipe = loaded.java_recipe()?;
        let hadoop_recipe = loaded.hadoop_recipe()?;
        let Supply {
            image:
                BaseImage {
                    path,
                    facts: base,
                    jvm,
                    settling,
                },
            java: java_file,
            hadoop: hadoop_file,
            made: [java_staged, hadoop_staged],
            ..
        } = supply;

        let java_seen = inspect_java(&java_staged, cache).map_err(source_failure)?;
        let hadoop_seen = inspect_hadoop(&hadoop_staged, cache).map_err(source_failure)?;
        let (java, hadoop) = (java_seen.facts, hadoop_seen.facts);
        judge(&java, &hadoop, &jvm, session)?;
        judge_recipe(hadoop_recipe, &java)?;
        let problems = hadoop::check_properties(&loaded.cluster, &hadoop.defaults);
        loaded.refuse_if_any(problems)?;

        let archives: StagedArchives = [java_staged, hadoop_staged].into_iter().collect();
        let hadoop_owner = hadoop_owner(&base.profile).map_err(Failure::usage)?;
        let part = |recipe, file, home: &str, version| {
            component(recipe, file, home, version, &archives, hadoop_owner)
        };
        let components = vec![
            part(
                java_recipe,
                &java_file,
                &java_seen.home,
                java.version.clone(),
            )?,
            part(
                hadoop_recipe,
                &hadoop_file,
                &hadoop_seen.home,
                hadoop.version.to_string(),
            )?,
        ];
        Ok(Self {
            base_image: path,
            base,
            components,
            archives,
            java,
            hadoop,
            lock: now,
            _settling: settling,
        })
    }
}

fn component(
    recipe: &ComponentRecipe,
    supplied: &Supplied,
    home: &str,
    version: String,
    archives: &StagedArchives,
    hadoop_owner: Owner,
) -> Result<Component, Failure> {
    let archive = ArchiveId(supplied.file.sha256.to_string());
    let members = archives.members(&archive).map_err(Failure::bug)?;
    let rule = &recipe.unpack;
    Ok(Component {
        kind: recipe.kind.to_string(),
        recipe: recipe.name.clone(),
        version,
        origin: supplied.wanted.origin.clone(),
        content_bytes: blocks_of(members),
        archive,
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
    })
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
