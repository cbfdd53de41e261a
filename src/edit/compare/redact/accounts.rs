//! Account files: their second field is a password or its hash.

use std::ops::Range;

use crate::edit::ImagePath;

/// Files with a password in the second field, and the copies that shadow-utils
/// keep of them (passwd(5), shadow(5), gshadow(5)).
const FILES: [&str; 4] = ["passwd", "shadow", "group", "gshadow"];

/// Whether this is one of them.
pub(super) fn is_account_file(path: &ImagePath) -> bool {
    let Some(name) = path.as_str().strip_prefix("/etc/") else {
        return false;
    };
    let name = name.strip_suffix('-').unwrap_or(name);
    FILES.contains(&name)
        || name
            .strip_suffix(".bak")
            .is_some_and(|name| FILES.contains(&name))
        || name == "security/opasswd"
}

/// Where the passwords are. An entry without one says why with signs that are
/// no secret, and so do those ahead of a locked one.
pub(super) fn passwords(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut fields = line.trim_end_matches(['\n', '\r']).split(':');
        if let (Some(name), Some(password)) = (fields.next(), fields.next()) {
            let hash = password.trim_start_matches(['!', '*']);
            let locked = password.len() - hash.len();
            if hash != "x" {
                let at = start + name.len() + 1;
                found.push(at + locked..at + password.len());
            }
        }
        start += line.len();
    }
    found
}
