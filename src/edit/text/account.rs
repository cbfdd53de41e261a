//! Account files: `passwd`, `shadow`, `group`, `gshadow`, `subuid`, `subgid`.
//!
//! Their lines may hold password hashes, so no message quotes a line.

use super::lines::{Lines, one_line};

/// Fields of a line of `group` and `gshadow` (group(5), gshadow(5)); the last
/// one is the member list.
const GROUP_FIELDS: usize = 4;

/// The line of `key` becomes `line`; a second line with that key goes, because
/// lookups stop at the first and the other would only wait to surprise.
pub(super) fn set_entry(text: &str, key: &str, line: &str) -> Result<String, String> {
    check_name("entry", key)?;
    one_line(&format!("the new line for {key}"), line)?;
    if first_field(line) != key {
        return Err(format!("the new line for {key} begins with another name"));
    }
    let mut lines = Lines::new(text);
    let first = lines.iter().position(|body| first_field(body) == key);
    match first {
        Some(first) => {
            lines.replace(first, line.to_owned());
            lines.retain(|index, body| index == first || first_field(body) != key);
        }
        None => lines.push(line),
    }
    Ok(lines.to_string())
}

/// No line of `key` remains.
pub(super) fn remove_entry(text: &str, key: &str) -> Result<String, String> {
    check_name("entry", key)?;
    let mut lines = Lines::new(text);
    lines.retain(|_, body| first_field(body) != key);
    Ok(lines.to_string())
}

/// The member list of `group` has `user`, at its end if newly.
pub(super) fn add_member(text: &str, group: &str, user: &str) -> Result<String, String> {
    check_name("group", group)?;
    check_name("user", user)?;
    let mut lines = Lines::new(text);
    let Some(index) = lines.iter().position(|body| first_field(body) == group) else {
        return Ok(text.to_owned());
    };
    let body = lines.iter().nth(index).unwrap_or_default();
    let Some((head, members)) = split_members(body) else {
        let fields = body.split(':').count();
        return Err(format!(
            "line {} ({group}) has {fields} fields where a group has {GROUP_FIELDS}",
            index + 1
        ));
    };
    if !members.split(',').any(|member| member == user) {
        let comma = if members.is_empty() { "" } else { "," };
        let changed = format!("{head}:{members}{comma}{user}");
        lines.replace(index, changed);
    }
    Ok(lines.to_string())
}

/// No member list has `user`. Administrators of a group (third field of
/// `gshadow`) are not members.
pub(super) fn remove_member(text: &str, user: &str) -> Result<String, String> {
    check_name("user", user)?;
    let mut lines = Lines::new(text);
    let changed: Vec<(usize, String)> = lines
        .iter()
        .enumerate()
        .filter_map(|(index, body)| {
            let (head, members) = split_members(body)?;
            let kept: Vec<&str> = members
                .split(',')
                .filter(|&member| member != user)
                .collect();
            Some((index, format!("{head}:{}", kept.join(","))))
        })
        .collect();
    for (index, body) in changed {
        lines.replace(index, body);
    }
    Ok(lines.to_string())
}

fn first_field(body: &str) -> &str {
    body.split(':').next().unwrap_or(body)
}

