//! Where a run keeps its files.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::program::Program;
use super::progress::Progress;

/// Directories of a run.
pub(crate) struct Workshop {
    directory: PathBuf,
    /// Set if the directory goes away at the end.
    passing: Option<tempfile::TempDir>,
    logs: PathBuf,
    run: u32,
}

impl Workshop {
    /// Opens `directory`, or one that goes away at the end, for run number
    /// `run`.
    pub(crate) fn open(directory: Option<&Path>, run: u32) -> Result<Self> {
        let (directory, passing) = match directory {
            Some(directory) => (directory.to_owned(), None),
            None => {
                // Not in memory, where /tmp may be: three cards are large.
                let passing = tempfile::Builder::new()
                    .prefix("pidoop-cluster-")
                    .tempdir_in("/var/tmp")?;
                (passing.path().to_owned(), Some(passing))
            }
        };
        fs_err::create_dir_all(&directory)?;
        // The ordinary user that builds must get in.
        fs_err::set_permissions(&directory, std::fs::Permissions::from_mode(0o755))?;
        for above in directory.ancestors().skip(1) {
            ensure!(
                fs_err::metadata(above)?.permissions().mode() & 0o001 != 0,
                "{} is no place to work in: the ordinary user that builds cannot pass {}",
                directory.display(),
                above.display()
            );
        }
        let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster");
        if logs.exists() {
            fs_err::remove_dir_all(&logs)?;
        }
        fs_err::create_dir_all(&logs)?;
        Ok(Self {
            directory,
            passing,
            logs,
            run,
        })
    }

    /// A file or directory of this run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Number of this run, which no other has at the same time.
    pub(crate) fn run(&self) -> u32 {
        self.run
    }

    /// Where consoles and journals go; stays until the next run.
    pub(crate) fn logs(&self) -> &Path {
        &self.logs
    }

    /// An ssh key pair in this run's directory; made if it is not there.
    pub(crate) fn key_pair(&self, name: &str) -> Result<PathBuf> {
        let key = self.path(name);
        if !key.exists() {
            Program::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
                .arg(&key)
                .output()?;
        }
        Ok(key)
    }

    /// Tidies up and says what is left.
    pub(crate) fn close(self, progress: &Progress, good: bool) -> Result<()> {
        match self.passing {
            Some(passing) => passing.close()?,
            None => progress.say(&format!(
                "everything is left in {}",
                self.directory.display()
            )),
        }
        if !good {
            progress.say(&format!(
                "consoles and journals are in {}",
                self.logs.display()
            ));
        }
        Ok(())
    }
}
