//! `overlay.toml`.

use globset::{GlobBuilder, GlobMatcher};
use toml::Spanned;
use toml::de::DeValue;

use crate::diagnostic::{Fault, Problem, Problems, Section, document};
use crate::edit::{ImagePath, Mode};

/// Which filesystem of the image an overlay is laid onto.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Volume {
    /// The root filesystem.
    Root,
    /// The firmware partition; paths begin at its own root. It has no owners
    /// and no modes.
    Boot,
}

/// A user, and a group if it is not the user's own: `hadoop`, `root:hadoop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerName {
    /// The user.
    pub user: String,
    /// The group.
    pub group: Option<String>,
}

/// What holds for the files that a pattern matches.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) glob: GlobMatcher,
    pub(super) mode: Option<Mode>,
    pub(super) owner: Option<OwnerName>,
    pub(super) when: Option<Condition>,
}

/// An expression of the template language, and its line in `overlay.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) line: usize,
}

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkEntry {
    pub(super) path: ImagePath,
    pub(super) target: String,
    pub(super) when: Option<Condition>,
}

/// A directory that exists even if nothing is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    pub(super) path: ImagePath,
    pub(super) owner: Option<OwnerName>,
    pub(super) mode: Mode,
    pub(super) when: Option<Condition>,
}

/// What `overlay.toml` says; the default if there is none.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub(super) volume: Volume,
    pub(super) owner: OwnerName,
    pub(super) mode: Mode,
    pub(super) rules: Vec<Rule>,
    pub(super) links: Vec<LinkEntry>,
    pub(super) dirs: Vec<DirEntry>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            volume: Volume::Root,
            owner: OwnerName {
                user: "root".to_owned(),
                group: None,
            },
            mode: Mode::FILE,
            rules: Vec::new(),
            links: Vec::new(),
            dirs: Vec::new(),
        }
    }
}

impl Manifest {
    /// Reads `text`, for an overlay of files at `paths` (as they are in the
    /// image, without a leading slash).
    ///
    /// # Errors
    /// Every problem found, in the order of their places.
    pub(super) fn parse(text: &str, paths: &[&str]) -> Result<Self, Vec<Problem>> {
        let table = document(text)?;
        let problems = Problems::new();
        let manifest = read(Section::root(&table, &problems), text, paths);
        if problems.is_empty() {
            Ok(manifest)
        } else {
            Err(problems.into_sorted())
        }
    }
}

fn read(mut root: Section<'_>, text: &str, paths: &[&str]) -> Manifest {
    let mut manifest = Manifest::default();
    if let Some(volume) = root.parsed("volume", "\"root\"", check_volume) {
        manifest.volume = volume.into_inner();
    }
    if let Some(owner) = root.parsed("owner", "\"root\"", check_owner) {
        manifest.owner = owner.into_inner();
    }
    if let Some(mode) = mode(&mut root) {
        manifest.mode = mode;
    }
    let rules = root.sections("rule");
    manifest.rules = rules
        .into_iter()
        .filter_map(|section| rule(section, text, paths))
        .collect();
    let links = root.sections("link");
    manifest.links = links
        .into_iter()
        .filter_map(|section| link(section, text))
        .collect();
    let dirs = root.sections("dir");
    manifest.dirs = dirs
        .into_iter()
        .filter_map(|section| dir(section, text))
        .collect();
    root.finish();
    manifest
}

fn rule(mut section: Section<'_>, text: &str, paths: &[&str]) -> Option<Rule> {
    section.require("path", "\"usr/local/bin/*\"");
    let glob = section.parsed("path", "\"usr/local/bin/*\"", check_glob);
    let mode = mode(&mut section);
    let owner = section.parsed("owner", "\"hadoop\"", check_owner);
    let when = condition(&mut section, text);
    if let Some(glob) = &glob
        && !paths.iter().any(|path| glob.get_ref().is_match(path))
    {
        section.problems().add(
            Problem::new(glob.span(), "no file of the overlay matches this pattern").help(
                "patterns match whole paths in the image, without `.j2` and the leading slash",
            ),
        );
    }
    section.finish();
    Some(Rule {
        glob: glob?.into_inner(),
        mode,
        owner: owner.map(Spanned::into_inner),
        when,
    })
}

