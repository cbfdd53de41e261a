//! Which system it is and what it comes with.

use std::collections::BTreeSet;

use super::needs::lack;
use super::{NetworkStack, ProfileError};
use crate::edit::{EditError, EntryKind};
use crate::hadoop::Arch;
use crate::node::Release;
use crate::node::network::{BLOCKS, RESOLV_CONF, WLAN};
use crate::node::reader::Reader;
use crate::node::release::OsRelease;

/// Releases that had images for a Raspberry Pi and have no profile.
const TOO_OLD: &[&str] = &["wheezy", "jessie", "stretch", "buster"];

pub(super) fn release(root: Reader<'_>, boot: Reader<'_>) -> Result<Release, ProfileError> {
    let text = root
        .text("/etc/os-release")?
        .ok_or(ProfileError::NoSystem)?;
    let system = OsRelease::parse(&text);
    if !system.is_debian() {
        return Err(ProfileError::NotDebian(system.words().to_owned()));
    }
    if system.is_ubuntu() {
        return Err(ProfileError::Ubuntu(system.words().to_owned()));
    }
    if TOO_OLD.contains(&system.codename.as_str()) {
        return Err(ProfileError::TooOld(system.words().to_owned()));
    }
    // pi-gen puts the same text into both (stage2 and export-image).
    let raspberry_pi =
        root.leads_somewhere("/etc/rpi-issue")? || boot.leads_somewhere("/issue.txt")?;
    Release::named(&system.codename, raspberry_pi).ok_or_else(|| {
        let found = system.words().to_owned();
        ProfileError::UnknownRelease { found }
    })
}

/// By a program of the userland: the kernel may be 64-bit under a 32-bit
/// system, and a Java runtime needs the userland's loader.
pub(super) fn arch(root: Reader<'_>) -> Result<Arch, ProfileError> {
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

pub(super) fn units(root: Reader<'_>) -> Result<(String, BTreeSet<String>), ProfileError> {
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

pub(super) fn network(root: Reader<'_>, release: Release) -> Result<NetworkStack, ProfileError> {
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
pub(super) fn zones(text: &str) -> BTreeSet<String> {
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
pub(super) fn locales(text: &str) -> BTreeSet<String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

pub(super) fn has_zram(root: Reader<'_>) -> Result<bool, EditError> {
    for kernel in root.names("/lib/modules")? {
        let module = format!("/lib/modules/{kernel}/kernel/drivers/block/zram");
        if root.leads_somewhere(&module)? {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn radios(root: Reader<'_>) -> Result<BTreeSet<String>, EditError> {
    let names = root.names(BLOCKS)?.into_iter();
    Ok(names.filter(|name| name.ends_with(WLAN)).collect())
}

pub(super) fn resolv_conf_is_link(root: Reader<'_>) -> Result<bool, EditError> {
    let entry = root.entry(RESOLV_CONF)?;
    Ok(entry.is_some_and(|entry| matches!(entry.kind, EntryKind::Symlink { .. })))
}
