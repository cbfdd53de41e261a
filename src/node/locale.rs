//! Language and time zone.

use super::draft::Draft;
use super::{NodeError, NodeInputs, Profile};

/// In every glibc since 2.35, and in Debian's before.
const BUILT_IN: &[&str] = &["C.UTF-8", "C", "POSIX"];

/// A system without `/etc/localtime` is at this one (localtime(5)).
const UTC: &[&str] = &["Etc/UTC", "UTC"];

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    let settings = &inputs.cluster.settings;
    timezone(inputs.profile, &settings.timezone, draft)?;
    check_locale(inputs.profile, &settings.locale)?;
    // PAM reads the first, systemd the second; one is a link to the other
    // in newer releases.
    let text = format!("LANG={}\n", settings.locale);
    draft
        .file("/etc/default/locale", text.clone())
        .file("/etc/locale.conf", text);
    Ok(())
}

fn timezone(profile: &Profile, zone: &str, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    match &profile.zones {
        Some(zones) if zones.contains(zone) => {
            draft
                .link("/etc/localtime", &format!("/usr/share/zoneinfo/{zone}"))
                .file("/etc/timezone", format!("{zone}\n"));
            Ok(())
        }
        Some(zones) => {
            let distance = |other: &&String| strsim::damerau_levenshtein(zone, other);
            let near = zones.iter().min_by_key(distance).cloned();
            Err(NodeError::Timezone {
                zone: zone.to_owned(),
                near: near.filter(|near| strsim::normalized_damerau_levenshtein(zone, near) > 0.6),
            })
        }
        None if UTC.contains(&zone) => {
            draft
                .remove("/etc/localtime")
                .file("/etc/timezone", format!("{zone}\n"));
            Ok(())
        }
        None => Err(NodeError::NoZones),
    }
}

fn check_locale(profile: &Profile, locale: &str) -> Result<(), NodeError> {
    let compiled = BUILT_IN
        .iter()
        .copied()
        .chain(profile.locales.iter().map(String::as_str));
    if compiled.clone().any(|other| same_locale(other, locale)) {
        return Ok(());
    }
    Err(NodeError::Locale {
        locale: locale.to_owned(),
        compiled: compiled.map(str::to_owned).collect(),
    })
}

/// `en_GB.UTF-8` and `en_GB.utf8` are one (setlocale(3)).
fn same_locale(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.to_ascii_lowercase().replace("utf-8", "utf8");
    plain(one) == plain(other)
}
