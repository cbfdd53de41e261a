//! The image of a worker, baked by the real program, and what it says before any
//! boot.

use anyhow::{Result, ensure};
use camino::Utf8PathBuf;

use super::cluster_file::{self, NodeEntry};
use super::disk::Disk;
use super::inputs::Inputs;
use super::profile::Profile;
use super::program::Program;
use super::workplace::Workplace;

/// The node that is booted.
pub(crate) const WORKER: NodeEntry = cluster_file::WORKERS[0];
/// Services of a worker.
pub(crate) const SERVICES: [&str; 2] = ["hdfs-datanode.service", "yarn-nodemanager.service"];

/// How long a build may take, in seconds.
const BUILD_SECONDS: u64 = 900;

/// An image and what is written in it.
pub(crate) struct Baked {
    pub(crate) image: Utf8PathBuf,
    /// Its host key for ssh, as the build handed it out.
    pub(crate) known_hosts: Utf8PathBuf,
    pub(crate) disk_id: String,
    pub(crate) fstab: String,
    pub(crate) cmdline: String,
    pub(crate) hosts: String,
    pub(crate) machine_id: String,
}

impl Baked {
    /// Bakes the worker of a small cluster from `profile`'s base.
    pub(crate) fn make(profile: Profile, workplace: &Workplace) -> Result<Self> {
        let directory = workplace.directory(profile.name())?;
        let file = directory.join("cluster.toml");
        fs_err::write(
            &file,
            cluster_file::text(&Inputs::find(profile)?, &workplace.public_key())?,
        )?;
        let out = directory.join("out");
        Program::new(env!("CARGO_BIN_EXE_pidoop"))
            .arg("build")
            .args([
                "--node",
                WORKER.name,
                "--file",
                file.as_str(),
                "--out",
                out.as_str(),
            ])
            .args(["--cache-dir", workplace.directory("cache")?.as_str()])
            .seconds(BUILD_SECONDS)
            .logged(
                "pidoop build",
                workplace
                    .logs()
                    .join(format!("{}.build.log", profile.name())),
            )?;
        Self::read(
            profile,
            out.join(format!("{}-{}.img", cluster_file::NAME, WORKER.name)),
            out.join("known_hosts"),
        )
    }

    fn read(profile: Profile, image: Utf8PathBuf, known_hosts: Utf8PathBuf) -> Result<Self> {
        let disk = Disk::open(&image)?;
        let baked = Self {
            fstab: disk.needed("/etc/fstab")?,
            cmdline: disk.boot_text("cmdline.txt")?,
            hosts: disk.needed("/etc/hosts")?,
            machine_id: disk.needed("/etc/machine-id")?.trim().to_owned(),
            disk_id: disk.id,
            image,
            known_hosts,
        };
        let root = profile.root(&baked.disk_id);
        for (file, text) in [("fstab", &baked.fstab), ("cmdline.txt", &baked.cmdline)] {
            ensure!(text.contains(&root), "{file} does not name {root}: {text}");
        }
        Ok(baked)
    }
}
