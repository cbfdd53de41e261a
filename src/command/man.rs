//! `pidoop man`: manual pages, one for each verb.

use clap::CommandFactory;

use super::Failure;
use crate::cli::{Cli, ExitStatus, ManArgs};

/// Writes the pages.
pub(super) fn run(args: &ManArgs) -> Result<ExitStatus, Failure> {
    fs_err::create_dir_all(&args.dir)?;
    clap_mangen::generate_to(Cli::command(), &args.dir)?;
    Ok(ExitStatus::Ok)
}
