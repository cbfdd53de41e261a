//! What is asked for: from the cluster file, the lock and the recipes to a
//! request.

use std::io::ErrorKind;

use camino::Utf8Path;

use super::Failure;
use super::listed::newest_listed;
use super::load::{Loaded, home};
use super::lock_file::LockFile;
use super::session::Session;
use super::supply::source_failure;
use crate::cluster::{SourceChoice, SourceSpan};
use crate::diagnostic::Problem;
use crate::lock::{Asked, LockedInput};
use crate::recipe::{Arch, Recipe, RecipeSource, SidecarKind, SigningKey};
use crate::source::{Algorithm, Digest, Keys, Location, Request, Sha256, Sidecar, Signature};

/// An input that is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Its key under `[image]`.
    pub(super) key: &'static str,
    /// What to get.
    pub(super) request: Request,
    /// What the lock will say of it, but for what only the file itself tells.
    pub(super) entry: LockedInput,
    /// What the image in it must be, if it is a packed base image.
    pub(super) unpacked: Option<Sha256>,
    /// Where it comes from, the same on every machine, in the words of people
    /// here.
    pub(super) origin: String,
    /// Whether the lock decided what it must be.
    pub(super) is_locked: bool,
}

/// The base image.
pub(super) fn base(loaded: &Loaded, lock: &LockFile, session: &Session) -> Result<Wanted, Failure> {
    let choice = &loaded.cluster.image.base;
    let SourceChoice::Recipe { name, .. } = choice else {
        return direct("base", choice, loaded, lock);
    };
    let recipe = loaded.recipes.base(name).map_err(Failure::usage)?;
    let source = recipe.sources.first();
    let recipe = Recipe::Base(recipe.clone());
    from_recipe("base", choice, &recipe, source, (loaded, lock, session))
}

/// What the base image is for, as far as that is known without it.
pub(super) fn presumed_arch(loaded: &Loaded, lock: &LockFile) -> Option<Arch> {
    let choice = &loaded.cluster.image.base;
    let locked = lock.answer("base", choice).and_then(|entry| entry.arch);
    let SourceChoice::Recipe { name, .. } = choice else {
        return locked;
    };
    let recipe = loaded.recipes.base(name).ok()?;
    recipe.sources.first().map(|source| source.arch)
}

/// Some architecture, if Java and Hadoop would be the same files for any other:
/// where the cluster file names both itself.
pub(super) fn components_fit_any(loaded: &Loaded) -> Option<Arch> {
    let image = &loaded.cluster.image;
    let is_named = |choice: &SourceChoice| !matches!(choice, SourceChoice::Recipe { .. });
    (is_named(&image.java) && is_named(&image.hadoop)).then_some(Arch::Arm64)
}

/// Java or Hadoop, for an architecture.
pub(super) fn component(
    key: &'static str,
    arch: Arch,
    loaded: &Loaded,
    lock: &LockFile,
    session: &Session,
) -> Result<Wanted, Failure> {
    let image = &loaded.cluster.image;
    let (choice, recipe) = match key {
        "java" => (&image.java, loaded.java_recipe()?),
        _ => (&image.hadoop, loaded.hadoop_recipe()?),
    };
    if !matches!(choice, SourceChoice::Recipe { .. }) {
        return direct(key, choice, loaded, lock);
    }
    let recipe = Recipe::Component(recipe.clone());
    let source = recipe.source(arch);
    if source.is_none() && !recipe.sources().is_empty() {
        return Err(Failure::usage(format!(
            "recipe {} has nothing for {}, the architecture of the base image",
            recipe.name(),
            arch.debian()
        ))
        .hint("give a file instead: { path = \"…\" }"));
    }
    from_recipe(key, choice, &recipe, source, (loaded, lock, session))
}

/// What a recipe, or the lock in its place, asks for.
fn from_recipe(
    key: &'static str,
    choice: &SourceChoice,
    recipe: &Recipe,
    source: Option<&RecipeSource>,
    (loaded, lock, session): (&Loaded, &LockFile, &Session),
) -> Result<Wanted, Failure> {
    let name = recipe.name();
    let Some(source) = source else {
        let failure = Failure::usage(format!("recipe {name} has no address to fetch from"));
        let hint = recipe
            .supply()
            .unwrap_or("give a file instead: { path = \"…\" }");
        return Err(failure.hint(hint));
    };
    let known = lock
        .answer(key, choice)
        // One for another base image is the answer to another question.
        .filter(|entry| entry.arch == Some(source.arch) && !entry.urls.is_empty());
    if let Some(entry) = known {
        if lags(entry, recipe, source) {
            session.reporter.note(format!(
                "note: the recipe {name} has another file by now; {} keeps {} (move it with: \
                 pidoop fetch --update {key})",
                lock.name(),
                entry.title()
            ));
        }
        return locked(key, entry.clone(), source, loaded, lock);
    }
    let source = match &source.list {
        None => source.clone(),
        Some(list) => newest_listed(name, list, source, session)?,
    };
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
        urls: beside(&source.urls, &sidecar.suffix),
    });
    let version = source.version.as_deref().unwrap_or(recipe.version());
    let request = Request {
        digest: digest.transpose().map_err(source_failure)?,
        authority: format!("the recipe {name}"),
        size: source.size,
        sidecar,
        signature: signature(&source, &source.urls, loaded)?,
        fresh: lock.is_updated(key),
        may_be_packed: key == "base",
        ..Request::new(name, locations(&source.urls))
    };
    let entry = LockedInput {
        version: Some(version.to_owned()),
        arch: Some(source.arch),
        urls: source.urls.clone(),
        sha512: source.sha512.clone(),
        unpacked_sha256: source.unpacked_sha256.clone(),
        ..unknown(choice)
    };
    wanted(key, request, entry, false)
}