fn link(mut section: Section<'_>, text: &str) -> Option<LinkEntry> {
    section.require("path", "\"/etc/localtime\"");
    section.require("target", "\"/usr/share/zoneinfo/Etc/UTC\"");
    let path = section.parsed("path", "\"/etc/localtime\"", image_path);
    let target = section.parsed("target", "\"/usr/share/zoneinfo/Etc/UTC\"", |target| {
        if target.is_empty() || target.chars().any(|c| c.is_control() || c == '"') {
            return Err("this cannot be what a link points at");
        }
        Ok(target.to_owned())
    });
    let when = condition(&mut section, text);
    section.finish();
    Some(LinkEntry {
        path: path?.into_inner(),
        target: target?.into_inner(),
        when,
    })
}

fn dir(mut section: Section<'_>, text: &str) -> Option<DirEntry> {
    section.require("path", "\"/var/lib/hadoop\"");
    let path = section.parsed("path", "\"/var/lib/hadoop\"", image_path);
    let owner = section.parsed("owner", "\"hadoop\"", check_owner);
    let mode = mode(&mut section);
    let when = condition(&mut section, text);
    section.finish();
    Some(DirEntry {
        path: path?.into_inner(),
        owner: owner.map(Spanned::into_inner),
        mode: mode.unwrap_or(Mode::EXECUTABLE),
        when,
    })
}

/// `"0755"`, or `0o755` as TOML writes octal numbers; `755` would be another
/// number than it looks.
fn mode(section: &mut Section<'_>) -> Option<Mode> {
    let value = section.value("mode")?;
    let bits = match value.get_ref() {
        DeValue::String(digits) if matches!(digits.len(), 3 | 4) => {
            u16::from_str_radix(digits, 8).ok()
        }
        DeValue::Integer(number) if number.radix() == 8 => {
            u16::from_str_radix(number.as_str(), 8).ok()
        }
        _ => None,
    };
    let mode = bits.filter(|bits| *bits <= 0o7777).map(Mode::new);
    if mode.is_none() {
        section.problems().add(
            Problem::new(value.span(), "this is not a mode")
                .help("write four octal digits, such as `mode = \"0755\"`"),
        );
    }
    mode
}

fn condition(section: &mut Section<'_>, text: &str) -> Option<Condition> {
    let when = section.parsed("when", "\"node.role == 'master'\"", |expression| {
        minijinja::Environment::new()
            .compile_expression(expression)
            .map(|_| expression.to_owned())
            .map_err(|error| format!("this is not a condition: {error}"))
    })?;
    let line = text
        .bytes()
        .take(when.span().start)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1;
    Some(Condition {
        expression: when.into_inner(),
        line,
    })
}

fn check_volume(text: &str) -> Result<Volume, Fault> {
    match text {
        "root" => Ok(Volume::Root),
        "boot" => Ok(Volume::Boot),
        _ => Err(Fault::new(
            format!("a volume is \"root\" or \"boot\", not {text:?}"),
            "boot is the firmware partition",
        )),
    }
}

fn check_owner(text: &str) -> Result<OwnerName, Fault> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
    };
    if !is_name(user) || !group.is_none_or(is_name) {
        return Err(Fault::new(
            format!("{text:?} is not the name of a user"),
            "write it like `hadoop`, or `root:hadoop` for another group",
        ));
    }
    Ok(OwnerName {
        user: user.to_owned(),
        group: group.map(str::to_owned),
    })
}

fn check_glob(text: &str) -> Result<GlobMatcher, Fault> {
    let text = text.strip_prefix('/').unwrap_or(text);
    match GlobBuilder::new(text).literal_separator(true).build() {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(error) => Err(format!("{text:?} is not a pattern: {}", error.kind()).into()),
    }
}

fn image_path(text: &str) -> Result<ImagePath, String> {
    let absolute = if text.starts_with('/') {
        text.to_owned()
    } else {
        format!("/{text}")
    };
    match ImagePath::new(&absolute) {
        Ok(path) if path.is_root() => Err("the root directory is not an overlay's".to_owned()),
        Ok(path) => Ok(path),
        Err(error) => Err(error.to_string()),
    }
}
