//! Whether a node on Wi-Fi finds its network.

use super::Obstacles;
use super::daemon::is_masked;
use super::ini::value;
use crate::cluster::{Cluster, Node, Wifi};
use crate::edit::EditError;
use crate::node::network::{
    BLOCKS, COUNTRY, DHCPCD_CONF, KEYFILE, STATE, WLAN, WPA_CONF, keyfile_ssid, wpa_ssid,
};
use crate::node::reader::Reader;

/// The network in words, behind what is said of the address; nothing for a
/// node on a cable. `file` is what sets the address.
pub(super) fn check(
    root: Reader<'_>,
    boot: Reader<'_>,
    cluster: &Cluster,
    node: &Node,
    file: &str,
    obstacles: &mut Obstacles,
) -> Result<String, EditError> {
    if !node.wifi {
        return Ok(String::new());
    }
    let Some(wifi) = &cluster.network.wifi else {
        obstacles.add("the cluster file describes no Wi-Fi network");
        return Ok(String::new());
    };
    let mut country = kernels_country(boot)?;
    match file {
        KEYFILE => network_manager(root, wifi, obstacles)?,
        DHCPCD_CONF => country = supplicant(root, wifi, obstacles)?.or(country),
        _ => obstacles.add(format!("{file} speaks to no access point")),
    }
    if country.as_deref() != Some(wifi.country.to_string().as_str()) {
        obstacles.add(format!(
            "the radio is not told that it is in {}: it says nothing on channels that are not free \
             everywhere",
            wifi.country
        ));
    }
    for name in root.names(BLOCKS)? {
        let path = format!("{BLOCKS}/{name}");
        if name.ends_with(WLAN) && root.text(&path)?.is_none_or(|text| text.trim() != "0") {
            obstacles.add(format!("{path} blocks the radio"));
        }
    }
    Ok(format!(" over the Wi-Fi network {}", wifi.ssid))
}

fn kernels_country(boot: Reader<'_>) -> Result<Option<String>, EditError> {
    let cmdline = boot.text("/cmdline.txt")?.unwrap_or_default();
    let mut words = cmdline.split_whitespace().rev();
    let country = |word: &str| Some(word.strip_prefix(COUNTRY)?.strip_prefix('=')?.to_owned());
    Ok(words.find_map(country))
}

fn network_manager(
    root: Reader<'_>,
    wifi: &Wifi,
    obstacles: &mut Obstacles,
) -> Result<(), EditError> {
    let text = root.text(KEYFILE)?.unwrap_or_default();
    if value(&text, "wifi", "ssid") != Some(keyfile_ssid(&wifi.ssid).as_str()) {
        obstacles.add(format!("{KEYFILE} names another Wi-Fi network"));
    }
    if value(&text, "wifi-security", "psk").is_none_or(str::is_empty) {
        obstacles.add(format!("{KEYFILE} has no passphrase"));
    }
    let state = root.text(STATE)?.unwrap_or_default();
    if value(&state, "main", "WirelessEnabled") == Some("false") {
        obstacles.add(format!("{STATE} keeps Wi-Fi off"));
    }
    if is_masked(root, "wpa_supplicant.service")? {
        obstacles.add("wpa_supplicant.service is masked");
    }
    Ok(())
}

