//! Getting the three inputs to hand and knowing what is in them.

use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::Failure;
use super::load::{Loaded, home};
use super::session::Session;
use crate::bake::{self, DirLock};
use crate::cluster::{SourceChoice, SourceSpan};
use crate::diagnostic::Problem;
use crate::edit::{ArchiveId, Archives, Owner, Unpack};
use crate::hadoop::{self, BaseJvmFacts, HadoopFacts, JavaFacts, Severity, compat};
use crate::node::hadoop_owner;
use crate::plan::{BaseFacts, Component, blocks_of};
use crate::recipe::{Arch, ComponentRecipe, Recipe, RecipeSource, SidecarKind, UnpackOwner};
use crate::source::{
    Algorithm, Digest, Location, Obtained, Request, Sidecar, SourceError, StagedArchives,
    UNPACKING, inspect_hadoop, inspect_java, stage, unpack_image,
};

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
}

/// What is kept beside an unpacked base image.
#[derive(Debug, Serialize, Deserialize)]
struct UnpackedBase {
    sha256: String,
}

impl Inputs {
    /// Gets everything, fetching what is not at hand, and refuses
    /// combinations that are known not to work.
    pub(super) fn obtain(loaded: &Loaded, session: &Session) -> Result<Self, Failure> {
        let (base_image, base, jvm) = base(loaded, session)?;
        let arch = recipe_arch(&jvm)?;
        let java_recipe = loaded.java_recipe()?;
        let hadoop_recipe = loaded.hadoop_recipe()?;
        let java_file = component_file(
            &loaded.cluster.image.java,
            java_recipe,
            arch,
            loaded,
            session,
        )?;
        let hadoop_file = component_file(
            &loaded.cluster.image.hadoop,
            hadoop_recipe,
            arch,
            loaded,
            session,
        )?;

        let cache = session.fetcher.cache();
        let java_staged = stage(&java_file, cache, &session.reporter).map_err(source_failure)?;
        let java_seen = inspect_java(&java_staged, cache).map_err(source_failure)?;
        let hadoop_staged =
            stage(&hadoop_file, cache, &session.reporter).map_err(source_failure)?;
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
            base_image,
            base,
            components,
            archives,
            java,
            hadoop,
        })
    }
}

/// The base image, unpacked in the cache, and what is in it.
fn base(
    loaded: &Loaded,
    session: &Session,
) -> Result<(Utf8PathBuf, BaseFacts, BaseJvmFacts), Failure> {
    let choice = &loaded.cluster.image.base;
    let request = match choice {
        SourceChoice::Recipe { name, .. } => {
            let recipe = loaded.recipes.base(name).map_err(Failure::usage)?;
            let source = match &recipe.sources[..] {
                [source, ..] => source,
                [] => return Err(no_source(name, recipe.supply.as_deref())),
            };
            recipe_request(name, source)?
        }
        _ => direct_request(choice, "base", loaded)?,
    };
    let obtained = obtained(choice, &request, session)?;
    let (image, sha256) = unpacked(&obtained, session)?;
    let (facts, jvm) = bake::survey(&image, &sha256, &obtained.from).map_err(|error| {
        // The error speaks of the unpacked copy, whose name says nothing.
        let doing = format!("the base image {} cannot be used", obtained.from);
        super::bake_failure(error).context(doing)
    })?;
    Ok((image, facts, jvm))
}

/// The raw image of a base, unpacked once into the cache.
fn unpacked(obtained: &Obtained, session: &Session) -> Result<(Utf8PathBuf, String), Failure> {
    let dir = session.fetcher.cache().root().join("bases");
    let image = dir.join(format!("{}.img", obtained.sha256));
    let note = dir.join(format!("{}.json", obtained.sha256));
    let _lock = DirLock::take(&dir, &session.reporter)?;
    if let (true, Ok(text)) = (image.is_file(), fs_err::read_to_string(&note))
        && let Ok(known) = serde_json::from_str::<UnpackedBase>(&text)
    {
        return Ok((image, known.sha256));
    }
    remove_half_unpacked(&dir)?;
    let unpacked =
        unpack_image(&obtained.path, &image, &session.reporter).map_err(source_failure)?;
    let known = UnpackedBase {
        sha256: unpacked.sha256.to_string(),
    };
    // Written after the image, so that a note always has its image.
    let text = serde_json::to_string(&known).map_err(Failure::bug)?;
    fs_err::write(&note, text)?;
    Ok((image, known.sha256))
}

