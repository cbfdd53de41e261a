//! A node without a cable.

use crate::cluster::{Ssid, Wifi};
use crate::edit::text::CmdlineEdit;
use crate::edit::{Content, Mode, Owner, TextEdit};
use crate::node::draft::Draft;
use crate::node::{NetworkStack, NodeError, NodeInputs, Passphrase, Release};

/// Where systemd-rfkill remembers which radios are blocked, one file for each
/// (systemd-rfkill.service(8)).
pub(in crate::node) const BLOCKS: &str = "/var/lib/systemd/rfkill";

/// How the files of Wi-Fi radios end there.
pub(in crate::node) const WLAN: &str = ":wlan";

/// The radios of the Pi 3 and the Pi 4, which Bullseye ships blocked (pi-gen
/// bullseye, `stage2/02-net-tweaks/01-run.sh`).
const BULLSEYE_RADIOS: &[&str] = &[
    "platform-3f300000.mmcnr:wlan",
    "platform-fe300000.mmcnr:wlan",
];

/// Kernel parameter with the country (raspi-config, `do_wifi_country`).
pub(in crate::node) const COUNTRY: &str = "cfg80211.ieee80211_regdom";

/// What dhcpcd's hook starts wpa_supplicant with.
pub(in crate::node) const WPA_CONF: &str = "/etc/wpa_supplicant/wpa_supplicant.conf";

/// The network of a node on Wi-Fi.
#[derive(Clone, Copy, Debug)]
pub(super) struct Radio<'a> {
    pub(super) wifi: &'a Wifi,
    pub(super) passphrase: &'a Passphrase,
}

/// The network of the node, if it is on Wi-Fi.
pub(super) fn of<'a>(inputs: &NodeInputs<'a>) -> Result<Option<Radio<'a>>, NodeError> {
    if !inputs.node.wifi {
        return Ok(None);
    }
    let refuse = |reason: &'static str, remedy: &'static str| {
        Err(NodeError::Wifi {
            node: inputs.node.name.to_string(),
            reason,
            remedy,
        })
    };
    let profile = inputs.profile;
    match profile.network {
        NetworkStack::Networkd => {
            return refuse(
                "the base image has only systemd-networkd, which does not speak to access points",
                "install the packages network-manager and wpasupplicant in it",
            );
        }
        NetworkStack::Dhcpcd if profile.release != Release::Bullseye => {
            return refuse(
                "dhcpcd starts nothing for Wi-Fi in the base image",
                "install the packages network-manager and wpasupplicant in it",
            );
        }
        NetworkStack::NetworkManager | NetworkStack::Dhcpcd => {}
    }
    if !profile.has("/sbin/wpa_supplicant") {
        return refuse(
            "the base image has no wpa_supplicant",
            "install the package wpasupplicant in it",
        );
    }
    if !profile.has("/lib/firmware/brcm") {
        return refuse(
            "the base image has no firmware for the radio (/lib/firmware/brcm)",
            "install the package firmware-brcm80211 in it",
        );
    }
    match (&inputs.cluster.network.wifi, inputs.passphrase) {
        (_, Some(passphrase))
            if profile.network == NetworkStack::Dhcpcd && is_cut(passphrase.secret()) =>
        {
            refuse(
                "the passphrase has a `#` behind a double quote, where wpa_supplicant would take \
                 the rest for a comment",
                "write the network's key of 64 hex digits in its place, which the program \
                 wpa_passphrase prints",
            )
        }
        (Some(wifi), Some(passphrase)) => Ok(Some(Radio { wifi, passphrase })),
        _ => refuse(
            "the cluster file describes no Wi-Fi network",
            "add [network.wifi] to it",
        ),
    }
}

/// The radio is on, and knows where it is.
pub(super) fn write(inputs: &NodeInputs<'_>, radio: Option<Radio<'_>>, draft: &mut Draft<'_>) {
    let Some(radio) = radio else {
        // It takes memory, and the radio is off as the release ships it.
        draft.mask_packaged("wpa_supplicant.service");
        return;
    };
    let profile = inputs.profile;
    let country = radio.wifi.country;
    draft.boot_edit(
        "cmdline.txt",
        TextEdit::Cmdline(CmdlineEdit::Set {
            key: COUNTRY.to_owned(),
            value: country.to_string(),
        }),
    );
    if profile.has("/etc/default/crda") {
        draft.file("/etc/default/crda", format!("REGDOMAIN={country}\n"));
    }
    let bullseye = match profile.release {
        Release::Bullseye => BULLSEYE_RADIOS,
        _ => &[],
    };
    let known = profile.radios.iter().map(String::as_str);
    for name in known.chain(bullseye.iter().copied()) {
        draft.file(&format!("{BLOCKS}/{name}"), "0\n");
    }
    if profile.network == NetworkStack::Dhcpcd {
        draft.content(
            WPA_CONF,
            Content::secret(wpa_supplicant(radio)),
            Owner::ROOT,
            Mode::SECRET,
        );
    }
}

/// wpa_supplicant.conf(5): text between quotes is taken as it stands.
fn wpa_supplicant(radio: Radio<'_>) -> String {
    let Radio { wifi, passphrase } = radio;
    let psk = match passphrase.is_key() {
        true => passphrase.secret().to_owned(),
        false => format!("\"{}\"", passphrase.secret()),
    };
    let hidden = if wifi.hidden { "\tscan_ssid=1\n" } else { "" };
    format!(
        "# Written by pidoop.\n\
         ctrl_interface=DIR=/var/run/wpa_supplicant GROUP=netdev\n\
         country={}\n\n\
         network={{\n\
         \tssid={}\n\
         {hidden}\
         \tkey_mgmt=WPA-PSK\n\
         \tpsk={psk}\n\
         }}\n",
        wifi.country,
        wpa_ssid(&wifi.ssid)
    )
}

/// Whether wpa_supplicant would read only the beginning of a quoted text: it
/// ends a line at a `#` that has an even number of quotes ahead of it, the
/// opening one among them.
fn is_cut(text: &str) -> bool {
    let mut quoted = true;
    text.bytes().any(|byte| {
        quoted ^= byte == b'"';
        byte == b'#' && !quoted
    })
}

/// The name as wpa_supplicant takes it, whatever letters it has: as hex.
pub(in crate::node) fn wpa_ssid(ssid: &Ssid) -> String {
    hex::encode(ssid.as_str())
}
