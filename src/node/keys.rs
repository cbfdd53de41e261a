//! Public keys as people give them.

use std::fmt;

use thiserror::Error;

use super::key_blob::{check_blob, decode_base64};

/// Why a line is no key that sshd would let someone in with.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing there.
    #[error("there is no key; give a public key such as ~/.ssh/id_ed25519.pub")]
    Empty,
    /// A private key; its text is never repeated.
    #[error(
        "this is a private key, which must not leave your machine; give the file ending in .pub"
    )]
    Private,
    /// Another program's format.
    #[error("this is an RFC 4716 (PuTTY) key; convert it with: ssh-keygen -i -f FILE")]
    Rfc4716,
    /// No key type was found.
    #[error("{0:?} is no key type; a public key reads like: ssh-ed25519 AAAAC3Nza… name@machine")]
    UnknownType(String),
    /// A type sshd no longer takes.
    #[error(
        "DSA keys have been refused by sshd since OpenSSH 7.0; make one with: ssh-keygen -t ed25519"
    )]
    Dsa,
    /// A certificate instead of a key.
    #[error("{0} is a certificate; give the public key it was made for")]
    Certificate(String),
    /// The key itself is missing behind the type.
    #[error("the {0} key is cut off behind its type; copy the whole line")]
    NoData(String),
    /// Options without an end.
    #[error("the options have a quote that is never closed")]
    OpenQuote,
    /// The text is not base64.
    #[error("the {kind} key is not base64: {reason}; copy the whole line")]
    Base64 {
        /// Key type.
        kind: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The decoded key does not have the shape of its type.
    #[error("the {kind} key is damaged: {reason}; copy the whole line")]
    Damaged {
        /// Key type.
        kind: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// An RSA key below sshd's minimum.
    #[error(
        "the RSA key has {0} bits, sshd wants 1024 or more; make one with: ssh-keygen -t ed25519"
    )]
    ShortRsa(usize),
}

/// A public key with the options and comment it came with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AuthorizedKey {
    options: String,
    kind: &'static str,
    data: String,
    comment: String,
}

/// Types sshd accepts by default in every supported release.
const KINDS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

impl AuthorizedKey {
    /// Key type, such as `ssh-ed25519`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The comment; may be empty.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Whether this is a certification authority and opens nothing by itself.
    pub fn is_authority(&self) -> bool {
        self.options
            .split(',')
            .any(|option| option.eq_ignore_ascii_case("cert-authority"))
    }
}

/// The line as `authorized_keys` wants it (sshd(8)).
impl fmt::Display for AuthorizedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.options.is_empty() {
            write!(f, "{} ", self.options)?;
        }
        write!(f, "{} {}", self.kind, self.data)?;
        if !self.comment.is_empty() {
            write!(f, " {}", self.comment)?;
        }
        Ok(())
    }
}

/// Reads one line of an `authorized_keys` or `.pub` file.
///
/// # Errors
/// A [`KeyError`] that says what the line is instead.
pub fn parse_authorized_key(line: &str) -> Result<AuthorizedKey, KeyError> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Err(KeyError::Empty);
    }
    if line.starts_with("---- BEGIN") {
        return Err(KeyError::Rfc4716);
    }
    if line.starts_with("-----BEGIN") || line.starts_with("PuTTY-User-Key-File") {
        return Err(KeyError::Private);
    }
    let (first, rest) = split_word(line)?;
    let (options, kind, rest) = match key_type(first) {
        Ok(kind) => ("", kind, rest),
        Err(error) => {
            let (second, rest) = split_word(rest)?;
            // Without a type behind it, the first word was no options either.
            match key_type(second) {
                Ok(kind) => (first, kind, rest),
                Err(KeyError::UnknownType(_)) => return Err(error),
                Err(error) => return Err(error),
            }
        }
    };
    let (data, comment) = split_word(rest)?;
    if data.is_empty() {
        return Err(KeyError::NoData(kind.to_owned()));
    }
    let bytes = decode_base64(data).map_err(|reason| KeyError::Base64 {
        kind: kind.to_owned(),
        reason,
    })?;
    check_blob(kind, &bytes)?;
    Ok(AuthorizedKey {
        options: options.to_owned(),
        kind,
        data: data.to_owned(),
        comment: comment.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

/// Reads a whole file of keys; blank lines and comments are passed over.
///
/// # Errors
/// The first line's [`KeyError`], or [`KeyError::Empty`] if there is no key.
pub fn parse_authorized_keys(text: &str) -> Result<Vec<AuthorizedKey>, KeyError> {
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim) {
        if !line.is_empty() && !line.starts_with('#') {
            keys.push(parse_authorized_key(line)?);
        }
    }
    if keys.is_empty() {
        Err(KeyError::Empty)
    } else {
        Ok(keys)
    }
}

fn key_type(word: &str) -> Result<&'static str, KeyError> {
    if let Some(kind) = KINDS.iter().find(|kind| **kind == word) {
        return Ok(kind);
    }
    match word {
        "ssh-dss" => Err(KeyError::Dsa),
        _ if word.ends_with("-cert-v01@openssh.com") => Err(KeyError::Certificate(word.to_owned())),
        // A word may be anything, also part of a secret pasted by mistake.
        _ => Err(KeyError::UnknownType(word.chars().take(24).collect())),
    }
}

