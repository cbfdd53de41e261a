//! The kernel command line in `cmdline.txt`.
//!
//! The firmware hands the first line of the file to the kernel and nothing
//! else, so the result is always one line with one line feed. Tokens are cut
//! the way the kernel cuts them (linux `lib/cmdline.c`): at blanks outside
//! double quotes. What stands behind a lone `--` goes to init, not to the
//! kernel, and is left alone.

use super::CmdlineEdit;

/// Applies `edit` to the one line of `text`.
pub(super) fn apply(text: &str, edit: &CmdlineEdit) -> Result<String, String> {
    let mut tokens = tokens_of_file(text)?;
    let split = tokens
        .iter()
        .position(|&token| token == "--")
        .unwrap_or(tokens.len());
    let for_init = tokens.split_off(split);

    let set;
    match edit {
        CmdlineEdit::Ensure(token) => {
            check_token(token)?;
            if !tokens.contains(&token.as_str()) {
                tokens.push(token);
            }
        }
        CmdlineEdit::Set { key, value } => {
            if key.is_empty() || key.contains(['=', '"']) {
                return Err(format!("{key:?} is not the name of a kernel parameter"));
            }
            set = format!("{key}={value}");
            check_token(&set)?;
            let first = tokens.iter().position(|token| has_key(token, key));
            tokens.retain(|token| !has_key(token, key));
            // Tokens ahead of the first have other keys, so it keeps its place.
            tokens.insert(first.unwrap_or(tokens.len()), &set);
        }
        CmdlineEdit::Remove(pattern) => {
            check_token(pattern)?;
            match pattern.strip_suffix('*') {
                Some("") => return Err("\"*\" would remove the whole command line".to_owned()),
                Some(start) => tokens.retain(|token| !token.starts_with(start)),
                None => tokens.retain(|token| token != pattern),
            }
        }
    }
    tokens.extend(for_init);
    Ok(tokens.join(" ") + "\n")
}

/// The tokens of a `cmdline.txt`.
///
/// # Errors
/// When it has a second line that is not blank: the firmware would never read
/// it, though somebody wrote it.
fn tokens_of_file(text: &str) -> Result<Vec<&str>, String> {
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    if lines.any(|further| !further.trim().is_empty()) {
        return Err(
            "it has more than one line, and the firmware reads only the first; \
                    join the lines or delete the others"
                .to_owned(),
        );
    }
    tokens(line).ok_or_else(|| "a double quote is never closed".to_owned())
}

/// Cuts `line` at blanks outside double quotes; `None` if a quote stays open.
fn tokens(line: &str) -> Option<Vec<&str>> {
    let mut quoted = false;
    let tokens = line
        .split(|c: char| {
            quoted ^= c == '"';
            c.is_ascii_whitespace() && !quoted
        })
        .filter(|token| !token.is_empty())
        .collect();
    (!quoted).then_some(tokens)
}

/// Whether `token` assigns to `key`; the kernel allows the quote of a value
/// with blanks to stand ahead of the key.
fn has_key(token: &str, key: &str) -> bool {
    let token = token.strip_prefix('"').unwrap_or(token);
    token
        .strip_prefix(key)
        .is_some_and(|rest| rest.starts_with('='))
}

