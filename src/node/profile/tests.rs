use rstest::rstest;

use super::*;
use crate::edit::Owner;
use crate::node::fake_base::{base, elf};
use crate::node::fake_tree::FakeTree;

fn detect(release: Release) -> Profile {
    let (root, boot) = base(release);
    Profile::detect(&root, &boot).unwrap()
}

#[rstest]
#[case(Release::Bullseye, "/boot", NetworkStack::Dhcpcd)]
#[case(Release::Bookworm, "/boot/firmware", NetworkStack::NetworkManager)]
#[case(Release::Trixie, "/boot/firmware", NetworkStack::NetworkManager)]
#[case(Release::Debian12, "/boot/firmware", NetworkStack::NetworkManager)]
#[case(Release::Debian13, "/boot/firmware", NetworkStack::NetworkManager)]
fn releases_are_told_apart(
    #[case] release: Release,
    #[case] boot: &str,
    #[case] network: NetworkStack,
) {
    let profile = detect(release);
    assert_eq!(profile.release, release);
    assert_eq!(profile.arch, Arch::Aarch64);
    assert_eq!(profile.boot_mount.unwrap().as_str(), boot);
    assert_eq!(profile.disk_id, DiskId::new(0x50a7_d0a6));
    assert_eq!(profile.network, network);
    assert_eq!(profile.shadow_gid, 42);
    assert_eq!(profile.glibc, GlibcVersion::new(2, 36));
    assert_eq!(profile.zram, release.is_raspberry_pi_os());
    assert_eq!(
        profile.accounts.first_user().is_some(),
        release.is_raspberry_pi_os()
    );
    assert_eq!(profile.unit_dir, "/usr/lib/systemd/system");
}

#[test]
fn what_is_there_is_noted() {
    let profile = detect(Release::Trixie);
    assert!(profile.has("/etc/cloud") && profile.has("/etc/rpi/swap.conf"));
    assert!(!profile.has("/etc/dphys-swapfile"));
    assert!(profile.has_unit("userconfig.service") && !profile.has_unit("nosuch.service"));
    assert!(profile.boot_files.contains("cmdline.txt"));
    let zones = profile.zones.unwrap();
    assert!(
        ["Etc/UTC", "Europe/London", "UTC"]
            .iter()
            .all(|zone| zones.contains(*zone))
    );
    assert_eq!(
        profile.locales.into_iter().collect::<Vec<_>>(),
        ["en_GB.UTF-8"]
    );
}

#[test]
fn bullseye_switched_to_networkmanager_stays_so() {
    let (root, boot) = base(Release::Bullseye);
    let root = root.link(
        "/etc/systemd/system/multi-user.target.wants/NetworkManager.service",
        "/lib/systemd/system/NetworkManager.service",
    );
    let profile = Profile::detect(&root, &boot).unwrap();
    assert_eq!(profile.network, NetworkStack::NetworkManager);
}

#[test]
fn debian_without_either_stack_has_networkd() {
    let (root, boot) = base(Release::Debian13);
    let profile = Profile::detect(&root.without("/usr/sbin/NetworkManager"), &boot).unwrap();
    assert_eq!(profile.network, NetworkStack::Networkd);
}

#[test]
fn units_are_found_without_merged_usr() {
    let (root, boot) = base(Release::Bullseye);
    let root = root
        .without("/lib")
        .without("/usr/lib/systemd")
        .file("/lib/systemd/systemd", "")
        .file("/lib/systemd/system/ssh.service", "")
        .file("/etc/init.d/resize2fs_once", "");
    let profile = Profile::detect(&root, &boot).unwrap();
    assert_eq!(profile.unit_dir, "/lib/systemd/system");
    assert!(profile.has_unit("resize2fs_once.service"));
}

fn refused(change: impl FnOnce(FakeTree) -> FakeTree) -> String {
    let (root, boot) = base(Release::Bookworm);
    Profile::detect(&change(root), &boot)
        .unwrap_err()
        .to_string()
}

#[rstest]
#[case("/etc/os-release", "no Linux was found")]
#[case(
    "/usr/sbin/sshd",
    "lacks the SSH server (/usr/sbin/sshd): install the package openssh-server"
)]
#[case(
    "/usr/bin/sudo",
    "lacks sudo (/usr/bin/sudo): install the package sudo"
)]
#[case("/usr/lib/systemd/systemd", "lacks systemd")]
#[case("/usr/sbin/resize2fs", "install the package e2fsprogs")]
#[case("/var/lib/dpkg/status", "lacks glibc")]
#[case("/etc/shadow", "run pwconv")]
fn what_is_missing_is_named(#[case] path: &str, #[case] expected: &str) {
    let message = refused(|root| root.without(path));
    assert!(message.contains(expected), "{message}");
}

