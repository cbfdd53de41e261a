//! Where a run keeps its files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use super::program::Program;
use super::progress::Progress;

/// Directories of a run.
pub(crate) struct Workplace {
    directory: Utf8PathBuf,
    /// Set if the directory goes away at the end.
    passing: Option<tempfile::TempDir>,
    logs: Utf8PathBuf,
}

impl Workplace {
    /// Opens `directory`, or one that goes away at the end.
    pub(crate) fn open(directory: Option<&Path>) -> Result<Self> {
        let (directory, passing) = match directory {
            Some(directory) => (directory.to_owned(), None),
            None => {
                // Not in memory, where /tmp may be: cards are large.
                let passing = tempfile::Builder::new()
                    .prefix("pidoop-boot-")
                    .tempdir_in("/var/tmp")?;
                (passing.path().to_owned(), Some(passing))
            }
        };
        fs_err::create_dir_all(&directory)?;
        // Of a run that leaves nothing else, too.
        let logs = utf8(match &passing {
            Some(_) => Path::new(env!("CARGO_TARGET_TMPDIR")).join("boot"),
            None => directory.join("logs"),
        })?;
        if logs.exists() {
            fs_err::remove_dir_all(&logs)?;
        }
        fs_err::create_dir_all(&logs)?;
        let workplace = Self {
            directory: utf8(directory)?,
            passing,
            logs,
        };
        let key = workplace.key();
        if !key.exists() {
            Program::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "keeper", "-f"])
                .arg(&key)
                .output()?;
        }
        Ok(workplace)
    }

    /// A directory of this run, which is made.
    pub(crate) fn directory(&self, name: &str) -> Result<Utf8PathBuf> {
        let directory = self.directory.join(name);
        fs_err::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// The user's private key.
    pub(crate) fn key(&self) -> Utf8PathBuf {
        self.directory.join("key")
    }

    /// The public key that belongs to it.
    pub(crate) fn public_key(&self) -> PathBuf {
        self.directory.join("key.pub").into()
    }

    /// Where consoles and the words of programs go; stays until the next run.
    pub(crate) fn logs(&self) -> &Utf8Path {
        &self.logs
    }

    /// Tidies up and says what is left.
    pub(crate) fn close(self, progress: &Progress) -> Result<()> {
        match self.passing {
            Some(passing) => passing.close()?,
            None => progress.say(&format!("everything is left in {}", self.directory)),
        }
        progress.say(&format!("the consoles are in {}", self.logs));
        Ok(())
    }
}

/// The path as text, which the library wants.
pub(crate) fn utf8(path: PathBuf) -> Result<Utf8PathBuf> {
    Utf8PathBuf::try_from(path).context("a path is not UTF-8")
}
