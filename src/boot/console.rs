//! A node's console, for those who wonder why it does not come up.

use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// How many bytes of the end are looked at.
const WINDOW: u64 = 64 << 10;

/// How many lines an error shows.
const SHOWN: usize = 12;

/// Words on a console behind which no node comes up, and what they mean.
const HOPELESS: [(&str, &str); 7] = [
    ("Kernel panic - not syncing", "the kernel gave up"),
    ("You are in emergency mode", "it is in emergency mode"),
    (
        "Give root password for maintenance",
        "it waits for somebody to repair it",
    ),
    (
        "Press Enter for maintenance",
        "it waits for somebody to repair it",
    ),
    (
        "Cannot open access to console, the root account is locked",
        "it is in emergency mode",
    ),
    ("(initramfs)", "the initial file system found no root"),
    ("cannot mount ", "the initial file system found no root"),
];

/// A kernel's last words before it restarts; the second are those of a script that
/// asks it to by sysrq, as the first boot of Raspberry Pi OS does.
const RESTARTS: [&str; 2] = ["reboot: Restarting system", "sysrq: Resetting"];

/// The file that a node's console goes to, one start behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    path: Utf8PathBuf,
    /// Where this start's part begins.
    from: u64,
}

/// The end of a console and where the rest is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// The last lines.
    pub lines: Vec<String>,
    /// The file with all of them.
    pub log: Utf8PathBuf,
}

impl Console {
    pub(super) fn at(path: &Utf8Path) -> Self {
        Self {
            path: path.to_owned(),
            from: 0,
        }
    }

    /// Begins another start's part: what stands there belongs to earlier ones.
    pub(super) fn begin(&mut self) {
        self.from = fs::metadata(&self.path).map_or(0, |meta| meta.len());
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The last lines, for people.
    pub fn trouble(&self) -> Trouble {
        let lines = self.end();
        let from = lines.len().saturating_sub(SHOWN);
        Trouble {
            lines: lines[from..].to_vec(),
            log: self.path.clone(),
        }
    }

    /// Why the node will never come up, if the console's end says so.
    pub fn hopeless(&self) -> Option<&'static str> {
        hopeless(&self.end())
    }

    /// Whether the kernel's last words are that it restarts.
    pub(super) fn says_restart(&self) -> bool {
        self.end()
            .iter()
            .rev()
            .take(5)
            .any(|line| RESTARTS.iter().any(|words| line.contains(words)))
    }

    /// Lines at the end, without what only a terminal understands.
    fn end(&self) -> Vec<String> {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = fs::File::open(&self.path)?;
            let len = file.metadata()?.len();
            let start = len.saturating_sub(WINDOW).max(self.from);
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        plain(&String::from_utf8_lossy(&read().unwrap_or_default()))
    }
}

fn hopeless(lines: &[String]) -> Option<&'static str> {
    HOPELESS.iter().find_map(|(words, meaning)| {
        lines
            .iter()
            .any(|line| line.contains(words))
            .then_some(*meaning)
    })
}

/// The lines of a terminal's text that say something: escape sequences and
/// other control characters left out, as are lines that were overwritten.
fn plain(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = without_escapes(line.trim_end_matches('\r'));
        let line = line.rsplit('\r').next().unwrap_or_default();
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        if !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}

/// The text without control sequences (ECMA-48: ESC, and after `[` everything
/// up to a letter or one of a few signs).
fn without_escapes(line: &str) -> String {
    let mut plain = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
        } else if chars.next() == Some('[') {
            let _ = chars.find(|c| ('@'..='~').contains(c));
        }
    }
    plain
}

/// The lines, indented, behind a line that names the log; nothing if there is
/// no log.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.log.as_str().is_empty() {
            return Ok(());
        }
        if self.lines.is_empty() {
            return write!(f, "\n  its console is empty; see {}", self.log);
        }
        write!(f, "\n  the end of its console, {}:", self.log)?;
        for line in &self.lines {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_words_only() {
        let text = "[\u{1b}[0;32m  OK  \u{1b}[0m] Reached target \u{1b}[0;1;39mswap.target\u{1b}[0m\r\n\
                    \u{1b}[K[ ***  ] (1 of 2) A job\rdone\r\n\n\u{1b}[?7h\u{1b}[6n\u{1b}]104x\n";
        assert_eq!(
            plain(text),
            ["[  OK  ] Reached target swap.target", "done", "104x"]
        );
    }

    #[test]
    fn hopeless_cases_are_told_from_bad_ones() {
        let meaning = |line: &str| hopeless(&plain(line));
        assert_eq!(
            meaning("[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs"),
            Some("the kernel gave up")
        );
        assert!(meaning("\u{1b}[1mYou are in emergency mode. After logging in").is_some());
        assert_eq!(meaning("[FAILED] Failed to start foo.service"), None);
        assert_eq!(meaning(""), None);
    }

    #[test]
    fn an_error_shows_the_end_and_names_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("a.log")).unwrap();
        let mut console = Console::at(&path);
        assert!(console.trouble().to_string().contains("empty"));
        let text: String = (0..40).map(|i| format!("line {i}\r\n")).collect();
        fs::write(&path, text + "reboot: Restarting system\r\n").unwrap();
        let words = console.trouble().to_string();
        assert!(words.contains(path.as_str()), "{words}");
        assert!(words.contains("\n    line 39\n"), "{words}");
        assert!(!words.contains("line 28"), "{words}");
        assert!(console.says_restart());
        fs::write(&path, "[   48.9] sysrq: Resetting\r\n").unwrap();
        assert!(console.says_restart());
        console.begin();
        assert_eq!(console.trouble().lines, [""; 0]);
        assert!(!console.says_restart());
    }
}
