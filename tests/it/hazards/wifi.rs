//! Nodes on Wi-Fi, and nodes that are not. The files are judged by the
//! programs that read them on the node.

use fs_err as fs;
use rstest::rstest;

use super::Node;
use crate::support::tiny_image::temp_dir;
use crate::support::tools::{output, run};
use crate::support::world::{ClusterFile, Flavour, PASSPHRASE, SSID, Sandbox, holds, world};

const KEYFILE: &str = "/etc/NetworkManager/system-connections/pidoop.nmconnection";
const WPA_CONF: &str = "/etc/wpa_supplicant/wpa_supplicant.conf";
const STATE: &str = "/var/lib/NetworkManager/NetworkManager.state";

/// What libnm makes of a keyfile: name of the network, passphrase, type,
/// address, one a line.
const LIBNM: &str = "
import sys, gi
gi.require_version('NM', '1.0')
from gi.repository import NM, GLib
file = GLib.KeyFile()
file.load_from_file(sys.argv[1], GLib.KeyFileFlags.NONE)
found = NM.keyfile_read(file, '/', NM.KeyfileHandlerFlags.NONE, None, None)
found.verify()
found.verify_secrets()
print(found.get_setting_wireless().get_ssid().get_data().decode())
print(found.get_setting_wireless_security().get_psk())
print(found.get_connection_type())
print(found.get_setting_ip4_config().get_address(0).get_address())
";

#[rstest]
#[case(Flavour::Bookworm)]
#[case(Flavour::Imaged)]
#[case(Flavour::Trixie)]
#[case(Flavour::Debian13)]
fn networkmanager_reads_what_was_meant(#[case] flavour: Flavour) {
    let node = Node::wireless(flavour);
    assert_eq!(node.image.attributes(KEYFILE), "0600 0:0");
    let (_scratch, dir) = temp_dir();
    let file = dir.join("pidoop.nmconnection");
    fs::write(&file, node.image.text(KEYFILE)).unwrap();
    // Debian's own Python: others do not have its bindings.
    let read = run("/usr/bin/python3", &["-c", LIBNM, file.as_str()]);
    let expected = format!("{SSID}\n{PASSPHRASE}\n802-11-wireless\n10.4.0.11\n");
    assert_eq!(read, expected);
}

#[test]
fn wpa_supplicant_reads_what_was_meant() {
    let node = Node::wireless(Flavour::Bullseye);
    assert_eq!(node.image.attributes(WPA_CONF), "0600 0:0");
    let (_scratch, dir) = temp_dir();
    let file = dir.join("wpa_supplicant.conf");
    fs::write(&file, node.image.text(WPA_CONF)).unwrap();
    // Without the interface it ends, after it has read and shown the file.
    let args = [
        "-dd",
        "-K",
        "-i",
        "nosuch0",
        "-D",
        "wired",
        "-c",
        file.as_str(),
    ];
    let said = String::from_utf8_lossy(&output("/sbin/wpa_supplicant", &args).stdout).into_owned();
    let hex = |text: &str| {
        text.bytes()
            .map(|byte| format!(" {byte:02x}"))
            .collect::<String>()
    };
    let plain = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "country='GB'".to_owned(),
        format!("ssid - hexdump_ascii(len={}):", SSID.len()),
        format!(
            "PSK (ASCII passphrase) - hexdump_ascii(len={}):",
            PASSPHRASE.len()
        ),
        // It shows sixteen bytes in a line.
        hex(&PASSPHRASE[..16]),
    ] {
        assert!(plain.contains(expected.trim()), "{expected}\n{said}");
    }
    let dhcpcd = node.image.text("/etc/dhcpcd.conf");
    assert!(
        dhcpcd.contains("\ninterface wlan0\nstatic ip_address=10.4.0.11/24\n"),
        "{dhcpcd}"
    );
}

#[rstest]
#[case(Flavour::Bullseye)]
#[case(Flavour::Bookworm)]
#[case(Flavour::Imaged)]
#[case(Flavour::Trixie)]
fn the_radio_is_on_and_knows_its_country(#[case] flavour: Flavour) {
    let node = Node::wireless(flavour);
    node.image.judge();
    let words = node.words();
    let country: Vec<&String> = words
        .iter()
        .filter(|word| word.starts_with("cfg80211."))
        .collect();
    assert_eq!(country, ["cfg80211.ieee80211_regdom=GB"]);
    for name in node.image.names("/var/lib/systemd/rfkill") {
        let text = node.image.text(&format!("/var/lib/systemd/rfkill/{name}"));
        assert_eq!(text, "0\n", "{name}");
    }
    if flavour == Flavour::Bullseye {
        assert_eq!(node.image.text("/etc/default/crda"), "REGDOMAIN=GB\n");
    } else {
        assert!(node.image.text(STATE).contains("WirelessEnabled=true\n"));
    }
    assert!(!node.is_masked("wpa_supplicant.service"));
}

