//! Reading the cluster file and what stands beside it.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use super::Failure;
use super::secret::passphrase;
use crate::cluster::{self, Cluster, SourceChoice};
use crate::diagnostic::{Color, Problem, listed, render};
use crate::node::{AuthorizedKey, Passphrase, parse_authorized_keys};
use crate::overlay::{Listing, OverlayError, Overlays};
use crate::plan::BASE_OVERLAY;
use crate::recipe::{ComponentKind, ComponentRecipe, Recipes};
use crate::source::Location;

/// Recipe whose rules apply to a Java archive given by path or address.
const DEFAULT_JAVA: &str = "temurin-17";
/// Recipe whose rules apply to a Hadoop archive given by path or address.
const DEFAULT_HADOOP: &str = "hadoop-3.5.0";

/// A cluster file with everything that was read beside it.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The cluster file.
    pub(super) file: Utf8PathBuf,
    /// Its text.
    pub(super) text: String,
    /// What it says.
    pub(super) cluster: Cluster,
    /// The recipes, the user's own among them.
    pub(super) recipes: Recipes,
    /// The overlays, the user's own among them.
    pub(super) overlays: Overlays,
    /// Names of the overlays beside the cluster file.
    own_overlays: Vec<String>,
    /// Who may log in.
    pub(super) authorized_keys: Vec<AuthorizedKey>,
    /// The secret of the Wi-Fi network, if nodes are on one.
    pub(super) passphrase: Option<Passphrase>,
}

/// Reads and checks everything that needs no input, reporting all problems at
/// once.
pub(super) fn load(file: &Utf8Path) -> Result<Loaded, Failure> {
    let text = read_text(file)?.ok_or_else(|| {
        Failure::usage(format!("there is no {file}"))
            .hint("write one with: pidoop new; or name yours with -f FILE")
    })?;
    let cluster = cluster::parse(&text)
        .map_err(|problems| Failure::problems(render(file.as_str(), &text, &problems, color())))?;
    let dir = directory_of(file);
    let recipes = Recipes::with(text_files(&dir.join("recipes"))?)
        .map_err(|bad| Failure::problems(bad.render(color())))?
        .and_keys(key_files(&dir.join("recipes"))?);
    let listings = overlay_files(&dir.join("overlays"))?;
    let own_overlays = listings.keys().cloned().collect();
    let overlays = Overlays::with(listings).map_err(overlay_failure)?;

    let mut problems = Vec::new();
    let authorized_keys = authorized_keys(&cluster, dir, &mut problems);
    let passphrase = passphrase(&cluster, dir, &mut problems);
    check_recipes(&cluster, &recipes, &mut problems);
    let loaded = Loaded {
        file: file.to_owned(),
        text,
        cluster,
        recipes,
        overlays,
        own_overlays,
        authorized_keys,
        passphrase,
    };
    loaded.refuse_if_any(problems)?;
    Ok(loaded)
}

impl Loaded {
    /// The directory that paths in the cluster file are relative to.
    pub(super) fn dir(&self) -> &Utf8Path {
        directory_of(&self.file)
    }

    /// A failure that shows the problems in the cluster file, if there are any.
    pub(super) fn refuse_if_any(&self, mut problems: Vec<Problem>) -> Result<(), Failure> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by_key(|problem| problem.span.start);
        Err(Failure::problems(render(
            self.file.as_str(),
            &self.text,
            &problems,
            color(),
        )))
    }

    /// What is worth knowing and no mistake.
    pub(super) fn notes(&self) -> Result<Vec<String>, Failure> {
        let mut notes = self.overlay_notes()?;
        notes.extend(self.wifi_note());
        Ok(notes)
    }

    /// That Wi-Fi is no network for HDFS.
    fn wifi_note(&self) -> Option<String> {
        let nodes = self.cluster.nodes.iter().filter(|node| node.wifi);
        let names: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
        let (is, is_) = match names.len() {
            0 => return None,
            1 => ("is", "it has"),
            _ => ("are", "they have"),
        };
        Some(format!(
            "note: {} {is} on Wi-Fi, which is no network for HDFS: whatever one node sends \
             another takes the air twice, and all share it. The cluster is set up for 100 Mbit/s; \
             give each node a cable where {is_} one in reach",
            listed(names)
        ))
    }

    /// Of the overlays beside the cluster file: that one is used by nothing, or
    /// in place of a built-in one.
    fn overlay_notes(&self) -> Result<Vec<String>, Failure> {
        let used: Vec<&String> = [self.java_recipe()?, self.hadoop_recipe()?]
            .into_iter()
            .flat_map(|recipe| &recipe.overlays)
            .collect();
        let built_in = Overlays::embedded().map_err(Failure::bug)?;
        let note = |name: &String| {
            if name != BASE_OVERLAY && !used.contains(&name) {
                Some(format!(
                    "note: nothing uses overlays/{name}: no recipe of this cluster names it"
                ))
            } else if built_in.find(name).is_ok() {
                Some(format!(
                    "note: overlays/{name} takes the place of the built-in one as a whole"
                ))
            } else {
                None
            }
        };
        Ok(self.own_overlays.iter().filter_map(note).collect())
    }

    /// The recipe whose rules apply to the Java of this cluster.
    pub(super) fn java_recipe(&self) -> Result<&ComponentRecipe, Failure> {
        self.component(&self.cluster.image.java, &ComponentKind::Java, DEFAULT_JAVA)
    }

    /// The recipe whose rules and services apply to the Hadoop of this
    /// cluster.
    pub(super) fn hadoop_recipe(&self) -> Result<&ComponentRecipe, Failure> {
        self.component(
            &self.cluster.image.hadoop,
            &ComponentKind::Hadoop,
            DEFAULT_HADOOP,
        )
    }

    fn component(
        &self,
        choice: &SourceChoice,
        kind: &ComponentKind,
        default: &str,
    ) -> Result<&ComponentRecipe, Failure> {
        let (name, _) = recipe_of(choice, default);
        self.recipes.component(name, kind).map_err(Failure::usage)
    }
}