/// What an entry of the lock asks for.
fn locked(
    key: &'static str,
    entry: LockedInput,
    source: &RecipeSource,
    loaded: &Loaded,
    lock: &LockFile,
) -> Result<Wanted, Failure> {
    let request = Request {
        digest: Some(parse_sha256(&entry.sha256)?),
        authority: lock.name().to_owned(),
        size: Some(entry.size),
        signature: signature(source, &entry.urls, loaded)?,
        may_be_packed: key == "base",
        ..Request::new(entry.asked.to_string(), locations(&entry.urls))
    };
    wanted(key, request, entry, true)
}

/// What a path or address in the cluster file asks for.
fn direct(
    key: &'static str,
    choice: &SourceChoice,
    loaded: &Loaded,
    lock: &LockFile,
) -> Result<Wanted, Failure> {
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
    let known = lock.answer(key, choice);
    // Whoever replaced a file of their own meant it; what an address gives is
    // nobody's here to change.
    let decides = lock.locked || matches!(location, Location::Url(_));
    let (digest, authority) = match (known.filter(|_| decides), sha256) {
        (Some(entry), _) => (Some(entry.sha256.as_str()), lock.name()),
        (None, Some(hex)) => (Some(hex.as_str()), loaded.file.as_str()),
        (None, None) => (None, ""),
    };
    let is_locked = known.is_some() && decides;
    let origin = location.to_string();
    let request = Request {
        digest: digest.map(parse_sha256).transpose()?,
        authority: authority.to_owned(),
        size: known.filter(|_| is_locked).map(|entry| entry.size),
        fresh: lock.is_updated(key),
        may_be_packed: key == "base",
        ..Request::new(key, vec![location])
    };
    let entry = match known.filter(|_| is_locked) {
        Some(entry) => entry.clone(),
        None => unknown(choice),
    };
    Ok(Wanted {
        origin,
        ..wanted(key, request, entry, is_locked)?
    })
}

fn wanted(
    key: &'static str,
    request: Request,
    entry: LockedInput,
    is_locked: bool,
) -> Result<Wanted, Failure> {
    let unpacked = entry.unpacked_sha256.as_deref();
    let unpacked = unpacked.map(str::parse).transpose();
    Ok(Wanted {
        key,
        request,
        unpacked: unpacked.map_err(source_failure)?,
        origin: entry.origin().to_owned(),
        entry,
        is_locked,
    })
}

/// An entry of which nothing is known yet but what was asked for.
fn unknown(choice: &SourceChoice) -> LockedInput {
    LockedInput {
        asked: Asked::of(choice),
        version: None,
        arch: None,
        urls: Vec::new(),
        sha256: String::new(),
        sha512: None,
        size: 0,
        unpacked_sha256: None,
        date: String::new(),
    }
}

/// Whether a recipe means another file by now than its entry in the lock.
fn lags(entry: &LockedInput, recipe: &Recipe, source: &RecipeSource) -> bool {
    let version = source.version.as_deref().unwrap_or(recipe.version());
    let differs = |ours: Option<&String>, its: Option<&String>| matches!((ours, its), (Some(ours), Some(its)) if ours != its);
    // What a list has by now is not known without asking.
    source.list.is_none()
        && (entry.version.as_deref() != Some(version)
            || differs(Some(&entry.sha256), source.sha256.as_ref())
            || differs(entry.sha512.as_ref(), source.sha512.as_ref()))
}

/// The signature that files at `urls` must have, if the recipe wants one.
fn signature(
    source: &RecipeSource,
    urls: &[String],
    loaded: &Loaded,
) -> Result<Option<Signature>, Failure> {
    let Some(rule) = &source.signature else {
        return Ok(None);
    };
    let keys = match &rule.key {
        SigningKey::Url(url) => Keys::Url(url.clone()),
        SigningKey::File(path) => {
            let key = loaded.recipes.key(path);
            let bytes = key.map_err(|unknown| Failure::usage(&unknown).hint(&unknown.help))?;
            Keys::File {
                name: format!("recipes/{path}"),
                bytes: bytes.to_owned(),
            }
        }
    };
    Ok(Some(Signature {
        urls: beside(urls, &rule.suffix),
        keys,
        fingerprint: rule.fingerprint.clone(),
    }))
}

fn beside(urls: &[String], suffix: &str) -> Vec<String> {
    urls.iter().map(|url| format!("{url}{suffix}")).collect()
}

fn locations(urls: &[String]) -> Vec<Location> {
    urls.iter().cloned().map(Location::Url).collect()
}

fn parse_sha256(hex: &str) -> Result<Digest, Failure> {
    Digest::parse(Algorithm::Sha256, hex).map_err(source_failure)
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
