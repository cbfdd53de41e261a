//! One `debugfs` run over a script, and what it said to each line.
//!
//! debugfs goes on after a failed command and still exits with 0, and even if
//! it could not open the filesystem at all. It repeats each line before
//! carrying it out, though: with both output streams in one pipe, whatever
//! stands behind a repeated line was said about it.

use std::os::unix::fs as unix;

use camino::Utf8Path;

use crate::disk::{DiskError, Region};
use crate::tool::{DEBUGFS, Handover};

/// debugfs reads lines into a buffer of BUFSIZ (8192) bytes and takes the rest
/// of a longer one for a command of its own (debugfs/debugfs.c, `source_file`).
const LONGEST_LINE: usize = 8000;

/// A script line's quoted argument. Inside quotes a doubled quote stands for
/// one (lib/ss/parse.c); there is no way to write a line end.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// What debugfs said about one line of a script.
#[derive(Debug)]
pub(super) struct Reply<'s> {
    /// The line.
    pub(super) command: &'s str,
    /// What was said, without empty lines.
    pub(super) said: Vec<String>,
}

/// Runs `script` over the filesystem in `region` for reading.
pub(super) fn ask<'s>(region: &Region, script: &'s [String]) -> Result<Vec<Reply<'s>>, DiskError> {
    run(region, script, &[], None)
}

/// Runs `script` over the filesystem in `region`, which it may change, with
/// the clock at `epoch`.
pub(super) fn change(region: &Region, script: &[String], epoch: u64) -> Result<(), DiskError> {
    for reply in run(region, script, &["-w"], Some(epoch))? {
        if let Some(complaint) = reply
            .said
            .iter()
            .find(|line| !is_chatter(reply.command, line))
        {
            return Err(DiskError::Script {
                place: region.clone(),
                command: reply.command.to_owned(),
                said: complaint.clone(),
            });
        }
    }
    Ok(())
}

/// Whether a command that worked may say this.
fn is_chatter(command: &str, line: &str) -> bool {
    match command.split(' ').next() {
        Some("set_current_time") => line.starts_with("Setting current time to "),
        Some("write" | "mkdir" | "symlink") => line.starts_with("Allocated inode: "),
        Some("goto_block" | "replace_node") => line.starts_with("extent: "),
        Some("bmap") => line.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

/// Whether this may stand before the first repeated line: the version. Anything
/// else means that the filesystem did not open.
fn is_preamble(line: &str) -> bool {
    line.starts_with("debugfs 1.")
}

fn run<'s>(
    region: &Region,
    script: &'s [String],
    options: &[&str],
    epoch: Option<u64>,
) -> Result<Vec<Reply<'s>>, DiskError> {
    let unfit = |line: &&String| line.len() > LONGEST_LINE || line.contains(['\n', '\r', '\0']);
    if let Some(line) = script.iter().find(unfit) {
        return Err(DiskError::Script {
            place: region.clone(),
            command: line.chars().take(200).collect(),
            said: "a line this long, or with line ends in it, cannot be given".to_owned(),
        });
    }
    let device = Device::new(region)?;
    let mut call = DEBUGFS.call().map_err(DiskError::tool(region))?;
    call = call
        .args(options.iter().copied())
        .args(["-f", "-"])
        .arg(&device.argument);
    if let Some(epoch) = epoch {
        call = call.fake_time(epoch);
    }
    let output = call
        .stdin(
            script
                .iter()
                .flat_map(|line| [line, "\n"])
                .collect::<String>(),
        )
        .run_merged()
        .and_then(crate::tool::Output::into_ok)
        .map_err(DiskError::tool(region))?;
    split(region, script, &output.stdout_text())
}

