//! Shapes of values that several files have in common.

use super::Fault;

/// A web address: `http://` or `https://`, a host, no blanks.
pub fn web_address(text: &str) -> Result<String, Fault> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err(Fault::new(
            "an address begins with https:// or http://",
            "for a file at hand, write `path` instead of `url` in the cluster file",
        ));
    };
    if rest.is_empty() || rest.starts_with('/') {
        return Err("the address names no host".into());
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("the address has a blank or a control character".into());
    }
    Ok(text.to_owned())
}

/// A SHA-256 digest in hexadecimal, as lower case.
pub fn sha256(text: &str) -> Result<String, Fault> {
    digest(text, 256)
}

/// A SHA-512 digest in hexadecimal, as lower case.
pub fn sha512(text: &str) -> Result<String, Fault> {
    digest(text, 512)
}

fn digest(text: &str, bits: usize) -> Result<String, Fault> {
    let digest = text.to_ascii_lowercase();
    let all_hex = digest.bytes().all(|b| b.is_ascii_hexdigit());
    if all_hex && digest.len() * 4 == bits {
        return Ok(digest);
    }
    let other = if bits == 256 { 512 } else { 256 };
    if all_hex && digest.len() * 4 == other {
        return Err(Fault::new(
            format!("this is a SHA-{other} digest, expected SHA-{bits}"),
            format!("`sha{bits}sum FILE` prints the right one"),
        ));
    }
    Err(Fault::new(
        format!(
            "a SHA-{bits} digest is {} hexadecimal digits, this is {} characters{}",
            bits / 4,
            digest.chars().count(),
            if all_hex {
                ""
            } else {
                ", some not hexadecimal"
            }
        ),
        format!("`sha{bits}sum FILE` prints it"),
    ))
}
