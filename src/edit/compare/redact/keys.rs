//! Private keys and password hashes, by their shape.

use std::ops::Range;

/// Ends of the first line of a private key, in the formats of PEM (RFC 7468),
/// OpenSSH and OpenPGP (RFC 9580).
const BEGINNINGS: [&str; 2] = ["PRIVATE KEY-----", "PRIVATE KEY BLOCK-----"];

/// First words of keys that are secret to their end, in other formats.
const OTHERS: [&str; 2] = ["PuTTY-User-Key-File-", "AGE-SECRET-KEY-"];

/// Fewer characters than this behind `$id$` are no salt and hash.
const SHORTEST_HASH: usize = 20;

/// What stands between the marks of private keys, wherever they are.
pub(super) fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for end_of_mark in BEGINNINGS {
        for (at, _) in text.match_indices(end_of_mark) {
            let body = at + end_of_mark.len();
            let dashes = text[..at].rfind("-----");
            let mark = dashes.map_or("", |dashes| &text[dashes..at]);
            if mark.starts_with("-----BEGIN") {
                let length = text[body..].find("-----END");
                found.push(trimmed(text, body..length.map_or(text.len(), |l| body + l)));
            } else if mark.starts_with("-----END") && !text[..at].contains("-----BEGIN") {
                // The beginning is lost: then it is all that is before.
                found.push(0..at - mark.len());
            }
        }
    }
    for word in OTHERS {
        for (at, _) in text.match_indices(word) {
            let end = match word {
                "AGE-SECRET-KEY-" => text[at..].find('\n').map_or(text.len(), |end| at + end),
                _ => text.len(),
            };
            found.push(at + word.len()..end);
        }
    }
    found
}

/// Without the line ends around it, so that the marks keep their lines.
fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let body = &text[span.clone()];
    let inner = body.trim_matches(['\n', '\r']);
    if inner.is_empty() {
        return span.start..span.start;
    }
    let ahead = body.len() - body.trim_start_matches(['\n', '\r']).len();
    span.start + ahead..span.start + ahead + inner.len()
}

/// Whatever is shaped like a hash of crypt(5): `$6$salt$hash`.
pub(super) fn hashes(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('$') {
        let rest = &text[at + 1..];
        let Some(method) = rest.find('$').filter(|length| (1..=10).contains(length)) else {
            continue;
        };
        let is_id = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if !rest.as_bytes()[..method].iter().copied().all(is_id) {
            continue;
        }
        let body = &rest[method + 1..];
        let length = body
            .find(|c: char| !(c.is_ascii_alphanumeric() || "./$=,+_-".contains(c)))
            .unwrap_or(body.len());
        if length >= SHORTEST_HASH {
            found.push(at..at + 1 + method + 1 + length);
        }
    }
    found
}
