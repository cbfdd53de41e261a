//! Base images for tests, as far as profiles and personalities look at them.

use super::Release;
use super::fake_tree::FakeTree;
use crate::edit::Owner;

/// An ELF header with this `e_machine`.
pub(crate) fn elf(class: u8, machine: u8) -> Vec<u8> {
    let mut header = vec![0x7f, b'E', b'L', b'F', class, 1, 1];
    header.resize(18, 0);
    header.extend([machine, 0, 1, 0]);
    header
}

/// The root and firmware filesystems of a release, as pi-gen ships them.
pub(crate) fn base(release: Release) -> (FakeTree, FakeTree) {
    let pi = release.is_raspberry_pi_os();
    let codename = match release {
        Release::Bullseye => "bullseye",
        Release::Bookworm | Release::Debian12 => "bookworm",
        Release::Trixie | Release::Debian13 => "trixie",
    };
    let boot_mount = if release == Release::Bullseye {
        "/boot"
    } else {
        "/boot/firmware"
    };
    let mut root = FakeTree::new()
        .link("/bin", "usr/bin")
        .link("/sbin", "usr/sbin")
        .link("/lib", "usr/lib")
        .file("/usr/lib/os-release", format!("ID=debian\nVERSION_CODENAME={codename}\n"))
        .link("/etc/os-release", "../usr/lib/os-release")
        .put("/usr/bin/bash", elf(2, 183), Owner::ROOT, 0o755)
        .file("/usr/lib/systemd/systemd", "")
        .file("/usr/sbin/sshd", "")
        .file("/usr/bin/ssh-keygen", "")
        .file("/usr/bin/sudo", "")
        .file("/usr/sbin/resize2fs", "")
        .file("/etc/ssh/sshd_config", SSHD_CONFIG)
        .file("/usr/lib/systemd/system/ssh.service", "")
        .file("/usr/lib/systemd/system/getty@.service", "")
        .file("/usr/lib/systemd/system/systemd-timesyncd.service", "")
        .file("/usr/lib/systemd/system/systemd-time-wait-sync.service", "")
        .file("/usr/lib/systemd/system/apt-daily.timer", "")
        .file("/var/lib/dpkg/status", "Package: libc6\nVersion: 2.36-9\n\n")
        .file("/usr/share/zoneinfo/tzdata.zi", "# version\nZ Etc/UTC 0 - UTC\nZ Europe/London 0\nL Etc/UTC UTC\n")
        .file("/etc/locale.gen", "# de_DE.UTF-8 UTF-8\nen_GB.UTF-8 UTF-8\n")
        .file(
            "/etc/fstab",
            format!(
                "proc /proc proc defaults 0 0\nPARTUUID=50a7d0a6-01 {boot_mount} vfat defaults 0 2\n\
                 PARTUUID=50a7d0a6-02 / ext4 defaults,noatime 0 1\n"
            ),
        )
        .file("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1\t\traspberrypi\n")
        .file("/etc/hostname", "raspberrypi\n")
        .file("/etc/skel/.bashrc", "# bash\n");
    root = accounts(root, pi);
    let cmdline = match release {
        Release::Bullseye | Release::Bookworm => {
            "console=serial0,115200 console=tty1 root=PARTUUID=50a7d0a6-02 rootfstype=ext4 \
             fsck.repair=yes rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n"
        }
        _ => {
            "console=serial0,115200 console=tty1 root=PARTUUID=50a7d0a6-02 rootfstype=ext4 \
             fsck.repair=yes rootwait resize\n"
        }
    };
    let boot = FakeTree::new()
        .file("/cmdline.txt", cmdline)
        .file("/config.txt", "[all]\n");
    root = match release {
        Release::Bullseye => root
            .file("/usr/sbin/dhcpcd", "")
            .file("/usr/lib/systemd/system/dhcpcd.service", "")
            .file("/usr/sbin/NetworkManager", "")
            .file("/etc/dhcpcd.conf", "hostname\nclientid\n"),
        _ => root
            .file("/usr/sbin/NetworkManager", "")
            .file("/usr/lib/systemd/system/NetworkManager.service", "")
            .file(
                "/usr/lib/systemd/system/NetworkManager-wait-online.service",
                "",
            ),
    };
    root = root
        .file("/usr/sbin/wpa_supplicant", "")
        .file("/usr/lib/systemd/system/wpa_supplicant.service", "")
        .file("/usr/lib/firmware/brcm/brcmfmac43455-sdio.bin", "");
    if pi {
        root = root
            .file("/etc/resolv.conf", "nameserver 8.8.8.8\n")
            .file("/etc/rpi-issue", "Raspberry Pi reference 2026-09-15\n")
            .file("/usr/lib/systemd/system/userconfig.service", "")
            .file(
                "/usr/lib/systemd/system/regenerate_ssh_host_keys.service",
                "",
            )
            .file(
                "/lib/modules/6.12.0/kernel/drivers/block/zram/zram.ko.xz",
                "",
            )
            .file(
                "/etc/ssh/sshd_config.d/rename_user.conf",
                "Banner /usr/share/userconf-pi/sshd_banner\n",
            );
        root = match release {
            Release::Bullseye => root
                .file("/etc/default/crda", "# country\nREGDOMAIN=\n")
                .file(
                    "/var/lib/systemd/rfkill/platform-3f300000.mmcnr:wlan",
                    "1\n",
                )
                .file(
                    "/var/lib/systemd/rfkill/platform-fe300000.mmcnr:wlan",
                    "1\n",
                ),
            _ => root
                .file("/var/lib/systemd/rfkill/platform-soc:bluetooth", "0\n")
                .file(
                    "/var/lib/NetworkManager/NetworkManager.state",
                    "[main]\nWirelessEnabled=false\n",
                ),
        };
        root = match release {
            Release::Trixie => root
                .file("/etc/cloud/cloud.cfg", "")
                .file("/etc/machine-id", "uninitialized\n")
                .file("/etc/rpi/swap.conf", ""),
            _ => root
                .file("/etc/machine-id", "")
                .file("/etc/dphys-swapfile", "CONF_SWAPSIZE=100\n")
                .file("/usr/sbin/fake-hwclock", "")
                .file("/etc/fake-hwclock.data", "2026-01-01 00:00:00\n"),
        };
    }
    (root, boot)
}

