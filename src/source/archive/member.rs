//! Names in archives.

use super::limits::{COMPONENT_BYTES, NAME_BYTES};

/// A member's name as edits take it: components joined by `/`, without `./`
/// in front or `/` behind; empty for the archive's own root. The error says
/// what is wrong with the name.
pub(super) fn clean_name(raw: &[u8]) -> Result<String, String> {
    let name = std::str::from_utf8(raw).map_err(|_| "has a name that is not UTF-8".to_owned())?;
    if name.starts_with('/') {
        return Err("has an absolute name".to_owned());
    }
    if name.chars().any(char::is_control) {
        return Err("has a control character in its name".to_owned());
    }
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err("has '..' in its name".to_owned());
    }
    if name.len() > NAME_BYTES || parts.iter().any(|part| part.len() > COMPONENT_BYTES) {
        return Err("has a name longer than a filesystem takes".to_owned());
    }
    Ok(parts.join("/"))
}

/// The target of a symbolic link as it may be written to an image. Where it
/// leads is another question, for [`Layout`](super::layout::Layout).
pub(super) fn clean_target(raw: &[u8]) -> Result<String, String> {
    let target =
        std::str::from_utf8(raw).map_err(|_| "links to a name that is not UTF-8".to_owned())?;
    if target.is_empty() {
        return Err("links to nothing".to_owned());
    }
    if target.chars().any(char::is_control) {
        return Err("links to a name with a control character".to_owned());
    }
    if target.len() >= NAME_BYTES {
        return Err("links to a name longer than a filesystem takes".to_owned());
    }
    if target.starts_with('/') {
        return Err(format!("links to {target}, which is outside the archive"));
    }
    Ok(target.to_owned())
}

/// A name for people, whatever its bytes.
pub(super) fn shown(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_brought_to_one_form() {
        for (raw, clean) in [
            ("jdk/bin/java", "jdk/bin/java"),
            ("./jdk//bin/./java", "jdk/bin/java"),
            ("jdk/", "jdk"),
            ("./", ""),
            ("a..b/...", "a..b/..."),
        ] {
            assert_eq!(clean_name(raw.as_bytes()), Ok(clean.to_owned()), "{raw}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "x".repeat(256);
        for raw in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            "a\nb",
            "a\u{1b}[2J",
            &long,
        ] {
            assert!(clean_name(raw.as_bytes()).is_err(), "{raw:?} was accepted");
        }
        assert!(clean_name(b"\xff").is_err());
    }
}
