//! README and docs against the program: commands parse, links lead somewhere,
//! transcripts and lists are what the program prints and knows.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser;
use fs_err as fs;
use pidoop::cli::Cli;
use pidoop::cluster::Board;

use crate::support::world::{ClusterFile, PUBLIC_KEY, Run, Sandbox, world};

/// README.md and everything in docs/.
fn documents() -> Vec<(Utf8PathBuf, String)> {
    let mut paths = vec![Utf8PathBuf::from("README.md")];
    for entry in walkdir::WalkDir::new("docs").sort_by_file_name() {
        let path = Utf8PathBuf::from_path_buf(entry.unwrap().into_path()).unwrap();
        if path.extension() == Some("md") {
            paths.push(path);
        }
    }
    assert!(paths.len() > 4, "{paths:?}");
    let read = |path: Utf8PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    paths.into_iter().map(read).collect()
}

/// A fenced block.
struct Block {
    place: String,
    language: String,
    lines: Vec<String>,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for (path, text) in documents() {
        let mut open: Option<Block> = None;
        for (number, line) in (1..).zip(text.lines()) {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(language)) => {
                    let (place, language) = (format!("{path}:{number}"), language.to_owned());
                    open = Some(Block {
                        place,
                        language,
                        lines: Vec::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => block.lines.push(line.to_owned()),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{path}: a block without end");
    }
    blocks
}

impl Block {
    /// Commands a reader types: every line of a script, what stands behind the
    /// prompt in a transcript.
    fn commands(&self) -> Vec<String> {
        let typed = |line: &String| match self.language.as_str() {
            "sh" | "bash" => Some(line.clone()),
            "console" => line.strip_prefix("$ ").map(str::to_owned),
            _ => None,
        };
        let lines = self
            .lines
            .iter()
            .filter_map(typed)
            .collect::<Vec<_>>()
            .join("\n");
        // A line goes on behind a backslash; a comment is not typed.
        let lines = lines.replace("\\\n", " ");
        let lines = lines
            .lines()
            .map(|line| line.split(" #").next().unwrap_or_default());
        lines
            .flat_map(|line| line.split(['|', ';']).flat_map(|part| part.split("&&")))
            .map(|command| command.trim().to_owned())
            .filter(|command| !command.is_empty() && !command.starts_with('#'))
            .collect()
    }

    /// What a transcript shows behind a command, up to the next one.
    fn output_of(&self, command: &str) -> Option<&[String]> {
        let start = self
            .lines
            .iter()
            .position(|line| line.strip_prefix("$ ") == Some(command))?;
        let shown = &self.lines[start + 1..];
        let end = shown
            .iter()
            .position(|line| line.starts_with("$ "))
            .unwrap_or(shown.len());
        Some(&shown[..end])
    }
}

#[test]
fn commands_in_the_documents_parse() {
    let mut seen = BTreeSet::new();
    for block in blocks() {
        for command in block.commands() {
            let mut words = command
                .split_whitespace()
                .skip_while(|word| word.contains('='));
            if words.next() != Some("pidoop") {
                continue;
            }
            let words: Vec<&str> = std::iter::once("pidoop").chain(words).collect();
            match Cli::try_parse_from(&words) {
                Ok(_) => {}
                // Help and version are no errors.
                Err(error) if error.exit_code() == 0 => {}
                Err(error) => panic!("{}: {command}\n{error}", block.place),
            }
            seen.insert(words[1..].join(" "));
        }
    }
    for verb in ["new", "check", "plan", "build"] {
        assert!(
            seen.contains(verb),
            "nobody is told of pidoop {verb}: {seen:?}"
        );
    }
}

#[test]
fn scripts_in_the_documents_are_there() {
    for block in blocks() {
        for command in block.commands() {
            let program = command.split_whitespace().next().unwrap();
            if program.starts_with("scripts/") || program.starts_with("./") {
                let place = &block.place;
                let meta = fs::metadata(program).unwrap_or_else(|error| panic!("{place}: {error}"));
                assert!(
                    meta.permissions().mode() & 0o111 != 0,
                    "{place}: {program} does not run"
                );
            }
        }
    }
}

/// Targets of the links in a text, without those in code.
fn links(text: &str) -> Vec<&str> {
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    links
        .filter(|target| !target.contains(char::is_whitespace))
        .collect()
}

/// The anchor a heading gets: its letters and digits in lower case, with `-`
/// for blanks.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars();
    let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for (path, text) in documents() {
        for link in links(&text) {
            if link.starts_with("http://") || link.starts_with("https://") {
                continue;
            }
            count += 1;
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap_or(Utf8Path::new("")).join(file),
            };
            assert!(target.exists(), "{path}: {link} is not there");
            if !fragment.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                let there = headings.map(anchor).any(|anchor| anchor == fragment);
                assert!(there, "{path}: {link}: there is no such heading");
            }
        }
    }
    assert!(count >= 6, "{count} links");
}

