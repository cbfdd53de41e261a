//! The operating systems of the tiny world: what Raspberry Pi OS and Debian
//! images have, as far as a node's personality meets it, and no programs.

use fs_err as fs;

use super::accounts;
use super::tree::Tree;

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Raspberry Pi OS 12, as pi-gen made it.
    Bookworm,
    /// Raspberry Pi OS 13, with cloud-init and zram.
    Trixie,
    /// Debian 13 in the layout of a Pi image; it has no first user.
    Debian13,
}

/// Disk id of the images.
pub(crate) const DISK_ID: u32 = 0x50a7_d0a6;

impl Flavour {
    pub(crate) const ALL: [Self; 3] = [Self::Bookworm, Self::Trixie, Self::Debian13];

    /// Name of its image file, without extension.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "raspios-bookworm",
            Self::Trixie => "raspios-trixie",
            Self::Debian13 => "debian-13",
        }
    }

    fn codename(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie | Self::Debian13 => "trixie",
        }
    }

    pub(super) fn is_raspberry_pi_os(self) -> bool {
        self != Self::Debian13
    }

    /// Its root filesystem.
    pub(crate) fn root(self) -> Tree {
        let mut root = Tree::default();
        programs(&mut root);
        units(self, &mut root);
        settings(self, &mut root);
        accounts::write(self, &mut root);
        match self {
            Self::Bookworm => bookworm(&mut root),
            Self::Trixie => trixie(&mut root),
            Self::Debian13 => {}
        }
        if self.is_raspberry_pi_os() {
            raspberry_pi(&mut root);
        }
        root
    }

    /// Files of its firmware partition.
    pub(crate) fn boot(self) -> Vec<(&'static str, String)> {
        let root =
            format!("root=PARTUUID={DISK_ID:08x}-02 rootfstype=ext4 fsck.repair=yes rootwait");
        let consoles = "console=serial0,115200 console=tty1";
        let cmdline = match self {
            Self::Bookworm => {
                format!("{consoles} {root} quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n")
            }
            Self::Trixie => format!("{consoles} {root} resize ds=nocloud;i=rpi-imager\n"),
            Self::Debian13 => format!("{consoles} {root}\n"),
        };
        let mut files = vec![
            ("cmdline.txt", cmdline),
            ("config.txt", CONFIG_TXT.to_owned()),
            ("kernel8.img", "not a kernel\n".repeat(4096)),
            ("start4.elf", "not firmware\n".repeat(512)),
            ("bcm2711-rpi-4-b.dtb", "not a device tree\n".to_owned()),
            ("overlays/README", "Device tree overlays.\n".to_owned()),
        ];
        if self == Self::Trixie {
            files.push((
                "user-data",
                "#cloud-config\n#hostname: raspberrypi\n".to_owned(),
            ));
            files.push((
                "meta-data",
                "dsmode: local\ninstance_id: rpios-image\n".to_owned(),
            ));
            files.push(("network-config", "#network:\n#  version: 2\n".to_owned()));
        }
        files
    }
}

const CONFIG_TXT: &str = "\
# For more options and information see http://rptl.io/configtxt
dtparam=audio=on
camera_auto_detect=1
arm_64bit=1

[cm4]
otg_mode=1

[all]
enable_uart=1
";

/// A small program of this machine, which has the ELF header that matters.
pub(crate) fn small_program() -> Vec<u8> {
    let program = fs::read("/bin/true").expect("/bin/true is on every Linux");
    assert!(
        program.starts_with(b"\x7fELF\x02"),
        "/bin/true is no 64-bit program"
    );
    program
}

