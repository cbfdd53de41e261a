//! sshd's configuration, as far as it decides who gets in (sshd_config(5)).

use globset::GlobBuilder;

use crate::edit::EditError;
use crate::node::reader::Reader;

/// Files included by files, before it is taken for a loop (OpenSSH's
/// `SERVCONF_MAX_DEPTH`).
const MOST_DEEP: usize = 16;

/// Whether lines apply to the user who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum When {
    /// A condition that the user does not meet.
    Never,
    /// A condition about something else than the user: an address, a port.
    Perhaps,
    /// A condition that the user meets.
    Matched,
    /// Outside every `Match` block.
    Always,
}

/// One keyword with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    keyword: String,
    arguments: Vec<String>,
    when: When,
}

/// Settings in the order sshd reads them.
#[derive(Clone, Debug, Default)]
pub(super) struct SshdConfig {
    settings: Vec<Setting>,
}

/// For whom the configuration is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) groups: &'a [&'a str],
}

impl SshdConfig {
    /// Reads `/etc/ssh/sshd_config` with everything it includes.
    pub(super) fn read(root: Reader<'_>, login: Login<'_>) -> Result<Self, EditError> {
        let mut config = Self::default();
        config.file(root, "/etc/ssh/sshd_config", When::Always, login, 0)?;
        config
            .settings
            .retain(|setting| setting.when != When::Never);
        Ok(config)
    }

    fn file(
        &mut self,
        root: Reader<'_>,
        path: &str,
        outer: When,
        login: Login<'_>,
        depth: usize,
    ) -> Result<(), EditError> {
        let Some(text) = root.text(path)?.filter(|_| depth < MOST_DEEP) else {
            return Ok(());
        };
        // A Match in an included file ends with that file.
        let mut when = outer;
        for line in text.lines() {
            let Some((keyword, arguments)) = split_line(line) else {
                continue;
            };
            match keyword.as_str() {
                "match" => when = outer.min(condition(&arguments, login)),
                "include" => {
                    for pattern in &arguments {
                        for file in matching_files(root, pattern)? {
                            self.file(root, &file, when, login, depth + 1)?;
                        }
                    }
                }
                _ => self.settings.push(Setting {
                    keyword,
                    arguments,
                    when,
                }),
            }
        }
        Ok(())
    }

    /// The arguments in effect for `keyword`. The first value outside `Match`
    /// blocks counts, unless a block that applies has one: then its first.
    fn definite(&self, keyword: &str) -> Option<&[String]> {
        let first = |when| {
            let mut settings = self.settings.iter();
            settings.find(|setting| setting.keyword == keyword && setting.when == when)
        };
        let setting = first(When::Matched).or_else(|| first(When::Always))?;
        Some(&setting.arguments)
    }

    /// Whether `holds` is true of the first argument of `keyword`, or of
    /// `default` if it is not set, whichever conditions about addresses apply.
    pub(super) fn always(
        &self,
        keyword: &str,
        default: &str,
        holds: impl Fn(&str) -> bool,
    ) -> bool {
        let definite = self
            .definite(keyword)
            .and_then(|arguments| arguments.first());
        holds(definite.map_or(default, String::as_str))
            && self
                .settings
                .iter()
                .filter(|setting| setting.keyword == keyword && setting.when == When::Perhaps)
                .all(|setting| {
                    setting
                        .arguments
                        .first()
                        .is_none_or(|argument| holds(argument))
                })
    }

    /// Whether a yes-or-no keyword is `yes`.
    pub(super) fn is_on(&self, keyword: &str, default: &str) -> bool {
        self.always(keyword, default, |value| value.eq_ignore_ascii_case("yes"))
    }

