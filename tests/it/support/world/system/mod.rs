//! The operating systems of the tiny world: what images of Raspberry Pi OS and
//! Debian have, as far as a node's personality meets it, and no programs.
//!
//! What each has was read in the sources it is made from: pi-gen's stages, the
//! packages raspberrypi-sys-mods, userconf-pi and rpi-swap, Debian's
//! image-specs.

mod accounts;
mod boot;
mod common;
mod debian;
mod raspberry_pi;

use super::super::tiny_image::MIB;
use super::tree::Tree;

pub(crate) use common::small_program;

/// An operating system, as an image of it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Raspberry Pi OS 11.
    Bullseye,
    /// Raspberry Pi OS 12.
    Bookworm,
    /// The same with its desktop.
    Desktop,
    /// Raspberry Pi OS 12 after Raspberry Pi Imager has put its user's choices
    /// on the firmware partition, and after a first boot with Wi-Fi.
    Imaged,
    /// Raspberry Pi OS 13 of October 2025: a first user with a shell and sudo
    /// without a password, larger clusters.
    FirstTrixie,
    /// Raspberry Pi OS 13 of April 2026 and later.
    Trixie,
    /// Debian 12 as its Raspberry Pi team makes it: by label, with ifupdown.
    Debian12,
    /// Debian 13 in the layout of a Pi image, with NetworkManager; it has no
    /// first user.
    Debian13,
}

/// Disk id of the images.
pub(crate) const DISK_ID: u32 = 0x50a7_d0a6;

impl Flavour {
    pub(crate) const ALL: [Self; 8] = [
        Self::Bullseye,
        Self::Bookworm,
        Self::Desktop,
        Self::Imaged,
        Self::FirstTrixie,
        Self::Trixie,
        Self::Debian12,
        Self::Debian13,
    ];

    /// Name of its image file, without extension: nothing is known by it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bullseye => "base-a",
            Self::Bookworm => "base-b",
            Self::Desktop => "base-c",
            Self::Imaged => "base-d",
            Self::FirstTrixie => "base-e",
            Self::Trixie => "raspios-trixie",
            Self::Debian12 => "base-f",
            Self::Debian13 => "debian-13",
        }
    }

    pub(crate) fn codename(self) -> &'static str {
        match self {
            Self::Bullseye => "bullseye",
            Self::Bookworm | Self::Desktop | Self::Imaged | Self::Debian12 => "bookworm",
            Self::FirstTrixie | Self::Trixie | Self::Debian13 => "trixie",
        }
    }

    pub(crate) fn is_raspberry_pi_os(self) -> bool {
        !matches!(self, Self::Debian12 | Self::Debian13)
    }

    /// Whether this is Raspberry Pi OS of this name.
    pub(crate) fn is(self, codename: &str) -> bool {
        self.is_raspberry_pi_os() && self.codename() == codename
    }

    /// Where the firmware partition is mounted.
    pub(crate) fn boot_mount(self) -> &'static str {
        match self {
            Self::Bullseye => "/boot",
            _ => "/boot/firmware",
        }
    }

    /// What partitions begin at a multiple of (pi-gen export-image/prerun.sh;
    /// 8 MiB since May 2025).
    pub(super) fn alignment(self) -> u64 {
        match self {
            Self::Bullseye | Self::Desktop | Self::Debian12 => 4 * MIB,
            _ => 8 * MIB,
        }
    }

    /// Sectors in a cluster of its FAT: four from 2023 to April 2026.
    pub(super) fn cluster_sectors(self) -> u64 {
        match self {
            Self::Desktop | Self::FirstTrixie => 4,
            _ => 1,
        }
    }

    /// Labels of its two filesystems.
    pub(super) fn labels(self) -> [&'static str; 2] {
        match self {
            Self::Debian12 => ["RASPIFIRM", "RASPIROOT"],
            _ => ["bootfs", "rootfs"],
        }
    }

    /// What mke2fs of each release switches on, beyond pi-gen's own choice
    /// (export-image/prerun.sh: no 64bit, no huge_file; no metadata_csum until
    /// May 2022).
    pub(super) fn features(self) -> &'static str {
        match self {
            Self::Bullseye => {
                "^64bit,^huge_file,^metadata_csum,^metadata_csum_seed,^orphan_file,uninit_bg"
            }
            Self::Bookworm | Self::Desktop | Self::Imaged => {
                "^64bit,^huge_file,metadata_csum,^orphan_file,^metadata_csum_seed"
            }
            // e2fsprogs 1.47's defaults (its release notes).
            Self::FirstTrixie | Self::Trixie => {
                "^64bit,^huge_file,metadata_csum,orphan_file,metadata_csum_seed"
            }
            // vmdb2 takes mkfs's own.
            Self::Debian12 => "metadata_csum,^orphan_file,^metadata_csum_seed",
            Self::Debian13 => "^huge_file,orphan_file,metadata_csum_seed",
        }
    }

    /// Its root filesystem.
    pub(crate) fn root(self) -> Tree {
        let mut root = Tree::default();
        common::write(self, &mut root);
        accounts::write(self, &mut root);
        if self.is_raspberry_pi_os() {
            raspberry_pi::write(self, &mut root);
        } else {
            debian::write(self, &mut root);
        }
        root
    }

    /// Files of its firmware partition.
    pub(crate) fn boot(self) -> Vec<(&'static str, String)> {
        boot::files(self)
    }
}
