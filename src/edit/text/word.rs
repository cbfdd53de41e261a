//! Replacing whole words.

/// Turns every whole word `from` of `text` into `to`.
///
/// A place where `to` already stands is left alone, so that a host may be
/// renamed from `raspberrypi` to `raspberrypi-2` twice with one result.
///
/// # Errors
/// When the two words are such that the result would change again when the
/// edit is repeated.
pub(super) fn replace(text: &str, from: &str, to: &str) -> Result<String, String> {
    super::lines::one_line("the word to replace", from)?;
    if to.contains(['\n', '\r', '\0']) {
        return Err("the new word is more than one line".to_owned());
    }
    let once = replace_once(text, from, to);
    if replace_once(&once, from, to) == once {
        Ok(once)
    } else {
        Err(format!(
            "replacing {from:?} by {to:?} makes new places to replace"
        ))
    }
}

fn replace_once(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let before = out_of_word(text, rest);
        if before && !to.is_empty() && is_word_at_start(rest, to) {
            out.push_str(to);
            rest = &rest[to.len()..];
        } else if before && is_word_at_start(rest, from) {
            out.push_str(to);
            rest = &rest[from.len()..];
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    out
}

/// Whether the character in `text` ahead of its tail `rest` belongs to no word.
fn out_of_word(text: &str, rest: &str) -> bool {
    !text[..text.len() - rest.len()]
        .chars()
        .next_back()
        .is_some_and(is_word_char)
}

fn is_word_at_start(rest: &str, word: &str) -> bool {
    rest.strip_prefix(word)
        .is_some_and(|tail| !tail.chars().next().is_some_and(is_word_char))
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::fstab(
        "PARTUUID=8a438930-01  /boot  vfat\nPARTUUID=8a438930-02  /  ext4\n",
        "8a438930",
        "1b2c3d4e",
        "PARTUUID=1b2c3d4e-01  /boot  vfat\nPARTUUID=1b2c3d4e-02  /  ext4\n"
    )]
    #[case::sudoers(
        "pi ALL=(ALL) NOPASSWD: ALL\n",
        "pi",
        "hadoop",
        "hadoop ALL=(ALL) NOPASSWD: ALL\n"
    )]
    #[case::bounded("pip pi_x xpi pi2 épi pi.", "pi", "ab", "pip pi_x xpi pi2 épi ab.")]
    #[case::none("nothing here", "pi", "ab", "nothing here")]
    #[case::longer(
        "raspberrypi raspberrypi-2",
        "raspberrypi",
        "raspberrypi-2",
        "raspberrypi-2 raspberrypi-2"
    )]
    #[case::behind("pi", "pi", "my-pi", "my-pi")]
    #[case::to_nothing("a,b", "b", "", "a,")]
    fn replaces(#[case] text: &str, #[case] from: &str, #[case] to: &str, #[case] expected: &str) {
        assert_eq!(replace(text, from, to).unwrap(), expected);
    }

    #[test]
    fn refuses_a_replacement_that_never_settles() {
        assert!(replace("a-a-b", "a-b", "b").is_err());
        assert!(replace("x", "", "y").is_err());
        assert!(replace("x", "x", "y\n").is_err());
    }
}
