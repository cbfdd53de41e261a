//! The three inputs of the images.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Files as `scripts/inputs` makes them.
pub(crate) struct Inputs {
    pub(crate) base: PathBuf,
    pub(crate) java: PathBuf,
    pub(crate) hadoop: PathBuf,
}

impl Inputs {
    /// Finds them in `$PIDOOP_INPUTS`, by default where `scripts/cluster-test`
    /// makes them.
    pub(crate) fn find() -> Result<Self> {
        let directory = match std::env::var_os("PIDOOP_INPUTS") {
            Some(directory) => PathBuf::from(directory),
            None => cache_home()?.join("pidoop/inputs"),
        };
        let arch = debian_architecture()?;
        let inputs = Self {
            base: directory.join(format!("debian-13-{arch}.img.xz")),
            java: directory.join(format!("java-17-{arch}.tar.gz")),
            hadoop: directory.join(format!("hadoop-3.5.0-{arch}.tar.gz")),
        };
        let missing: Vec<_> = inputs
            .all()
            .into_iter()
            .filter(|path| !path.is_file())
            .map(|path| path.display().to_string())
            .collect();
        if !missing.is_empty() {
            bail!(
                "no such input\n  {}\nrun scripts/cluster-test, which makes them",
                missing.join("\n  ")
            );
        }
        Ok(inputs)
    }

    fn all(&self) -> [&PathBuf; 3] {
        [&self.base, &self.java, &self.hadoop]
    }

    /// Puts them where an ordinary user can read them.
    pub(crate) fn stage(&self, directory: &Path) -> Result<Self> {
        fs_err::create_dir_all(directory)?;
        let staged = |from: &PathBuf| -> Result<PathBuf> {
            let to = directory.join(from.file_name().context("an input has no name")?);
            // A link costs nothing, but cannot cross to another filesystem.
            if !to.exists() && fs_err::hard_link(from, &to).is_err() {
                fs_err::copy(from, &to)?;
            }
            Ok(to)
        };
        Ok(Self {
            base: staged(&self.base)?,
            java: staged(&self.java)?,
            hadoop: staged(&self.hadoop)?,
        })
    }
}

fn cache_home() -> Result<PathBuf> {
    if let Some(cache) = std::env::var_os("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(cache));
    }
    let home = std::env::var_os("HOME").context("neither PIDOOP_INPUTS nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cache"))
}

/// This machine's architecture by Debian's name for it.
fn debian_architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => bail!("no inputs can be made for the architecture {other}"),
    }
}
