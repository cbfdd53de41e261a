//! `[settings]`: the operating system.

use toml::Spanned;

use crate::cluster::{Settings, Swap};
use crate::diagnostic::{Fault, Section, nearest};

/// First parts of time zone names in `/usr/share/zoneinfo`.
const AREAS: [&str; 16] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Etc",
    "Europe",
    "Indian",
    "Mexico",
    "Pacific",
    "US",
];

/// Least and most the journal may be given, in MiB: journald works in files of
/// at least 8 MiB of which it keeps two, and a card is no log server.
const JOURNAL_MIB: std::ops::RangeInclusive<u32> = 16..=16384;

pub(super) fn read(section: Option<Section<'_>>) -> Option<Settings> {
    let mut settings = Settings {
        timezone: "Etc/UTC".to_owned(),
        locale: "C.UTF-8".to_owned(),
        swap: Swap::Zram,
        journal_mib: 200,
    };
    let Some(mut section) = section else {
        return Some(settings);
    };
    let timezone = section.parsed("timezone", "\"Europe/London\"", check_timezone);
    let locale = section.parsed("locale", "\"C.UTF-8\"", check_locale);
    let swap = section.parsed("swap", "\"zram\"", check_swap);
    let journal = section.parsed("journal", "\"200M\"", check_size);
    section.finish();
    // What did not pass has been reported; the default stands in for it.
    settings.timezone = timezone.map_or(settings.timezone, Spanned::into_inner);
    settings.locale = locale.map_or(settings.locale, Spanned::into_inner);
    settings.swap = swap.map_or(settings.swap, Spanned::into_inner);
    settings.journal_mib = journal.map_or(settings.journal_mib, Spanned::into_inner);
    Some(settings)
}

fn check_timezone(text: &str) -> Result<String, Fault> {
    let refused = |help: String| {
        Err(Fault::new(
            format!("{text:?} is not the name of a time zone"),
            help,
        ))
    };
    let parts: Vec<&str> = text.split('/').collect();
    let well_formed = parts.len() <= 3
        && parts.iter().all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
        });
    if !well_formed {
        return refused("write it as Area/City, such as `Europe/London`, or `Etc/UTC`".to_owned());
    }
    match parts.as_slice() {
        [area, ..] if parts.len() > 1 && !AREAS.contains(area) => match nearest(area, AREAS) {
            Some(meant) => refused(format!("did you mean `{meant}/{}`?", parts[1..].join("/"))),
            None => refused(format!(
                "{area:?} is none of the areas: {}",
                AREAS.join(", ")
            )),
        },
        // `UTC+1` and the like are not in the database; `Etc/GMT-1` is.
        [word] if word.contains(['+', '-']) => {
            refused("name a city's zone, such as `Europe/Paris`".to_owned())
        }
        [word] if AREAS.contains(word) => refused(format!("add the city, such as `{word}/…`")),
        _ => Ok(text.to_owned()),
    }
}

/// `language_COUNTRY.UTF-8`, or the C locale.
fn check_locale(text: &str) -> Result<String, Fault> {
    let (rest, modifier) = match text.split_once('@') {
        Some((rest, modifier)) => (rest, Some(modifier)),
        None => (text, None),
    };
    let (language, charset) = match rest.split_once('.') {
        Some((language, charset)) => (language, Some(charset)),
        None => (rest, None),
    };
    let is_language = match language.split_once('_') {
        Some((code, country)) => {
            matches!(code.len(), 2 | 3)
                && code.bytes().all(|b| b.is_ascii_lowercase())
                && country.len() == 2
                && country.bytes().all(|b| b.is_ascii_uppercase())
        }
        None => language == "C" || language == "POSIX",
    };
    let modifier_fits = modifier
        .is_none_or(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric()));
    if !is_language || !modifier_fits {
        return Err(Fault::new(
            format!("{text:?} is not the name of a locale"),
            "write it like `en_GB.UTF-8` or `C.UTF-8`",
        ));
    }
    match charset {
        Some("UTF-8" | "utf8") => Ok(text.to_owned()),
        Some(_) | None => Err(Fault::new(
            format!("the locale {text:?} is not a UTF-8 one"),
            format!("write `{language}.UTF-8`: file names in HDFS are UTF-8"),
        )),
    }
}

fn check_swap(text: &str) -> Result<Swap, Fault> {
    match text {
        "zram" => Ok(Swap::Zram),
        "none" => Ok(Swap::None),
        _ => Err(Fault::new(
            format!("swap is \"zram\" or \"none\", not {text:?}"),
            "a swap file wears the card out, so there is none to choose",
        )),
    }
}

/// A size in MiB, from `200M` or `1G`.
fn check_size(text: &str) -> Result<u32, Fault> {
    let wrong = |message: String| Fault::new(message, "write it like `200M` or `1G`");
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'M') => (&text[..text.len() - 1], 1),
        Some(b'G') => (&text[..text.len() - 1], 1024),
        _ => return Err(wrong(format!("{text:?} is not a size"))),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong(format!("{text:?} is not a size")));
    }
    digits
        .parse::<u32>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|mib| JOURNAL_MIB.contains(mib))
        .ok_or_else(|| {
            wrong(format!(
                "the journal takes between {}M and {}G, not {text}",
                JOURNAL_MIB.start(),
                JOURNAL_MIB.end() / 1024
            ))
        })
}
