//! Whether the account can be logged in to, and with what.

use super::sshd_config::SshdConfig;
use super::{Obstacles, Way};
use crate::edit::{EditError, EntryKind, ImagePath};
use crate::node::accounts::{Account, Accounts};
use crate::node::keys::parse_authorized_key;
use crate::node::reader::Reader;

/// Shells that end a session at once.
const NO_SHELLS: &[&str] = &["nologin", "false", "true", "sync"];

/// Users and groups of the finished image.
pub(super) fn read(root: Reader<'_>) -> Result<Accounts, EditError> {
    let text = |path: &str| root.text(path).map(Option::unwrap_or_default);
    Ok(Accounts::parse(
        &text("/etc/passwd")?,
        &text("/etc/group")?,
        "",
        "",
    ))
}

/// Every way the user gets in; obstacles if there is none.
pub(super) fn ways_in(
    root: Reader<'_>,
    accounts: &Accounts,
    config: &SshdConfig,
    user: &str,
    obstacles: &mut Obstacles,
) -> Result<Vec<Way>, EditError> {
    let Some(account) = accounts.users.get(user) else {
        obstacles.add(format!("there is no user {user}"));
        return Ok(Vec::new());
    };
    check_shell(root, user, account, obstacles)?;
    let shadow = shadow(root, user, obstacles)?;

    let mut ways = Vec::new();
    let mut reasons = Vec::new();
    match keys(root, config, user, account)? {
        Ok(keys) => ways.extend(keys),
        Err(reason) => reasons.push(reason),
    }
    let hash = shadow.first().map(String::as_str).unwrap_or_default();
    match password(config, hash) {
        Ok(()) => ways.push(Way::Password),
        Err(reason) => reasons.push(reason.to_owned()),
    }
    if let Some(methods) = config.line("authenticationmethods", &[]).first().copied() {
        // Every method of one list is needed (sshd_config(5)).
        let alone = |word: &str| config.line("authenticationmethods", &[]).contains(&word);
        if !methods.eq_ignore_ascii_case("any") {
            ways.retain(|way| match way {
                Way::Key { .. } => alone("publickey"),
                Way::Password => alone("password"),
            });
            reasons.push(format!("AuthenticationMethods asks for {methods}"));
        }
    }
    if ways.is_empty() {
        obstacles.add(format!("{user} has no way in: {}", reasons.join("; ")));
    }
    Ok(ways)
}

fn check_shell(
    root: Reader<'_>,
    user: &str,
    account: &Account,
    obstacles: &mut Obstacles,
) -> Result<(), EditError> {
    let shell = account.shell.as_str();
    let name = shell.rsplit('/').next().unwrap_or_default();
    if NO_SHELLS.contains(&name) {
        obstacles.add(format!(
            "the shell of {user} is {shell}, which ends the session"
        ));
    }
    match root.follow(shell)? {
        Some((_, entry))
            if matches!(entry.kind, EntryKind::File { .. }) && entry.mode.bits() & 0o001 != 0 => {}
        _ => obstacles.add(format!(
            "the shell of {user}, {shell}, is no program in the image"
        )),
    }
    Ok(())
}

/// Fields of the user's shadow line behind the name: hash, last change and so
/// on (shadow(5)).
fn shadow(
    root: Reader<'_>,
    user: &str,
    obstacles: &mut Obstacles,
) -> Result<Vec<String>, EditError> {
    let text = root.text("/etc/shadow")?.unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let Some((_, rest)) = lines.find(|(name, _)| *name == user) else {
        obstacles.add(format!("{user} has no line in /etc/shadow"));
        return Ok(Vec::new());
    };
    let fields: Vec<String> = rest.split(':').map(str::to_owned).collect();
    let field = |at: usize| fields.get(at).map(String::as_str).unwrap_or_default();
    if field(1) == "0" {
        obstacles.add(format!(
            "the password of {user} is marked to be changed at the first login"
        ));
    }
    if !field(6).is_empty() {
        let day = field(6);
        obstacles.add(format!(
            "the account of {user} expires, on day {day} after 1970"
        ));
    }
    Ok(fields)
}

fn password(config: &SshdConfig, hash: &str) -> Result<(), &'static str> {
    match config.is_on("passwordauthentication", "yes") {
        true if hash.starts_with('$') => Ok(()),
        true => Err("passwords are allowed but there is none"),
        false => Err("passwords are off"),
    }
}

fn keys(
    root: Reader<'_>,
    config: &SshdConfig,
    user: &str,
    account: &Account,
) -> Result<Result<Vec<Way>, String>, EditError> {
    if !config.is_on("pubkeyauthentication", "yes") {
        return Ok(Err("keys are off".to_owned()));
    }
    let strict = !config.always("strictmodes", "yes", |value| {
        value.eq_ignore_ascii_case("no")
    });
    let files = config.line(
        "authorizedkeysfile",
        &[".ssh/authorized_keys", ".ssh/authorized_keys2"],
    );
    let mut reasons = Vec::new();
    let mut ways = Vec::new();
    for file in files {
        let path = keys_path(file, user, &account.home);
        let Some(text) = root.text(&path)? else {
            reasons.push(format!("{path} is not there"));
            continue;
        };
        if strict && let Some(reason) = insecure(root, &path, account)? {
            reasons.push(reason);
            continue;
        }
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match parse_authorized_key(line) {
                Ok(key) if key.is_authority() => {
                    reasons.push(format!("a line of {path} is a certification authority's"));
                }
                Ok(key) => ways.push(Way::Key {
                    kind: key.kind().to_owned(),
                    comment: key.comment().to_owned(),
                }),
                Err(error) => reasons.push(format!("a line of {path}: {error}")),
            }
        }
    }
    Ok(if ways.is_empty() {
        Err(reasons.join("; "))
    } else {
        Ok(ways)
    })
}

/// `%h` and `%u` filled in, below the home if it is not absolute.
fn keys_path(file: &str, user: &str, home: &str) -> String {
    let file = file
        .replace("%h", home)
        .replace("%u", user)
        .replace("%%", "%");
    match file.starts_with('/') {
        true => file,
        false => format!("{}/{file}", home.trim_end_matches('/')),
    }
}

/// Why sshd would not trust the file: it and every directory up to the home
/// must be the user's or root's, and nobody else's to write (OpenSSH,
/// `safe_path` in misc.c). The user must be able to get there as well.
fn insecure(root: Reader<'_>, path: &str, account: &Account) -> Result<Option<String>, EditError> {
    let home = ImagePath::new(&account.home).ok();
    let mut next = root.follow(path)?.map(|(path, _)| path);
    let mut below_home = true;
    while let Some(path) = next {
        if let Some((_, entry)) = root.follow(path.as_str())? {
            let (owner, mode) = (entry.owner, entry.mode.bits());
            let trusted = owner.uid == account.uid || owner.uid == 0;
            if below_home && (!trusted || mode & 0o022 != 0) {
                let mode = entry.mode;
                return Ok(Some(format!(
                    "{path} is {mode} {owner}, which sshd does not trust"
                )));
            }
            let needed = if entry.kind == EntryKind::Dir {
                0o1
            } else {
                0o4
            };
            let granted = match () {
                () if owner.uid == account.uid => mode >> 6,
                () if owner.gid == account.gid => mode >> 3,
                () => mode,
            };
            if granted & needed == 0 {
                return Ok(Some(format!("{path} cannot be reached by its user")));
            }
        }
        if Some(&path) == home.as_ref() {
            below_home = false;
        }
        next = path.parent();
    }
    Ok(None)
}