/// Programs are looked for, never run, so one real one will do: the shell, by
/// which the architecture is told.
fn programs(root: &mut Tree) {
    for dir in ["bin", "sbin", "lib"] {
        root.link(dir, &format!("usr/{dir}"));
    }
    root.program("usr/bin/bash", small_program());
    for path in [
        "usr/bin/sh",
        "usr/bin/ssh-keygen",
        "usr/bin/sudo",
        "usr/lib/systemd/systemd",
        "usr/lib/systemd/systemd-networkd-wait-online",
        "usr/lib/openssh/sftp-server",
        "usr/sbin/NetworkManager",
        "usr/sbin/nologin",
        "usr/sbin/resize2fs",
        "usr/sbin/sshd",
    ] {
        root.program(path, "#!/nowhere\n");
    }
    // The loaders that Java's programs ask for, by their paths in the ABI.
    root.link("lib64", "usr/lib64");
    root.program("usr/lib64/ld-linux-x86-64.so.2", "a loader\n");
    root.program("usr/lib/ld-linux-aarch64.so.1", "a loader\n");
    for dir in [
        "boot/firmware",
        "dev",
        "home",
        "mnt",
        "opt",
        "proc",
        "run",
        "srv",
        "sys",
        "usr/local/bin",
    ] {
        root.dir(dir);
    }
    root.dir("tmp").owned("tmp", 0, 0, 0o1777);
    root.dir("root").owned("root", 0, 0, 0o700);
    for dir in ["var/cache", "var/lib/systemd", "var/log", "var/spool"] {
        root.dir(dir);
    }
}

fn units(flavour: Flavour, root: &mut Tree) {
    let mut units = vec![
        "NetworkManager-wait-online.service",
        "NetworkManager.service",
        "apt-daily-upgrade.timer",
        "apt-daily.timer",
        "getty@.service",
        "multi-user.target",
        "network-online.target",
        "ssh.service",
        "ssh.socket",
        "systemd-networkd-wait-online.service",
        "systemd-networkd.service",
        "systemd-time-wait-sync.service",
        "systemd-timesyncd.service",
    ];
    if flavour.is_raspberry_pi_os() {
        units.extend(["regenerate_ssh_host_keys.service", "userconfig.service"]);
    }
    if flavour == Flavour::Trixie {
        units.extend([
            "cloud-init-local.service",
            "cloud-final.service",
            "rpi-resize.service",
        ]);
    }
    for unit in units {
        root.file(
            &format!("usr/lib/systemd/system/{unit}"),
            "[Unit]\nDescription=of a tiny world\n",
        );
    }
    let wants = "etc/systemd/system/multi-user.target.wants";
    for unit in ["NetworkManager.service", "ssh.service"] {
        root.link(
            &format!("{wants}/{unit}"),
            &format!("/usr/lib/systemd/system/{unit}"),
        );
    }
}

fn settings(flavour: Flavour, root: &mut Tree) {
    let codename = flavour.codename();
    let version = if codename == "trixie" { 13 } else { 12 };
    root.file(
        "usr/lib/os-release",
        format!(
            "PRETTY_NAME=\"Debian GNU/Linux {version} ({codename})\"\nNAME=\"Debian GNU/Linux\"\n\
             VERSION_ID=\"{version}\"\nVERSION_CODENAME={codename}\nID=debian\n"
        ),
    )
    .link("etc/os-release", "../usr/lib/os-release")
    .file("var/lib/dpkg/status", dpkg_status(codename))
    .file(
        "etc/fstab",
        format!(
            "proc            /proc           proc    defaults          0       0\n\
             PARTUUID={DISK_ID:08x}-01  /boot/firmware  vfat    defaults          0       2\n\
             PARTUUID={DISK_ID:08x}-02  /               ext4    defaults,noatime  0       1\n"
        ),
    )
    .file("etc/hostname", "raspberrypi\n")
    .file(
        "etc/hosts",
        "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost\n\n127.0.1.1\t\traspberrypi\n",
    )
    .file("etc/shells", "/bin/sh\n/bin/bash\n/usr/bin/bash\n")
    .file("etc/skel/.bashrc", "# ~/.bashrc: for interactive shells.\n")
    .file("etc/skel/.profile", "# ~/.profile: for login shells.\n")
    .file("etc/locale.gen", "# de_DE.UTF-8 UTF-8\nen_GB.UTF-8 UTF-8\n")
    .file("etc/default/locale", "LANG=en_GB.UTF-8\n")
    .link("etc/localtime", "/usr/share/zoneinfo/Europe/London")
    .file("etc/timezone", "Europe/London\n")
    .file("usr/share/zoneinfo/Etc/UTC", "TZif2")
    .file("usr/share/zoneinfo/Europe/London", "TZif2")
    .file(
        "usr/share/zoneinfo/tzdata.zi",
        "# version 2025b\nZ Etc/UTC 0 - UTC\nZ Europe/London -0:1:15 - LMT\nL Etc/UTC UTC\n",
    )
    .file("etc/ssh/sshd_config", SSHD_CONFIG)
    .dir("etc/ssh/sshd_config.d")
    .file(
        "etc/sudoers",
        "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
    )
    .owned("etc/sudoers", 0, 0, 0o440)
    .dir("etc/sudoers.d")
    .owned("etc/sudoers.d", 0, 0, 0o750)
    .file(
        "etc/NetworkManager/NetworkManager.conf",
        "[main]\nplugins=ifupdown,keyfile\n",
    )
    .dir("etc/NetworkManager/system-connections")
    .owned("etc/NetworkManager/system-connections", 0, 0, 0o700)
    .dir("etc/systemd/network")
    .dir("etc/profile.d")
    .file("etc/motd", "Debian GNU/Linux\n")
    .dir("etc/update-motd.d");
}

