//! Plain Debian.

use super::Flavour;
use super::common::wanted;
use crate::support::world::tree::Tree;

pub(super) fn write(flavour: Flavour, root: &mut Tree) {
    wanted(root, "multi-user.target", "ssh.service");
    match flavour {
        Flavour::Debian12 => raspberry_pi_team(root),
        _ => {
            root.file("etc/machine-id", "");
        }
    }
}

/// What the images of Debian's Raspberry Pi team add (image-specs, `rootfs/`
/// and `raspi_master.yaml`).
fn raspberry_pi_team(root: &mut Tree) {
    root.file("etc/machine-id", "uninitialized\n")
        .file("etc/raspi-image-id", "image based on revision: 0123abc\n")
        .file("etc/default/raspi-firmware", "ROOTPART=LABEL=RASPIROOT\n")
        .program("usr/local/sbin/rpi-set-sysconf", "#!/usr/bin/perl\n")
        .file(
            "etc/network/interfaces.d/eth0",
            "auto eth0\niface eth0 inet dhcp\niface eth0 inet6 auto\n",
        )
        .file(
            "etc/network/interfaces.d/wlan0",
            "# To enable wireless networking, uncomment the following lines.\n# allow-hotplug wlan0\n",
        )
        .owned("etc/network/interfaces.d/wlan0", 0, 0, 0o600);
    for (unit, target) in [
        ("rpi-set-sysconf.service", "basic.target"),
        (
            "rpi-reconfigure-raspi-firmware.service",
            "multi-user.target",
        ),
        ("rpi-generate-ssh-host-keys.service", "multi-user.target"),
    ] {
        let path = format!("etc/systemd/system/{unit}");
        root.file(&path, "[Unit]\nDescription=of a tiny world\n");
        root.link(
            &format!("etc/systemd/system/{target}.requires/{unit}"),
            &format!("/{path}"),
        );
    }
}
