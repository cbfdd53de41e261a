//! Users and groups of the tiny world's systems.

use super::Flavour;
use crate::support::world::tree::Tree;

/// Groups the first user of Raspberry Pi OS is in, with their ids (pi-gen
/// stage2/01-sys-tweaks/01-run.sh).
const GROUPS: [(&str, u32); 15] = [
    ("adm", 4),
    ("dialout", 20),
    ("cdrom", 24),
    ("sudo", 27),
    ("audio", 29),
    ("video", 44),
    ("plugdev", 46),
    ("games", 60),
    ("users", 100),
    ("input", 995),
    ("netdev", 108),
    ("spi", 988),
    ("i2c", 987),
    ("gpio", 986),
    ("render", 106),
];

/// Writes the account files and the first user's home, where there is one.
pub(super) fn write(flavour: Flavour, root: &mut Tree) {
    let has_user = flavour.is_raspberry_pi_os();
    let mut passwd = "root:x:0:0:root:/root:/bin/bash\n\
                      daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
                      systemd-timesync:x:996:996:systemd Time Synchronization:/:/usr/sbin/nologin\n\
                      sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
        .to_owned();
    // The images of Debian's Raspberry Pi team let root in at the console.
    let roots = if flavour == Flavour::Debian12 {
        ""
    } else {
        "*"
    };
    let mut shadow = format!(
        "root:{roots}:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\n\
         systemd-timesync:!*:20000::::::\nsshd:!:20000::::::\n"
    );
    let mut group = "root:x:0:\ndaemon:x:1:\nshadow:x:42:\nsystemd-journal:x:999:\n\
                     systemd-timesync:x:996:\nnogroup:x:65534:\n"
        .to_owned();
    let mut gshadow = "root:*::\ndaemon:*::\nshadow:*::\nnogroup:*::\n".to_owned();
    let member = if has_user { "pi" } else { "" };
    let wizard = "rpi-first-boot-wizard";
    for (name, gid) in GROUPS {
        // Plain Debian has no groups for the pins.
        if !has_user && gid > 900 {
            continue;
        }
        let also = match (flavour, name) {
            (Flavour::Desktop, "netdev" | "video") => format!(",{wizard}"),
            _ => String::new(),
        };
        group.push_str(&format!("{name}:x:{gid}:{member}{also}\n"));
        gshadow.push_str(&format!("{name}:*::{member}{also}\n"));
    }
    let mut ids = "";
    if has_user {
        // Made with --disabled-login since April 2026 (pi-gen 4b9cd15c).
        let shell = match flavour {
            Flavour::Trixie => "/usr/sbin/nologin",
            _ => "/bin/bash",
        };
        passwd.push_str(&format!("pi:x:1000:1000:,,,:/home/pi:{shell}\n"));
        shadow.push_str("pi:!:20000:0:99999:7:::\n");
        group.push_str("pi:x:1000:\n");
        gshadow.push_str("pi:!::\n");
        ids = "pi:100000:65536\n";
        root.dir("home/pi").owned("home/pi", 1000, 1000, 0o700);
        for file in ["home/pi/.bashrc", "home/pi/.profile"] {
            root.file(file, "# from /etc/skel\n")
                .owned(file, 1000, 1000, 0o644);
        }
    }
    if flavour == Flavour::Desktop {
        passwd.push_str(&format!(
            "{wizard}:x:112:65534:,,,,:/home/{wizard}:/bin/bash\n"
        ));
        shadow.push_str(&format!("{wizard}:!:20000::::::\n"));
        let home = format!("home/{wizard}");
        root.dir(&home).owned(&home, 112, 65534, 0o700);
        root.file(
            "etc/sudoers.d/010_wiz-nopasswd",
            format!("{wizard} ALL=(ALL) NOPASSWD: ALL\n"),
        )
        .owned("etc/sudoers.d/010_wiz-nopasswd", 0, 0, 0o440);
    }
    root.file("etc/passwd", passwd)
        .file("etc/group", group)
        .file("etc/shadow", shadow)
        .owned("etc/shadow", 0, 42, 0o640)
        .file("etc/gshadow", gshadow)
        .owned("etc/gshadow", 0, 42, 0o640)
        .file("etc/subuid", ids)
        .file("etc/subgid", ids);
}
