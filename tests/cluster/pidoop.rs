//! The real program, run by somebody who is not root.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cluster_file;
use super::inputs::Inputs;
use super::machine;
use super::program::Program;
use super::workshop::Workshop;

/// Who runs it: `nobody`, who owns nothing and may do nothing.
pub(crate) const BUILDER: u32 = 65534;

/// The program with a cluster file, both where the builder can get at them.
pub(crate) struct Pidoop {
    program: PathBuf,
    cluster_file: PathBuf,
    home: PathBuf,
}

impl Pidoop {
    /// Writes the cluster file, and lays its inputs and the program beside it.
    pub(crate) fn new(workshop: &Workshop) -> Result<Self> {
        let pidoop = Self {
            program: workshop.path("pidoop"),
            cluster_file: workshop.path("cluster.toml"),
            home: workshop.path("home"),
        };
        let inputs = Inputs::find()?.stage(&workshop.path("inputs"))?;
        let key = workshop.key_pair("key")?.with_extension("pub");
        fs_err::write(&pidoop.cluster_file, cluster_file::text(&inputs, &key)?)?;
        give(&pidoop.cluster_file)?;
        // The cluster key is made beside the cluster file.
        give(&workshop.path(""))?;
        fs_err::create_dir_all(&pidoop.home)?;
        give(&pidoop.home)?;
        fs_err::copy(env!("CARGO_BIN_EXE_pidoop"), &pidoop.program)?;
        Ok(pidoop)
    }

    /// `pidoop VERB`, with the cluster file.
    pub(crate) fn run(&self, verb: &str) -> Program {
        Program::new("setpriv")
            .args([
                "--reuid",
                &BUILDER.to_string(),
                "--regid",
                &BUILDER.to_string(),
            ])
            .args([
                "--clear-groups",
                "--no-new-privs",
                "--inh-caps=-all",
                "--bounding-set=-all",
            ])
            .arg(&self.program)
            .args([verb, "-f"])
            .arg(&self.cluster_file)
            .bare()
            .env("PATH", machine::search_path())
            .env("HOME", &self.home)
    }
}

/// Makes the builder the owner of a file.
pub(crate) fn give(path: &Path) -> Result<()> {
    chown(path, Some(BUILDER), Some(BUILDER))
        .with_context(|| format!("giving {} to the builder", path.display()))
}
