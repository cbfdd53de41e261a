//! `[network.wifi]`: the Wi-Fi network.

use std::ops::Range;

use toml::Spanned;

use crate::cluster::{Country, Ssid, Wifi};
use crate::diagnostic::{Fault, Section};

/// The section with its place, whatever of it could be read.
#[derive(Debug)]
pub(super) struct ReadWifi {
    pub(super) header: Range<usize>,
    pub(super) wifi: Option<Wifi>,
}

pub(super) fn read(mut section: Section<'_>) -> ReadWifi {
    section.require("ssid", "\"Elephant House\"");
    section.require("passphrase_file", "\"wifi.passphrase\"");
    section.require("country", "\"GB\"");
    let ssid = section.parsed("ssid", "\"Elephant House\"", Ssid::new);
    let file = section.parsed("passphrase_file", "\"wifi.passphrase\"", check_file);
    let country = section.parsed("country", "\"GB\"", check_country);
    let hidden = section.boolean("hidden").unwrap_or(false);
    let header = section.span();
    section.finish();
    let wifi = (ssid.zip(file).zip(country)).map(|((ssid, file), country)| {
        let span = file.span();
        Wifi {
            ssid: ssid.into_inner(),
            passphrase_file: (file.into_inner(), span),
            country: Spanned::into_inner(country),
            hidden,
        }
    });
    ReadWifi { header, wifi }
}

/// A path. The text may be a passphrase in the wrong place, so no message
/// repeats it.
fn check_file(text: &str) -> Result<String, Fault> {
    let wrong = |message: &str| {
        Fault::new(
            message,
            "write the passphrase into a file of its own, readable by you alone, and name the \
             file here",
        )
    };
    if text.trim().is_empty() {
        return Err(wrong("the name of the passphrase file is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong(
            "the name of the passphrase file has a control character",
        ));
    }
    Ok(text.to_owned())
}

fn check_country(text: &str) -> Result<Country, Fault> {
    let capitals = text.to_ascii_uppercase();
    // What people write for a code they do not know.
    let meant = match capitals.as_str() {
        "UK" | "EN" => "GB",
        other => other,
    };
    if let Some(country) = Country::new(text) {
        return Ok(country);
    }
    let help = match Country::new(meant) {
        Some(country) => format!("write `country = \"{country}\"`"),
        None => "write the two capital letters of ISO 3166, such as `GB` or `DE`: the radio \
                 stays off the channels that are not free where you are"
            .to_owned(),
    };
    Err(Fault::new(
        format!("{text:?} is not the code of a country"),
        help,
    ))
}
