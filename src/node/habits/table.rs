//! The table itself. Where a row was learnt from is in brackets.

use super::Habit;
use crate::node::Release::{self, Bookworm, Bullseye, Debian12, Debian13, Trixie};

/// Raspberry Pi OS of every release.
const PI: &[Release] = &[Bullseye, Bookworm, Trixie];

/// Every system there is a profile for.
const ALL: &[Release] = &[Bullseye, Bookworm, Trixie, Debian12, Debian13];

/// Everything that stock images do by themselves and a node must not.
pub const HABITS: &[Habit] = &[
    // pi-gen stage2/01-sys-tweaks/00-patches/07-resize-init.diff; the release
    // drops the first itself at the first boot.
    Habit {
        hazard: "2.1",
        does: "hides what a boot that hangs has to say",
        words: &["quiet", "splash", "plymouth.ignore-serial-consoles"],
        ..Habit::NOTHING
    },
    // sys-mods bullseye and bookworm, usr/lib/raspberrypi-sys-mods/firstboot;
    // before 2022-09 raspi-config's init_resize.sh.
    Habit {
        hazard: "2.2",
        does: "deletes the host keys, gives the disk another id, applies custom.toml, reboots",
        releases: &[Bullseye, Bookworm],
        words: &[
            "init=/usr/lib/raspberrypi-sys-mods/firstboot",
            "init=/usr/lib/raspi-config/init_resize.sh",
            // Makes the card slow and safe for as long as the script runs.
            "sdhci.debug_quirks2=4",
        ],
        seeds: &["custom.toml"],
        ..Habit::NOTHING
    },
    // pi-gen stage2/01-sys-tweaks/files/resize2fs_once.
    Habit {
        hazard: "2.2",
        does: "grows the filesystem, which pidoop-grow.service does together with its partition",
        releases: &[Bullseye, Bookworm],
        units: &["resize2fs_once.service"],
        gone: &["/etc/init.d/resize2fs_once", "/etc/rc3.d/S01resize2fs_once"],
        ..Habit::NOTHING
    },
    // sys-mods pios/trixie, initramfs-tools/scripts; rpi-resize.service.
    Habit {
        hazard: "2.4",
        does: "gives the disk another id, grows the partition, pulls in systemd-growfs",
        releases: &[Trixie],
        words: &["resize"],
        units: &["rpi-resize.service"],
        gone: &["/etc/systemd/system/sysinit.target.wants/rpi-resize.service"],
        ..Habit::NOTHING
    },
    // sys-mods, regenerate_ssh_host_keys and its unit.
    Habit {
        hazard: "2.6",
        does: "deletes the host keys and makes others",
        releases: PI,
        units: &["regenerate_ssh_host_keys.service"],
        gone: &[
            "/etc/systemd/system/multi-user.target.wants/regenerate_ssh_host_keys.service",
            "/etc/systemd/system/sysinit.target.wants/regenerate_ssh_host_keys.service",
        ],
        ..Habit::NOTHING
    },
    // systemd docs/BUILDING_IMAGES.md; dhcpcd(8), NetworkManager(8).
    Habit {
        hazard: "2.5",
        does: "is one secret or identity for all nodes, left by a base that has run before",
        releases: ALL,
        gone: &[
            "/var/lib/systemd/random-seed",
            "/var/lib/systemd/credential.secret",
            "/var/lib/NetworkManager/secret_key",
            "/var/lib/dhcpcd/duid",
            "/var/lib/dhcpcd/secret",
        ],
        ..Habit::NOTHING
    },
    // userconf-pi: rename-user, cancel-rename, userconf-service.
    Habit {
        hazard: "2.7",
        does: "waits at the console for a first user, and multi-user.target with it",
        releases: PI,
        seeds: &[
            "userconf",
            "userconf.txt",
            "failed_userconf",
            "failed_userconf.txt",
        ],
        units: &["userconfig.service"],
        gone: &[
            "/etc/systemd/system/multi-user.target.wants/userconfig.service",
            "/var/lib/userconf-pi/autologin",
            "/etc/systemd/system/getty@tty1.service.d/autologin.conf",
            "/etc/xdg/autostart/piwiz.desktop",
            "/etc/xdg/autostart/deluser.desktop",
            // Says that logging in does not work until a user is set up.
            "/etc/ssh/sshd_config.d/rename_user.conf",
        ],
        ..Habit::NOTHING
    },
    // sys-mods, sshswitch.
    Habit {
        hazard: "2.8",
        does: "switches sshd on, which is on",
        releases: PI,
        seeds: &["ssh", "ssh.txt"],
        ..Habit::NOTHING
    },
    // rpi-imager 1.x, src/OptionsPopup.qml; raspberrypi/rpi-preseed.
    Habit {
        hazard: "2.8",
        does: "runs a script of Raspberry Pi Imager's, or applies its choices, and reboots",
        releases: PI,
        words: &[
            "systemd.run=*",
            "systemd.run_success_action=*",
            "systemd.run_failure_action=*",
            "systemd.unit=kernel-command-line.target",
        ],
        seeds: &["firstrun.sh", "rpi-preseed.toml"],
        ..Habit::NOTHING
    },
    // pi-gen stage2/04-cloud-init; cloud-init's ds-identify.
    Habit {
        hazard: "2.9",
        does: "may rename the user, delete host keys, write /etc/hosts anew at every boot",
        signs: &["/etc/cloud"],
        words: &["ds=nocloud*"],
        seeds: &["user-data", "meta-data", "network-config"],
        gone: &["/etc/netplan/50-cloud-init.yaml"],
        files: &[("/etc/cloud/cloud-init.disabled", "Written by pidoop.\n")],
        ..Habit::NOTHING
    },
    // Debian's dphys-swapfile.
    Habit {
        hazard: "2.10",
        does: "swaps to the card",
        releases: &[Bullseye, Bookworm],
        signs: &["/etc/dphys-swapfile"],
        units: &["dphys-swapfile.service"],
        gone: &["/etc/systemd/system/multi-user.target.wants/dphys-swapfile.service"],
        ..Habit::NOTHING
    },
    // rpi-swap: up to 2 GiB are written at the first boot.
    Habit {
        hazard: "2.10",
        does: "swaps to the card behind compressed memory",
        releases: &[Trixie],
        signs: &["/etc/rpi/swap.conf"],
        units: &["rpi-resize-swap-file.service"],
        files: &[(
            "/etc/rpi/swap.conf.d/90-pidoop.conf",
            "# Written by pidoop.\n[Main]\nMechanism=none\n",
        )],
        ..Habit::NOTHING
    },
    // Debian's zram-tools.
    Habit {
        hazard: "2.10",
        does: "swaps to compressed memory of its own",
        units: &["zramswap.service"],
        ..Habit::NOTHING
    },
    Habit {
        hazard: "2.10",
        does: "asks at the console for what it misses",
        units: &["systemd-firstboot.service"],
        ..Habit::NOTHING
    },
    // net-mods before 1.4.0.
    Habit {
        hazard: "3.4",
        does: "takes the place of the Wi-Fi configuration",
        releases: &[Bullseye],
        seeds: &["wpa_supplicant.conf"],
        ..Habit::NOTHING
    },
    // `systemctl unmask` brings one back.
    Habit {
        hazard: "3.5",
        does: "takes memory, or wakes a node up in the middle of a job",
        units: &[
            "ModemManager.service",
            "apt-daily-upgrade.timer",
            "apt-daily.timer",
            "bluetooth.service",
            "cups-browsed.service",
            "cups.path",
            "cups.service",
            "cups.socket",
            "hciuart.service",
            "man-db.timer",
            "triggerhappy.service",
            "triggerhappy.socket",
        ],
        ..Habit::NOTHING
    },
    // rpi-eeprom. `sudo rpi-eeprom-update -a` does it when somebody wants it.
    Habit {
        hazard: "3.5",
        does: "writes another boot loader into the board at some boot, one node at a time",
        units: &["rpi-eeprom-update.service"],
        ..Habit::NOTHING
    },
    // Debian's image-specs, rootfs/: units of the images of its Raspberry Pi
    // team. They are required, so masks would keep the targets from starting.
    Habit {
        hazard: "D.1",
        does: "writes cmdline.txt anew, host name, root's password and keys, host keys",
        signs: &[
            "/etc/systemd/system/rpi-generate-ssh-host-keys.service",
            "/etc/systemd/system/rpi-reconfigure-raspi-firmware.service",
            "/etc/systemd/system/rpi-set-sysconf.service",
        ],
        seeds: &["sysconf.txt"],
        gone: &[
            "/etc/systemd/system/basic.target.requires/rpi-set-sysconf.service",
            "/etc/systemd/system/multi-user.target.requires/rpi-generate-ssh-host-keys.service",
            "/etc/systemd/system/multi-user.target.requires/rpi-reconfigure-raspi-firmware.service",
            "/etc/systemd/system/sysinit.target.requires/rpi-reconfigure-raspi-firmware.service",
            "/etc/systemd/system/rpi-generate-ssh-host-keys.service",
            "/etc/systemd/system/rpi-reconfigure-raspi-firmware.service",
            "/etc/systemd/system/rpi-set-sysconf.service",
        ],
        ..Habit::NOTHING
    },
];
