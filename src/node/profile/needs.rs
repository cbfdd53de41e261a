//! What a node needs of its base.

use std::collections::BTreeSet;

use super::{Lack, ProfileError};
use crate::node::reader::Reader;

/// What every node needs, where it is and what brings it.
const NEEDED: &[Lack] = &[
    Lack {
        what: "systemd",
        path: "/lib/systemd/systemd",
        remedy: "images with another init cannot run the daemons' units",
    },
    Lack {
        what: "the SSH server",
        path: "/usr/sbin/sshd",
        remedy: "install the package openssh-server in the image",
    },
    Lack {
        what: "the SSH server's configuration",
        path: "/etc/ssh/sshd_config",
        remedy: "reinstall the package openssh-server in the image",
    },
    Lack {
        what: "ssh-keygen",
        path: "/usr/bin/ssh-keygen",
        remedy: "install the package openssh-client in the image",
    },
    Lack {
        what: "sudo",
        path: "/usr/bin/sudo",
        remedy: "install the package sudo in the image",
    },
    Lack {
        what: "bash",
        path: "/bin/bash",
        remedy: "install the package bash in the image; Hadoop's launchers need it",
    },
    Lack {
        what: "the user list",
        path: "/etc/passwd",
        remedy: "the image is damaged",
    },
    Lack {
        what: "the group list",
        path: "/etc/group",
        remedy: "the image is damaged",
    },
    Lack {
        what: "the password file",
        path: "/etc/shadow",
        remedy: "run pwconv in the image",
    },
    Lack {
        what: "resize2fs",
        path: "/sbin/resize2fs",
        remedy: "install the package e2fsprogs in the image; the card is filled with it",
    },
];

pub(super) fn require(root: Reader<'_>, units: &BTreeSet<String>) -> Result<(), ProfileError> {
    let mut lacks = Vec::new();
    for needed in NEEDED {
        // On a system without merged /usr, programs may be in either place.
        let elsewhere = format!("/usr{}", needed.path);
        if !root.leads_somewhere(needed.path)? && !root.leads_somewhere(&elsewhere)? {
            lacks.push(needed.clone());
        }
    }
    if !units.contains("ssh.service") {
        lacks.push(Lack {
            what: "the SSH server's unit",
            path: "/usr/lib/systemd/system/ssh.service",
            remedy: "reinstall the package openssh-server in the image",
        });
    }
    if lacks.is_empty() {
        Ok(())
    } else {
        Err(ProfileError::Lacks(lacks))
    }
}

pub(super) fn lack(what: &'static str, path: &'static str, remedy: &'static str) -> ProfileError {
    ProfileError::Lacks(vec![Lack { what, path, remedy }])
}
