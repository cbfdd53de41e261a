//! cluster.lock, beside the cluster file.

use std::fmt::Write as _;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Failure;
use super::load::{Loaded, color, read_text};
use super::plan::source_date_epoch;
use super::session::Session;
use crate::cluster::{ImageChoice, SourceChoice};
use crate::diagnostic::render;
use crate::lock::{Asked, Lock, LockedInput, Moved, moved};
use crate::source::Sha256;

/// The lock of a cluster, and what may be done to it.
#[derive(Debug)]
pub(super) struct LockFile {
    path: Utf8PathBuf,
    /// What it says; none if there is none.
    old: Option<Lock>,
    /// Whether it must be there, answer everything and stay as it is.
    pub(super) locked: bool,
    /// Inputs that are to be resolved anew, by their keys.
    updated: Vec<&'static str>,
}

/// The inputs by the keys that name them under `[image]`.
pub(super) fn choices(image: &ImageChoice) -> [(&'static str, &SourceChoice); 3] {
    [
        ("base", &image.base),
        ("java", &image.java),
        ("hadoop", &image.hadoop),
    ]
}

impl LockFile {
    /// Reads the lock beside a cluster file. With `locked`, it has to be there
    /// and to answer all that the cluster file asks for.
    pub(super) fn open(loaded: &Loaded, locked: bool) -> Result<Self, Failure> {
        let path = loaded.file.with_extension("lock");
        let old = match read_text(&path)? {
            None => None,
            Some(text) => Some(Lock::parse(&text).map_err(|problems| {
                Failure::problems(render(path.as_str(), &text, &problems, color()))
            })?),
        };
        let file = Self {
            path,
            old,
            locked,
            updated: Vec::new(),
        };
        if locked {
            file.refuse_unless_complete(loaded)?;
        }
        Ok(file)
    }

    /// Has these inputs resolved anew; all if none is named. They go by key or by
    /// recipe.
    pub(super) fn update(&mut self, names: &[String], loaded: &Loaded) -> Result<(), Failure> {
        let choices = choices(&loaded.cluster.image);
        if names.is_empty() {
            self.updated = choices.map(|(key, _)| key).into();
            return Ok(());
        }
        for name in names {
            let named = |(key, choice): &&(&'static str, &SourceChoice)| {
                key == name || Asked::of(choice).to_string() == *name
            };
            let Some((key, _)) = choices.iter().find(named) else {
                let known: Vec<String> = choices
                    .iter()
                    .map(|(key, choice)| format!("{key} ({})", Asked::of(choice)))
                    .collect();
                return Err(
                    Failure::usage(format!("{} asks for no input {name}", loaded.file))
                        .hint(format!("the inputs are {}", known.join(", "))),
                );
            };
            self.updated.push(key);
        }
        Ok(())
    }

    /// Whether an input is to be resolved anew.
    pub(super) fn is_updated(&self, key: &str) -> bool {
        self.updated.contains(&key)
    }

    /// What the lock says about an input, if it answers what is asked for now.
    pub(super) fn answer(&self, key: &str, choice: &SourceChoice) -> Option<&LockedInput> {
        if self.is_updated(key) {
            return None;
        }
        self.old.as_ref()?.answer(key, choice)
    }

    /// What people call it.
    pub(super) fn name(&self) -> &str {
        self.path.file_name().unwrap_or(self.path.as_str())
    }

    /// Compares what the inputs turned out to be with what the lock says, and
    /// writes it where that differs. Gives what moved.
    pub(super) fn settle(&self, mut new: Lock, session: &Session) -> Result<Settled, Failure> {
        let empty = Lock::default();
        let old = self.old.as_ref().unwrap_or(&empty);
        let today = today()?;
        for (name, input) in &mut new.inputs {
            let same = old.inputs.get(name).filter(|old| old.is_same_as(input));
            input.date = same.map_or_else(|| today.clone(), |old| old.date.clone());
        }
        let moved = moved(old, &new);
        if moved.is_empty() {
            return Ok(Settled {
                moved,
                first: false,
            });
        }
        if self.locked {
            let mut list = String::new();
            for change in &moved {
                // Writing to a string does not fail.
                let _ = write!(list, "\n  {change}");
            }
            return Err(Failure::usage(format!(
                "{} would change, and --locked forbids it:{list}",
                self.path
            )));
        }
        self.write(&new.to_string(), session)?;
        Ok(Settled {
            moved,
            first: self.old.is_none(),
        })
    }

    fn refuse_unless_complete(&self, loaded: &Loaded) -> Result<(), Failure> {
        let Some(old) = &self.old else {
            return Err(Failure::usage(format!(
                "there is no {}, and --locked takes inputs from nothing else",
                self.path
            ))
            .hint("make it with: pidoop fetch; then commit it"));
        };
        let mut list = String::new();
        for (key, choice) in choices(&loaded.cluster.image) {
            let asked = Asked::of(choice);
            let problem = match old.inputs.get(key) {
                Some(entry) if entry.answers(choice) => continue,
                None => format!("{asked} is not in it"),
                Some(entry) if entry.asked == asked => format!(
                    "{} names another sha256 for {asked} than the {} in it",
                    loaded.file, entry.sha256
                ),
                Some(entry) => format!(
                    "{} asks for {asked}, and it has {}",
                    loaded.file, entry.asked
                ),
            };
            let _ = write!(list, "\n  {key}: {problem}");
        }
        if list.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "{} does not answer what {} asks for:{list}",
            self.path, loaded.file
        ))
        .hint("run pidoop fetch and commit the lock it writes"))
    }

    /// Writes the file so that it is old or new at any time, whole either way.
    /// What a killed process left under the name it was made by is written over.
    fn write(&self, text: &str, session: &Session) -> Result<(), Failure> {
        // A link leads to where the file really is.
        let path = self
            .path
            .canonicalize_utf8()
            .unwrap_or_else(|_| self.path.clone());
        let partial = path.with_file_name(format!(".{}.partial", self.name()));
        let write = || -> std::io::Result<()> {
            let mut file = fs_err::File::create(&partial)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs_err::rename(&partial, &path)
        };
        session
            .fetcher
            .cache()
            .alone(&write_key(&path), &session.reporter, write)
            .map_err(Failure::environment)?
            .map_err(|error| {
                Failure::from(error).context(format!("{} cannot be written", self.path))
            })
    }
}

