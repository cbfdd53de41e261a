//! The user people log in as, and the one the daemons run as.

use super::context::HADOOP_USER;
use super::draft::Draft;
use super::{Account, NodeError, NodeInputs, Profile};
use crate::edit::{Content, Mode, Owner, TextEdit};

/// Id of the first person, which Raspberry Pi OS gives to `pi`.
const FIRST: u32 = 1000;

/// Groups of Raspberry Pi OS's first user (pi-gen `stage2/01-sys-tweaks`);
/// those a base does not have are left out.
const GROUPS: &[&str] = &[
    "adm", "dialout", "cdrom", "audio", "users", "sudo", "video", "games", "plugdev", "input",
    "gpio", "spi", "i2c", "netdev", "render",
];

/// Rights given to a user by the base or by what we switch off.
const FOREIGN_SUDOERS: &[&str] = &["010_pi-nopasswd", "010_wiz-nopasswd", "90-cloud-init-users"];

/// Last field but one of a shadow line: when the password was changed, in days
/// since 1970. Zero would ask for a new one at the first login (shadow(5)).
const SECONDS_A_DAY: i64 = 86_400;

/// Owner of what belongs to the user people log in as.
///
/// # Errors
/// [`NodeError::NoFreeId`] if no group id is left.
pub fn user_owner(profile: &Profile) -> Result<Owner, NodeError> {
    let accounts = &profile.accounts;
    if let Some((_, account)) = accounts.first_user() {
        return Ok(account.into());
    }
    let gid = accounts
        .free_id(FIRST)
        .ok_or(NodeError::NoFreeId("people log in as"))?;
    Ok(Owner::new(FIRST, gid))
}

/// Owner of what belongs to the daemons: that of the base's `hadoop` user if
/// there is one, else a free id from 1001 on.
///
/// # Errors
/// [`NodeError::NoFreeId`] if there is none.
pub fn hadoop_owner(profile: &Profile) -> Result<Owner, NodeError> {
    let accounts = &profile.accounts;
    if let Some(account) = accounts.users.get(HADOOP_USER) {
        return Ok(account.into());
    }
    let user = user_owner(profile)?;
    // The user's own group may still be to come.
    let mut from = FIRST + 1;
    loop {
        match accounts.free_id(from) {
            Some(id) if id == user.gid => from = id + 1,
            Some(id) => return Ok(Owner::new(id, id)),
            None => return Err(NodeError::NoFreeId(HADOOP_USER)),
        }
    }
}

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    for (name, line) in &inputs.profile.open_accounts {
        set(draft, "/etc/shadow", name, line.clone());
    }
    login_user(inputs, draft)?;
    hadoop_user(inputs, draft)?;
    sudo(inputs, draft);
    Ok(())
}

/// One account to write.
struct Entry<'a> {
    name: &'a str,
    owner: Owner,
    gecos: &'a str,
    /// crypt(3) hash, or `*` for none.
    password: &'a str,
    /// Whether the group of this id is the user's own.
    own_group: bool,
}

impl Entry<'_> {
    fn write(&self, inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
        let Self {
            name,
            owner,
            gecos,
            password,
            ..
        } = self;
        let Owner { uid, gid } = owner;
        let day = (inputs.epoch / SECONDS_A_DAY).max(1);
        set(
            draft,
            "/etc/passwd",
            name,
            format!("{name}:x:{uid}:{gid}:{gecos}:/home/{name}:/bin/bash"),
        );
        draft.edit(
            "/etc/shadow",
            TextEdit::SetEntry {
                key: (*name).to_owned(),
                line: format!("{name}:{password}:{day}:0:99999:7:::"),
                secret: *password != "*",
            },
        );
        if self.own_group {
            set(draft, "/etc/group", name, format!("{name}:x:{gid}:"));
            if inputs.profile.has("/etc/gshadow") {
                set(draft, "/etc/gshadow", name, format!("{name}:!::"));
            }
        }
    }
}

fn set(draft: &mut Draft<'_>, path: &str, key: &str, line: String) {
    let key = key.to_owned();
    draft.edit(
        path,
        TextEdit::SetEntry {
            key,
            line,
            secret: false,
        },
    );
}

/// The group files that are there.
fn group_files(profile: &Profile) -> impl Iterator<Item = &'static str> + use<> {
    let gshadow = profile.has("/etc/gshadow").then_some("/etc/gshadow");
    std::iter::once("/etc/group").chain(gshadow)
}

