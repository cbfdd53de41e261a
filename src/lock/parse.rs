//! From the text of a lock file to a [`Lock`], or to everything that is wrong
//! with it.

use toml::Spanned;

use super::{Asked, Lock, LockedInput, SCHEMA};
use crate::diagnostic::{Fault, Problem, Problems, Section, document, shape};
use crate::recipe::Arch;

/// What to do about a lock file that a person did not write.
const ANEW: &str = "take it from your version control again, or remove it: it is then made anew";

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// Every problem found, in the order of their places.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let table = document(text)?;
        let problems = Problems::new();
        let mut root = Section::root(&table, &problems);
        root.schema(SCHEMA).map_err(|problem| vec![problem])?;
        let mut lock = Self::default();
        for (key, value) in root.entries() {
            let name = *key.get_ref();
            if name == "schema" {
                continue;
            }
            match root.within(name, value) {
                Some(section) => {
                    if let Some(input) = input(section) {
                        lock.inputs.insert(name.to_owned(), input);
                    }
                }
                None => problems.add(
                    Problem::new(
                        key.span(),
                        format!("`{name}` is not the section of an input"),
                    )
                    .help(ANEW),
                ),
            }
        }
        root.dismiss();
        if problems.is_empty() {
            Ok(lock)
        } else {
            Err(problems.into_sorted())
        }
    }
}

fn input(mut section: Section<'_>) -> Option<LockedInput> {
    for (key, example) in [
        ("sha256", "\"64 hexadecimal digits\""),
        ("size", "509684174"),
        ("date", "\"2026-11-26\""),
    ] {
        section.require(key, example);
    }
    let asked = asked(&mut section);
    let version = section.text("version", "\"1.0\"");
    let arch = section.parsed("arch", "\"arm64\"", |text| {
        Arch::from_debian(text).ok_or_else(|| format!("unknown architecture {text:?}"))
    });
    let urls = section
        .texts("urls", "[\"https://example.org/file\"]")
        .unwrap_or_default();
    let urls: Vec<String> = urls
        .iter()
        .filter_map(|url| section.accept(url, shape::web_address(url.get_ref())))
        .map(Spanned::into_inner)
        .collect();
    let sha256 = section.parsed("sha256", "\"64 hexadecimal digits\"", shape::sha256);
    let sha512 = section.parsed("sha512", "\"128 hexadecimal digits\"", shape::sha512);
    let size = section.integer("size", 0..=i64::MAX, "509684174");
    let digits = "\"64 hexadecimal digits\"";
    let unpacked = section.parsed("unpacked_sha256", digits, shape::sha256);
    let date = section.text("date", "\"2026-11-26\"");
    section.finish();
    let text = |text: Spanned<&str>| (*text.get_ref()).to_owned();
    Some(LockedInput {
        asked: asked?,
        version: version.map(text),
        arch: arch.map(Spanned::into_inner),
        urls,
        sha256: sha256?.into_inner(),
        sha512: sha512.map(Spanned::into_inner),
        size: u64::try_from(size?.into_inner()).ok()?,
        unpacked_sha256: unpacked.map(Spanned::into_inner),
        date: date.map(text)?,
    })
}

/// What was asked for: exactly one of the three ways to.
fn asked(section: &mut Section<'_>) -> Option<Asked> {
    let recipe = section.text("recipe", "\"temurin-17\"");
    let path = section.text("path", "\"inputs/file\"");
    let url = section.parsed(
        "url",
        "\"https://example.org/file\"",
        |text| -> Result<String, Fault> { shape::web_address(text) },
    );
    let text = |text: Spanned<&str>| (*text.get_ref()).to_owned();
    match (recipe, path, url) {
        (Some(name), None, None) => Some(Asked::Recipe(text(name))),
        (None, Some(path), None) => Some(Asked::Path(text(path))),
        (None, None, Some(url)) => Some(Asked::Url(url.into_inner())),
        _ => {
            let given = ["recipe", "path", "url"].map(|key| section.value(key).is_some());
            // A value of the wrong type has been told of already.
            if given.iter().filter(|given| **given).count() != 1 {
                section.problems().add(
                    Problem::new(
                        section.span(),
                        "an input was asked for by `recipe`, `path` or `url`, one of them",
                    )
                    .help(ANEW),
                );
            }
            None
        }
    }
}