#[rstest]
#[case(Flavour::Bullseye)]
#[case(Flavour::Bookworm)]
#[case(Flavour::Trixie)]
fn a_node_on_a_cable_leaves_its_radio_off(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    assert!(
        !node
            .words()
            .iter()
            .any(|word| word.starts_with("cfg80211."))
    );
    if flavour == Flavour::Bullseye {
        let radio = "/var/lib/systemd/rfkill/platform-fe300000.mmcnr:wlan";
        assert_eq!(node.image.text(radio), "1\n");
    } else {
        assert_eq!(node.image.text(STATE), "[main]\nWirelessEnabled=false\n");
    }
    assert!(node.is_masked("wpa_supplicant.service"));
}

/// A cluster with a worker on Wi-Fi.
fn cluster(flavour: Flavour) -> ClusterFile {
    ClusterFile::new(world())
        .base(&world().base(flavour))
        .first_nodes(2)
        .wireless("worker1")
}

#[test]
fn debian_without_networkmanager_cannot_be_on_wifi() {
    let sandbox = Sandbox::with(&cluster(Flavour::Debian12));
    sandbox.write_passphrase();
    sandbox.run("build --quiet").refuses(
        2,
        &[
            "worker1 cannot be on Wi-Fi",
            "only systemd-networkd",
            "network-manager",
        ],
    );
    assert!(sandbox.finished().is_empty());
}

#[test]
fn the_passphrase_is_on_the_cards_that_need_it_and_nowhere_else() {
    let sandbox = Sandbox::with(&cluster(Flavour::Trixie));
    sandbox.write_passphrase();
    // As the files have it, whole or in part.
    let escaped = PASSPHRASE.replace('\\', "\\\\").replace(' ', "\\s");
    for args in [
        "build",
        "build --json",
        "check --json",
        "plan",
        "plan --edits",
        "plan --json --edits",
        "inspect out/tiny-worker1.img",
        "inspect --json out/tiny-worker1.img",
    ] {
        let said = sandbox.run(args).works();
        if args.starts_with("build") || args == "plan" {
            let words = "worker1 is on Wi-Fi, which is no network for HDFS";
            assert!(said.stderr.contains(words), "{said}");
        }
        let said = said.to_string();
        for part in [&escaped, PASSPHRASE.trim(), "wifi.passphrase"] {
            assert!(!said.contains(part), "pidoop {args} says {part}:\n{said}");
        }
    }
    fs::remove_file(sandbox.path("wifi.passphrase")).unwrap();
    for place in [
        "home",
        "out/manifest.json",
        "out/known_hosts",
        "out/tiny-master.img",
    ] {
        for part in [&escaped, PASSPHRASE.trim()] {
            assert!(!holds(&sandbox.path(place), part), "{place} has {part}");
        }
    }
    assert!(holds(&sandbox.image("worker1"), &escaped));
}

#[test]
fn a_passphrase_file_that_will_not_do_is_refused() {
    let sandbox = Sandbox::with(&cluster(Flavour::Trixie));
    sandbox
        .run("check")
        .refuses(2, &["there is no such file", "cluster.toml:"]);
    sandbox.write_passphrase();
    sandbox.run("check").works();
    sandbox.set_mode("wifi.passphrase", 0o644);
    sandbox
        .run("check")
        .refuses(2, &["can be read by others (mode 0644)", "chmod 600"]);
    sandbox.set_mode("wifi.passphrase", 0o600);
    let texts: [(&[u8], &str); 4] = [
        (b"", "there is no passphrase in it"),
        (b"hunter2\n", "8 to 63 characters"),
        (b"hunter2hunter2\nhunter3hunter3\n", "is one line"),
        (b"hunter2\xff\xfehunter2", "is no text"),
    ];
    for (text, words) in texts {
        sandbox.write("wifi.passphrase", text);
        let run = sandbox.run("check").refuses(2, &[words]);
        assert!(!run.stderr.contains("hunter"), "{run}");
    }
    // The passphrase itself in the file's place.
    let text = cluster(Flavour::Trixie).text();
    sandbox.write(
        "cluster.toml",
        text.replace("wifi.passphrase", "hunter2hunter2"),
    );
    let run = sandbox.run("check").refuses(2, &["into a file of its own"]);
    assert!(!run.stderr.contains("hunter"), "{run}");
}