/// The recipe that a choice names, and where it does.
fn recipe_of<'a>(
    choice: &'a SourceChoice,
    default: &'a str,
) -> (&'a str, crate::cluster::SourceSpan) {
    match choice {
        SourceChoice::Recipe { name, span } => (name, span.clone()),
        SourceChoice::Path { recipe, span, .. } | SourceChoice::Url { recipe, span, .. } => {
            (recipe.as_deref().unwrap_or(default), span.clone())
        }
    }
}

/// The text of a file that a person wrote; none if there is no such file.
pub(super) fn read_text(path: &Utf8Path) -> Result<Option<String>, Failure> {
    match fs_err::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Ok(None),
            ErrorKind::InvalidData => Err(Failure::usage(format!("{path} is not text in UTF-8"))
                .hint("save it as UTF-8 in your editor, or take it from where it came from again")),
            ErrorKind::IsADirectory => Err(Failure::usage(format!(
                "{path} is a directory, and a file is needed"
            ))),
            _ => Err(error.into()),
        },
    }
}

/// An overlay that cannot be laid is for its author to mend.
pub(super) fn overlay_failure(error: OverlayError) -> Failure {
    match error {
        OverlayError::Manifest {
            file,
            text,
            problems,
        } => Failure::problems(render(
            &format!("overlays/{file}"),
            &text,
            &problems,
            color(),
        )),
        error => Failure::usage(error)
            .hint("docs/overlays.md says what overlays hold and which variables there are"),
    }
}

/// The directory a file is in.
fn directory_of(file: &Utf8Path) -> &Utf8Path {
    match file.parent() {
        Some(dir) if !dir.as_str().is_empty() => dir,
        _ => Utf8Path::new("."),
    }
}

/// Home directory of whoever runs this.
pub(super) fn home() -> Option<Utf8PathBuf> {
    std::env::var("HOME")
        .ok()
        .filter(|home| !home.is_empty())
        .map(Utf8PathBuf::from)
}

/// Whether problems are shown in colour: when standard error shows colour.
pub(super) fn color() -> Color {
    match anstream::AutoStream::choice(&std::io::stderr()) {
        anstream::ColorChoice::Never => Color::Off,
        _ => Color::On,
    }
}

/// Names of recipes must be known before anything is fetched.
fn check_recipes(cluster: &Cluster, recipes: &Recipes, problems: &mut Vec<Problem>) {
    let base = match &cluster.image.base {
        SourceChoice::Recipe { name, span } => Some((name, span)),
        SourceChoice::Path { recipe, span, .. } | SourceChoice::Url { recipe, span, .. } => {
            recipe.as_ref().map(|name| (name, span))
        }
    };
    if let Some((name, span)) = base
        && let Err(unknown) = recipes.base(name)
    {
        problems.push(Problem::new(span.clone(), unknown.message).help(unknown.help));
    }
    for (choice, kind, default) in [
        (&cluster.image.java, ComponentKind::Java, DEFAULT_JAVA),
        (&cluster.image.hadoop, ComponentKind::Hadoop, DEFAULT_HADOOP),
    ] {
        let (name, span) = recipe_of(choice, default);
        if let Err(unknown) = recipes.component(name, &kind) {
            problems.push(Problem::new(span, unknown.message).help(unknown.help));
        }
    }
}

