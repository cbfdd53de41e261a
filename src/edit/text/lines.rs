//! A text as lines that keep their own ends, and edits by whole lines.

use std::borrow::Cow;
use std::fmt;

/// A text split into lines. Lines that no edit touches keep every byte, their
/// ends included; new lines take the end the text already uses.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    lines: Vec<Line<'a>>,
    end: &'static str,
}

#[derive(Debug)]
struct Line<'a> {
    body: Cow<'a, str>,
    end: &'a str,
}

impl<'a> Lines<'a> {
    /// Splits `text` at each line feed; a carriage return before it belongs to
    /// the end, as files edited on Windows have it.
    pub(super) fn new(text: &'a str) -> Self {
        let lines: Vec<Line<'a>> = text
            .split_inclusive('\n')
            .map(|whole| {
                let body = whole
                    .strip_suffix("\r\n")
                    .or_else(|| whole.strip_suffix('\n'))
                    .unwrap_or(whole);
                Line {
                    body: body.into(),
                    end: &whole[body.len()..],
                }
            })
            .collect();
        let end = if lines.first().is_some_and(|line| line.end == "\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        Self { lines, end }
    }

    /// The lines without their ends.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.body.as_ref())
    }

    /// Appends `body` as a line of its own.
    pub(super) fn push(&mut self, body: &'a str) {
        if let Some(last) = self.lines.last_mut()
            && last.end.is_empty()
        {
            last.end = self.end;
        }
        self.lines.push(Line {
            body: body.into(),
            end: self.end,
        });
    }

    /// Replaces the line numbered `index` from 0.
    pub(super) fn replace(&mut self, index: usize, body: String) {
        if let Some(line) = self.lines.get_mut(index) {
            line.body = body.into();
        }
    }

    /// Keeps the lines for which `keep` of their number and text holds.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(usize, &str) -> bool) {
        let mut index = 0;
        self.lines.retain(|line| {
            index += 1;
            keep(index - 1, &line.body)
        });
    }
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { body, end } in &self.lines {
            write!(f, "{body}{end}")?;
        }
        Ok(())
    }
}

/// Refuses text that cannot be (part of) one line. `what` names it; the text
/// itself, which may be secret, stays out of the message.
pub(super) fn one_line(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("{what} is empty"));
    }
    if text.contains(['\n', '\r', '\0']) {
        return Err(format!("{what} is more than one line"));
    }
    Ok(())
}

/// Appends `line` unless it stands in `text` already.
pub(super) fn ensure(text: &str, line: &str) -> Result<String, String> {
    one_line("the line to add", line)?;
    let mut lines = Lines::new(text);
    if !lines.iter().any(|body| body == line) {
        lines.push(line);
    }
    Ok(lines.to_string())
}

/// Drops the lines that begin, once trimmed, with one of `prefixes`.
pub(super) fn remove(text: &str, prefixes: &[String]) -> Result<String, String> {
    for prefix in prefixes {
        one_line("a beginning of lines to drop", prefix)?;
        if prefix.starts_with(char::is_whitespace) {
            return Err(format!(
                "no trimmed line begins with the blank of {prefix:?}"
            ));
        }
    }
    let mut lines = Lines::new(text);
    lines.retain(|_, body| {
        // A prefix may end in a blank ("127.0.1.1 "), so the end is kept.
        let body = body.trim_start();
        !prefixes
            .iter()
            .any(|prefix| body.starts_with(prefix.as_str()))
    });
    Ok(lines.to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", "#")]
    #[case("a\nb", "a\nb\n#")]
    #[case("a\r\nb\r\n", "a\r\nb\r\n#")]
    #[case("a\n\nb\r\n", "a\n\nb\r\n#")]
    fn splitting_loses_nothing(#[case] text: &str, #[case] pushed: &str) {
        let mut lines = Lines::new(text);
        assert_eq!(lines.to_string(), text);
        lines.push("#");
        assert_eq!(lines.to_string().trim_end(), pushed);
    }

    #[rstest]
    #[case::empty("", "x\n")]
    #[case::appended("a\n", "a\nx\n")]
    #[case::no_final_newline("a", "a\nx\n")]
    #[case::crlf("a\r\n", "a\r\nx\r\n")]
    #[case::there_already("x\na", "x\na")]
    #[case::part_of_a_line_does_not_count("# x\n", "# x\nx\n")]
    fn ensures(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(ensure(text, "x").unwrap(), expected);
    }

    // The last line of /etc/hosts as pi-gen writes it
    // (stage1/02-net-tweaks/00-run.sh).
    const HOSTS: &str = "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n\
                         ff02::1\t\tip6-allnodes\n\n  127.0.1.1\t\traspberrypi";

    #[rstest]
    #[case(&["127.0.1.1"], "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n\
                            ff02::1\t\tip6-allnodes\n\n")]
    #[case(&["ff02::1\t", "::1"], "127.0.0.1\tlocalhost\n\n  127.0.1.1\t\traspberrypi")]
    #[case(&[], HOSTS)]
    #[case(&["10."], HOSTS)]
    fn drops_by_beginning(#[case] prefixes: &[&str], #[case] expected: &str) {
        let prefixes: Vec<String> = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
        assert_eq!(remove(HOSTS, &prefixes).unwrap(), expected);
    }

    #[test]
    fn refuses_what_is_not_one_line() {
        for bad in ["", "a\nb", "a\r", "a\0"] {
            assert!(ensure("", bad).is_err(), "{bad:?}");
            assert!(remove("", &[bad.to_owned()]).is_err(), "{bad:?}");
        }
        assert!(remove("", &[" x".to_owned()]).is_err());
    }
}