fn login_user(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    let profile = inputs.profile;
    let accounts = &profile.accounts;
    let name = inputs.cluster.access.user.as_str();
    let before = accounts.first_user();
    let owner = user_owner(profile)?;
    // A group that several users have as their own, such as `users`, stays.
    let own_group = match before {
        Some((old, _)) => accounts
            .group_name(owner.gid)
            .is_none_or(|group| group == old),
        None => true,
    };
    refuse_taken_names(inputs, before, owner)?;

    let mut groups: Vec<&str> = GROUPS.to_vec();
    if let Some((old, account)) = before {
        groups.extend(
            accounts
                .groups_of(old)
                .filter(|group| !GROUPS.contains(group)),
        );
        if old != name {
            forget(profile, old, own_group, draft);
            move_home(old, account, draft);
        }
    }
    Entry {
        name,
        owner,
        gecos: before.map_or("", |(_, account)| account.gecos.as_str()),
        password: inputs
            .cluster
            .access
            .password_hash
            .as_deref()
            .unwrap_or("*"),
        own_group,
    }
    .write(inputs, draft);
    for file in group_files(profile) {
        for group in &groups {
            join(draft, file, group, name);
        }
    }
    if let Some((old, _)) = before {
        for (file, ranges) in [
            ("/etc/subuid", &accounts.subuids),
            ("/etc/subgid", &accounts.subgids),
        ] {
            if let Some(range) = ranges.get(old) {
                set(draft, file, name, format!("{name}:{range}"));
            }
        }
    }
    let kept = before.is_some_and(|(old, _)| old == name) && profile.first_home;
    home(profile, name, owner, kept, draft);
    Ok(())
}

fn refuse_taken_names(
    inputs: &NodeInputs<'_>,
    before: Option<(&str, &Account)>,
    owner: Owner,
) -> Result<(), NodeError> {
    let accounts = &inputs.profile.accounts;
    let name = inputs.cluster.access.user.as_str();
    if before.is_some_and(|(old, _)| old == name) {
        return Ok(());
    }
    if let Some(account) = accounts.users.get(name) {
        let (name, uid) = (name.to_owned(), account.uid);
        return Err(NodeError::UserTaken { name, uid });
    }
    match accounts.groups.get(name) {
        Some(group) if group.gid != owner.gid => {
            let (name, gid) = (name.to_owned(), group.gid);
            Err(NodeError::GroupTaken { name, gid })
        }
        _ => Ok(()),
    }
}

/// Takes the old name out of every account file.
fn forget(profile: &Profile, old: &str, own_group: bool, draft: &mut Draft<'_>) {
    let entry = |key: &str| TextEdit::RemoveEntry {
        key: key.to_owned(),
    };
    draft
        .edit("/etc/passwd", entry(old))
        .edit("/etc/shadow", entry(old));
    for file in group_files(profile) {
        if own_group {
            draft.edit(file, entry(old));
        }
        draft.edit(
            file,
            TextEdit::RemoveMember {
                user: old.to_owned(),
            },
        );
    }
    for file in ["/etc/subuid", "/etc/subgid"] {
        if profile.has(file) {
            draft.edit(file, entry(old));
        }
    }
}

/// The old home goes: what is in it came from `/etc/skel`, as will what is in
/// the new one. A home elsewhere is left alone.
fn move_home(old: &str, account: &Account, draft: &mut Draft<'_>) {
    let usual = format!("/home/{old}");
    if account.home == usual {
        draft.remove(&usual);
    }
}

fn home(profile: &Profile, name: &str, owner: Owner, kept: bool, draft: &mut Draft<'_>) {
    let home = format!("/home/{name}");
    if profile.has("/etc/skel") && !kept {
        draft.copy("/etc/skel", &home, owner, Mode::PRIVATE_DIR);
    } else {
        draft.dir(&home, owner, Mode::PRIVATE_DIR);
    }
}

fn join(draft: &mut Draft<'_>, file: &str, group: &str, user: &str) {
    let (group, user) = (group.to_owned(), user.to_owned());
    draft.edit(file, TextEdit::AddMember { group, user });
}

/// One user for all daemons: it is the superuser of HDFS, and the containers
/// of YARN run as it. The login user is in its group, which is HDFS's
/// superuser group too, so that whoever may use sudo may administer HDFS.
fn hadoop_user(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    let owner = hadoop_owner(inputs.profile)?;
    Entry {
        name: HADOOP_USER,
        owner,
        gecos: "Hadoop daemons",
        password: "*",
        own_group: true,
    }
    .write(inputs, draft);
    for file in group_files(inputs.profile) {
        join(
            draft,
            file,
            HADOOP_USER,
            inputs.cluster.access.user.as_str(),
        );
    }
    let kept = inputs.profile.accounts.users.contains_key(HADOOP_USER);
    home(inputs.profile, HADOOP_USER, owner, kept, draft);
    Ok(())
}

/// A drop-in's name has no dot and its mode is 0440, or sudo passes it over
/// (sudoers(5)).
fn sudo(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let user = inputs.cluster.access.user.as_str();
    for name in FOREIGN_SUDOERS {
        draft.remove(&format!("/etc/sudoers.d/{name}"));
    }
    if let Some((old, _)) = inputs.profile.accounts.first_user() {
        draft.remove(&format!("/etc/sudoers.d/010_{old}-nopasswd"));
    }
    if inputs.cluster.access.passwordless_sudo {
        draft.content(
            &format!("/etc/sudoers.d/010_pidoop-{user}"),
            Content::text(format!("{user} ALL=(ALL) NOPASSWD: ALL\n")),
            Owner::ROOT,
            Mode::new(0o440),
        );
    }
}

#[cfg(test)]
mod tests;