    /// All arguments of the line of `keyword` that counts.
    pub(super) fn line<'a>(&'a self, keyword: &str, default: &[&'a str]) -> Vec<&'a str> {
        match self.definite(keyword) {
            Some(arguments) => arguments.iter().map(String::as_str).collect(),
            None => default.to_vec(),
        }
    }

    /// Arguments of all lines of a keyword that collects, such as `HostKey`
    /// and `AllowUsers`.
    pub(super) fn all(&self, keyword: &str) -> Vec<&str> {
        self.settings
            .iter()
            .filter(|setting| setting.keyword == keyword)
            .flat_map(|setting| setting.arguments.iter().map(String::as_str))
            .collect()
    }

    /// Why the user is kept out by name; none if he is not.
    pub(super) fn shuts_out(&self, login: Login<'_>) -> Option<&'static str> {
        let names = |keyword: &str, names: &[&str]| {
            let patterns = self.all(keyword);
            let matched = |name: &&str| patterns.iter().any(|pattern| fits(pattern, name));
            (patterns.is_empty(), names.iter().any(matched))
        };
        let user = [login.user];
        match () {
            () if names("denyusers", &user).1 => Some("DenyUsers"),
            () if names("allowusers", &user) == (false, false) => Some("AllowUsers"),
            () if names("denygroups", login.groups).1 => Some("DenyGroups"),
            () if names("allowgroups", login.groups) == (false, false) => Some("AllowGroups"),
            () => None,
        }
    }
}

/// Keyword in lower case and arguments; none for a blank or comment.
fn split_line(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((keyword.to_ascii_lowercase(), words(rest)))
}

/// Words at blanks, quoted ones with blanks in them, up to a comment.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// Files a pattern names, in the order of their names, as glob(3) gives them.
/// The directory is literal in every configuration met.
fn matching_files(root: Reader<'_>, pattern: &str) -> Result<Vec<String>, EditError> {
    let pattern = match pattern.starts_with('/') {
        true => pattern.to_owned(),
        false => format!("/etc/ssh/{pattern}"),
    };
    let Some((dir, name)) = pattern.rsplit_once('/') else {
        return Ok(Vec::new());
    };
    let names = root.names(dir)?;
    // A star does not match the dot of a hidden file.
    let visible = names
        .iter()
        .filter(|file| !file.starts_with('.') || name.starts_with('.'));
    Ok(visible
        .filter(|file| fits(name, file))
        .map(|file| format!("{dir}/{file}"))
        .collect())
}

/// Whether a pattern of `*` and `?` fits a name (ssh_config(5), PATTERNS).
/// `user@host` patterns fit by their user.
fn fits(pattern: &str, name: &str) -> bool {
    let pattern = pattern.split('@').next().unwrap_or_default();
    GlobBuilder::new(pattern)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

/// Whether a `Match` line's criteria are met.
fn condition(arguments: &[String], login: Login<'_>) -> When {
    let mut met = When::Matched;
    let mut words = arguments.iter();
    while let Some(criterion) = words.next() {
        let criterion = criterion.to_ascii_lowercase();
        if criterion == "all" {
            continue;
        }
        let list = words.next().map_or("", String::as_str);
        let named = |names: &[&str]| match in_list(list, names) {
            true => When::Matched,
            false => When::Never,
        };
        met = met.min(match criterion.as_str() {
            "user" => named(&[login.user]),
            "group" => named(login.groups),
            _ => When::Perhaps,
        });
    }
    met
}

/// Whether a comma-separated pattern list fits one of `names`; a `!` in front
/// excludes.
fn in_list(list: &str, names: &[&str]) -> bool {
    let fit = |pattern: &str| names.iter().any(|name| fits(pattern, name));
    let excluded = list
        .split(',')
        .filter_map(|pattern| pattern.strip_prefix('!'))
        .any(fit);
    !excluded
        && list
            .split(',')
            .filter(|pattern| !pattern.starts_with('!'))
            .any(fit)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::node::fake_tree::FakeTree;

    const LOGIN: Login<'static> = Login {
        user: "pi",
        groups: &["pi", "sudo"],
    };

    fn config(main: &str, drop_ins: &[(&str, &str)]) -> SshdConfig {
        let mut tree = FakeTree::new().file("/etc/ssh/sshd_config", main);
        for (name, text) in drop_ins {
            tree = tree.file(&format!("/etc/ssh/sshd_config.d/{name}"), text);
        }
        SshdConfig::read(Reader(&tree), LOGIN).unwrap()
    }

    const INCLUDE: &str = "Include /etc/ssh/sshd_config.d/*.conf\n";

    #[rstest]
    #[case("PasswordAuthentication no\nPasswordAuthentication yes\n", false)]
    #[case("passwordauthentication=no # really\n", false)]
    #[case("PasswordAuthentication \"yes\"\n", true)]
    #[case("# PasswordAuthentication no\n", true)]
    #[case("Match all\nPasswordAuthentication no\n", false)]
    #[case("Match User p*\nPasswordAuthentication no\n", false)]
    #[case("Match User other\nPasswordAuthentication no\n", true)]
    #[case("Match User *,!pi\nPasswordAuthentication no\n", true)]
    #[case("Match Group sudo\nPasswordAuthentication no\n", false)]
    #[case("Match Group wheel User pi\nPasswordAuthentication no\n", true)]
    // Whether this applies depends on where one comes from.
    #[case("Match Address 10.0.0.0/8\nPasswordAuthentication no\n", false)]
    #[case(
        "PasswordAuthentication yes\nMatch Group sudo\nPasswordAuthentication no\n",
        false
    )]
    fn the_value_in_effect(#[case] text: &str, #[case] expected: bool) {
        let config = config(text, &[]);
        assert_eq!(config.is_on("passwordauthentication", "yes"), expected);
    }

    #[test]
    fn drop_ins_are_read_in_order_where_they_are_included() {
        let drop_ins = [
            ("50-cloud.conf", "PasswordAuthentication yes\n"),
            (
                "10-ours.conf",
                "PasswordAuthentication no\nMatch User nobody\nX11Forwarding no\n",
            ),
            ("99-off.conf.bak", "PubkeyAuthentication no\n"),
        ];
        let text = format!("{INCLUDE}PubkeyAuthentication yes\nUsePAM yes\n");
        let first = config(&text, &drop_ins);
        assert!(!first.is_on("passwordauthentication", "yes"));
        // The Match ended with its file, and the backup is not included.
        assert!(first.is_on("pubkeyauthentication", "no") && first.is_on("usepam", "no"));
        let late = config(&format!("PasswordAuthentication yes\n{INCLUDE}"), &drop_ins);
        assert!(late.is_on("passwordauthentication", "no"));
    }

    #[rstest]
    #[case("", None)]
    #[case("AllowUsers pi other\n", None)]
    #[case("AllowUsers other\nAllowUsers p?\n", None)]
    #[case("AllowUsers other\n", Some("AllowUsers"))]
    #[case("DenyUsers pi\n", Some("DenyUsers"))]
    #[case("AllowGroups wheel\n", Some("AllowGroups"))]
    #[case("DenyGroups sudo\n", Some("DenyGroups"))]
    #[case("AllowUsers pi@10.0.0.*\n", None)]
    fn names_are_kept_out(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(config(text, &[]).shuts_out(LOGIN), expected);
    }

    #[test]
    fn a_file_that_includes_itself_ends() {
        let config = config("Include sshd_config\nUsePAM yes\n", &[]);
        assert!(config.is_on("usepam", "no"));
    }
}