/// Removes what a killed process left: gigabytes that nobody would ever ask
/// for. The caller holds the lock of the directory, so nobody is at work there.
fn remove_half_unpacked(dir: &Utf8Path) -> Result<(), Failure> {
    for entry in dir.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_name().starts_with(UNPACKING) {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A file for a component, from its recipe or from where the user says.
fn component_file(
    choice: &SourceChoice,
    recipe: &ComponentRecipe,
    arch: Arch,
    loaded: &Loaded,
    session: &Session,
) -> Result<Obtained, Failure> {
    let request = match choice {
        SourceChoice::Recipe { name, .. } => match Recipe::Component(recipe.clone()).source(arch) {
            Some(source) => recipe_request(name, source)?,
            None if recipe.sources.is_empty() => {
                return Err(no_source(name, recipe.supply.as_deref()));
            }
            None => {
                return Err(Failure::usage(format!(
                    "recipe {name} has nothing for {}, the architecture of the base image",
                    arch.debian()
                ))
                .hint("give a file instead: { path = \"…\" }"));
            }
        },
        _ => direct_request(choice, recipe.kind.as_str(), loaded)?,
    };
    obtained(choice, &request, session)
}

/// The file that is asked for.
fn obtained(
    choice: &SourceChoice,
    request: &Request,
    session: &Session,
) -> Result<Obtained, Failure> {
    session
        .fetcher
        .obtain(request, &session.reporter)
        .map_err(|error| match (choice, &error) {
            // No download makes another file of it, so it is not merely missing.
            (SourceChoice::Path { .. }, SourceError::Unobtainable { .. }) => {
                Failure::environment(anyhow::anyhow!("{error}"))
            }
            _ => source_failure(error),
        })
}

fn no_source(name: &str, supply: Option<&str>) -> Failure {
    let failure = Failure::usage(format!("recipe {name} has no address to fetch from"));
    failure.hint(supply.unwrap_or("give a file instead: { path = \"…\" }"))
}

/// What a recipe asks for.
fn recipe_request(name: &str, source: &RecipeSource) -> Result<Request, Failure> {
    let digest = match (&source.sha256, &source.sha512) {
        (Some(hex), _) => Some(Digest::parse(Algorithm::Sha256, hex)),
        (None, Some(hex)) => Some(Digest::parse(Algorithm::Sha512, hex)),
        (None, None) => None,
    };
    let sidecar = source.sidecar.as_ref().map(|sidecar| Sidecar {
        algorithm: match sidecar.kind {
            SidecarKind::Sha256 => Algorithm::Sha256,
            SidecarKind::Sha512 => Algorithm::Sha512,
        },
        urls: source
            .urls
            .iter()
            .map(|url| format!("{url}{}", sidecar.suffix))
            .collect(),
    });
    let locations = source.urls.iter().cloned().map(Location::Url).collect();
    Ok(Request {
        digest: digest.transpose().map_err(source_failure)?,
        authority: format!("the recipe {name}"),
        size: source.size,
        sidecar,
        ..Request::new(name, locations)
    })
}

/// What a path or address in the cluster file asks for.
fn direct_request(choice: &SourceChoice, kind: &str, loaded: &Loaded) -> Result<Request, Failure> {
    let (place, sha256) = match choice {
        SourceChoice::Path { path, sha256, .. } => (path, sha256),
        SourceChoice::Url { url, sha256, .. } => (url, sha256),
        SourceChoice::Recipe { name, .. } => (name, &None),
    };
    let location =
        Location::parse(place, loaded.dir(), home().as_deref()).map_err(source_failure)?;
    if let (Location::Path(path), SourceChoice::Path { span, .. }) = (&location, choice) {
        loaded
            .refuse_if_any(no_file(path, span).into_iter().collect())
            .map_err(Failure::of_the_machine)?;
    }
    let digest = sha256
        .as_ref()
        .map(|hex| Digest::parse(Algorithm::Sha256, hex));
    Ok(Request {
        digest: digest.transpose().map_err(source_failure)?,
        authority: loaded.file.to_string(),
        may_be_packed: kind == "base",
        ..Request::new(kind, vec![location])
    })
}

/// What is wrong with a path that should be a file's, told where it is written.
fn no_file(path: &Utf8Path, span: &SourceSpan) -> Option<Problem> {
    let (message, help) = match fs_err::metadata(path) {
        Ok(meta) if meta.is_dir() => (
            format!("{path}: it is a directory, and a file is needed"),
            "name the file in it",
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => (
            format!("{path}: there is no such file"),
            "paths are relative to the directory that the cluster file is in",
        ),
        // What else is wrong with it is seen when it is read.
        _ => return None,
    };
    Some(Problem::new(span.clone(), message).help(help))
}

fn component(
    recipe: &ComponentRecipe,
    file: &Obtained,
    home: &str,
    version: String,
    archives: &StagedArchives,
    hadoop_owner: Owner,
) -> Result<Component, Failure> {
    let archive = ArchiveId(file.sha256.to_string());
    let members = archives.members(&archive).map_err(Failure::bug)?;
    let rule = &recipe.unpack;
    Ok(Component {
        kind: recipe.kind.to_string(),
        recipe: recipe.name.clone(),
        version,
        origin: file.from.clone(),
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

fn recipe_arch(jvm: &BaseJvmFacts) -> Result<Arch, Failure> {
    match jvm.arch {
        hadoop::Arch::Aarch64 => Ok(Arch::Arm64),
        hadoop::Arch::X86_64 => Ok(Arch::Amd64),
        other => Err(Failure::usage(format!(
            "the base image is for {other}; take a 64-bit one"
        ))),
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

/// Wrong files are the user's to mend, the rest is the machine's.
pub(super) fn source_failure(error: SourceError) -> Failure {
    if error.is_environment() {
        Failure::environment(error)
    } else {
        Failure::usage(error)
    }
}
