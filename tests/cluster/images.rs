//! The images of the nodes.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::cluster_file;
use super::pidoop::{self, Pidoop};
use super::progress::Progress;
use super::workshop::Workshop;

/// How long a build may take, in seconds.
const BUILD_SECONDS: u64 = 600;

/// What a build made.
pub(crate) struct Images {
    directory: PathBuf,
}

impl Images {
    /// Builds the images of the cluster, or takes those that an earlier run
    /// left in the workshop.
    pub(crate) fn make(
        workshop: &Workshop,
        pidoop: &Pidoop,
        progress: &mut Progress,
    ) -> Result<Self> {
        let images = Self {
            directory: workshop.path("out"),
        };
        if images.known_hosts().exists() {
            progress.say(&format!(
                "taking the images in {}",
                images.directory.display()
            ));
        } else {
            progress.say("building the images as an ordinary user without network");
            images.build(workshop, pidoop)?;
            progress.holds("pidoop built the images");
        }
        images.check()?;
        progress.holds("one image for each node, for their owner alone");
        Ok(images)
    }

    /// The image of a node.
    pub(crate) fn of(&self, node: &str) -> PathBuf {
        self.directory
            .join(format!("{}-{node}.img", cluster_file::NAME))
    }

    /// The host keys of all nodes.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.directory.join("known_hosts")
    }

    fn build(&self, workshop: &Workshop, pidoop: &Pidoop) -> Result<()> {
        fs_err::create_dir_all(&self.directory)?;
        pidoop::give(&self.directory)?;
        let build = pidoop.run("build").arg("--out").arg(&self.directory);
        build
            .seconds(BUILD_SECONDS)
            .logged("pidoop build", workshop.logs().join("build.log"))
    }

    fn check(&self) -> Result<()> {
        for node in cluster_file::nodes() {
            let image = self.of(node.name);
            let metadata = fs_err::metadata(&image)?;
            let mode = metadata.permissions().mode() & 0o7777;
            ensure!(
                mode == 0o600 && metadata.uid() == pidoop::BUILDER,
                "{} has mode {mode:o} and belongs to user {}; it holds private keys, so it must \
                 be 600 and the builder's",
                image.display(),
                metadata.uid()
            );
        }
        Ok(())
    }
}
