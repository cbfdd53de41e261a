//! What images are baked from.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::profile::Profile;

/// Files as `scripts/inputs` makes them.
pub(crate) struct Inputs {
    pub(crate) base: PathBuf,
    pub(crate) java: PathBuf,
    pub(crate) hadoop: PathBuf,
}

impl Inputs {
    /// Finds them in `$PIDOOP_INPUTS`, where `scripts/boot-proof` makes them.
    pub(crate) fn find(profile: Profile) -> Result<Self> {
        let directory = std::env::var_os("PIDOOP_INPUTS")
            .context("PIDOOP_INPUTS is not set; run scripts/boot-proof, which makes the inputs")?;
        let directory = PathBuf::from(directory);
        let inputs = Self {
            base: directory.join(profile.base()),
            java: directory.join(profile.java()),
            hadoop: directory.join("hadoop-3.5.0-amd64.tar.gz"),
        };
        for file in [&inputs.base, &inputs.java, &inputs.hadoop] {
            if !file.is_file() {
                bail!(
                    "no such input {}; run scripts/boot-proof, which makes it",
                    file.display()
                );
            }
        }
        Ok(inputs)
    }
}
