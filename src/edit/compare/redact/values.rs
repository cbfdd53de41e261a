//! Values behind keys with telling names.

use std::ops::Range;

use crate::edit::ImagePath;

/// Parts of keys whose values are secret, without `-` and `_`.
const TELLING: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "plaintextpass",
    "secret",
    "psk",
    "presharedkey",
    "privatekey",
    "wepkey",
    "apikey",
    "accesskey",
    "credential",
    "community",
];

/// Keys whose values are secret, whole.
const KEYS: &[&str] = &["token", "authtoken", "accesstoken", "pin", "puk", "pwd"];

/// Keys that are followed by a blank and the secret (ifupdown's interfaces(5)
/// and wpa_supplicant's words in it).
const BLANK_KEYS: &[&str] = &[
    "wpapsk",
    "wpapassphrase",
    "wpapassword",
    "wpawepkey0",
    "wirelesskey",
];

/// Values that are no secret, whatever the key.
const HARMLESS: &[&str] = &[
    "", "yes", "no", "true", "false", "on", "off", "none", "null", "ask", "*", "!", "x",
];

/// Where values are that a key calls secret: `key=value`, `key: value`,
/// `<name>key</name><value>value</value>`, the password of an address, and
/// everything in a section of secrets.
pub(super) fn behind_telling_keys(path: &ImagePath, text: &str) -> Vec<Range<usize>> {
    let mut found = in_addresses(text);
    found.extend(in_xml(text));
    // There `passwd:` is the name of a database (nsswitch.conf(5)).
    let assignments = path.as_str() != "/etc/nsswitch.conf";
    let mut all_secret = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with('[') && trimmed.ends_with(']') {
            all_secret = trimmed.contains("secrets");
        } else if all_secret && let Some(equals) = line.find('=') {
            found.extend(value_at(line, equals + 1).map(|span| moved(span, start)));
        } else if assignments {
            in_line(line, start, &mut found);
        }
        start += line.len();
    }
    found
}

/// Assignments in one line, which begins at `start`.
fn in_line(line: &str, start: usize, found: &mut Vec<Range<usize>>) {
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let mut at = 0;
    while let Some(begin) = line[at..].find(is_key).map(|skip| at + skip) {
        let end = line[begin..]
            .find(|c| !is_key(c))
            .map_or(line.len(), |len| begin + len);
        at = end;
        let key = plain(&line[begin..end]);
        let behind = &line[end..];
        let rest = behind
            .trim_start_matches(['"', '\''])
            .trim_start_matches([' ', '\t']);
        let separated = rest.starts_with(['=', ':']);
        let value = if separated && is_telling(&key) {
            value_at(line, line.len() - rest.len() + 1)
        } else if behind.starts_with([' ', '\t']) && BLANK_KEYS.contains(&key.as_str()) {
            value_at(line, end)
        } else {
            None
        };
        if let Some(value) = value {
            at = value.end.max(end);
            found.push(moved(value, start));
        }
    }
}

/// A key in one spelling: lower case, without `-` and `_`.
fn plain(key: &str) -> String {
    key.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn is_telling(key: &str) -> bool {
    // `passwordless_sudo` and `psk-flags` are switches.
    let switch = key.contains("passwordless") || key.ends_with("flags");
    let last = key.rsplit('.').next().unwrap_or(key);
    !switch && (TELLING.iter().any(|word| key.contains(word)) || KEYS.contains(&last))
}

/// The value that begins at `from` or behind blanks there: up to the end of
/// the line, or what is in quotes. `None` for one that is no secret.
fn value_at(line: &str, from: usize) -> Option<Range<usize>> {
    let rest = &line[from..];
    let value = rest.trim_start_matches([' ', '\t', ':']);
    let begin = from + rest.len() - value.len();
    let value = value.trim_end();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = match quote {
        // Up to the last quote: one within would end it too early.
        Some(quote) => {
            let end = value[1..].rfind(quote).map_or(value.len(), |end| end + 1);
            begin + 1..begin + end
        }
        None => begin..begin + value.len(),
    };
    let bare = line[inner.clone()].trim_end_matches([',', ';']);
    let digit = bare.len() == 1 && bare.starts_with(|c: char| c.is_ascii_digit());
    let harmless = digit || HARMLESS.contains(&bare.to_ascii_lowercase().as_str());
    (!harmless).then_some(inner)
}

fn moved(span: Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

/// Values of Hadoop's properties with telling names.
fn in_xml(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, open) in text.match_indices("<name>") {
        let name = &text[at + open.len()..];
        let Some(end) = name.find("</name>") else {
            continue;
        };
        if !is_telling(&plain(name[..end].trim())) {
            continue;
        }
        let behind = &name[end..];
        // The value of this property, not of the next.
        let own = behind.find("<name>").unwrap_or(behind.len());
        if let Some(value) = behind[..own].find("<value>") {
            let value = &behind[value + "<value>".len()..];
            let length = value.find("</value>").unwrap_or(value.len());
            let start = text.len() - value.len();
            if !HARMLESS.contains(&value[..length].trim().to_ascii_lowercase().as_str()) {
                found.push(start..start + length);
            }
        }
    }
    found
}

/// Passwords in addresses: `http://user:password@host`.
fn in_addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, mark) in text.match_indices("://") {
        let begin = at + mark.len();
        let authority = text[begin..]
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>'))
            .map_or(&text[begin..], |end| &text[begin..begin + end]);
        if let Some((user, _)) = authority.rsplit_once('@')
            && let Some((name, _)) = user.split_once(':')
        {
            found.push(begin + name.len() + 1..begin + user.len());
        }
    }
    found
}
