//! Firmware partitions of the tiny world.

use super::{DISK_ID, Flavour};

/// Files of a firmware partition.
pub(super) fn files(flavour: Flavour) -> Vec<(&'static str, String)> {
    let mut files = vec![
        ("cmdline.txt", cmdline(flavour)),
        ("config.txt", CONFIG_TXT.to_owned()),
        ("kernel8.img", "not a kernel\n".repeat(4096)),
        ("start4.elf", "not firmware\n".repeat(512)),
        ("bcm2711-rpi-4-b.dtb", "not a device tree\n".to_owned()),
        ("overlays/README", "Device tree overlays.\n".to_owned()),
    ];
    if flavour.is_raspberry_pi_os() {
        files.push(("issue.txt", ISSUE.to_owned()));
        if flavour != Flavour::Bullseye {
            files.push(("initramfs8", "not an initramfs\n".to_owned()));
        }
    }
    match flavour {
        Flavour::Trixie => files.extend([
            (
                "user-data",
                "#cloud-config\n#hostname: raspberrypi\n".to_owned(),
            ),
            (
                "meta-data",
                "dsmode: local\ninstance_id: rpios-image\n".to_owned(),
            ),
            ("network-config", "#network:\n#  version: 2\n".to_owned()),
        ]),
        Flavour::Imaged => files.extend([
            ("firstrun.sh", "#!/bin/bash\nexit 0\n".to_owned()),
            ("ssh", String::new()),
            ("userconf.txt", "somebody:$6$salt$hash\n".to_owned()),
            ("custom.toml", "config_version = 1\n".to_owned()),
            ("wpa_supplicant.conf", "country=GB\n".to_owned()),
            ("rpi-preseed.toml", "config_version = \"1.0\"\n".to_owned()),
        ]),
        Flavour::Debian12 => files.push(("sysconf.txt", "#root_pw=FooBar\n".to_owned())),
        _ => {}
    }
    files
}

/// First line of `/etc/rpi-issue`, which is on both partitions.
pub(super) const ISSUE: &str = "Raspberry Pi reference 2026-09-15\nGenerated using pi-gen\n";

fn cmdline(flavour: Flavour) -> String {
    let consoles = "console=serial0,115200 console=tty1";
    let root = format!("root=PARTUUID={DISK_ID:08x}-02 rootfstype=ext4 fsck.repair=yes rootwait");
    let firstboot = "init=/usr/lib/raspberrypi-sys-mods/firstboot";
    match flavour {
        Flavour::Bullseye => format!("{consoles} {root} quiet {firstboot}\n"),
        Flavour::Bookworm => {
            format!("{consoles} {root} quiet {firstboot} sdhci.debug_quirks2=4\n")
        }
        Flavour::Desktop => {
            format!("{consoles} {root} quiet {firstboot} splash plymouth.ignore-serial-consoles\n")
        }
        // Its end is Imager's doing (rpi-imager 1.x).
        Flavour::Imaged => format!(
            "{consoles} {root} cfg80211.ieee80211_regdom=GB systemd.run=/boot/firstrun.sh \
             systemd.run_success_action=reboot systemd.unit=kernel-command-line.target\n"
        ),
        Flavour::FirstTrixie => format!("{consoles} {root} resize\n"),
        Flavour::Trixie => format!("{consoles} {root} resize ds=nocloud;i=rpi-imager\n"),
        Flavour::Debian12 => "console=tty0 console=ttyS1,115200 root=LABEL=RASPIROOT rw \
                              fsck.repair=yes net.ifnames=0 cma=64M rootwait\n"
            .to_owned(),
        Flavour::Debian13 => format!("{consoles} {root}\n"),
    }
}

const CONFIG_TXT: &str = "\
# For more options and information see http://rptl.io/configtxt
dtparam=audio=on
camera_auto_detect=1
auto_initramfs=1
arm_64bit=1

[cm4]
otg_mode=1

[all]
enable_uart=1
";
