//! The image of a worker, baked by the real program, and what it says before any
//! boot.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use pidoop::cluster::Board;

use super::disk::Disk;
use super::inputs::Inputs;
use super::profile::Profile;
use super::program::Program;
use super::workplace::Workplace;

/// Who logs in.
pub(crate) const USER: &str = "keeper";
/// The node that is booted.
pub(crate) const NODE: &str = "worker1";
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 11);
pub(crate) const PREFIX: u8 = 24;
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// Services of a worker.
pub(crate) const SERVICES: [&str; 2] = ["hdfs-datanode.service", "yarn-nodemanager.service"];

const BOARD: &str = "pi4-2gb";

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

/// What the node pretends to be.
pub(crate) fn board() -> Result<Board> {
    Board::named(BOARD).with_context(|| format!("pidoop knows no board {BOARD}"))
}

impl Baked {
    /// Bakes the worker of a small cluster from `profile`'s base.
    pub(crate) fn make(profile: Profile, workplace: &Workplace) -> Result<Self> {
        let directory = workplace.directory(profile.name())?;
        let file = directory.join("cluster.toml");
        fs_err::write(
            &file,
            cluster_file(&Inputs::find(profile)?, &workplace.key()),
        )?;
        let out = directory.join("out");
        let output = Program::new(env!("CARGO_BIN_EXE_pidoop"))
            .arg("build")
            .args([
                "--node",
                NODE,
                "--file",
                file.as_str(),
                "--out",
                out.as_str(),
            ])
            .args(["--cache-dir", workplace.directory("cache")?.as_str()])
            .seconds(BUILD_SECONDS)
            .run()?;
        let log = workplace
            .logs()
            .join(format!("{}.build.log", profile.name()));
        fs_err::write(log, [output.stdout.as_slice(), &output.stderr].concat())?;
        ensure!(
            output.status.success(),
            "pidoop build: {}\n{}",
            output.status,
            output.words()
        );
        Self::read(
            profile,
            out.join(format!("proof-{NODE}.img")),
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

fn cluster_file(inputs: &Inputs, key: &Utf8Path) -> String {
    format!(
        r#"schema = 1

[cluster]
name = "proof"

[image]
base   = {{ path = "{base}" }}
java   = {{ path = "{java}" }}
hadoop = {{ path = "{hadoop}" }}

[access]
user = "{USER}"
authorized_keys = ["{key}.pub"]

[network]
subnet  = "10.77.0.0/{PREFIX}"
gateway = "{GATEWAY}"

[[node]]
name = "master"
role = "master"
board = "{BOARD}"
address = "10.77.0.10"

[[node]]
name = "{NODE}"
role = "worker"
board = "{BOARD}"
address = "{ADDRESS}"
"#,
        base = inputs.base.display(),
        java = inputs.java.display(),
        hadoop = inputs.hadoop.display(),
    )
}
