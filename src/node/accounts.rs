//! Users and groups of a base image.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Full name and more; may be empty.
    pub gecos: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// One line of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Group id.
    pub gid: u32,
    /// Names of its members, without those it is the primary group of.
    pub members: Vec<String>,
}

/// All users and groups, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// Lines of `/etc/passwd`.
    pub users: BTreeMap<String, Account>,
    /// Lines of `/etc/group`.
    pub groups: BTreeMap<String, Group>,
    /// Ranges in `/etc/subuid` by name, as written (`START:COUNT`).
    pub subuids: BTreeMap<String, String>,
    /// Ranges in `/etc/subgid`.
    pub subgids: BTreeMap<String, String>,
}

/// First id of a person (Debian Policy 9.2.2).
const FIRST_PERSON: u32 = 1000;
/// Ids from here on belong to nobody in particular (Debian Policy 9.2.2).
const LAST_PERSON: u32 = 59_999;

impl Accounts {
    /// Reads the text of `passwd`, `group`, `subuid` and `subgid`. Lines that
    /// are no entries are passed over, as libc does.
    pub(super) fn parse(passwd: &str, group: &str, subuid: &str, subgid: &str) -> Self {
        let ranges = |text: &str| {
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            lines
                .map(|(name, range)| (name.to_owned(), range.to_owned()))
                .collect()
        };
        Self {
            users: passwd.lines().filter_map(user_line).collect(),
            groups: group.lines().filter_map(group_line).collect(),
            subuids: ranges(subuid),
            subgids: ranges(subgid),
        }
    }

    /// The user with uid 1000: the one people log in as.
    pub fn first_user(&self) -> Option<(&str, &Account)> {
        let mut users = self.users.iter();
        users
            .find(|(_, account)| account.uid == FIRST_PERSON)
            .map(|(name, account)| (name.as_str(), account))
    }

    /// Name of the group with this id.
    pub fn group_name(&self, gid: u32) -> Option<&str> {
        let mut groups = self.groups.iter();
        groups
            .find(|(_, group)| group.gid == gid)
            .map(|(name, _)| name.as_str())
    }

    /// Groups that list `user` as a member.
    pub fn groups_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a str> {
        let lists = move |group: &&Group| group.members.iter().any(|member| member == user);
        self.groups
            .iter()
            .filter(move |(_, group)| lists(group))
            .map(|(name, _)| name.as_str())
    }

    /// The lowest id from `from` on that is free both as user and as group.
    pub fn free_id(&self, from: u32) -> Option<u32> {
        (from..=LAST_PERSON).find(|id| {
            self.users
                .values()
                .all(|account| account.uid != *id && account.gid != *id)
                && self.groups.values().all(|group| group.gid != *id)
        })
    }
}

/// Accounts without a password in the text of `shadow`, with their lines as
/// they are once locked (shadow(5)).
pub(super) fn open_accounts(shadow: &str) -> BTreeMap<String, String> {
    let locked = |line: &str| {
        let (name, rest) = line.split_once(':')?;
        let rest = rest.strip_prefix(':')?;
        (!name.is_empty()).then(|| (name.to_owned(), format!("{name}:*:{rest}")))
    };
    shadow.lines().filter_map(locked).collect()
}

fn user_line(line: &str) -> Option<(String, Account)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, gecos, home, shell] = fields[..] else {
        return None;
    };
    let account = Account {
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        gecos: gecos.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
    };
    (!name.is_empty()).then(|| (name.to_owned(), account))
}

fn group_line(line: &str) -> Option<(String, Group)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else {
        return None;
    };
    let members = members.split(',').filter(|member| !member.is_empty());
    let group = Group {
        gid: gid.parse().ok()?,
        members: members.map(str::to_owned).collect(),
    };
    (!name.is_empty()).then(|| (name.to_owned(), group))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts::parse(
            "root:x:0:0:root:/root:/bin/bash\npi:x:1000:1000:,,,:/home/pi:/usr/sbin/nologin\n\
             broken line\nodd:x:many:1::/:/bin/sh\nguest:x:1001:1004::/home/guest:/bin/sh\n",
            "root:x:0:\nsudo:x:27:pi,guest\nvideo:x:44:pi\npi:x:1000:\nspare:x:1002:\n",
            "pi:100000:65536\n",
            "",
        )
    }

    #[test]
    fn lines_that_are_no_entries_are_passed_over() {
        let accounts = accounts();
        assert_eq!(
            accounts.users.keys().collect::<Vec<_>>(),
            ["guest", "pi", "root"]
        );
        let (name, account) = accounts.first_user().unwrap();
        assert_eq!((name, account.shell.as_str()), ("pi", "/usr/sbin/nologin"));
        assert_eq!(
            accounts.groups_of("pi").collect::<Vec<_>>(),
            ["sudo", "video"]
        );
        assert_eq!(accounts.group_name(1000), Some("pi"));
        assert_eq!(accounts.subuids["pi"], "100000:65536");
    }

    #[test]
    fn accounts_without_a_password_are_found() {
        let open = open_accounts("root::20000:0:99999:7:::\npi:!:20000::::::\nx:*:1\n::\n");
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(open["root"], "root:*:20000:0:99999:7:::");
    }

    #[test]
    fn a_free_id_is_free_in_both_files() {
        // 1001 is a user, 1002 a group, 1004 a user's group.
        assert_eq!(accounts().free_id(1001), Some(1003));
        assert_eq!(accounts().free_id(1004), Some(1005));
        assert_eq!(Accounts::default().free_id(LAST_PERSON + 1), None);
    }
}
