//! The Wi-Fi network that nodes may be on instead of a cable.

use std::fmt;

use serde::Serialize;

use super::SourceSpan;

/// Most bytes of a network's name (IEEE 802.11, "SSID element").
const LONGEST_SSID: usize = 32;

/// Countries and territories by their two letters (ISO 3166-1), which the
/// kernel's table of regulatory domains goes by.
const COUNTRIES: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Name of a Wi-Fi network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Ssid(String);

impl Ssid {
    /// Checks `text`; the error says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a Wi-Fi network's name cannot be empty".to_owned());
        }
        if text.len() > LONGEST_SSID {
            return Err(format!(
                "a Wi-Fi network's name has at most {LONGEST_SSID} bytes, this has {}",
                text.len()
            ));
        }
        if text.chars().any(char::is_control) {
            return Err("a Wi-Fi network's name has no control characters".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ssid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where the nodes are, by which the radio knows the channels it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of these two capital letters.
    pub fn new(text: &str) -> Option<Self> {
        let known = COUNTRIES.split(' ').find(|country| *country == text)?;
        Some(Self(known.as_bytes().try_into().ok()?))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.0.map(char::from);
        write!(f, "{first}{second}")
    }
}

impl Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A Wi-Fi network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wifi {
    /// Its name.
    pub ssid: Ssid,
    /// The file with its passphrase, as written. Whoever takes the passphrase
    /// itself for it has it in the text, so this is never shown.
    #[serde(skip)]
    pub passphrase_file: (String, SourceSpan),
    /// Where it is.
    pub country: Country,
    /// Whether it does not say its name by itself.
    pub hidden: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_countries_are_there_once() {
        let all: Vec<&str> = COUNTRIES.split(' ').collect();
        // ISO 3166-1, of which a new edition would change the count.
        assert_eq!(all.len(), 249);
        assert!(all.is_sorted_by(|one, other| one < other));
        assert!(all.iter().all(|country| country.len() == 2));
        assert_eq!(Country::new("GB").unwrap().to_string(), "GB");
        assert_eq!(Country::new("UK"), None);
    }
}