#[test]
fn help_in_the_documents_is_what_is_printed() {
    let sandbox = Sandbox::new();
    for block in blocks() {
        for command in block.commands() {
            let Some(args) = command.strip_prefix("pidoop ") else {
                continue;
            };
            let is_help = args
                .split(' ')
                .any(|word| matches!(word, "help" | "--help" | "-h"));
            if let (true, Some(shown)) = (is_help, block.output_of(&command)) {
                let printed = sandbox.run(args).works().stdout;
                let mut printed = printed.lines();
                for line in shown.iter().filter(|line| line.as_str() != "…") {
                    let there = printed.any(|real| real.trim_end() == line.trim_end());
                    assert!(there, "{}: {command} does not print: {line}", block.place);
                }
            }
        }
    }
}

#[test]
fn the_plan_in_the_readme_is_that_of_the_example() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.ssh/id_ed25519.pub", PUBLIC_KEY);
    sandbox.run("new").works();
    let printed = sandbox.run("plan").works().stdout;
    let blocks = blocks();
    let shown = blocks
        .iter()
        .find_map(|block| block.output_of("pidoop plan"))
        .unwrap();
    let table = shown
        .iter()
        .skip_while(|line| line.as_str() != "memory plan");
    let table: Vec<&String> = table.filter(|line| line.as_str() != "…").collect();
    assert!(table.len() > 4, "{table:?}");
    for line in table {
        assert!(
            printed.lines().any(|real| real == line),
            "not in the plan: {line}\n{printed}"
        );
    }
}

#[test]
fn errors_in_the_readme_are_what_is_printed() {
    let mut count = 0;
    for block in blocks() {
        let Some(first) = block
            .lines
            .first()
            .filter(|line| line.starts_with("error: "))
        else {
            continue;
        };
        // Only properties so far; another kind of error needs a case here.
        let (file, key) = first
            .strip_prefix("error: ")
            .and_then(|words| words.split_once(" has no property "))
            .unwrap_or_else(|| panic!("{}: how is this error made? {first}", block.place));
        let sandbox = Sandbox::warm(&ClusterFile::new(world()).property(file, key, "2"));
        let said = sandbox.run("build --quiet").exits(2).stderr;
        assert_eq!(
            without_numbers(&block.lines.join("\n")),
            without_numbers(said.trim_end())
        );
        count += 1;
    }
    assert!(count > 0, "the README shows no error");
}

/// Line numbers are those of another file, and so is the value.
fn without_numbers(said: &str) -> String {
    let plain = |c: char| !c.is_ascii_digit() && !"\"^ =".contains(c);
    said.chars().filter(|c| plain(*c)).collect()
}

