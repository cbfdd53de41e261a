//! Keeps secrets out of what is shown.
//!
//! A problem is shown with the line it is in, and that line may hold a
//! password, its hash or a private key: in the terminal, and then in the log of
//! whatever ran the command.

/// Parts of keys whose values are never shown.
const SECRET_KEYS: [&str; 5] = ["password", "passwd", "passphrase", "psk", "secret"];

/// `text` with secret values replaced by stars, byte for byte, so that spans
/// stay right.
pub(super) fn masked(text: &str) -> String {
    let mut hidden = vec![false; text.len()];
    hide_values(text, &mut hidden);
    hide_private_keys(text, &mut hidden);
    hide_hashes(text, &mut hidden);
    let mut shown = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if hidden[at] && !matches!(c, '\n' | '\r') {
            shown.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Values behind a key with a telling name, in any table.
fn hide_values(text: &str, hidden: &mut [bool]) {
    let lower = text.to_ascii_lowercase();
    for word in SECRET_KEYS {
        for (at, _) in lower.match_indices(word) {
            // `passwordless_sudo` is a switch.
            if lower[at..].starts_with("passwordless") {
                continue;
            }
            let rest = &text[at..];
            let key_end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || "_-.\"'".contains(c)))
                .unwrap_or(rest.len());
            let after_key = rest[key_end..].trim_start_matches([' ', '\t']);
            let Some(value) = after_key.strip_prefix('=') else {
                continue;
            };
            let value = value.trim_start_matches([' ', '\t']);
            let start = text.len() - value.len();
            let (open, length) = value_extent(value);
            hidden[start + open..start + open + length].fill(true);
        }
    }
}

/// Where the value's content begins, and its length. A string that is not
/// closed ends with its line.
fn value_extent(value: &str) -> (usize, usize) {
    for quote in ["\"\"\"", "'''"] {
        if let Some(body) = value.strip_prefix(quote) {
            return (3, body.find(quote).unwrap_or(body.len()));
        }
    }
    let line = value.find('\n').unwrap_or(value.len());
    for quote in ['"', '\''] {
        if let Some(body) = value[..line].strip_prefix(quote) {
            return (1, closing(body, quote).unwrap_or(body.len()));
        }
    }
    (0, line)
}

/// Where `quote` closes `body`; a backslash escapes in basic strings only.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return Some(at);
        }
    }
    None
}

/// What stands between the marks of a PEM private key.
fn hide_private_keys(text: &str, hidden: &mut [bool]) {
    const BEGIN: &str = "PRIVATE KEY-----";
    for (at, _) in text.match_indices(BEGIN) {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let last_mark = text[line..at]
            .rfind("-----")
            .map(|mark| &text[line + mark..at]);
        if !last_mark.is_some_and(|mark| mark.starts_with("-----BEGIN")) {
            continue;
        }
        let start = at + BEGIN.len();
        let length = text[start..].find("-----END").unwrap_or(text.len() - start);
        hidden[start..start + length].fill(true);
    }
}

/// Anything shaped like a crypt(3) hash, wherever it stands.
fn hide_hashes(text: &str, hidden: &mut [bool]) {
    for (at, _) in text.match_indices('$') {
        let rest = &text[at + 1..];
        let Some(method) = rest.find('$').filter(|length| (1..=3).contains(length)) else {
            continue;
        };
        if !rest[..method].bytes().all(|b| b.is_ascii_alphanumeric()) {
            continue;
        }
        let body = &rest[method + 1..];
        let length = body
            .find(|c: char| !(c.is_ascii_alphanumeric() || "./$=,".contains(c)))
            .unwrap_or(body.len());
        if length >= 20 {
            let start = at + 1 + method + 1;
            hidden[start..start + length].fill(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("password_hash = \"hunter2\" # x", "password_hash = \"*******\" # x")]
    // Somebody may take it for the place of the passphrase itself.
    #[case("passphrase_file = \"hunter2\"", "passphrase_file = \"*******\"")]
    #[case("psk = \"hunter2\"", "psk = \"*******\"")]
    #[case("password='hunter2'", "password='*******'")]
    #[case("password = \"a\\\"b\"\n", "password = \"****\"\n")]
    #[case("password = hunter2\nx = 1", "password = *******\nx = 1")]
    #[case("a = { PassWord = \"x\", b = 1 }", "a = { PassWord = \"*\", b = 1 }")]
    #[case("password = \"\"\"a\nb\"\"\"\nc", "password = \"\"\"*\n*\"\"\"\nc")]
    #[case("\"fs.s3a.secret.key\" = \"k\"", "\"fs.s3a.secret.key\" = \"*\"")]
    #[case("password = \"é\"", "password = \"**\"")]
    #[case("password = \"open\nnext", "password = \"****\nnext")]
    #[case("passwordless_sudo = \"yes\"", "passwordless_sudo = \"yes\"")]
    #[case("# password", "# password")]
    #[case(
        "pw = \"$6$saltsalt$0123456789abcdefghij\"",
        "pw = \"$6$*****************************\""
    )]
    #[case(
        "\"\"\"\n-----BEGIN X PRIVATE KEY-----\nabc\n-----END X PRIVATE KEY-----\n\"\"\"",
        "\"\"\"\n-----BEGIN X PRIVATE KEY-----\n***\n-----END X PRIVATE KEY-----\n\"\"\""
    )]
    fn secrets_become_stars(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(masked(text), shown);
        assert_eq!(masked(text).len(), text.len());
    }
}