/// A line of `group` or `gshadow` as everything ahead of the last colon, and
/// the member list; `None` if it has another number of fields, as comments
/// and NIS lines have.
fn split_members(body: &str) -> Option<(&str, &str)> {
    if body.starts_with('#') || body.split(':').count() != GROUP_FIELDS {
        return None;
    }
    body.rsplit_once(':')
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    one_line(&format!("the {what} name"), name)?;
    if name.contains([':', ',']) {
        return Err(format!("the {what} name {name:?} has a colon or a comma"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SHADOW: &str = "root:*:20200:0:99999:7:::\nsshd:!:20200::::::\n\
                          pi:!:20200:0:99999:7:::\n";
    const GROUP: &str = "root:x:0:\nadm:x:4:pi\nsudo:x:27:pi,anna\ngpio:x:986:pi\npi:x:1000:\n\
                         users:x:100:anna,pi,bob\n";
    const GSHADOW: &str = "root:*::\nsudo:*:pi:pi,anna\npi:!::\n";

    #[rstest]
    #[case::replaced(
        SHADOW,
        "pi",
        "pi:$6$s$h:20200:0:99999:7:::",
        "root:*:20200:0:99999:7:::\nsshd:!:20200::::::\npi:$6$s$h:20200:0:99999:7:::\n"
    )]
    #[case::appended(
        "root:x:0:0::/root:/bin/bash",
        "hadoop",
        "hadoop:x:1001:1001::/h:/bin/bash",
        "root:x:0:0::/root:/bin/bash\nhadoop:x:1001:1001::/h:/bin/bash\n"
    )]
    #[case::not_a_prefix("pip:1:2\n", "pi", "pi:1:2", "pip:1:2\npi:1:2\n")]
    #[case::twice("pi:a\nroot:b\npi:c\n", "pi", "pi:d", "pi:d\nroot:b\n")]
    #[case::comment_kept("# pi:x\npi:100000:65536", "pi", "pi:1:2", "# pi:x\npi:1:2")]
    fn sets(#[case] text: &str, #[case] key: &str, #[case] line: &str, #[case] expected: &str) {
        assert_eq!(set_entry(text, key, line).unwrap(), expected);
    }

    #[rstest]
    #[case::other_key("pi", "pip:x")]
    #[case::no_key("", ":x")]
    #[case::newline("pi", "pi:x\nroot::0")]
    #[case::carriage_return("pi", "pi:x\r")]
    #[case::key_with_colon("pi:x", "pi:x:y")]
    fn refuses_a_line_that_is_not_the_entry(#[case] key: &str, #[case] line: &str) {
        let error = set_entry(SHADOW, key, line).unwrap_err();
        assert!(!error.contains("root"), "the line is quoted: {error}");
    }

    #[test]
    fn removes_entries_by_whole_name() {
        assert_eq!(
            remove_entry(SHADOW, "sshd").unwrap(),
            "root:*:20200:0:99999:7:::\npi:!:20200:0:99999:7:::\n"
        );
        assert_eq!(remove_entry("pip:1\n\n", "pi").unwrap(), "pip:1\n\n");
        assert!(remove_entry("\n\n", "").is_err());
    }

    #[rstest]
    #[case::first_member("pi", "hadoop", "pi:x:1000:\n", "pi:x:1000:hadoop\n")]
    #[case::further("sudo", "hadoop", "sudo:x:27:pi,anna\n", "sudo:x:27:pi,anna,hadoop\n")]
    #[case::there("adm", "pi", "adm:x:4:pi\n", "adm:x:4:pi\n")]
    #[case::missing_group("spi", "hadoop", "root:x:0:\n", "root:x:0:\n")]
    fn adds_members(
        #[case] group: &str,
        #[case] user: &str,
        #[case] before: &str,
        #[case] after: &str,
    ) {
        let expected = GROUP.replace(before, after);
        assert_eq!(add_member(GROUP, group, user).unwrap(), expected);
    }

    #[test]
    fn members_of_gshadow_are_not_its_administrators() {
        assert_eq!(
            add_member(GSHADOW, "pi", "anna").unwrap(),
            "root:*::\nsudo:*:pi:pi,anna\npi:!::anna\n"
        );
        assert_eq!(
            remove_member(GSHADOW, "pi").unwrap(),
            "root:*::\nsudo:*:pi:anna\npi:!::\n"
        );
    }

    #[test]
    fn removes_a_member_everywhere_and_nothing_else() {
        assert_eq!(
            remove_member(GROUP, "pi").unwrap(),
            "root:x:0:\nadm:x:4:\nsudo:x:27:anna\ngpio:x:986:\npi:x:1000:\nusers:x:100:anna,bob\n"
        );
        assert_eq!(remove_member(GROUP, "ann").unwrap(), GROUP);
        assert_eq!(
            remove_member("+:::\n# a:b:c:pi\n", "pi").unwrap(),
            "+:::\n# a:b:c:pi\n"
        );
    }

    #[test]
    fn a_group_line_of_another_shape_is_an_error_that_names_it() {
        let error = add_member("root:x:0:\npi:x\n", "pi", "anna").unwrap_err();
        assert_eq!(error, "line 2 (pi) has 2 fields where a group has 4");
        assert!(add_member(GROUP, "pi", "a,b").is_err());
        assert!(add_member(GROUP, "pi", "a:b").is_err());
    }
}
