//! `[image]`: what images are made of.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use crate::cluster::{ImageChoice, SourceChoice};
use crate::diagnostic::{Fault, Problem, Section, shape};

/// The Java recipe used when none is named: the runtime every version of
/// Hadoop from 3.5 on needs.
const DEFAULT_JAVA: &str = "temurin-17";
/// The Hadoop recipe used when none is named.
const DEFAULT_HADOOP: &str = "hadoop-3.5.0";

pub(super) fn read(mut section: Section<'_>) -> Option<ImageChoice> {
    section.require("base", "\"raspios-trixie-lite-arm64\"");
    let base = source(&mut section, "base", "\"raspios-trixie-lite-arm64\"");
    let java = source_or(&mut section, "java", DEFAULT_JAVA);
    let hadoop = source_or(&mut section, "hadoop", DEFAULT_HADOOP);
    section.finish();
    Some(ImageChoice {
        base: base?,
        java: java?,
        hadoop: hadoop?,
    })
}

fn source_or(
    section: &mut Section<'_>,
    key: &'static str,
    default: &'static str,
) -> Option<SourceChoice> {
    if section.value(key).is_none() {
        return Some(SourceChoice::Recipe {
            name: default.to_owned(),
            span: section.span(),
        });
    }
    source(section, key, &format!("\"{default}\""))
}

fn source(section: &mut Section<'_>, key: &'static str, example: &str) -> Option<SourceChoice> {
    let value = section.value(key)?;
    match value.get_ref() {
        DeValue::String(_) => {
            let name = section.parsed(key, example, |text| recipe_name(text, key))?;
            Some(SourceChoice::Recipe {
                span: name.span(),
                name: name.into_inner(),
            })
        }
        DeValue::Table(_) => place(section.section(key)?, key, value.span()),
        _ => {
            section.wrong_type(key, value, "a recipe's name, a path or an address", example);
            None
        }
    }
}

/// `{ path = … }` or `{ url = … }`.
fn place(mut section: Section<'_>, key: &'static str, span: Range<usize>) -> Option<SourceChoice> {
    let path = section.parsed("path", "\"inputs/file\"", check_path);
    let url = section.parsed("url", "\"https://example.org/file\"", shape::web_address);
    let sha256 = section.parsed("sha256", "\"64 hexadecimal digits\"", shape::sha256);
    let recipe = section.parsed("recipe", "\"temurin-17\"", |text| recipe_name(text, key));
    let (path_at, url_at) = (section.key_span("path"), section.key_span("url"));
    match (&path_at, &url_at) {
        (Some(first), Some(second)) => section.problems().add(
            Problem::new(
                second.clone(),
                format!("`{key}` has both a path and an address"),
            )
            .label("only one of the two")
            .related(first.clone(), "the path")
            .help("keep `path` for a file at hand, or `url` for one to download"),
        ),
        (None, None) => {
            // A misspelt `path` is reported as an unknown key, with its fix.
            section.require("path", "\"inputs/file\"");
        }
        _ => {}
    }
    let complete = path_at.is_some() != url_at.is_some();
    section.finish();
    if !complete {
        return None;
    }
    let sha256 = sha256.map(Spanned::into_inner);
    let recipe = recipe.map(Spanned::into_inner);
    match (path, url) {
        (Some(path), None) => Some(SourceChoice::Path {
            path: path.into_inner(),
            sha256,
            recipe,
            span,
        }),
        (None, Some(url)) => Some(SourceChoice::Url {
            url: url.into_inner(),
            sha256,
            recipe,
            span,
        }),
        _ => None,
    }
}

fn recipe_name(text: &str, key: &str) -> Result<String, Fault> {
    let well_formed = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
    let message = || format!("{text:?} is not a recipe's name");
    if text.starts_with("http://") || text.starts_with("https://") {
        return Err(Fault::new(
            message(),
            format!("for an address, write `{key} = {{ url = … }}`"),
        ));
    }
    let ends_like_a_file = [".img", ".xz", ".gz", ".tgz", ".zst", ".zip", ".tar", ".bz2"]
        .iter()
        .any(|end| text.ends_with(end));
    if text.contains('/') || text.starts_with(['~', '.']) || ends_like_a_file {
        return Err(Fault::new(
            message(),
            format!("for a file, write `{key} = {{ path = … }}`"),
        ));
    }
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(Fault::new(
            message(),
            "a recipe's name has only a-z, 0-9, '-', '.' and '_'",
        ))
    }
}

fn check_path(text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Err("the path is empty".into());
    }
    if text.chars().any(char::is_control) {
        return Err("the path has a control character".into());
    }
    Ok(text.to_owned())
}
