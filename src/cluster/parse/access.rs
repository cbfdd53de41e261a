//! `[access]`: who can log in.

use crate::cluster::{Access, SourceSpan, UserName};
use crate::diagnostic::{Fault, Problem, Section, Text};

/// User that stock images are set up for.
const DEFAULT_USER: &str = "pi";

pub(super) fn read(root: &mut Section<'_>) -> Option<Access> {
    let Some(mut section) = root.section("access") else {
        root.require_section("access", "authorized_keys = [\"~/.ssh/id_ed25519.pub\"]");
        return None;
    };
    let user = match section.value("user") {
        Some(_) => section
            .parsed("user", "\"pi\"", UserName::new)
            .map(toml::Spanned::into_inner),
        None => UserName::new(DEFAULT_USER).ok(),
    };
    let keys = section.texts("authorized_keys", "[\"~/.ssh/id_ed25519.pub\"]");
    let hash = section.parsed("password_hash", "\"$6$…\"", check_hash);
    let passwordless_sudo = section.boolean("passwordless_sudo");

    nobody_could_log_in(&mut section, keys.as_deref());
    let authorized_keys: Vec<(String, SourceSpan)> = keys
        .unwrap_or_default()
        .iter()
        .filter_map(|key| {
            let checked = section.accept(key, check_key(key.get_ref()))?;
            Some((checked.get_ref().clone(), checked.span()))
        })
        .collect();
    section.finish();
    let password_hash = hash.map(toml::Spanned::into_inner);
    Some(Access {
        user: user?,
        authorized_keys,
        // Without a password, sudo could not ask for one.
        passwordless_sudo: passwordless_sudo.unwrap_or(password_hash.is_none()),
        password_hash,
    })
}

/// Neither keys nor a password: no image may leave like that.
fn nobody_could_log_in(section: &mut Section<'_>, keys: Option<&[Text<'_>]>) {
    if section.value("password_hash").is_some() || keys.is_some_and(|keys| !keys.is_empty()) {
        return;
    }
    match section.value("authorized_keys") {
        Some(value)
            if value
                .get_ref()
                .as_array()
                .is_some_and(|list| list.is_empty()) =>
        {
            section.problems().add(
                Problem::new(value.span(), "nobody could log in: no key and no password")
                    .label("empty")
                    .help(
                        "name your public key, such as `[\"~/.ssh/id_ed25519.pub\"]`; \
                       `ssh-keygen -t ed25519` makes one",
                    ),
            )
        }
        // Of the wrong type: that has been said.
        Some(_) => {}
        None => section.require("authorized_keys", "[\"~/.ssh/id_ed25519.pub\"]"),
    }
}

/// A public key, or a path to a file with some.
fn check_key(text: &str) -> Result<String, Fault> {
    const PUBLIC_INSTEAD: &str = "name the public key, the file ending in .pub; \
                                  the private key stays where it is";
    if text.contains("PRIVATE KEY") {
        return Err(Fault::new("this is a private key", PUBLIC_INSTEAD));
    }
    if text.trim().is_empty() {
        return Err("an authorized key cannot be empty".into());
    }
    if looks_inline(text) {
        return check_inline(text.trim()).map(str::to_owned);
    }
    if text.chars().any(char::is_control) {
        return Err("the path of a key file has a control character".into());
    }
    let name = text.rsplit('/').next().unwrap_or(text);
    let looks_private = !name.ends_with(".pub")
        && (name.starts_with("id_")
            || [".pem", ".key", ".ppk", "_rsa", "_ed25519", "_ecdsa"]
                .iter()
                .any(|end| name.ends_with(end)));
    if looks_private {
        return Err(Fault::new(
            format!("{name:?} looks like a private key"),
            format!("did you mean `{text}.pub`? Only public keys go into images"),
        ));
    }
    Ok(text.to_owned())
}

/// Types of keys that stand in `authorized_keys` (sshd(8), "AUTHORIZED_KEYS").
const KEY_TYPES: [&str; 8] = [
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "ssh-dss",
    "ssh-ed25519",
    "ssh-rsa",
];

/// Whether `text` is meant as a key and not as a path: a word of it is a type,
/// or the beginning of a key's digits.
fn looks_inline(text: &str) -> bool {
    text.split_whitespace()
        .any(|word| KEY_TYPES.contains(&word))
        || text.contains(" AAAA")
}

fn check_inline(text: &str) -> Result<&str, Fault> {
    if text.contains(['\n', '\r']) {
        return Err(Fault::new(
            "an authorized key is one line",
            "give each key a string of its own, or name the file they are in",
        ));
    }
    let entry: ssh_key::authorized_keys::Entry = text.parse().map_err(|error| {
        Fault::new(
            format!("this is not a public key: {error}"),
            "copy the whole line of the .pub file: type, key, comment",
        )
    })?;
    if entry.public_key().algorithm() == ssh_key::Algorithm::Dsa {
        // sshd has refused them since OpenSSH 7.0.
        return Err(Fault::new(
            "DSA keys are not accepted by sshd any more",
            "`ssh-keygen -t ed25519` makes a key that is",
        ));
    }
    Ok(text)
}

/// A crypt(3) hash of a method Debian's libcrypt makes today: yescrypt,
/// SHA-512 or SHA-256. The messages never quote it.
fn check_hash(text: &str) -> Result<String, Fault> {
    const MAKE_ONE: &str = "make one with `openssl passwd -6` or `mkpasswd`";
    let fault = |message: &str| Err(Fault::new(message, MAKE_ONE));
    let Some(rest) = text.strip_prefix('$') else {
        return match text {
            "" => fault("the password hash is empty, which lets anybody in"),
            "*" | "!" | "!!" | "x" => Err(Fault::new(
                "this locks the password, which is also so without the key",
                "leave `password_hash` out",
            )),
            _ => fault("this is not a password hash but, it seems, a password"),
        };
    };
    let mut parts: Vec<&str> = rest.split('$').collect();
    let method = parts.remove(0);
    let in_alphabet = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b))
    };
    let digest_length = match method {
        "6" => 86,
        "5" => 43,
        "y" => 43,
        "1" => return fault("MD5 password hashes are too weak"),
        _ => return fault("this kind of password hash is not known here, only $y$, $6$ and $5$"),
    };
    if method == "y" {
        // $y$PARAMETERS$SALT$DIGEST.
        if parts.len() != 3 || parts[0].is_empty() || !in_alphabet(parts[0]) {
            return fault("the password hash is not whole: expected $y$parameters$salt$hash");
        }
        parts.remove(0);
    } else if let Some(rounds) = parts.first().and_then(|part| part.strip_prefix("rounds=")) {
        if rounds.is_empty() || !rounds.bytes().all(|b| b.is_ascii_digit()) {
            return fault("the password hash has rounds that are not a number");
        }
        parts.remove(0);
    }
    match parts.as_slice() {
        [salt, digest] if in_alphabet(salt) && in_alphabet(digest) => {
            if digest.len() == digest_length {
                Ok(text.to_owned())
            } else {
                fault(&format!(
                    "the password hash is not whole: its last part has {} characters of {digest_length}",
                    digest.len()
                ))
            }
        }
        [_, _] => fault("the password hash has characters no hash has"),
        _ => fault(&format!(
            "the password hash is not whole: expected ${method}$salt$hash"
        )),
    }
}