#[test]
fn everything_missing_is_named_at_once() {
    let message = refused(|root| root.without("/usr/bin/sudo").without("/usr/sbin/sshd"));
    assert!(
        message.contains("sudo") && message.contains("openssh-server"),
        "{message}"
    );
}

#[rstest]
#[case("ID=fedora\nPRETTY_NAME=\"Fedora 40\"\n", "the image is Fedora 40")]
#[case(
    "ID=raspbian\nVERSION_CODENAME=buster\n",
    "too old: its sshd reads no drop-in files"
)]
#[case("ID=debian\nVERSION_CODENAME=sid\n", "no profile for")]
#[case(
    "ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nVERSION_CODENAME=noble\n",
    "the image is Ubuntu 24.04.3 LTS: what its first boot does"
)]
#[case(
    "ID=neon\nID_LIKE=\"ubuntu debian\"\n",
    "the image is neon: what its first boot does"
)]
#[case("", "a system that does not say what it is")]
fn other_systems_are_refused(#[case] os_release: &str, #[case] expected: &str) {
    let message = refused(|root| root.file("/usr/lib/os-release", os_release));
    assert!(message.contains(expected), "{message}");
}

#[test]
fn what_rpi_image_gen_makes_is_refused() {
    let (root, boot) = base(Release::Debian13);
    let slots = "/dev/disk/by-slot/system / ext4 rw 0 1\n";
    let fstab = Profile::detect(&root.clone().file("/etc/fstab", slots), &boot);
    let line = FakeTree::new().file("/cmdline.txt", "root=/dev/disk/by-slot/active/system x\n");
    let cmdline = Profile::detect(&root, &line);
    for found in [fstab, cmdline] {
        let message = found.unwrap_err().to_string();
        assert!(
            message.contains("made with rpi-image-gen") && message.contains("by-slot"),
            "{message}"
        );
    }
}

#[test]
fn raspberry_pi_os_is_known_by_either_partition() {
    let (root, boot) = base(Release::Trixie);
    let root = root.without("/etc/rpi-issue");
    let plain = Profile::detect(&root, &boot).unwrap();
    assert_eq!(plain.release, Release::Debian13);
    let issue = boot.file("/issue.txt", "Raspberry Pi reference 2026-09-15\n");
    assert_eq!(
        Profile::detect(&root, &issue).unwrap().release,
        Release::Trixie
    );
}

#[rstest]
#[case(elf(1, 40), "take the 64-bit (arm64) image")]
#[case(elf(1, 3), "32-bit")]
#[case(elf(2, 243), "programs in the image are for")]
#[case(b"#!/bin/sh\n# long enough".to_vec(), "lacks bash")]
#[case(b"\x7fELF".to_vec(), "lacks bash")]
fn other_architectures_are_refused(#[case] bash: Vec<u8>, #[case] expected: &str) {
    let message = refused(|root| root.put("/usr/bin/bash", bash, Owner::ROOT, 0o755));
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case("root=PARTUUID=50a7d0a6-02 x", Some(0x50a7_d0a6))]
#[case("root=/dev/mmcblk0p2", Some(0x50a7_d0a6))]
#[case(
    "root=PARTUUID=6c2f1d1e-3d44-4b5e-9d3a-0123456789ab",
    Some(0x50a7_d0a6)
)]
fn disk_ids_come_from_fstab_or_cmdline(#[case] cmdline: &str, #[case] expected: Option<u32>) {
    let (root, _) = base(Release::Bookworm);
    let boot = FakeTree::new().file("/cmdline.txt", cmdline);
    let profile = Profile::detect(&root, &boot).unwrap();
    assert_eq!(profile.disk_id.map(DiskId::get), expected);
}

#[test]
fn disagreeing_disk_ids_are_refused() {
    let (root, _) = base(Release::Bookworm);
    let boot = FakeTree::new().file("/cmdline.txt", "root=PARTUUID=12345678-02\n");
    let message = Profile::detect(&root, &boot).unwrap_err().to_string();
    assert!(
        message.contains("50a7d0a6") && message.contains("12345678"),
        "{message}"
    );
}

#[test]
fn a_base_mounting_by_label_has_no_disk_id() {
    let (root, _) = base(Release::Debian13);
    let root = root.file(
        "/etc/fstab",
        "# PARTUUID=50a7d0a6-01 / x\nLABEL=rootfs / ext4 defaults 0 1\n",
    );
    let boot = FakeTree::new().file("/cmdline.txt", "root=LABEL=rootfs");
    let profile = Profile::detect(&root, &boot).unwrap();
    assert_eq!((profile.disk_id, profile.boot_mount), (None, None));
}