/// What the parser says a section may have.
fn keys_of_the_parser(section: &str) -> BTreeSet<String> {
    const NOBODY: &str = "zzzzzzzz = 1\n";
    let mut text = ClusterFile::new(world()).text();
    match section {
        "" => text.insert_str(0, NOBODY),
        section => match text.rfind(section) {
            Some(at) => text.insert_str(at + section.len() + 1, NOBODY),
            None => text.push_str(&format!("\n{section}\n{NOBODY}")),
        },
    }
    let sandbox = Sandbox::new();
    sandbox.write("cluster.toml", text);
    let run: Run = sandbox.run("check").exits(2);
    let title = if section.is_empty() {
        "the file"
    } else {
        section
    };
    let marker = format!("= help: {title} may have ");
    let list = run
        .stderr
        .split(&marker)
        .nth(1)
        .unwrap_or_else(|| panic!("{run}"));
    let list = list.lines().next().unwrap().replace(" and ", ", ");
    list.split(", ").map(|key| key.trim().to_owned()).collect()
}

/// First words of the rows of the table below a heading of
/// docs/cluster-file.md.
fn keys_of_the_document(text: &str, heading: &str) -> BTreeSet<String> {
    let below = text.split("\n## ").find(|part| part.starts_with(heading));
    let below = below.unwrap_or_else(|| panic!("there is no heading {heading}"));
    let cells = below
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    cells
        .map(|key| key.split('.').next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_document_of_the_cluster_file_has_every_key_and_no_other() {
    let text = fs::read_to_string("docs/cluster-file.md").unwrap();
    let sections = [
        ("`[cluster]`", "[cluster]"),
        ("`[image]`", "[image]"),
        ("`[access]`", "[access]"),
        ("`[network]`", "[network]"),
        ("`[settings]`", "[settings]"),
        ("`[[node]]`", "[[node]]"),
    ];
    for (heading, section) in sections {
        assert_eq!(
            keys_of_the_document(&text, heading),
            keys_of_the_parser(section),
            "{section}"
        );
    }
    // The sections themselves, and the one key above them.
    let top = keys_of_the_document(&text, "Top");
    for key in keys_of_the_parser("") {
        let described = top.contains(&key)
            || [
                format!("`[{key}]`"),
                format!("`[[{key}]]`"),
                format!("`[{key}."),
            ]
            .iter()
            .any(|title| text.contains(&format!("\n## {title}")));
        assert!(described, "{key} is not described");
    }
}

#[test]
fn the_document_of_the_cluster_file_has_every_board() {
    let text = fs::read_to_string("docs/cluster-file.md").unwrap();
    let boards = text
        .split("\nBoards: ")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let listed: Vec<&str> = boards.split('`').skip(1).step_by(2).collect();
    let known: Vec<&str> = Board::ALL.iter().map(|board| board.name).collect();
    assert_eq!(listed, known);
}

#[test]
fn examples_of_toml_are_accepted() {
    let mut count = 0;
    for Block {
        place,
        language,
        lines,
    } in blocks()
    {
        if language != "toml" {
            continue;
        }
        let text = lines.join("\n");
        let sandbox = Sandbox::new();
        let mut cluster = ClusterFile::new(world());
        if text.starts_with("schema = 1\nkind = ") {
            let name = text
                .split("\nname = \"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            sandbox.write(&format!("recipes/{name}.toml"), &text);
        } else if place.contains("cluster-lock.md") {
            pidoop::lock::Lock::parse(&text).unwrap_or_else(|e| panic!("{place}: {e:?}"));
        } else if text.contains("[[rule]]") {
            sandbox.write("overlays/example/overlay.toml", &text);
            sandbox.write("overlays/example/usr/local/bin/tool", "#!/bin/sh\n");
        } else {
            cluster = cluster.more(&format!("\n{text}\n"));
        }
        sandbox.write_cluster(&cluster);
        let run = sandbox.run("check");
        assert_eq!(run.code, Some(0), "{place}\n{run}");
        count += 1;
    }
    assert!(count >= 3, "{count} examples");
}
