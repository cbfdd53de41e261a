//! `pidoop check`: is the cluster file right?

use std::io::Write;

use super::Failure;
use super::load::load;
use super::lock_file::LockFile;
use super::plan::memory_plan;
use crate::cli::{CheckArgs, ExitStatus, GlobalArgs};

/// Reads everything that needs no input and says what is wrong.
pub(super) fn run(global: &GlobalArgs, args: &CheckArgs) -> Result<ExitStatus, Failure> {
    let loaded = load(&args.cluster.file)?;
    memory_plan(&loaded)?;
    LockFile::open(&loaded, args.locked)?;
    for note in loaded.notes()? {
        super::say(global, format_args!("{note}"));
    }
    let cluster = &loaded.cluster;
    if args.json {
        let document = serde_json::to_string_pretty(cluster).map_err(Failure::bug)?;
        writeln!(std::io::stdout(), "{document}")?;
    } else {
        super::say(
            global,
            format_args!(
                "{} is right: cluster {} with {} nodes",
                loaded.file,
                cluster.name,
                cluster.nodes.len()
            ),
        );
    }
    Ok(ExitStatus::Ok)
}
