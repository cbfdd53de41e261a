//! What a base image is, read from its own files.

mod error;
mod mounts;
mod needs;
mod system;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::accounts::{Accounts, open_accounts};
use super::reader::Reader;
use super::release::Release;
use super::{DiskId, network, packages};
use crate::edit::{ImagePath, ReadTree};
use crate::hadoop::{Arch, GlibcVersion};

pub use error::{Lack, ProfileError};

/// What sets the addresses of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkStack {
    /// NetworkManager, with keyfiles: Bookworm and Trixie.
    NetworkManager,
    /// dhcpcd: Bullseye, where NetworkManager is installed but off.
    Dhcpcd,
    /// systemd-networkd, part of systemd: Debian with neither of the two.
    Networkd,
}

/// What a base image is and has, as far as a node's personality depends on it.
/// As data it is for pidoop itself, to be read once and recalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The operating system.
    pub release: Release,
    /// What its programs are built for.
    pub arch: Arch,
    /// Its C library.
    pub glibc: GlibcVersion,
    /// Where the firmware partition is mounted; none if `fstab` has none.
    pub boot_mount: Option<ImagePath>,
    /// MBR disk id that `fstab` and `cmdline.txt` name; none if they mount by
    /// other means.
    pub disk_id: Option<DiskId>,
    /// What sets addresses.
    pub network: NetworkStack,
    /// Group of `/etc/shadow` and `/etc/gshadow`.
    pub shadow_gid: u32,
    /// Users and groups.
    pub accounts: Accounts,
    /// Accounts that anybody can log in to at the console, each with the line
    /// of `/etc/shadow` that locks it.
    pub open_accounts: BTreeMap<String, String>,
    /// Whether the first user's home directory is there.
    pub first_home: bool,
    /// Directory of the packaged units: `/usr/lib/systemd/system` or, without
    /// merged /usr, `/lib/systemd/system`.
    pub unit_dir: String,
    /// Names of the packaged units and of SysV scripts as units.
    pub units: BTreeSet<String>,
    /// Those files of [`ROOT_FILES`] that are there.
    pub files: BTreeSet<String>,
    /// Names in the root directory of the firmware partition.
    pub boot_files: BTreeSet<String>,
    /// Time zones, with links; none if the image has no list of them.
    pub zones: Option<BTreeSet<String>>,
    /// Locales that are compiled, as named in `/etc/locale.gen`.
    pub locales: BTreeSet<String>,
    /// Files that set up an interface, which a node's own is to be alone with.
    pub networks: BTreeSet<String>,
    /// Names of the Wi-Fi radios that systemd-rfkill remembers something of.
    pub radios: BTreeSet<String>,
    /// Whether another program has the say over `/etc/resolv.conf`.
    pub resolv_conf_is_link: bool,
    /// Whether any kernel has a zram module.
    pub zram: bool,
}

/// Files of the root partition whose presence decides about edits.
pub const ROOT_FILES: &[&str] = &[
    "/etc/cloud",
    "/etc/default/crda",
    "/etc/default/raspi-extra-cmdline",
    "/etc/default/raspi-firmware",
    "/etc/default/locale",
    "/etc/dhcpcd.conf",
    "/etc/dphys-swapfile",
    "/etc/fake-hwclock.data",
    "/etc/fstab",
    "/etc/gshadow",
    "/etc/lightdm/lightdm.conf",
    "/etc/rpi/swap.conf",
    "/etc/skel",
    "/etc/ssh/sshd_config",
    "/etc/subgid",
    "/etc/subuid",
    "/etc/systemd/system/rpi-generate-ssh-host-keys.service",
    "/etc/systemd/system/rpi-reconfigure-raspi-firmware.service",
    "/etc/systemd/system/rpi-set-sysconf.service",
    "/lib/firmware/brcm",
    "/sbin/fake-hwclock",
    "/sbin/wpa_supplicant",
];

impl Profile {
    /// Reads what the image with these two filesystems is.
    ///
    /// # Errors
    /// Every [`ProfileError`]: what is missing or unknown, and what to do.
    pub fn detect(root: &dyn ReadTree, boot: &dyn ReadTree) -> Result<Self, ProfileError> {
        let (root, boot) = (Reader(root), Reader(boot));
        let release = system::release(root, boot)?;
        let arch = system::arch(root)?;
        let (unit_dir, units) = system::units(root)?;
        needs::require(root, &units)?;

        let text = |path: &str| root.text(path).map(Option::unwrap_or_default);
        let accounts = Accounts::parse(
            &text("/etc/passwd")?,
            &text("/etc/group")?,
            &text("/etc/subuid")?,
            &text("/etc/subgid")?,
        );
        let fstab = text("/etc/fstab")?;
        let cmdline = boot.text("/cmdline.txt")?.unwrap_or_default();
        mounts::refuse_slots(&fstab, &cmdline)?;
        let glibc = match packages::glibc(&text("/var/lib/dpkg/status")?) {
            Some(version) => version,
            None => Err(needs::lack(
                "glibc",
                "/var/lib/dpkg/status",
                "the image has no package list",
            ))?,
        };
        let first_home = match accounts.first_user() {
            Some((_, account)) => root.leads_somewhere(&account.home)?,
            None => false,
        };
        let mut files = BTreeSet::new();
        for path in ROOT_FILES {
            if root.leads_somewhere(path)? {
                files.insert((*path).to_owned());
            }
        }
        Ok(Self {
            release,
            arch,
            glibc,
            boot_mount: mounts::boot_mount(&fstab),
            disk_id: mounts::disk_id(&fstab, &cmdline)?,
            network: system::network(root, release)?,
            shadow_gid: accounts.groups.get("shadow").map_or(0, |group| group.gid),
            accounts,
            open_accounts: open_accounts(&text("/etc/shadow")?),
            first_home,
            unit_dir,
            units,
            files,
            boot_files: boot.names("/")?.into_iter().collect(),
            zones: root
                .text("/usr/share/zoneinfo/tzdata.zi")?
                .map(|text| system::zones(&text)),
            locales: system::locales(&text("/etc/locale.gen")?),
            networks: network::leftovers(root)?,
            radios: system::radios(root)?,
            resolv_conf_is_link: system::resolv_conf_is_link(root)?,
            zram: system::has_zram(root)?,
        })
    }

    /// Whether a file of [`ROOT_FILES`] is there.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    /// Whether a unit is packaged.
    pub fn has_unit(&self, unit: &str) -> bool {
        self.units.contains(unit)
    }
}