/// Names the work of writing in this directory, for all processes that may: by
/// the directory, which is there before the file is, and under one name whether
/// the file is or not.
fn write_key(path: &Utf8Path) -> String {
    let dir = match path.parent() {
        Some(dir) if dir != "" => dir,
        _ => Utf8Path::new("."),
    };
    let dir = dir.canonicalize_utf8().unwrap_or_else(|_| dir.to_owned());
    format!("lockfile-{}", Sha256::of(dir.as_str().as_bytes()))
}

/// What became of the lock.
#[derive(Debug)]
pub(super) struct Settled {
    /// What is another now.
    pub(super) moved: Vec<Moved>,
    /// Whether there was no lock before.
    pub(super) first: bool,
}

impl Settled {
    /// Tells people what was written, if anything was.
    pub(super) fn tell(&self, file: &LockFile, session: &Session) {
        let name = file.name();
        if self.first {
            session.reporter.note(format!(
                "wrote {name}: it keeps what the inputs are; commit it"
            ));
            return;
        }
        for change in &self.moved {
            session.reporter.note(format!("{name}: {change}"));
        }
    }
}

/// The day it is, in UTC, or that of `SOURCE_DATE_EPOCH`.
fn today() -> Result<String, Failure> {
    let now = match source_date_epoch()? {
        Some(seconds) => Timestamp::from_second(seconds).map_err(Failure::usage)?,
        None => Timestamp::now(),
    };
    Ok(now.to_zoned(TimeZone::UTC).date().to_string())
}
