//! Users and groups of the tiny world's systems.

use super::Flavour;
use super::tree::Tree;

/// Groups the first user is in, with their ids.
const GROUPS: [(&str, u32); 9] = [
    ("adm", 4),
    ("dialout", 20),
    ("sudo", 27),
    ("audio", 29),
    ("video", 44),
    ("plugdev", 46),
    ("users", 100),
    ("input", 995),
    ("netdev", 108),
];

/// Writes the account files and the first user's home, where there is one.
pub(super) fn write(flavour: Flavour, root: &mut Tree) {
    let mut passwd = "root:x:0:0:root:/root:/bin/bash\n\
                      daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
                      sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
        .to_owned();
    let mut shadow =
        "root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\nsshd:!:20000::::::\n".to_owned();
    let mut group = "root:x:0:\ndaemon:x:1:\nshadow:x:42:\nnogroup:x:65534:\n".to_owned();
    let mut gshadow = "root:*::\ndaemon:*::\nshadow:*::\nnogroup:*::\n".to_owned();
    let has_user = flavour.is_raspberry_pi_os();
    let member = if has_user { "pi" } else { "" };
    for (name, gid) in GROUPS {
        group.push_str(&format!("{name}:x:{gid}:{member}\n"));
        gshadow.push_str(&format!("{name}:*::{member}\n"));
    }
    let mut ids = "";
    if has_user {
        passwd.push_str("pi:x:1000:1000:,,,:/home/pi:/bin/bash\n");
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
    root.file("etc/passwd", passwd)
        .file("etc/group", group)
        .file("etc/shadow", shadow)
        .owned("etc/shadow", 0, 42, 0o640)
        .file("etc/gshadow", gshadow)
        .owned("etc/gshadow", 0, 42, 0o640)
        .file("etc/subuid", ids)
        .file("etc/subgid", ids);
}
