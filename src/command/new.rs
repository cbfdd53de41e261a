//! `pidoop new`: a commented cluster file to start from.

use std::io::{ErrorKind, Write};

use super::Failure;
use crate::cli::{ExitStatus, GlobalArgs, NewArgs};

/// The example in the repository is what people start from, so that it cannot
/// go stale in two places.
const TEMPLATE: &str = include_str!("../../examples/three-pis/cluster.toml");

/// Writes the file; an existing one is never touched.
pub(super) fn run(global: &GlobalArgs, args: &NewArgs) -> Result<ExitStatus, Failure> {
    let mut file = match fs_err::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
    {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::usage(format!("{} exists already", args.file))
                .hint("give another name, as in: pidoop new other.toml"));
        }
        Err(error) => return Err(error.into()),
    };
    file.write_all(TEMPLATE.as_bytes())?;
    super::say(
        global,
        format_args!("wrote {}; read it, then run: pidoop check", args.file),
    );
    Ok(ExitStatus::Ok)
}
