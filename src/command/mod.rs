//! One verb per file.

mod base_image;
mod boot;
mod build;
mod built;
mod check;
mod completions;
mod diff;
mod expected;
mod failure;
mod farewell;
mod fetch;
mod inputs;
mod inspect;
mod interrupt;
mod listed;
mod load;
mod lock_file;
mod man;
mod materials;
mod new;
mod nodes;
mod plan;
mod secret;
mod session;
mod supply;
mod unpacked;
mod verify;
mod wanted;

use std::fmt;
use std::io::Write;

pub use failure::Failure;

use crate::bake::BakeError;
use crate::cli::{Cli, ColorChoice, Command, ExitStatus, GlobalArgs};
use crate::disk::DiskError;

/// Runs the command line and says how it ended; errors have been printed.
pub fn run(cli: &Cli) -> ExitStatus {
    match cli.global.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    let result = match &cli.command {
        Command::New(args) => new::run(&cli.global, args),
        Command::Check(args) => check::run(&cli.global, args),
        Command::Plan(args) => plan::run(&cli.global, args),
        Command::Fetch(args) => fetch::run(&cli.global, args),
        Command::Build(args) => build::run(&cli.global, args),
        Command::Boot(args) => boot::run(&cli.global, args),
        Command::Diff(args) => diff::run(&cli.global, args),
        Command::Inspect(args) => inspect::run(&cli.global, args),
        Command::Verify(args) => verify::run(&cli.global, args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    };
    result.unwrap_or_else(|failure| {
        interrupt::leave_if_interrupted();
        if failure.is_closed_pipe() {
            // As in `pidoop plan | head`: whoever reads has enough.
            return ExitStatus::Ok;
        }
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(anstream::stderr(), "{failure}");
        failure.status()
    })
}

/// Says something to the person, unless told to be quiet.
fn say(global: &GlobalArgs, words: fmt::Arguments<'_>) {
    if !global.quiet {
        let _ = writeln!(anstream::stderr(), "{words}");
    }
}

/// An error of baking with the exit status it deserves.
fn bake_failure(error: BakeError) -> Failure {
    if tells_of_a_full_disk(&error) {
        return Failure::environment(error).hint(failure::DISK_FULL);
    }
    match error {
        BakeError::Io(error) => error.into(),
        BakeError::Source(error) => supply::source_failure(*error),
        BakeError::Mismatch { .. } | BakeError::LockedOut { .. } => {
            Failure::new(ExitStatus::CheckFailed, error.into())
        }
        BakeError::Profile { .. } => Failure::usage(error),
        BakeError::Edit { .. } => Failure::usage(error),
        BakeError::Disk(disk) => match *disk {
            DiskError::Io { .. } | DiskError::Tool { .. } | DiskError::Full { .. } => {
                Failure::environment(disk)
            }
            DiskError::Script { .. } => Failure::bug(disk),
            _ => Failure::usage(disk),
        },
        BakeError::Busy(_) => Failure::environment(error),
    }
}

/// Whether a full disk is behind an error. Programs of e2fsprogs tell it in
/// words only, which are these because they run in the C locale.
fn tells_of_a_full_disk(error: &BakeError) -> bool {
    let words = error.to_string();
    ["No space left on device", "Disk quota exceeded"]
        .iter()
        .any(|full| words.contains(full))
}
