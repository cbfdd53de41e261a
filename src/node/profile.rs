//! What a base image is, read from its own files.

use std::collections::BTreeSet;

use serde::Serialize;
use thiserror::Error;

use super::accounts::Accounts;
use super::reader::Reader;
use super::release::{OsRelease, Release};
use super::{DiskId, packages};
use crate::edit::{EditError, ImagePath, ReadTree};
use crate::hadoop::{Arch, GlibcVersion};

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

/// What sets the addresses of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    #[serde(skip)]
    pub accounts: Accounts,
    /// Whether the first user's home directory is there.
    #[serde(skip)]
    pub first_home: bool,
    /// Directory of the packaged units: `/usr/lib/systemd/system` or, without
    /// merged /usr, `/lib/systemd/system`.
    #[serde(skip)]
    pub unit_dir: String,
    /// Names of the packaged units and of SysV scripts as units.
    #[serde(skip)]
    pub units: BTreeSet<String>,
    /// Those files of [`ROOT_FILES`] that are there.
    #[serde(skip)]
    pub files: BTreeSet<&'static str>,
    /// Names in the root directory of the firmware partition.
    #[serde(skip)]
    pub boot_files: BTreeSet<String>,
    /// Time zones, with links; none if the image has no list of them.
    #[serde(skip)]
    pub zones: Option<BTreeSet<String>>,
    /// Locales that are compiled, as named in `/etc/locale.gen`.
    #[serde(skip)]
    pub locales: BTreeSet<String>,
    /// Whether any kernel has a zram module.
    pub zram: bool,
}

/// Files of the root partition whose presence decides about edits.
pub const ROOT_FILES: &[&str] = &[
    "/etc/cloud",
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
    "/sbin/fake-hwclock",
    "/usr/lib/systemd/systemd-resolved",
];

/// What every node needs, where it is and what brings it.
const NEEDED: &[Lack] = &[
    Lack {
        what: "systemd",
        path: "/lib/systemd/systemd",
        remedy: "images with another init cannot run the daemons' units",
    },
    Lack {
        what: "the SSH server",
        path: "/usr/sbin/sshd",
        remedy: "install the package openssh-server in the image",
    },
    Lack {
        what: "the SSH server's configuration",
        path: "/etc/ssh/sshd_config",
        remedy: "reinstall the package openssh-server in the image",
    },
    Lack {
        what: "ssh-keygen",
        path: "/usr/bin/ssh-keygen",
        remedy: "install the package openssh-client in the image",
    },
    Lack {
        what: "sudo",
        path: "/usr/bin/sudo",
        remedy: "install the package sudo in the image",
    },
    Lack {
        what: "bash",
        path: "/bin/bash",
        remedy: "install the package bash in the image; Hadoop's launchers need it",
    },
    Lack {
        what: "the user list",
        path: "/etc/passwd",
        remedy: "the image is damaged",
    },
    Lack {
        what: "the group list",
        path: "/etc/group",
        remedy: "the image is damaged",
    },
    Lack {
        what: "the password file",
        path: "/etc/shadow",
        remedy: "run pwconv in the image",
    },
    Lack {
        what: "resize2fs",
        path: "/sbin/resize2fs",
        remedy: "install the package e2fsprogs in the image; the card is filled with it",
    },
];

