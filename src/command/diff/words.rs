//! Differences as people read them.

use std::io::{self, Write};

use super::outcome::{Compared, Outcome, State};
use super::scope::BOOT;
use crate::bake::ImageDifference;
use crate::edit::EntryKind;
use crate::edit::compare::{Aspect, ContentDifference, Found, PathDifference};

/// A directory that comes or goes with more paths than this below it is told
/// in one line.
const FEW: usize = 16;

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

/// Writes everything that differs.
pub(super) fn write(out: &mut impl Write, outcome: &Outcome, brief: bool) -> io::Result<()> {
    for image in &outcome.images {
        if image.differs() {
            image_words(out, image, outcome, brief)?;
        }
    }
    for stray in &outcome.strays {
        writeln!(
            out,
            "{BOLD}{stray}{PLAIN}: the cluster file has no such node"
        )?;
    }
    Ok(())
}

fn image_words(
    out: &mut impl Write,
    image: &Compared,
    outcome: &Outcome,
    brief: bool,
) -> io::Result<()> {
    match &image.node {
        Some(node) => write!(out, "{BOLD}{node}: {}{PLAIN}", image.image)?,
        None => write!(
            out,
            "{BOLD}{} -> {}{PLAIN}",
            outcome.labels[0], outcome.labels[1]
        )?,
    }
    let difference = match &image.state {
        State::Missing => return writeln!(out, ": there is no image; a build makes it"),
        State::Unreadable(reason) => return writeln!(out, ": {reason}"),
        State::Seen(difference) => difference,
    };
    writeln!(out, ": {}", counts(difference))?;
    for layout in &difference.layout {
        let value = |value: &Option<String>| value.clone().unwrap_or("none".to_owned());
        let (before, after) = (value(&layout.before), value(&layout.after));
        writeln!(out, "{}: {before} -> {after}", layout.what)?;
    }
    for (prefix, paths) in [(BOOT, &difference.boot), ("", &difference.root)] {
        let mut rest = &paths[..];
        while let [first, behind @ ..] = rest {
            let below = below(first, behind);
            path_words(out, prefix, first, below, &outcome.labels, brief)?;
            rest = &behind[below..];
        }
    }
    if !brief {
        writeln!(out)?;
    }
    Ok(())
}

/// `2 added, 1 changed`.
fn counts(difference: &ImageDifference) -> String {
    let paths = || difference.boot.iter().chain(&difference.root);
    let added = paths().filter(|found| found.before.is_none()).count();
    let removed = paths().filter(|found| found.after.is_none()).count();
    let changed = paths().count() - added - removed;
    let numbers = [
        (added, "added"),
        (removed, "removed"),
        (changed, "changed"),
        (difference.layout.len(), "of the image itself"),
    ];
    let words: Vec<String> = numbers
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    words.join(", ")
}

/// How many of the paths behind `first` are told with it, in one line.
fn below(first: &PathDifference, behind: &[PathDifference]) -> usize {
    let dir = |found: &Option<Found>| found.as_ref().is_some_and(Found::is_dir);
    let whole = (first.before.is_none() && dir(&first.after))
        || (first.after.is_none() && dir(&first.before));
    if !whole {
        return 0;
    }
    // In order of path a directory is not always followed by what is in it:
    // `a-b` sorts ahead of `a/b`.
    let count = behind
        .iter()
        .take_while(|found| found.path.is_within(&first.path))
        .count();
    if count > FEW { count } else { 0 }
}

fn path_words(
    out: &mut impl Write,
    prefix: &str,
    found: &PathDifference,
    below: usize,
    labels: &[String; 2],
    brief: bool,
) -> io::Result<()> {
    let path = format!("{prefix}{}", found.path);
    match (&found.before, &found.after) {
        (None, Some(new)) => write!(
            out,
            "{GREEN}added{PLAIN}   {path} ({}",
            described(new, found)
        )?,
        (Some(old), None) => write!(out, "{RED}removed{PLAIN} {path} ({}", described(old, found))?,
        _ => write!(out, "{CYAN}changed{PLAIN} {path} ({}", changed(found))?,
    }
    if below > 0 {
        write!(out, ", and {below} paths below it")?;
    }
    if let (true, ContentDifference::Text(text)) = (brief, &found.content) {
        write!(out, ", +{} -{}", text.added, text.removed)?;
    }
    writeln!(out, ")")?;
    if let (false, ContentDifference::Text(text)) = (brief, &found.content) {
        let name = |side: &Option<Found>, label: &str| match side {
            Some(_) => format!("{path}\t{label}"),
            None => "/dev/null".to_owned(),
        };
        writeln!(out, "{BOLD}--- {}{PLAIN}", name(&found.before, &labels[0]))?;
        writeln!(out, "{BOLD}+++ {}{PLAIN}", name(&found.after, &labels[1]))?;
        for line in text.hunks.lines() {
            let colour = match line.as_bytes().first() {
                Some(b'+') => GREEN,
                Some(b'-') => RED,
                Some(b'@') => CYAN,
                _ => "",
            };
            let end = if colour.is_empty() { "" } else { PLAIN };
            writeln!(out, "{colour}{line}{end}")?;
        }
    }
    Ok(())
}

/// `file 0644 0:0, 12 bytes`.
fn described(side: &Found, found: &PathDifference) -> String {
    let entry = &side.entry;
    let attributes = format!("{} {}", entry.mode, entry.owner);
    match (&entry.kind, &side.special) {
        (_, Some(special)) => format!("{special} {attributes}"),
        (EntryKind::Dir, _) => format!("directory {attributes}"),
        (EntryKind::Symlink { target }, _) => format!("link to {target}"),
        (EntryKind::Special, _) => format!("special file {attributes}"),
        (EntryKind::File { len }, _) => match &found.content {
            ContentDifference::Secret => format!("file {attributes}, not shown"),
            ContentDifference::Unreadable(reason) => format!("file {attributes}, {reason}"),
            _ if found.secret => format!("file {attributes}, with a secret"),
            _ => format!("file {attributes}, {len} bytes"),
        },
    }
}

/// `mode 0644 -> 0600, 10 -> 12 bytes`.
fn changed(found: &PathDifference) -> String {
    let len = |side: &Option<Found>| side.as_ref().and_then(Found::len).unwrap_or(0);
    let (before, after) = (len(&found.before), len(&found.after));
    let words: Vec<String> = found
        .aspects()
        .iter()
        .map(|aspect| match (aspect, &found.content) {
            (Aspect::Content, ContentDifference::Secret) => {
                "content differs and is not shown: it is not for everybody".to_owned()
            }
            (Aspect::Content, ContentDifference::Bytes) if before == after => {
                format!("other bytes, {after} of them")
            }
            (Aspect::Content, ContentDifference::Bytes) => format!("{before} -> {after} bytes"),
            (Aspect::Unreadable, ContentDifference::Unreadable(reason)) => reason.clone(),
            _ => aspect.to_string(),
        })
        .collect();
    words.join(", ")
}
