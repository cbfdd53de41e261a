//! Keeps secrets out of what differences show.
//!
//! There may be no plan that knows which files are secret: two images can be
//! compared by anybody. So it is told by name and mode of a file whether all of
//! it is ([`is_secret`]), and by its content which parts are ([`Redactor`]).
//! What is hidden needlessly costs a look into the image; what is shown
//! wrongly is in somebody's log for ever.

mod accounts;
mod keys;
mod values;

use std::ops::Range;

use crate::edit::{ImagePath, Mode};

/// Files that are secret from beginning to end, by their last component.
const SECRET_NAMES: &[&str] = &[
    // Passwords for programs.
    ".netrc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".vault-token",
    ".s3cfg",
    ".npmrc",
    ".pypirc",
    "chap-secrets",
    "pap-secrets",
    // Seeds of randomness and of encryption (systemd).
    "random-seed",
    "credential.secret",
    // What a firmware partition has for the first boot of Raspberry Pi OS and
    // of cloud-init: passwords, also plain ones.
    "user-data",
    "custom.toml",
    "firstrun.sh",
    "userconf",
    "userconf.txt",
    // Ours.
    "cluster.key",
];

/// Directories all of whose files are secret.
const SECRET_DIRS: &[&str] = &["/etc/ssl/private", "/var/lib/systemd/credentials"];

/// Ends of the names of files that hold keys.
const SECRET_ENDS: &[&str] = &[".keytab", ".jks", ".p12", ".pfx", ".gpg", ".kdbx"];

/// Whether nothing of the file at `path` may be shown. `known` is whether a
/// plan said that it is secret.
pub(super) fn is_secret(path: &ImagePath, mode: Mode, known: bool) -> bool {
    let name = path.file_name();
    let by_name = SECRET_NAMES.contains(&name)
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
        || SECRET_DIRS
            .iter()
            .any(|dir| path.as_str().starts_with(&format!("{dir}/")))
        || (name.starts_with("ssh_host_") && name.ends_with("_key"))
        || is_private_ssh_key(path);
    // What is not for everybody on the node is not for whoever reads a
    // difference, unless it is known where in it the secrets are.
    by_name || ((known || !mode.is_world_readable()) && !has_known_secrets(path))
}

/// Whether this is a key in a `.ssh` directory.
fn is_private_ssh_key(path: &ImagePath) -> bool {
    const OPEN: [&str; 6] = [
        "authorized_keys",
        "authorized_keys2",
        "config",
        "environment",
        "known_hosts",
        "rc",
    ];
    let name = path.file_name();
    path.as_str().contains("/.ssh/") && !name.ends_with(".pub") && !OPEN.contains(&name)
}

/// Whether files of this name are closed to others for reasons that are known,
/// and the secrets in them, if any, are found.
fn has_known_secrets(path: &ImagePath) -> bool {
    let (text, name) = (path.as_str(), path.file_name());
    accounts::is_account_file(path)
        || name == "sudoers"
        || text.starts_with("/etc/sudoers.d/")
        || (text.contains("/.ssh/") && !is_private_ssh_key(path))
        || name.ends_with(".nmconnection")
        || (name.starts_with("wpa_supplicant") && name.ends_with(".conf"))
        || (text.starts_with("/etc/netplan/") && name.ends_with(".yaml"))
}

/// Replaces the secrets in the texts of one file. Equal secrets get the same
/// name, different ones different names, so that it shows that one differs.
#[derive(Debug)]
pub(super) struct Redactor<'a> {
    path: &'a ImagePath,
    seen: Vec<String>,
}

impl<'a> Redactor<'a> {
    /// For the texts of the file at `path`.
    pub(super) fn new(path: &'a ImagePath) -> Self {
        let seen = Vec::new();
        Self { path, seen }
    }

    /// Whether there was a secret in any text.
    pub(super) fn found_any(&self) -> bool {
        !self.seen.is_empty()
    }

    /// The text with its secrets replaced by `<secret 1>` and so on.
    pub(super) fn redacted(&mut self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut at = 0;
        for secret in spans(self.path, text) {
            shown.push_str(&text[at..secret.start]);
            let number = self.number_of(&text[secret.clone()]);
            shown.push_str(&format!("<secret {number}>"));
            at = secret.end;
        }
        shown.push_str(&text[at..]);
        shown
    }

    fn number_of(&mut self, secret: &str) -> usize {
        let known = self.seen.iter().position(|seen| seen == secret);
        let index = known.unwrap_or_else(|| {
            self.seen.push(secret.to_owned());
            self.seen.len() - 1
        });
        index + 1
    }
}

/// Where secrets are: not empty, in order, apart from one another.
fn spans(path: &ImagePath, text: &str) -> Vec<Range<usize>> {
    let mut found = keys::private_keys(text);
    if accounts::is_account_file(path) {
        found.extend(accounts::passwords(text));
    } else {
        found.extend(values::behind_telling_keys(path, text));
    }
    found.extend(keys::hashes(text));
    found.retain(|span| !span.is_empty());
    found.sort_by_key(|span| span.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for span in found {
        match apart.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => apart.push(span),
        }
    }
    apart
}

#[cfg(test)]
mod tests;
