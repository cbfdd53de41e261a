//! An address by NetworkManager.

use super::wifi::Radio;
use super::{WAIT_SECONDS, address, dns};
use crate::cluster::{Addressing, Ssid};
use crate::edit::{Content, Mode, Owner};
use crate::node::NodeInputs;
use crate::node::draft::Draft;

pub(in crate::node) const KEYFILE: &str =
    "/etc/NetworkManager/system-connections/pidoop.nmconnection";

/// Where it keeps whether its radios are on. Raspberry Pi OS ships it with
/// Wi-Fi off since Bookworm, and then no profile does anything (pi-gen
/// `stage2/02-net-tweaks/01-run.sh`).
pub(in crate::node) const STATE: &str = "/var/lib/NetworkManager/NetworkManager.state";

/// A keyfile (nm-settings-keyfile(5)). NetworkManager ignores one that others
/// may read. Without a MAC address it fits any interface of its kind, whatever
/// its name: adapters on USB are not always `eth0`.
pub(super) fn write(inputs: &NodeInputs<'_>, radio: Option<Radio<'_>>, draft: &mut Draft<'_>) {
    let uuid = inputs.key.connection_uuid(&inputs.node.name);
    let kind = radio.map_or("ethernet", |_| "wifi");
    let mut text = format!(
        "[connection]\n\
         id=pidoop\n\
         uuid={uuid}\n\
         type={kind}\n\
         autoconnect-priority=100\n\
         # For ever: a router may need longer to boot than a node.\n\
         autoconnect-retries=0\n\n\
         [{kind}]\n"
    );
    if let Some(mac) = inputs.node.mac {
        text.push_str(&format!("mac-address={mac}\n"));
    }
    if let Some(radio) = radio {
        text.push_str(&wireless(radio));
    }
    text.push_str(&internet_protocol(inputs));
    let content = match radio {
        Some(_) => Content::secret(text),
        None => Content::text(text),
    };
    draft
        .content(KEYFILE, content, Owner::ROOT, Mode::SECRET)
        .enable("NetworkManager.service")
        .enable_in(
            "NetworkManager-wait-online.service",
            "network-online.target",
        )
        .drop_in(
            "NetworkManager-wait-online.service",
            &format!("[Service]\nEnvironment=NM_ONLINE_TIMEOUT={WAIT_SECONDS}\n"),
        );
    if radio.is_some() {
        draft.file(
            STATE,
            "[main]\nNetworkingEnabled=true\nWirelessEnabled=true\n",
        );
    }
}

fn wireless(radio: Radio<'_>) -> String {
    let Radio { wifi, passphrase } = radio;
    let hidden = if wifi.hidden { "hidden=true\n" } else { "" };
    format!(
        "mode=infrastructure\n\
         ssid={}\n\
         {hidden}\
         # Off: saving power makes answers late, and a late node counts as dead.\n\
         powersave=2\n\n\
         [wifi-security]\n\
         key-mgmt=wpa-psk\n\
         psk={}\n",
        keyfile_ssid(&wifi.ssid),
        escaped(passphrase.secret())
    )
}

/// The name as keyfiles have it. Text that could be taken for a list of
/// numbers, or has a letter with a meaning, is written as its bytes, which is
/// the other form there is.
pub(in crate::node) fn keyfile_ssid(ssid: &Ssid) -> String {
    let text = ssid.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.chars().all(plain);
    match is_plain {
        true => text.to_owned(),
        false => text.bytes().map(|byte| format!("{byte};")).collect(),
    }
}

/// A value as a key file has it (Desktop Entry Specification, "Possible value
/// types"): blanks at its ends would be lost.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(' ', "\\s")
}

fn internet_protocol(inputs: &NodeInputs<'_>) -> String {
    let network = &inputs.cluster.network;
    let mut text = String::from("\n[ipv4]\nmay-fail=false\n");
    match network.addressing {
        Addressing::Static => {
            let gateway = network
                .gateway
                .map(|gateway| format!(",{gateway}"))
                .unwrap_or_default();
            text.push_str(&format!(
                "method=manual\naddress1={}{gateway}\n",
                address(inputs)
            ));
            if !network.dns.is_empty() {
                text.push_str(&format!("dns={};\n", dns(inputs, ";")));
            }
        }
        Addressing::Dhcp => text.push_str("method=auto\ndhcp-timeout=2147483647\n"),
    }
    if let Some(domain) = &network.domain {
        text.push_str(&format!("dns-search={domain};\n"));
    }
    text.push_str("\n[ipv6]\nmethod=auto\nmay-fail=true\n");
    text
}
