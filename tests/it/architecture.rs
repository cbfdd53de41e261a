//! The import directions of docs/design/architecture.md, held against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules of the pure zone: no files, clock, environment, processes, chance.
const PURE: [&str; 9] = [
    "diagnostic",
    "edit",
    "cluster",
    "recipe",
    "overlay",
    "hadoop",
    "lock",
    "node",
    "plan",
];

/// Words that only the effects zone may say.
const EFFECTS: [&str; 10] = [
    "std::fs",
    "fs_err",
    "std::process",
    "std::env",
    "env::var",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "tempfile",
];

/// Who may import whom, as the table in the document says.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string("docs/design/architecture.md").unwrap();
    let mut allowed = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, modules, _, imports, _] = cells[..] else {
            continue;
        };
        if !modules.starts_with('`') {
            continue;
        }
        let imports: BTreeSet<String> = match imports {
            "nothing of ours" => BTreeSet::new(),
            "the pure zone" => PURE.iter().map(ToString::to_string).collect(),
            _ if imports.starts_with("everything") => ["*".to_owned()].into(),
            _ => names_in(imports),
        };
        for module in names_in(modules) {
            allowed.insert(module, imports.clone());
        }
    }
    assert!(
        allowed.len() >= 16,
        "the table was not understood: {allowed:?}"
    );
    allowed
}

/// Words in backquotes.
fn names_in(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The code of a file without comments and without what follows
/// `#[cfg(test)]`, where tests begin.
fn code_of(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap()
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Modules of this crate that the code names through `crate::`, also in a
/// braced list.
fn imports_of(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (at, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && c.is_ascii_lowercase() => {
                        found.insert(word(&list[at..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.insert(word(rest));
        }
    }
    found
}

#[test]
fn modules_import_only_what_the_document_allows() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    for path in rust_files(Path::new("src")) {
        let module = match path.strip_prefix("src").unwrap().components().next() {
            Some(part) => part
                .as_os_str()
                .to_string_lossy()
                .trim_end_matches(".rs")
                .to_owned(),
            None => continue,
        };
        if matches!(module.as_str(), "main" | "lib") {
            continue;
        }
        let may = allowed
            .get(&module)
            .unwrap_or_else(|| panic!("{module} is not in the table"));
        for import in imports_of(&code_of(&path)) {
            let known = allowed.contains_key(&import);
            if known && import != module && !may.contains("*") && !may.contains(&import) {
                wrong.push(format!(
                    "{}: {module} must not import {import}",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_pure_zone_knows_no_world() {
    let mut wrong = Vec::new();
    for module in PURE {
        for path in rust_files(&Path::new("src").join(module)) {
            let code = code_of(&path);
            for word in EFFECTS.iter().filter(|word| code.contains(**word)) {
                wrong.push(format!("{} says {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::edit::{Edit, Mode};\nuse crate::{disk::Mbr, tool};\n\
                let x = crate::plan::Plan::new();";
    let found: Vec<String> = imports_of(code).into_iter().collect();
    assert_eq!(found, ["disk", "edit", "plan", "tool"]);
}
