//! What all systems of the tiny world have.

use fs_err as fs;

use super::{DISK_ID, Flavour};
use crate::support::world::tree::Tree;

pub(super) fn write(flavour: Flavour, root: &mut Tree) {
    programs(flavour, root);
    units(root);
    settings(flavour, root);
    clock(root);
}

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
fn programs(flavour: Flavour, root: &mut Tree) {
    for dir in ["bin", "sbin", "lib"] {
        root.link(dir, &format!("usr/{dir}"));
    }
    root.program("usr/bin/bash", small_program());
    let mut programs = vec![
        "usr/bin/sh",
        "usr/bin/ssh-keygen",
        "usr/bin/sudo",
        "usr/lib/systemd/systemd",
        "usr/lib/systemd/systemd-networkd-wait-online",
        "usr/lib/openssh/sftp-server",
        "usr/sbin/nologin",
        "usr/sbin/resize2fs",
        "usr/sbin/sshd",
        "usr/sbin/wpa_supplicant",
    ];
    // The images of Debian's Raspberry Pi team have ifupdown alone.
    if flavour != Flavour::Debian12 {
        programs.push("usr/sbin/NetworkManager");
    }
    for path in programs {
        root.program(path, "#!/nowhere\n");
    }
    // The loaders that Java's programs ask for, by their paths in the ABI.
    root.link("lib64", "usr/lib64");
    root.program("usr/lib64/ld-linux-x86-64.so.2", "a loader\n");
    root.program("usr/lib/ld-linux-aarch64.so.1", "a loader\n");
    root.file(
        "usr/lib/firmware/brcm/brcmfmac43455-sdio.bin",
        "no firmware\n",
    );
    for dir in [
        "dev",
        "home",
        "mnt",
        "opt",
        "proc",
        "run",
        "srv",
        "sys",
        "usr/local/bin",
        flavour.boot_mount().trim_start_matches('/'),
    ] {
        root.dir(dir);
    }
    root.dir("tmp").owned("tmp", 0, 0, 0o1777);
    root.dir("root").owned("root", 0, 0, 0o700);
    for dir in ["var/cache", "var/lib/systemd", "var/log", "var/spool"] {
        root.dir(dir);
    }
}

fn units(root: &mut Tree) {
    for unit in [
        "NetworkManager-wait-online.service",
        "NetworkManager.service",
        "apt-daily-upgrade.timer",
        "apt-daily.timer",
        "avahi-daemon.service",
        "getty@.service",
        "graphical.target",
        "man-db.timer",
        "multi-user.target",
        "network-online.target",
        "ssh.service",
        "ssh.socket",
        "systemd-firstboot.service",
        "systemd-networkd-wait-online.service",
        "systemd-networkd.service",
        "systemd-time-wait-sync.service",
        "systemd-timesyncd.service",
        "wpa_supplicant.service",
    ] {
        packaged(root, unit);
    }
    wanted(root, "multi-user.target", "NetworkManager.service");
    wanted(root, "multi-user.target", "avahi-daemon.service");
    wanted(root, "timers.target", "apt-daily.timer");
}

/// A unit that comes with a package.
pub(super) fn packaged(root: &mut Tree, unit: &str) {
    root.file(
        &format!("usr/lib/systemd/system/{unit}"),
        "[Unit]\nDescription=of a tiny world\n",
    );
}

/// A unit that is switched on.
pub(super) fn wanted(root: &mut Tree, target: &str, unit: &str) {
    root.link(
        &format!("etc/systemd/system/{target}.wants/{unit}"),
        &format!("/usr/lib/systemd/system/{unit}"),
    );
}

fn settings(flavour: Flavour, root: &mut Tree) {
    let codename = flavour.codename();
    let version = match codename {
        "bullseye" => 11,
        "bookworm" => 12,
        _ => 13,
    };
    let mount = flavour.boot_mount();
    let fstab = match flavour {
        Flavour::Debian12 => "LABEL=RASPIROOT / ext4 rw 0 1\n\
                              LABEL=RASPIFIRM /boot/firmware vfat rw 0 2\n"
            .to_owned(),
        _ => format!(
            "proc            /proc           proc    defaults          0       0\n\
             PARTUUID={DISK_ID:08x}-01  {mount}  vfat    defaults          0       2\n\
             PARTUUID={DISK_ID:08x}-02  /               ext4    defaults,noatime  0       1\n"
        ),
    };
    root.file(
        "usr/lib/os-release",
        format!(
            "PRETTY_NAME=\"Debian GNU/Linux {version} ({codename})\"\nNAME=\"Debian GNU/Linux\"\n\
             VERSION_ID=\"{version}\"\nVERSION_CODENAME={codename}\nID=debian\n"
        ),
    )
    .link("etc/os-release", "../usr/lib/os-release")
    .file("var/lib/dpkg/status", dpkg_status(codename))
    .file("etc/fstab", fstab)
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
    .file("etc/default/keyboard", "XKBLAYOUT=\"gb\"\n")
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
    .file(
        "etc/network/interfaces",
        "source /etc/network/interfaces.d/*\n",
    )
    .dir("etc/network/interfaces.d")
    .dir("etc/systemd/network")
    .dir("etc/profile.d")
    .file("etc/motd", "Debian GNU/Linux\n")
    .dir("etc/update-motd.d");
}

fn clock(root: &mut Tree) {
    root.file("etc/systemd/timesyncd.conf", "[Time]\n");
}

fn dpkg_status(codename: &str) -> String {
    let libc = match codename {
        "bullseye" => "2.31-13+rpt2+rpi1+deb11u11",
        "bookworm" => "2.36-9+deb12u10",
        _ => "2.41-12",
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
