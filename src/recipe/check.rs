//! Checks of single values in recipes.

use std::ops::Range;

use globset::GlobBuilder;

use crate::diagnostic::{Fault, Problem, Problems, shape};
use crate::edit::ImagePath;

use super::{Arch, RecipeSource, SigningKey};

/// Lower-case letters, digits, `-`, `.` and `_`, as file names and TOML can
/// both have.
pub(super) fn name(text: &str) -> Result<String, Fault> {
    let well_formed = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(Fault::new(
            format!("{text:?} is not a name"),
            "use only a-z, 0-9, '-', '.' and '_'",
        ))
    }
}

pub(super) fn line(text: &str) -> Result<String, Fault> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("this must be one line of text".into());
    }
    Ok(text.to_owned())
}

pub(super) fn arch(text: &str) -> Result<Arch, Fault> {
    Arch::from_debian(text).ok_or_else(|| {
        let help = match text {
            "aarch64" | "armv8" => "did you mean `arm64`?",
            "x86_64" | "x64" | "x86-64" => "did you mean `amd64`?",
            "armhf" | "arm" | "armv7" => "32-bit systems are not built for; use `arm64`",
            _ => "use `arm64` or `amd64`",
        };
        Fault::new(format!("unknown architecture {text:?}"), help)
    })
}

/// A directory for one thing, never one the system needs.
pub(super) fn directory(text: &str) -> Result<ImagePath, Fault> {
    let path = ImagePath::new(text).map_err(|error| Fault::from(error.to_string()))?;
    if path.components().count() < 2 {
        return Err(Fault::new(
            format!("{text:?} is a directory of the system"),
            "name one below it, such as `/opt/thing-1.0`",
        ));
    }
    Ok(path)
}

pub(super) fn glob(text: &str) -> Result<String, Fault> {
    if text.is_empty() || text.starts_with('/') {
        return Err(Fault::new(
            format!("{text:?} cannot match: names of members begin below the archive"),
            "write it without a slash in front",
        ));
    }
    match GlobBuilder::new(text).literal_separator(true).build() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{text:?} is not a pattern: {}", error.kind()).into()),
    }
}

pub(super) fn unit(text: &str) -> Result<String, Fault> {
    let stem = text
        .strip_suffix(".service")
        .or_else(|| text.strip_suffix(".timer"));
    let well_formed = stem.is_some_and(|stem| {
        !stem.is_empty()
            && stem
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.@:".contains(&b))
    });
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(Fault::new(
            format!("{text:?} is not the name of a unit"),
            "write it like `thing.service`",
        ))
    }
}

pub(super) fn suffix(text: &str) -> Result<String, Fault> {
    let well_formed = text.starts_with('.')
        && text.len() > 1
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(Fault::new(
            format!("{text:?} is not a suffix"),
            "write it like `.sha512`",
        ))
    }
}

/// The path of a key beside the recipes, or an address.
pub(super) fn signing_key(text: &str) -> Result<SigningKey, Fault> {
    if text.contains("://") {
        return shape::web_address(text).map(SigningKey::Url);
    }
    let well_formed = text.starts_with("keys/")
        && text
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'))
        && !text.chars().any(char::is_control);
    if well_formed {
        Ok(SigningKey::File(text.to_owned()))
    } else {
        Err(Fault::new(
            format!("{text:?} is not the place of a key"),
            "put the file into `keys` beside the recipes and write it like `keys/thing.asc`, \
             or give an address",
        ))
    }
}

/// The fingerprint of an OpenPGP key, of version 4 or later, with or without
/// blanks between its groups.
pub(super) fn fingerprint(text: &str) -> Result<String, Fault> {
    let digits: String = text.chars().filter(|c| *c != ' ').collect();
    let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    if all_hex && matches!(digits.len(), 40 | 64) {
        return Ok(digits.to_ascii_uppercase());
    }
    Err(Fault::new(
        format!("{text:?} is not the fingerprint of a key"),
        "write all 40 digits that `gpg --show-keys FILE` prints; shorter ids can be forged",
    ))
}

/// One source for each architecture.
pub(super) fn sources(sources: &[(Range<usize>, RecipeSource)], problems: &Problems) {
    for (index, (at, source)) in sources.iter().enumerate() {
        let same = sources[..index]
            .iter()
            .find(|(_, other)| other.arch == source.arch);
        if let Some((first, _)) = same {
            problems.add(
                Problem::new(at.clone(), format!("two sources for {}", source.arch))
                    .related(first.clone(), "the first")
                    .help("give further addresses of the same file in its `urls`"),
            );
        }
    }
}