fn dpkg_status(codename: &str) -> String {
    let libc = if codename == "trixie" {
        "2.41-12"
    } else {
        "2.36-9+deb12u10"
    };
    let packages = [
        ("bash", "5.2.15-2"),
        ("libc6", libc),
        ("openssh-server", "1:9.2p1-2"),
    ];
    let stanza = |(name, version): (&str, &str)| {
        format!("Package: {name}\nStatus: install ok installed\nVersion: {version}\n\n")
    };
    packages.map(stanza).concat()
}

/// Debian's, without comments.
const SSHD_CONFIG: &str = "\
Include /etc/ssh/sshd_config.d/*.conf

KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem\tsftp\t/usr/lib/openssh/sftp-server
";

/// What all releases of Raspberry Pi OS add.
fn raspberry_pi(root: &mut Tree) {
    root.file(
        "etc/rpi-issue",
        "Raspberry Pi reference 2026-09-15\nGenerated using pi-gen\n",
    )
    .file(
        "etc/sudoers.d/010_pi-nopasswd",
        "pi ALL=(ALL) NOPASSWD: ALL\n",
    )
    .owned("etc/sudoers.d/010_pi-nopasswd", 0, 0, 0o440)
    .file(
        "etc/ssh/sshd_config.d/rename_user.conf",
        "Banner /usr/share/userconf-pi/sshd_banner\n",
    )
    .file(
        "usr/lib/modules/6.12.47+rpt-rpi-v8/kernel/drivers/block/zram/zram.ko.xz",
        "",
    )
    .link(
        "etc/systemd/system/multi-user.target.wants/userconfig.service",
        "/usr/lib/systemd/system/userconfig.service",
    )
    .link(
        "etc/systemd/system/multi-user.target.wants/regenerate_ssh_host_keys.service",
        "/usr/lib/systemd/system/regenerate_ssh_host_keys.service",
    )
    .dir("etc/systemd/system/getty@tty1.service.d")
    .file(
        "etc/systemd/system/getty@tty1.service.d/autologin.conf",
        "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin pi --noclear %I $TERM\n",
    );
}

fn bookworm(root: &mut Tree) {
    root.file("etc/machine-id", "")
        .file("etc/dphys-swapfile", "CONF_SWAPSIZE=100\n")
        .file("etc/fake-hwclock.data", "2025-05-13 00:17:01\n")
        .program("usr/sbin/fake-hwclock", "#!/nowhere\n")
        .program("usr/lib/raspberrypi-sys-mods/firstboot", "#!/nowhere\n")
        .program("etc/init.d/resize2fs_once", "#!/nowhere\n")
        .link("etc/rc3.d/S01resize2fs_once", "../init.d/resize2fs_once");
}

fn trixie(root: &mut Tree) {
    root.file("etc/machine-id", "uninitialized\n")
        .file(
            "etc/cloud/cloud.cfg",
            "users:\n- default\nssh_deletekeys: true\n",
        )
        .file("etc/rpi/swap.conf", "[Main]\nMechanism=auto\n")
        .program(
            "usr/lib/systemd/system-generators/rpi-swap-generator",
            "#!/nowhere\n",
        )
        .program("usr/lib/systemd/systemd-resolved", "#!/nowhere\n");
}