/// Debian's, without comments.
const SSHD_CONFIG: &str = "Include /etc/ssh/sshd_config.d/*.conf\n\
                           KbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\n\
                           PrintMotd no\nAcceptEnv LANG LC_*\nSubsystem sftp /usr/lib/sftp-server\n";

fn accounts(root: FakeTree, pi: bool) -> FakeTree {
    let (user, member) = if pi {
        ("pi:x:1000:1000:,,,:/home/pi:/usr/sbin/nologin\n", "pi")
    } else {
        ("", "")
    };
    let shadow = if pi {
        "root:*:20000:0:99999:7:::\npi:!:20000:0:99999:7:::\n"
    } else {
        "root:*:20000:0:99999:7:::\n"
    };
    let mut group = format!(
        "root:x:0:\nadm:x:4:{member}\nsudo:x:27:{member}\nshadow:x:42:\nvideo:x:44:{member}\nusers:x:100:{member}\n\
         systemd-timesync:x:996:\nsystemd-journal:x:999:\n"
    );
    let mut gshadow = format!(
        "root:*::\nadm:*::{member}\nsudo:*::{member}\nshadow:*::\nvideo:*::{member}\nusers:*::{member}\n"
    );
    if pi {
        group.push_str("gpio:x:986:pi\npi:x:1000:\n");
        gshadow.push_str("gpio:!::pi\npi:!::\n");
    }
    let secret = Owner::new(0, 42);
    let root = root
        .file(
            "/etc/passwd",
            format!(
                "root:x:0:0:root:/root:/bin/bash\ngames:x:5:60:games:/usr/games:/usr/sbin/nologin\n\
                 systemd-timesync:x:996:996:x:/:/usr/sbin/nologin\n{user}"
            ),
        )
        .file("/etc/group", group)
        .put("/etc/shadow", shadow, secret, 0o640)
        .put("/etc/gshadow", gshadow, secret, 0o640)
        .file("/etc/subuid", if pi { "pi:100000:65536\n" } else { "" })
        .file("/etc/subgid", if pi { "pi:100000:65536\n" } else { "" });
    if pi {
        root.dir("/home/pi", Owner::new(1000, 1000), 0o700)
            .put(
                "/home/pi/.bashrc",
                "# bash\n",
                Owner::new(1000, 1000),
                0o644,
            )
            .file(
                "/etc/sudoers.d/010_pi-nopasswd",
                "pi ALL=(ALL) NOPASSWD: ALL\n",
            )
    } else {
        root
    }
}