/// The file that dhcpcd's hook starts wpa_supplicant with; the country in it.
fn supplicant(
    root: Reader<'_>,
    wifi: &Wifi,
    obstacles: &mut Obstacles,
) -> Result<Option<String>, EditError> {
    let Some(text) = root.text(WPA_CONF)? else {
        obstacles.add(format!("there is no {WPA_CONF}"));
        return Ok(None);
    };
    if !root.is_roots_alone(WPA_CONF)? {
        obstacles.add(format!("others can read the passphrase in {WPA_CONF}"));
    }
    let mut lines = text.lines().map(str::trim);
    let setting = |key: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.find_map(|line| Some(line.strip_prefix(key)?.strip_prefix('=')?.to_owned()))
    };
    if !lines.any(|line| line.starts_with("network={")) || setting("psk").is_none() {
        obstacles.add(format!("{WPA_CONF} has no network with a passphrase"));
    }
    if setting("ssid") != Some(wpa_ssid(&wifi.ssid)) {
        obstacles.add(format!("{WPA_CONF} names another Wi-Fi network"));
    }
    Ok(setting("country"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::edit::text::CmdlineEdit;
    use crate::edit::{Content, Edit, Edits, ImagePath, Mode, Owner, TextEdit};
    use crate::node::fake_cluster::wireless;
    use crate::node::made::Made;
    use crate::node::{Release, prove};

    #[rstest]
    fn every_node_of_every_release_is_reached_over_wifi(
        #[values(
            Release::Bullseye,
            Release::Bookworm,
            Release::Trixie,
            Release::Debian12,
            Release::Debian13
        )]
        release: Release,
        #[values(0, 2)] index: usize,
    ) {
        let cluster = wireless();
        let made = Made::new(release, &cluster, index);
        let proof = prove(&made.root, &made.boot, &cluster, &cluster.nodes[index]).unwrap();
        let words = proof.to_string();
        assert!(
            words.contains(" over the Wi-Fi network Elephant House, host key"),
            "{words}"
        );
        assert!(!words.contains(crate::node::fake_cluster::PASSPHRASE.trim()));
    }

    fn put(path: &str, text: &str, mode: u16) -> Edit {
        Edit::PutFile {
            path: ImagePath::new(path).unwrap(),
            content: Content::text(text),
            owner: Owner::ROOT,
            mode: Mode::new(mode),
        }
    }

    fn mask(unit: &str) -> Edit {
        Edit::Symlink {
            path: ImagePath::new(&format!("/etc/systemd/system/{unit}")).unwrap(),
            target: "/dev/null".to_owned(),
        }
    }

    const WIRED: &str = "[connection]\ntype=ethernet\n[ipv4]\nmethod=manual\n\
                         address1=192.168.1.10/24\n";

    /// One thing spoilt, and what the judge must say of it.
    #[rstest]
    #[case(
        Release::Trixie,
        put(STATE, "[main]\nWirelessEnabled=false\n", 0o644),
        "keeps Wi-Fi off"
    )]
    #[case(
        Release::Trixie,
        mask("wpa_supplicant.service"),
        "wpa_supplicant.service is masked"
    )]
    #[case(
        Release::Trixie,
        put(KEYFILE, WIRED, 0o600),
        "of type \"ethernet\", and the node is on wifi"
    )]
    #[case(
        Release::Trixie,
        put(KEYFILE, WIRED, 0o600),
        "names another Wi-Fi network"
    )]
    #[case(Release::Trixie, put(KEYFILE, WIRED, 0o600), "has no passphrase")]
    #[case(
        Release::Bookworm,
        put("/var/lib/systemd/rfkill/platform-x:wlan", "1\n", 0o644),
        "blocks the radio"
    )]
    #[case(
        Release::Bullseye,
        put("/var/lib/systemd/rfkill/platform-3f300000.mmcnr:wlan", "1\n", 0o644),
        "blocks the radio"
    )]
    #[case(
        Release::Bullseye,
        put(WPA_CONF, "country=GB\n", 0o600),
        "has no network with a passphrase"
    )]
    #[case(
        Release::Bullseye,
        put(WPA_CONF, "country=DE\nnetwork={\nssid=00\npsk=00\n}\n", 0o600),
        "not told that it is in GB"
    )]
    #[case(
        Release::Bullseye,
        put(WPA_CONF, "", 0o644),
        "others can read the passphrase"
    )]
    #[case(
        Release::Bullseye,
        put(
            DHCPCD_CONF,
            "interface eth0\nstatic ip_address=192.168.1.10/24\n",
            0o644
        ),
        "does not set the address"
    )]
    fn one_thing_spoilt_is_noticed(
        #[case] release: Release,
        #[case] edit: Edit,
        #[case] expected: &str,
    ) {
        let cluster = wireless();
        let mut made = Made::new(release, &cluster, 0);
        made.apply(&Edits {
            root: vec![edit],
            boot: Vec::new(),
        });
        let obstacles = prove(&made.root, &made.boot, &cluster, &cluster.nodes[0]).unwrap_err();
        assert!(obstacles.join("\n").contains(expected), "{obstacles:?}");
    }

    #[test]
    fn a_radio_that_does_not_know_its_country_is_noticed() {
        let cluster = wireless();
        let mut made = Made::new(Release::Trixie, &cluster, 0);
        let path = ImagePath::new("/cmdline.txt").unwrap();
        let edit = TextEdit::Cmdline(CmdlineEdit::Remove(format!("{COUNTRY}=*")));
        made.apply(&Edits {
            root: Vec::new(),
            boot: vec![Edit::EditText { path, edit }],
        });
        let obstacles = prove(&made.root, &made.boot, &cluster, &cluster.nodes[0]).unwrap_err();
        assert!(
            obstacles[0].contains("not told that it is in GB"),
            "{obstacles:?}"
        );
    }

    #[test]
    fn another_network_in_the_way_is_noticed() {
        let cluster = wireless();
        let mut made = Made::new(Release::Debian13, &cluster, 0);
        made.apply(&Edits {
            root: vec![
                put(
                    "/etc/network/interfaces.d/wlan0",
                    "iface wlan0 inet dhcp\n",
                    0o600,
                ),
                // What an overlay may bring.
                put(
                    "/etc/network/interfaces.d/tun0",
                    "iface tun0 inet static\n",
                    0o600,
                ),
            ],
            boot: Vec::new(),
        });
        let obstacles = prove(&made.root, &made.boot, &cluster, &cluster.nodes[0]).unwrap_err();
        assert_eq!(obstacles.len(), 1, "{obstacles:?}");
        assert!(
            obstacles[0].contains("interfaces.d/wlan0 takes the node's interface"),
            "{obstacles:?}"
        );
    }
}
