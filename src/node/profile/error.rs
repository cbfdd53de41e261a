//! Why an image cannot become a node.

use thiserror::Error;

use crate::edit::EditError;
use crate::hadoop::Arch;
use crate::node::DiskId;

/// Why an image cannot become a node.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// No operating system was found.
    #[error(
        "the root partition has no /etc/os-release, so no Linux was found in it; give the image of \
         Raspberry Pi OS itself, not an installer or a data disk"
    )]
    NoSystem,
    /// Not Debian or a relative.
    #[error(
        "the image is {0}; pidoop knows Raspberry Pi OS (bullseye, bookworm, trixie) and Debian \
         12 and 13"
    )]
    NotDebian(String),
    /// Ubuntu, whose first boot is another world.
    #[error(
        "the image is {0}: what its first boot does belongs to cloud-init and snapd, which pidoop \
         does not know; take Raspberry Pi OS or Debian"
    )]
    Ubuntu(String),
    /// Older than any profile.
    #[error(
        "the image is {0}, which is too old: its sshd reads no drop-in files and it gets no \
         updates; take Raspberry Pi OS bullseye, bookworm or trixie"
    )]
    TooOld(String),
    /// Made by rpi-image-gen.
    #[error(
        "the image was made with rpi-image-gen, which mounts by slots ({0}) that it sets up \
         itself; take the image of Raspberry Pi OS or of Debian"
    )]
    ImageGen(String),
    /// A release without a profile.
    #[error(
        "the image is {found}, a release pidoop has no profile for; take Raspberry Pi OS \
         bullseye, bookworm or trixie, or Debian 12 or 13"
    )]
    UnknownRelease {
        /// The system in its own words.
        found: String,
    },
    /// 32-bit ARM.
    #[error(
        "the image is 32-bit ({0}): Hadoop has no native code for it and a Java heap cannot pass \
         about 2 GB; take the 64-bit (arm64) image, which runs on the Pi 3, 4 and 5"
    )]
    Arm32(Arch),
    /// Neither ARM nor the x86-64 of tests.
    #[error("programs in the image are for {0}; a node is a 64-bit ARM or x86-64 system")]
    Architecture(Arch),
    /// Things a node needs and the image has not.
    #[error("the image lacks {}", list(.0))]
    Lacks(Vec<Lack>),
    /// Boot and root disagree about the disk.
    #[error(
        "fstab says the disk is {fstab}, cmdline.txt says {cmdline}; the image would not boot \
         as it is, so take a fresh one"
    )]
    DiskIds {
        /// In `/etc/fstab`.
        fstab: DiskId,
        /// On the kernel command line.
        cmdline: DiskId,
    },
    /// A file could not be read.
    #[error(transparent)]
    Read(#[from] EditError),
}

/// One thing an image lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What, such as `sshd`.
    pub what: &'static str,
    /// Where it was looked for.
    pub path: &'static str,
    /// What would bring it.
    pub remedy: &'static str,
}

fn list(lacks: &[Lack]) -> String {
    let each = |lack: &Lack| format!("{} ({}): {}", lack.what, lack.path, lack.remedy);
    lacks.iter().map(each).collect::<Vec<_>>().join("; ")
}
