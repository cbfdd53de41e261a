//! OpenPGP data written as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// The keys in a file, as one keyring of the form that gpgv reads. The file is
/// such a keyring already, or text with any number of keys in armour and
/// anything in between, like Apache's KEYS (RFC 9580, section 6.2).
///
/// # Errors
/// Why there is no key in it, as the end of a sentence.
pub(super) fn keyring(file: &[u8]) -> Result<Vec<u8>, &'static str> {
    // The first bit of a packet is always set, and never that of a letter.
    if file.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Ok(file.to_owned());
    }
    let text = String::from_utf8_lossy(file);
    let mut ring = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while lines.any(|line| line == BEGIN) {
        let block = lines.by_ref().take_while(|line| *line != END);
        // Headers such as `Comment:` come before an empty line.
        let body = block.skip_while(|line| !line.is_empty()).skip(1);
        let digits: String = body.take_while(|line| !line.starts_with('=')).collect();
        let key = STANDARD.decode(digits).map_err(|_| "has a damaged key")?;
        ring.extend(key);
        // What is left of the block is its check sum; BEGIN does not stand in it.
    }
    if ring.is_empty() {
        return Err("has no public key in it");
    }
    Ok(ring)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armoured(headers: &str, key: &[u8]) -> String {
        let digits = STANDARD.encode(key);
        let (first, second) = digits.split_at(digits.len() / 2);
        format!("{BEGIN}\n{headers}\n{first}\n{second}\n=abcd\n{END}\n")
    }

    #[test]
    fn keys_come_in_text_with_words_between() {
        let text = format!(
            "This file contains keys.\r\n\npub rsa4096\n{}sig\n{}",
            armoured("Version: 1\nComment: x\n", b"\x99one"),
            armoured("", b"\x99two").replace('\n', "\r\n"),
        );
        assert_eq!(keyring(text.as_bytes()).unwrap(), b"\x99one\x99two");
    }

    #[test]
    fn keys_come_in_bytes() {
        assert_eq!(keyring(b"\x99\x01\x0d").unwrap(), b"\x99\x01\x0d");
    }

    #[test]
    fn what_is_no_key_is_said() {
        assert!(keyring(b"").is_err());
        assert!(keyring(b"<html>").is_err());
        let signature = armoured("", b"\x99").replace("PUBLIC KEY BLOCK", "SIGNATURE");
        assert!(keyring(signature.as_bytes()).is_err());
        let damaged = armoured("", b"\x99one").replace('\n', "\n!");
        assert!(keyring(damaged.as_bytes()).is_err());
        assert!(keyring(BEGIN.as_bytes()).is_err());
    }
}