/// The text up to the first blank outside double quotes, and what follows.
fn split_word(text: &str) -> Result<(&str, &str), KeyError> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return Ok((&text[..at], text[at..].trim_start())),
            _ => {}
        }
    }
    if quoted {
        Err(KeyError::OpenQuote)
    } else {
        Ok((text, ""))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfophOcZbe/HNUOAB8g5PCKKCAj2opuSb6qFWgXyknC";

    #[rstest]
    #[case("", "")]
    #[case("", " me@desk")]
    #[case("", " two words")]
    #[case("no-pty,from=\"10.0.0.0/8\" ", " me@desk")]
    #[case("command=\"echo \\\"hi there\\\"\",restrict ", "")]
    fn lines_come_back_as_given(#[case] options: &str, #[case] comment: &str) {
        let line = format!("{options}{ED25519}{comment}");
        let key = parse_authorized_key(&format!("  {line}\r\n")).unwrap();
        assert_eq!(key.to_string(), line);
        assert_eq!(key.comment(), comment.trim());
        assert_eq!(key.kind(), "ssh-ed25519");
    }

    #[rstest]
    #[case("", "there is no key")]
    #[case("# comment", "there is no key")]
    #[case(
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "private key, which must not leave"
    )]
    #[case("PuTTY-User-Key-File-3: ssh-ed25519", "private key")]
    #[case("---- BEGIN SSH2 PUBLIC KEY ----", "ssh-keygen -i")]
    #[case("ssh-dss AAAAB3NzaC1kc3M=", "DSA keys")]
    #[case("ssh-ed25519-cert-v01@openssh.com AAAA", "is a certificate")]
    #[case("hello world", "\"hello\" is no key type")]
    #[case("ssh-ed25519", "cut off")]
    #[case("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfo", "ends too early")]
    #[case("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", "multiple of four")]
    #[case("ssh-ed25519 AAAA*3Nz", "does not belong")]
    #[case("ssh-ed25519 A===", "more than two =")]
    #[case("from=\"10.0.0.1 ssh-ed25519 AAAA", "never closed")]
    #[case(
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAICfophOcZbe/HNUOAB8g5PCKKCAj2opuSb6qFWgXyknC",
        "another type"
    )]
    fn other_things_are_named(#[case] line: &str, #[case] expected: &str) {
        let message = parse_authorized_key(line).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn certification_authorities_are_noticed() {
        let key = parse_authorized_key(&format!("restrict,cert-authority {ED25519}")).unwrap();
        assert!(key.is_authority());
        assert!(!parse_authorized_key(ED25519).unwrap().is_authority());
    }

    #[test]
    fn files_have_comments_and_several_keys() {
        let text = format!("# mine\n\n{ED25519} one\n{ED25519} two\n");
        let keys = parse_authorized_keys(&text).unwrap();
        assert_eq!(
            keys.iter().map(AuthorizedKey::comment).collect::<Vec<_>>(),
            ["one", "two"]
        );
        assert_eq!(parse_authorized_keys("# none\n"), Err(KeyError::Empty));
        assert_eq!(
            parse_authorized_keys("-----BEGIN X\nAA\n"),
            Err(KeyError::Private)
        );
    }

    /// What ssh-keygen makes is accepted, and one bit less is not.
    #[rstest]
    #[case("ed25519", "256")]
    #[case("ecdsa", "256")]
    #[case("ecdsa", "384")]
    #[case("ecdsa", "521")]
    #[case("rsa", "1024")]
    #[case("rsa", "3072")]
    fn keys_of_ssh_keygen_are_accepted(#[case] kind: &str, #[case] bits: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let status = Command::new("ssh-keygen")
            .args([
                "-q",
                "-N",
                "",
                "-C",
                "a comment",
                "-t",
                kind,
                "-b",
                bits,
                "-f",
            ])
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        let line = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        let key = parse_authorized_key(&line).unwrap();
        assert_eq!(key.to_string(), line.trim_end());

        let short = line.replacen(&key.data, &key.data[..key.data.len() - 4], 1);
        assert!(parse_authorized_key(&short).is_err(), "{short}");
        let private = std::fs::read_to_string(&path).unwrap();
        assert_eq!(parse_authorized_keys(&private), Err(KeyError::Private));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(ssh-rsa|ssh-ed25519|x=\"|)[ A-Za-z0-9+/=\"\\\\]{0,80}") {
            let _ = parse_authorized_keys(&text);
        }

        #[test]
        fn base64_agrees_with_its_definition(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
            let mut text = String::new();
            for chunk in bytes.chunks(3) {
                let mut word = [0; 3];
                word[..chunk.len()].copy_from_slice(chunk);
                let number = u32::from_be_bytes([0, word[0], word[1], word[2]]);
                for at in 0..4 {
                    let digit = (number >> (18 - 6 * at)) as usize & 63;
                    text.push(if at > chunk.len() { '=' } else { alphabet[digit] });
                }
            }
            prop_assert_eq!(decode_base64(&text).unwrap(), bytes);
        }
    }
}
