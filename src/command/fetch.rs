//! `pidoop fetch`: the inputs, downloaded, verified and locked.

use std::io::Write;

use serde::Serialize;

use super::Failure;
use super::load::load;
use super::lock_file::{LockFile, Settled};
use super::session::Session;
use super::supply::{Supplied, Supply};
use crate::cli::{ExitStatus, FetchArgs, GlobalArgs};
use crate::lock::LockedInput;
use crate::progress::{Unit, amount};

/// Gets the inputs to hand and keeps in the lock what they are.
pub(super) fn run(global: &GlobalArgs, args: &FetchArgs) -> Result<ExitStatus, Failure> {
    super::interrupt::clean_up_on_signals("the next fetch goes on where this one stopped")?;
    let loaded = load(&args.cluster.file)?;
    for note in loaded.notes()? {
        super::say(global, format_args!("{note}"));
    }
    let mut lock = LockFile::open(&loaded, args.sources.locked)?;
    if let Some(names) = &args.update {
        lock.update(names, &loaded)?;
    }
    let session = Session::with_sources(global, args.json, &args.sources)?;
    let mut supply = Supply::gather(&loaded, &lock, &session, |_| Ok(()), |_| Ok(()))?;
    let now = supply.lock();
    let settled = lock.settle(now.clone(), &session)?;
    supply.image.keep()?;

    if args.json {
        let inputs = supply.all().map(|supplied| {
            let key = supplied.wanted.key;
            Row::of(supplied, now.inputs.get(key))
        });
        let line = serde_json::to_string(&Fetched::new(inputs.into(), &settled, &lock))
            .map_err(Failure::bug)?;
        writeln!(std::io::stdout(), "{line}")?;
        return Ok(ExitStatus::Ok);
    }
    settled.tell(&lock, &session);
    if args.update.is_some() && settled.moved.is_empty() {
        super::say(global, format_args!("{} stays as it is", lock.name()));
    }
    for supplied in supply.all() {
        let title = match now.inputs.get(supplied.wanted.key) {
            Some(entry) => entry.title(),
            None => supplied.wanted.origin.clone(),
        };
        let digest = supplied.file.sha256.to_string();
        super::say(
            global,
            format_args!(
                "{:<7} {title}  {}  sha256 {}",
                supplied.wanted.key,
                amount(supplied.file.size, Unit::Bytes),
                digest.get(..12).unwrap_or(&digest)
            ),
        );
    }
    Ok(ExitStatus::Ok)
}

/// The last line for programs; docs/fetching.md describes it.
#[derive(Serialize)]
struct Fetched<'a> {
    event: &'static str,
    /// Version of this line's shape.
    version: u32,
    lock: &'a str,
    inputs: Vec<Row<'a>>,
    moved: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    origin: &'a str,
    version: Option<&'a str>,
    /// Where the file is on this machine.
    path: &'a str,
    sha256: String,
    size: u64,
}

#[derive(Serialize)]
struct Change<'a> {
    name: &'a str,
    old_sha256: Option<&'a str>,
    new_sha256: Option<&'a str>,
}

impl<'a> Fetched<'a> {
    fn new(inputs: Vec<Row<'a>>, settled: &'a Settled, lock: &'a LockFile) -> Self {
        let digest = |input: &'a Option<LockedInput>| input.as_ref().map(|i| i.sha256.as_str());
        let moved = settled.moved.iter().map(|change| Change {
            name: &change.name,
            old_sha256: digest(&change.old),
            new_sha256: digest(&change.new),
        });
        Self {
            event: "fetched",
            version: 1,
            lock: lock.name(),
            inputs,
            moved: moved.collect(),
        }
    }
}

impl<'a> Row<'a> {
    fn of(supplied: &'a Supplied, entry: Option<&'a LockedInput>) -> Self {
        Self {
            name: supplied.wanted.key,
            origin: supplied.wanted.entry.origin(),
            version: entry.and_then(|entry| entry.version.as_deref()),
            path: supplied.file.path.as_str(),
            sha256: supplied.file.sha256.to_string(),
            size: supplied.file.size,
        }
    }
}