impl Profile {
    /// Reads what the image with these two filesystems is.
    ///
    /// # Errors
    /// Every [`ProfileError`]: what is missing or unknown, and what to do.
    pub fn detect(root: &dyn ReadTree, boot: &dyn ReadTree) -> Result<Self, ProfileError> {
        let (root, boot) = (Reader(root), Reader(boot));
        let release = detect_release(root)?;
        let arch = detect_arch(root)?;
        let (unit_dir, units) = units(root)?;
        require(root, &units)?;

        let text = |path: &str| root.text(path).map(Option::unwrap_or_default);
        let accounts = Accounts::parse(
            &text("/etc/passwd")?,
            &text("/etc/group")?,
            &text("/etc/subuid")?,
            &text("/etc/subgid")?,
        );
        let fstab = text("/etc/fstab")?;
        let cmdline = boot.text("/cmdline.txt")?.unwrap_or_default();
        let glibc = match packages::glibc(&text("/var/lib/dpkg/status")?) {
            Some(version) => version,
            None => Err(lack(
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
                files.insert(*path);
            }
        }
        Ok(Self {
            release,
            arch,
            glibc,
            boot_mount: boot_mount(&fstab),
            disk_id: disk_id(&fstab, &cmdline)?,
            network: network(root, release)?,
            shadow_gid: accounts.groups.get("shadow").map_or(0, |group| group.gid),
            accounts,
            first_home,
            unit_dir,
            units,
            files,
            boot_files: boot.names("/")?.into_iter().collect(),
            zones: root
                .text("/usr/share/zoneinfo/tzdata.zi")?
                .map(|text| zones(&text)),
            locales: locales(&text("/etc/locale.gen")?),
            zram: has_zram(root)?,
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

fn lack(what: &'static str, path: &'static str, remedy: &'static str) -> ProfileError {
    ProfileError::Lacks(vec![Lack { what, path, remedy }])
}

fn detect_release(root: Reader<'_>) -> Result<Release, ProfileError> {
    let text = root
        .text("/etc/os-release")?
        .ok_or(ProfileError::NoSystem)?;
    let system = OsRelease::parse(&text);
    if !system.is_debian() {
        return Err(ProfileError::NotDebian(system.words().to_owned()));
    }
    let raspberry_pi = root.leads_somewhere("/etc/rpi-issue")?;
    Release::named(&system.codename, raspberry_pi).ok_or_else(|| {
        let found = system.words().to_owned();
        ProfileError::UnknownRelease { found }
    })
}

/// By a program of the userland: the kernel may be 64-bit under a 32-bit
/// system, and a Java runtime needs the userland's loader.
fn detect_arch(root: Reader<'_>) -> Result<Arch, ProfileError> {
    let bash = root.bytes("/bin/bash")?;
    let no_bash = || lack("bash", "/bin/bash", "the image is damaged");
    let header = bash
        .as_deref()
        .and_then(|bytes| bytes.get(..20))
        .ok_or_else(no_bash)?;
    if !header.starts_with(b"\x7fELF") {
        return Err(no_bash());
    }
    // e_machine, little-endian in everything a Pi runs (System V ABI).
    match Arch::from_elf_machine(u16::from_le_bytes([header[18], header[19]])) {
        arch @ (Arch::Aarch64 | Arch::X86_64) => Ok(arch),
        arch @ (Arch::Arm | Arch::X86) => Err(ProfileError::Arm32(arch)),
        arch => Err(ProfileError::Architecture(arch)),
    }
}

fn units(root: Reader<'_>) -> Result<(String, BTreeSet<String>), ProfileError> {
    let mut units: BTreeSet<String> = BTreeSet::new();
    let mut dir = "/usr/lib/systemd/system";
    if !root.leads_somewhere("/usr/lib/systemd/system/ssh.service")? {
        dir = "/lib/systemd/system";
    }
    units.extend(root.names(dir)?);
    // Scripts in init.d become units of that name (systemd-sysv-generator(8)).
    let scripts = root.names("/etc/init.d")?;
    units.extend(scripts.iter().map(|name| format!("{name}.service")));
    Ok((dir.to_owned(), units))
}

fn require(root: Reader<'_>, units: &BTreeSet<String>) -> Result<(), ProfileError> {
    let mut lacks = Vec::new();
    for needed in NEEDED {
        // On a system without merged /usr, programs may be in either place.
        let elsewhere = format!("/usr{}", needed.path);
        if !root.leads_somewhere(needed.path)? && !root.leads_somewhere(&elsewhere)? {
            lacks.push(needed.clone());
        }
    }
    if !units.contains("ssh.service") {
        lacks.push(Lack {
            what: "the SSH server's unit",
            path: "/usr/lib/systemd/system/ssh.service",
            remedy: "reinstall the package openssh-server in the image",
        });
    }
    if lacks.is_empty() {
        Ok(())
    } else {
        Err(ProfileError::Lacks(lacks))
    }
}

fn boot_mount(fstab: &str) -> Option<ImagePath> {
    fstab_lines(fstab)
        .map(|fields| fields[1])
        .find(|mount| matches!(*mount, "/boot" | "/boot/firmware"))
        .and_then(|mount| ImagePath::new(mount).ok())
}

/// Lines of an fstab with their fields, comments left out.
fn fstab_lines(fstab: &str) -> impl Iterator<Item = Vec<&str>> {
    fstab
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() >= 3 && !fields[0].starts_with('#'))
}

/// The id both files name. An MBR PARTUUID is eight hex digits, a dash and
/// two more; a GPT one is a whole UUID, which says nothing of the disk.
fn disk_id(fstab: &str, cmdline: &str) -> Result<Option<DiskId>, ProfileError> {
    let in_fstab = fstab_lines(fstab)
        .filter(|fields| matches!(fields[1], "/" | "/boot" | "/boot/firmware"))
        .find_map(|fields| part_uuid(fields[0]));
    let root = |token: &str| part_uuid(token.strip_prefix("root=")?);
    let in_cmdline = cmdline.split_whitespace().find_map(root);
    match (in_fstab, in_cmdline) {
        (Some(fstab), Some(cmdline)) if fstab != cmdline => {
            Err(ProfileError::DiskIds { fstab, cmdline })
        }
        (found, other) => Ok(found.or(other)),
    }
}

fn part_uuid(text: &str) -> Option<DiskId> {
    let (disk, partition) = text.strip_prefix("PARTUUID=")?.split_once('-')?;
    let sized = disk.len() == 8 && partition.len() == 2;
    DiskId::new(u32::from_str_radix(disk, 16).ok().filter(|_| sized)?)
}

fn network(root: Reader<'_>, release: Release) -> Result<NetworkStack, ProfileError> {
    let manager = root.leads_somewhere("/usr/sbin/NetworkManager")?;
    let dhcpcd =
        root.leads_somewhere("/sbin/dhcpcd")? || root.leads_somewhere("/usr/sbin/dhcpcd")?;
    // Bullseye has both; an owner may have switched it to NetworkManager.
    let link = "/etc/systemd/system/multi-user.target.wants/NetworkManager.service";
    let manager_on = root.entry(link)?.is_some();
    Ok(match (manager, dhcpcd, release) {
        (_, true, Release::Bullseye) if !manager_on => NetworkStack::Dhcpcd,
        (true, ..) => NetworkStack::NetworkManager,
        (false, true, _) => NetworkStack::Dhcpcd,
        (false, false, _) => NetworkStack::Networkd,
    })
}

/// Names of zones and links in the compact form of the time zone database
/// (zic(8)): lines `Z NAME …` and `L TARGET NAME`.
fn zones(text: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let mut words = line.split(' ');
        match words.next()? {
            "Z" => words.next().map(str::to_owned),
            "L" => words.nth(1).map(str::to_owned),
            _ => None,
        }
    };
    text.lines().filter_map(name).collect()
}

/// Locales not commented out in `/etc/locale.gen`: those that are compiled.
fn locales(text: &str) -> BTreeSet<String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn has_zram(root: Reader<'_>) -> Result<bool, EditError> {
    for kernel in root.names("/lib/modules")? {
        let module = format!("/lib/modules/{kernel}/kernel/drivers/block/zram");
        if root.leads_somewhere(&module)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