/// Cuts the output at the repeated lines.
fn split<'s>(
    region: &Region,
    script: &'s [String],
    output: &str,
) -> Result<Vec<Reply<'s>>, DiskError> {
    let mut replies: Vec<Reply<'s>> = Vec::with_capacity(script.len());
    let mut preamble = Vec::new();
    for line in output.lines() {
        let next = script.get(replies.len());
        if let (Some(said), Some(next)) = (line.strip_prefix("debugfs: "), next)
            && said == next
        {
            replies.push(Reply {
                command: next,
                said: Vec::new(),
            });
        } else if !line.trim().is_empty() {
            let said = replies
                .last_mut()
                .map_or(&mut preamble, |reply| &mut reply.said);
            said.push(line.to_owned());
        }
    }
    if let Some(complaint) = preamble.iter().find(|line| !is_preamble(line)) {
        return Err(DiskError::filesystem(
            region,
            format!("debugfs: {complaint}"),
        ));
    }
    if replies.len() < script.len() {
        let reason = format!(
            "debugfs stopped after {} of {} lines",
            replies.len(),
            script.len()
        );
        return Err(DiskError::filesystem(region, reason));
    }
    Ok(replies)
}

/// A region as e2fsprogs wants it named.
#[derive(Debug)]
pub(super) struct Device {
    /// `FILE?offset=BYTES`.
    pub(super) argument: String,
    _link: Option<Handover>,
}

impl Device {
    /// e2fsprogs takes what follows the first `?` in a name for options, so a
    /// file with one in its own name is reached by a link.
    pub(super) fn new(region: &Region) -> Result<Self, DiskError> {
        let mut path = region.file.clone();
        let mut link = None;
        if path.as_str().contains('?') {
            let fail = |e| DiskError::io("linking to", &region.file, e);
            let dir = Handover::new().map_err(fail)?;
            path = dir.path().join("image");
            if path.as_str().contains('?') {
                let reason = "neither it nor TMPDIR may have a '?' in its path";
                return Err(DiskError::filesystem(region, reason));
            }
            let target = region.file.canonicalize().map_err(fail)?;
            unix::symlink(target, &path).map_err(fail)?;
            link = Some(dir);
        }
        if path.as_str().starts_with('-') {
            // Or it would be taken for options.
            path = Utf8Path::new(".").join(path);
        }
        let argument = match region.start {
            0 => path.into_string(),
            start => format!("{path}?offset={start}"),
        };
        Ok(Self {
            argument,
            _link: link,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region() -> Region {
        Region {
            file: "a.img".into(),
            start: 0,
            len: 0,
            partition: Some(2),
        }
    }

    fn script(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_complaint_belongs_to_the_line_before_it() {
        let script = script(&["mkdir /a", "rm /b"]);
        let output = "debugfs 1.47.0 (5-Feb-2023)\ndebugfs: mkdir /a\ndebugfs: rm /b\n\
                      rm: File not found by ext2_lookup while trying to resolve filename\n";
        let replies = split(&region(), &script, output).unwrap();
        assert!(replies[0].said.is_empty());
        assert_eq!(replies[1].command, "rm /b");
        assert!(!is_chatter(replies[1].command, &replies[1].said[0]));
    }

    #[test]
    fn a_filesystem_that_does_not_open_is_an_error() {
        let script = script(&["mkdir /a"]);
        let output = "debugfs 1.47.0 (5-Feb-2023)\n\
                      debugfs: No such file or directory while trying to open a.img\n\
                      debugfs: mkdir /a\nmkdir: Filesystem not open\n";
        let error = split(&region(), &script, output).unwrap_err().to_string();
        assert!(error.contains("while trying to open"), "{error}");
    }

    #[test]
    fn a_run_that_ends_early_is_an_error() {
        let script = script(&["mkdir /a", "mkdir /b"]);
        let output = "debugfs 1.47.0 (5-Feb-2023)\ndebugfs: mkdir /a\n";
        let error = split(&region(), &script, output).unwrap_err().to_string();
        assert!(error.contains("after 1 of 2 lines"), "{error}");
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quote("/a b"), "\"/a b\"");
        assert_eq!(quote("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
