//! `pidoop completions`: a completion script on standard output.

use std::io::{self, Write};

use clap::CommandFactory;

use super::Failure;
use crate::cli::{Cli, CompletionsArgs, ExitStatus};

/// Prints the script for the shell asked for.
pub(super) fn run(args: &CompletionsArgs) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pidoop", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitStatus::Ok)
}