fn check_token(token: &str) -> Result<(), String> {
    let one = tokens(token).is_some_and(|tokens| tokens == [token]);
    if !one || token == "--" || token.chars().any(char::is_control) {
        return Err(format!(
            "{token:?} is not one word of a kernel command line"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // As released (pi-gen stage2/01-sys-tweaks/00-patches/07-resize-init.diff).
    const BOOKWORM: &str = "console=serial0,115200 console=tty1 root=PARTUUID=8a438930-02 \
                            rootfstype=ext4 fsck.repair=yes rootwait quiet \
                            init=/usr/lib/raspberrypi-sys-mods/firstboot\n";
    // As released (pi-gen stage1/00-boot-files/files/cmdline.txt).
    const TRIXIE: &str = "console=serial0,115200 console=tty1 root=PARTUUID=8a438930-02 \
                          rootfstype=ext4 fsck.repair=yes rootwait resize";

    fn ensure(token: &str) -> CmdlineEdit {
        CmdlineEdit::Ensure(token.to_owned())
    }

    fn set(key: &str, value: &str) -> CmdlineEdit {
        CmdlineEdit::Set {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    fn remove(token: &str) -> CmdlineEdit {
        CmdlineEdit::Remove(token.to_owned())
    }

    #[rstest]
    #[case::bookworm_trigger(
        BOOKWORM,
        remove("init=*"),
        "console=serial0,115200 console=tty1 root=PARTUUID=8a438930-02 rootfstype=ext4 \
         fsck.repair=yes rootwait quiet\n"
    )]
    #[case::trixie_trigger(
        TRIXIE,
        remove("resize"),
        "console=serial0,115200 console=tty1 root=PARTUUID=8a438930-02 rootfstype=ext4 \
         fsck.repair=yes rootwait\n"
    )]
    #[case::whole_tokens_only(
        "a resize_x xresize resize=1",
        remove("resize"),
        "a resize_x xresize resize=1\n"
    )]
    #[case::disk_id(
        "root=PARTUUID=8a438930-02 x\n",
        set("root", "PARTUUID=1b2c3d4e-02"),
        "root=PARTUUID=1b2c3d4e-02 x\n"
    )]
    #[case::rootfstype_is_not_root(
        "rootfstype=ext4 rootwait",
        set("root", "/dev/sda2"),
        "rootfstype=ext4 rootwait root=/dev/sda2\n"
    )]
    #[case::several_become_one("a=1 b a=2 a", set("a", "3"), "a=3 b a\n")]
    #[case::value_with_equals("x", set("a", "b=c"), "x a=b=c\n")]
    #[case::empty_value("a=1", set("a", ""), "a=\n")]
    #[case::appended("a b\n", ensure("cgroup_enable=memory"), "a b cgroup_enable=memory\n")]
    #[case::there("a b\n", ensure("b"), "a b\n")]
    #[case::crlf("a b\r\n", ensure("c"), "a b c\n")]
    #[case::blanks("  a\t b   \n\n \r\n", ensure("c"), "a b c\n")]
    #[case::empty("", ensure("c"), "c\n")]
    #[case::all_gone("c", remove("c"), "\n")]
    #[case::quoted(
        "dyndbg=\"file a.c +p\" b",
        ensure("a.c"),
        "dyndbg=\"file a.c +p\" b a.c\n"
    )]
    #[case::quoted_blanks_stay("x=\"a  b\"  y", remove("y"), "x=\"a  b\"\n")]
    #[case::quote_ahead_of_key(
        "\"init=/my init\" y",
        set("init", "/sbin/init"),
        "init=/sbin/init y\n"
    )]
    #[case::set_quoted("x", set("x", "\"a b\""), "x x=\"a b\"\n")]
    #[case::arguments_of_init("a -- resize a", remove("resize"), "a -- resize a\n")]
    #[case::ahead_of_init("a -- b", ensure("b"), "a b -- b\n")]
    fn edits(#[case] text: &str, #[case] edit: CmdlineEdit, #[case] expected: &str) {
        assert_eq!(apply(text, &edit).unwrap(), expected);
    }

    #[rstest]
    #[case::second_line("a\nb\n", ensure("c"))]
    #[case::open_quote("a=\"b c", ensure("c"))]
    #[case::two_words("a", ensure("b c"))]
    #[case::no_word("a", ensure(""))]
    #[case::newline("a", ensure("b\n"))]
    #[case::open_quote_in_token("a", ensure("b=\"c"))]
    #[case::blank_in_value("a", set("b", "c d"))]
    #[case::key_with_equals("a", set("b=c", "d"))]
    #[case::no_key("a", set("", "d"))]
    #[case::everything("a", remove("*"))]
    #[case::separator("a", ensure("--"))]
    fn refuses(#[case] text: &str, #[case] edit: CmdlineEdit) {
        assert!(apply(text, &edit).is_err());
    }
}
