//! docs/first-boot.md against the code: the tests it names are there, and
//! nothing is left out of its table.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use pidoop::node::HABITS;

/// The table of checks that the boot proof applies after each boot.
const BOOT_CHECKS: &str = "tests/boot/checks.rs";

/// The boot proof's scene that is no boot.
const POWER_CUT: &str = "power cut";

/// What a stock image does by itself, in the numbers of the document.
const HAZARDS: [&str; 11] = [
    "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10", "2.11",
];

/// A row of the table: hazard, what it is, four systems, what proves it.
struct Row {
    hazard: String,
    systems: Vec<String>,
    proof: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string("docs/first-boot.md").unwrap();
    let table = text.split("\n## The table\n").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows: Vec<Row> = table
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, hazard, _, systems @ .., proof, _] = &cells[..] else {
                panic!("no row: {line}");
            };
            Row {
                hazard: (*hazard).to_owned(),
                systems: systems.iter().map(|cell| (*cell).to_owned()).collect(),
                proof: (*proof).to_owned(),
            }
        })
        .collect();
    assert!(rows.len() > 20, "{}", rows.len());
    rows
}

/// Parts of a text between two marks of a kind.
fn between(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

#[test]
fn every_hazard_is_answered_for_every_system() {
    let rows = rows();
    let known: BTreeSet<&str> = rows.iter().map(|row| row.hazard.as_str()).collect();
    for hazard in HAZARDS {
        assert!(known.contains(hazard), "{hazard} is not in the table");
    }
    for habit in HABITS {
        let hazard = habit.hazard;
        assert!(
            known.contains(hazard),
            "{hazard} is not in the table: {}",
            habit.does
        );
    }
    for Row {
        hazard,
        systems,
        proof,
    } in &rows
    {
        assert_eq!(systems.len(), 4, "{hazard}");
        assert!(
            systems.iter().all(|cell| !cell.is_empty()),
            "{hazard}: an empty cell"
        );
        // Some system has it.
        assert!(systems.iter().any(|cell| cell != "–"), "{hazard}");
        assert!(proof.contains(['`', '*']), "{hazard} is proven by nothing");
    }
}

/// The file a module of tests is in; none if there is none.
fn file_of(module: &[&str]) -> Option<Utf8PathBuf> {
    let roots: [&Utf8Path; 2] = [Utf8Path::new("tests/it"), Utf8Path::new("src")];
    let path = module.join("/");
    let mut places = Vec::new();
    for root in roots {
        places.push(root.join(format!("{path}.rs")));
        places.push(root.join(&path).join("mod.rs"));
    }
    // `mod tests { … }` is in the file above it.
    let inline = module.split_last().filter(|(last, _)| **last == "tests");
    let found = places.into_iter().find(|place| place.exists());
    found.or_else(|| file_of(inline?.1))
}

/// Names of the checks that the boot proof applies, as they stand in its table:
/// `("name", function)`.
fn boot_checks() -> BTreeSet<String> {
    let text = fs::read_to_string(BOOT_CHECKS).unwrap();
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let row = line.trim().strip_prefix("(\"");
        let Some((name, rest)) = row.and_then(|row| row.split_once("\", ")) else {
            continue;
        };
        let Some(function) = rest.strip_suffix("),") else {
            continue;
        };
        let head = format!("fn {function}(evidence: &Evidence<'_>) -> Result<()> {{");
        assert!(text.contains(&head), "{BOOT_CHECKS} has no {function}");
        names.insert(name.to_owned());
    }
    assert!(names.len() > 10, "{names:?}");
    let cuts = fs::read_to_string("tests/boot/cuts.rs").unwrap();
    assert!(cuts.contains(&format!("{{name}} {POWER_CUT}\"")));
    names.insert(POWER_CUT.to_owned());
    names
}

#[test]
fn every_boot_check_has_a_hazard() {
    let rows = rows();
    let named: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| between(&row.proof, '*'))
        .collect();
    for check in boot_checks() {
        assert!(
            named.contains(check.as_str()),
            "{check} is applied and proves nothing in the table"
        );
    }
}

#[test]
fn tests_that_are_named_are_there() {
    let boot_checks = boot_checks();
    let mut seen = 0;
    for Row { hazard, proof, .. } in rows() {
        for name in between(&proof, '`') {
            let path: Vec<&str> = name.split("::").collect();
            let (test, module) = path.split_last().unwrap();
            let file = file_of(module).unwrap_or_else(|| panic!("{hazard}: no module for {name}"));
            let text = fs::read_to_string(&file).unwrap();
            let before = text
                .split_once(&format!("fn {test}("))
                .unwrap_or_else(|| panic!("{hazard}: {name} is not in {file}"))
                .0;
            let attributes = before.rsplit("\n\n").next().unwrap();
            let is_test = attributes.contains("#[test]") || attributes.contains("#[rstest]");
            assert!(is_test, "{hazard}: {name} in {file} is no test");
            seen += 1;
        }
        for check in between(&proof, '*') {
            assert!(
                boot_checks.contains(check),
                "{hazard}: no boot check is called {check}"
            );
        }
    }
    assert!(seen > 30, "{seen} tests");
}
