//! The text of a lock file.

use std::fmt;

use super::{Asked, Lock, LockedInput, SCHEMA};

const HEADER: &str = "\
# What the inputs of the cluster file beside this resolved to. `pidoop fetch` and
# `pidoop build` write it: commit it, and every machine builds from the same
# bytes. It changes when the cluster file asks for something else, or by
# `pidoop fetch --update`; see docs/cluster-lock.md.
";

/// The order in which inputs are written; others follow by name.
const ORDER: [&str; 3] = ["base", "java", "hadoop"];

/// The file's text: the same for the same lock, with one line for each fact, so
/// that differences read well.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}schema = {SCHEMA}")?;
        let place = |name: &str| ORDER.iter().position(|known| *known == name);
        let mut inputs: Vec<_> = self.inputs.iter().collect();
        inputs.sort_by_key(|(name, _)| (place(name).unwrap_or(ORDER.len()), name.as_str()));
        for (name, input) in inputs {
            write!(f, "\n[{name}]\n{}", section(input))?;
        }
        Ok(())
    }
}

fn section(input: &LockedInput) -> String {
    let mut lines = Vec::new();
    let mut line = |key: &str, value: String| lines.push(format!("{key} = {value}\n"));
    match &input.asked {
        Asked::Recipe(name) => line("recipe", quoted(name)),
        Asked::Path(path) => line("path", quoted(path)),
        Asked::Url(url) => line("url", quoted(url)),
    }
    if let Some(version) = &input.version {
        line("version", quoted(version));
    }
    if let Some(arch) = input.arch {
        line("arch", quoted(arch.debian()));
    }
    if !input.urls.is_empty() {
        let urls = input
            .urls
            .iter()
            .map(|url| format!("    {},\n", quoted(url)));
        line("urls", format!("[\n{}]", urls.collect::<String>()));
    }
    line("sha256", quoted(&input.sha256));
    if let Some(sha512) = &input.sha512 {
        line("sha512", quoted(sha512));
    }
    line("size", input.size.to_string());
    if let Some(unpacked) = &input.unpacked_sha256 {
        line("unpacked_sha256", quoted(unpacked));
    }
    line("date", quoted(&input.date));
    lines.concat()
}

/// A string in TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