/// The keys that may log in: from files, or written in the cluster file.
fn authorized_keys(
    cluster: &Cluster,
    dir: &Utf8Path,
    problems: &mut Vec<Problem>,
) -> Vec<AuthorizedKey> {
    let mut found = Vec::new();
    for (entry, span) in &cluster.access.authorized_keys {
        let text = if is_inline_key(entry) {
            entry.clone()
        } else {
            match read_key_file(entry, dir) {
                Ok(text) => text,
                Err((message, help)) => {
                    problems.push(Problem::new(span.clone(), message).help(help));
                    continue;
                }
            }
        };
        match parse_authorized_keys(&text) {
            Ok(keys) if keys.is_empty() => {
                problems.push(Problem::new(
                    span.clone(),
                    format!("there is no key in {entry}"),
                ));
            }
            Ok(keys) => found.extend(keys),
            Err(error) => problems.push(Problem::new(span.clone(), error.to_string())),
        }
    }
    found
}

/// Whether an entry of `authorized_keys` is a key and not a path: only keys
/// have a type word before a blank.
fn is_inline_key(entry: &str) -> bool {
    entry.split_once(' ').is_some_and(|(word, _)| {
        word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-")
    })
}

fn read_key_file(entry: &str, dir: &Utf8Path) -> Result<String, (String, String)> {
    let location = Location::parse(entry, dir, home().as_deref())
        .map_err(|error| (error.to_string(), "give the path of a .pub file".to_owned()))?;
    let Location::Path(path) = location else {
        return Err((
            format!("{entry} is an address; public keys are read from files"),
            "download it first, and look at it: whoever has its private half can log in".to_owned(),
        ));
    };
    fs_err::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => (
            format!("there is no key file {path}"),
            "make a key pair with: ssh-keygen -t ed25519".to_owned(),
        ),
        _ => (error.to_string(), "give a readable .pub file".to_owned()),
    })
}

/// Name and text of the TOML files in a directory, which may be absent.
fn text_files(dir: &Utf8Path) -> Result<Vec<(String, String)>, Failure> {
    let mut files = Vec::new();
    for (name, path) in files_below(dir)? {
        if name.ends_with(".toml") && !name.contains('/') {
            // Gone since it was listed is as good as never there.
            if let Some(text) = read_text(&path)? {
                files.push((path.into_string(), text));
            }
        }
    }
    Ok(files)
}

/// Path and bytes of the public keys beside recipes.
fn key_files(recipes: &Utf8Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut keys = Vec::new();
    for (name, path) in files_below(&recipes.join("keys"))? {
        keys.push((format!("keys/{name}"), fs_err::read(path)?));
    }
    Ok(keys)
}

/// Files of each overlay directory, by overlay name.
fn overlay_files(dir: &Utf8Path) -> Result<BTreeMap<String, Listing>, Failure> {
    let mut overlays: BTreeMap<String, Listing> = BTreeMap::new();
    for (name, path) in files_below(dir)? {
        if let Some((overlay, file)) = name.split_once('/') {
            let bytes = fs_err::read(path)?;
            overlays
                .entry(overlay.to_owned())
                .or_default()
                .push((file.to_owned(), bytes));
        }
    }
    Ok(overlays)
}

/// Regular files below a directory that may be absent: relative name and
/// path, sorted. What is neither file nor directory is refused, lest it be
/// missed on the card only.
fn files_below(dir: &Utf8Path) -> Result<Vec<(String, Utf8PathBuf)>, Failure> {
    let mut files = Vec::new();
    match fs_err::metadata(dir) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => {
            return Err(Failure::usage(format!(
                "{dir} is a file, and would be a directory"
            )));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(error.into()),
    }
    for entry in walkdir::WalkDir::new(dir).sort_by_file_name() {
        let entry = entry.map_err(Failure::environment)?;
        let kind = entry.file_type();
        if kind.is_dir() {
            continue;
        }
        let path = Utf8PathBuf::from_path_buf(entry.into_path())
            .map_err(|path| Failure::usage(format!("{} is not UTF-8", path.display())))?;
        if !kind.is_file() {
            return Err(Failure::usage(format!("{path} is not a regular file")).hint(
                "put the file itself there; for a link in the image write [[link]] in overlay.toml",
            ));
        }
        let name = path.strip_prefix(dir).unwrap_or(&path).to_string();
        files.push((name, path));
    }
    Ok(files)
}
