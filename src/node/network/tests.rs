use insta::assert_snapshot;
use rstest::rstest;

use super::*;
use crate::cluster::{Addressing, MacAddr};
use crate::node::fake_base::base;
use crate::node::fake_cluster::{cluster, wireless, with_inputs};
use crate::node::fake_tree::FakeTree;
use crate::node::made::Made;
use crate::node::{Profile, Release, personality};

#[test]
fn networkmanager_gets_a_keyfile() {
    let mut cluster = cluster();
    cluster.network.domain = Some("lan".to_owned());
    cluster.network.dns.push([9, 9, 9, 9].into());
    cluster.nodes[1].mac = Some(MacAddr::new("dc:a6:32:01:02:03").unwrap());
    let made = Made::new(Release::Trixie, &cluster, 1);
    assert_eq!(made.attributes(KEYFILE), "0600 0:0");
    assert_snapshot!(made.text(KEYFILE), @r"
    [connection]
    id=pidoop
    uuid=70118d97-bdc7-48eb-bf22-68cada855d84
    type=ethernet
    autoconnect-priority=100
    # For ever: a router may need longer to boot than a node.
    autoconnect-retries=0

    [ethernet]
    mac-address=dc:a6:32:01:02:03

    [ipv4]
    may-fail=false
    method=manual
    address1=192.168.1.11/24,192.168.1.1
    dns=192.168.1.1;9.9.9.9;
    dns-search=lan;

    [ipv6]
    method=auto
    may-fail=true
    ");
    let wait = "/etc/systemd/system/NetworkManager-wait-online.service.d/10-pidoop.conf";
    assert!(made.text(wait).contains("NM_ONLINE_TIMEOUT=30"));
}

#[test]
fn a_router_may_hand_out_the_address() {
    let mut cluster = cluster();
    cluster.network.addressing = Addressing::Dhcp;
    let text = Made::new(Release::Bookworm, &cluster, 1).text(KEYFILE);
    assert!(
        text.contains("method=auto") && !text.contains("address1"),
        "{text}"
    );
    let text = Made::new(Release::Bullseye, &cluster, 1).text(DHCPCD_CONF);
    assert!(text.ends_with("interface eth0\n"), "{text}");
}

#[test]
fn bullseye_gets_a_block_for_dhcpcd() {
    let made = Made::new(Release::Bullseye, &cluster(), 1);
    assert!(!made.has(KEYFILE));
    let text = made.text(DHCPCD_CONF);
    let block = "interface eth0\nstatic ip_address=192.168.1.11/24\nstatic routers=192.168.1.1\n\
                 static domain_name_servers=192.168.1.1\n";
    assert!(text.ends_with(block), "{text}");
}

#[test]
fn debian_with_neither_has_networkd() {
    let cluster = cluster();
    let (root, boot) = base(Release::Debian13);
    let root = root
        .without("/usr/sbin/NetworkManager")
        .file("/usr/lib/systemd/system/systemd-networkd.service", "");
    let profile = Profile::detect(&root, &boot).unwrap();
    let edits = with_inputs(&cluster, 1, &profile, |inputs| personality(inputs).unwrap());
    let mut made = Made {
        root: crate::edit::Tree::read_from(&root).unwrap(),
        boot: crate::edit::Tree::read_from(&boot).unwrap(),
    };
    made.apply(&edits);
    assert_snapshot!(made.text(NETWORK_FILE), @r"
    # Written by pidoop.
    [Match]
    Name=eth* en* host0

    [Network]
    Address=192.168.1.11/24
    Gateway=192.168.1.1
    DNS=192.168.1.1
    ");
    assert_eq!(
        made.text("/etc/resolv.conf"),
        "# Written by pidoop.\nnameserver 192.168.1.1\n"
    );
    let link = "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service";
    assert_eq!(
        made.link(link).unwrap(),
        "/usr/lib/systemd/system/systemd-networkd.service"
    );
    let proof = crate::node::prove(&made.root, &made.boot, &cluster, &cluster.nodes[1]).unwrap();
    assert!(proof.network.contains(NETWORK_FILE), "{proof}");
}

/// A node made on this base.
fn made_on(
    (root, boot): &(FakeTree, FakeTree),
    cluster: &crate::cluster::Cluster,
) -> Result<Made, NodeError> {
    let profile = Profile::detect(root, boot).unwrap();
    let edits = with_inputs(cluster, 1, &profile, personality)?;
    let mut made = Made {
        root: crate::edit::Tree::read_from(root).unwrap(),
        boot: crate::edit::Tree::read_from(boot).unwrap(),
    };
    made.apply(&edits);
    Ok(made)
}

#[test]
fn networkmanager_gets_a_keyfile_for_wifi() {
    let mut cluster = wireless();
    cluster.network.wifi.as_mut().unwrap().hidden = true;
    cluster.nodes[1].mac = Some(MacAddr::new("dc:a6:32:01:02:03").unwrap());
    let made = Made::new(Release::Trixie, &cluster, 1);
    assert_eq!(made.attributes(KEYFILE), "0600 0:0");
    assert_snapshot!(made.text(KEYFILE), @r#"
    [connection]
    id=pidoop
    uuid=70118d97-bdc7-48eb-bf22-68cada855d84
    type=wifi
    autoconnect-priority=100
    # For ever: a router may need longer to boot than a node.
    autoconnect-retries=0

    [wifi]
    mac-address=dc:a6:32:01:02:03
    mode=infrastructure
    ssid=Elephant House
    hidden=true
    # Off: saving power makes answers late, and a late node counts as dead.
    powersave=2

    [wifi-security]
    key-mgmt=wpa-psk
    psk=\sa\\b\s"c"\s#;='$x\s

    [ipv4]
    may-fail=false
    method=manual
    address1=192.168.1.11/24,192.168.1.1
    dns=192.168.1.1;

    [ipv6]
    method=auto
    may-fail=true
    "#);
    assert!(made.text(STATE).ends_with("WirelessEnabled=true\n"));
    let cmdline = made.cmdline();
    assert!(
        cmdline.contains(" cfg80211.ieee80211_regdom=GB "),
        "{cmdline}"
    );
    assert!(!made.has("/etc/systemd/system/wpa_supplicant.service"));
}

#[test]
fn bullseye_gets_a_file_for_wpa_supplicant_and_its_radio_unblocked() {
    let made = Made::new(Release::Bullseye, &wireless(), 1);
    assert_eq!(made.attributes(WPA_CONF), "0600 0:0");
    assert_snapshot!(made.text(WPA_CONF), @r#"
    # Written by pidoop.
    ctrl_interface=DIR=/var/run/wpa_supplicant GROUP=netdev
    country=GB

    network={
    	ssid=456c657068616e7420486f757365
    	key_mgmt=WPA-PSK
    	psk=" a\b "c" #;='$x "
    }
    "#);
    let text = made.text(DHCPCD_CONF);
    assert!(
        text.contains("\ninterface wlan0\nstatic ip_address=192.168.1.11/24\n"),
        "{text}"
    );
    assert_eq!(made.text("/etc/default/crda"), "REGDOMAIN=GB\n");
    for radio in ["3f300000", "fe300000"] {
        assert_eq!(
            made.text(&format!("{BLOCKS}/platform-{radio}.mmcnr:wlan")),
            "0\n"
        );
    }
}

#[rstest]
#[case("Elephant House", "Elephant House")]
#[case("net_5-G.x", "net_5-G.x")]
#[case("1234", "49;50;51;52;")]
#[case("a;b", "97;59;98;")]
#[case(" a", "32;97;")]
#[case("a ", "97;32;")]
#[case("Ü", "195;156;")]
#[case("a\\sb", "97;92;115;98;")]
fn names_of_networks_are_written_so_that_they_come_back(#[case] name: &str, #[case] written: &str) {
    assert_eq!(
        keyfile_ssid(&crate::cluster::Ssid::new(name).unwrap()),
        written
    );
}

#[test]
fn a_key_is_written_as_it_is() {
    let mut cluster = wireless();
    cluster.nodes[2].wifi = false;
    let key = "0123456789abcdef".repeat(4);
    let profile = |release| {
        let (root, boot) = base(release);
        Profile::detect(&root, &boot).unwrap()
    };
    let passphrase = crate::node::Passphrase::from_text(&key).unwrap();
    for (release, expected) in [
        (Release::Bookworm, format!("\npsk={key}\n")),
        (Release::Bullseye, format!("\n\tpsk={key}\n")),
    ] {
        let profile = profile(release);
        let edits = with_inputs(&cluster, 1, &profile, |inputs| {
            let inputs = NodeInputs {
                passphrase: Some(&passphrase),
                ..*inputs
            };
            personality(&inputs).unwrap()
        });
        let written = edits.root.iter().any(|edit| match edit {
            crate::edit::Edit::PutFile { content, .. } => {
                String::from_utf8_lossy(content.bytes()).contains(&expected)
            }
            _ => false,
        });
        assert!(written, "{release}");
    }
}

#[test]
fn a_node_on_a_cable_has_no_passphrase_and_no_radio() {
    let mut cluster = wireless();
    cluster.nodes[1].wifi = false;
    let made = Made::new(Release::Trixie, &cluster, 1);
    let text = made.text(KEYFILE);
    assert!(
        text.contains("type=ethernet") && !text.contains("psk"),
        "{text}"
    );
    assert!(made.text(STATE).contains("WirelessEnabled=false"));
    assert!(!made.cmdline().contains("regdom"));
    let mask = "/etc/systemd/system/wpa_supplicant.service";
    assert_eq!(made.link(mask).unwrap(), "/dev/null");
}

#[rstest]
#[case(Release::Debian13, "/usr/sbin/NetworkManager", "only systemd-networkd")]
#[case(Release::Debian12, "/usr/sbin/wpa_supplicant", "has no wpa_supplicant")]
#[case(
    Release::Debian13,
    "/usr/lib/firmware",
    "install the package firmware-brcm80211"
)]
fn a_base_that_cannot_do_wifi_is_refused(
    #[case] release: Release,
    #[case] missing: &str,
    #[case] expected: &str,
) {
    let (root, boot) = base(release);
    let bare = (root.without(missing), boot);
    let error = made_on(&bare, &wireless()).err().unwrap().to_string();
    assert!(error.starts_with("worker1 cannot be on Wi-Fi: "), "{error}");
    assert!(
        error.contains(expected) && error.contains("a cable"),
        "{error}"
    );
}

#[test]
fn dhcpcd_of_debian_is_refused_for_wifi() {
    let (root, boot) = base(Release::Debian12);
    let root = root
        .without("/usr/sbin/NetworkManager")
        .file("/usr/sbin/dhcpcd", "");
    let error = made_on(&(root, boot), &wireless())
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("dhcpcd starts nothing for Wi-Fi"), "{error}");
}

#[test]
fn networks_the_base_was_set_up_for_go() {
    let leftovers = [
        "/etc/NetworkManager/system-connections/preconfigured.nmconnection",
        "/etc/netplan/50-cloud-init.yaml",
        "/etc/netplan/90-NM-0c6b.yaml",
        "/etc/systemd/network/05-eth0.network",
        "/etc/network/interfaces.d/eth0",
    ];
    let (mut root, boot) = base(Release::Trixie);
    for path in leftovers {
        root = root.file(path, "auto eth0\niface eth0 inet dhcp\n");
    }
    let root = root
        .file(
            "/etc/network/interfaces",
            "auto lo eth0\niface eth0 inet dhcp\n",
        )
        .file("/etc/network/interfaces.d/README", "Nothing here.\n")
        // Names of interfaces stay as they are.
        .link("/etc/systemd/network/99-default.link", "/dev/null");
    let made = made_on(&(root, boot), &cluster()).unwrap();
    for path in leftovers {
        assert!(!made.has(path), "{path}");
    }
    assert!(
        made.text("/etc/network/interfaces")
            .ends_with("auto lo\niface lo inet loopback\n")
    );
    assert!(made.has("/etc/network/interfaces.d/README"));
    assert!(made.has("/etc/systemd/network/99-default.link"));
}

#[test]
fn names_outside_are_asked_for_where_the_cluster_file_says() {
    let made = Made::new(Release::Bullseye, &cluster(), 1);
    assert_eq!(
        made.text(RESOLV_CONF),
        "# Written by pidoop.\nnameserver 192.168.1.1\n"
    );
    let mut isolated = cluster();
    isolated.network.dns.clear();
    let made = Made::new(Release::Trixie, &isolated, 1);
    assert_eq!(made.text(RESOLV_CONF), "# Written by pidoop.\n");
    let mut dhcp = cluster();
    dhcp.network.addressing = Addressing::Dhcp;
    assert!(
        !Made::new(Release::Trixie, &dhcp, 1)
            .text(RESOLV_CONF)
            .contains("nameserver")
    );
    let (root, boot) = base(Release::Debian13);
    let stub = "../run/systemd/resolve/stub-resolv.conf";
    let made = made_on(&(root.link(RESOLV_CONF, stub), boot), &cluster()).unwrap();
    assert_eq!(made.link(RESOLV_CONF).unwrap(), stub);
}

#[rstest]
#[case("a quote\"#", Some("behind a double quote"))]
#[case("two\"quotes\"#", None)]
#[case("# a quote\"", None)]
fn a_passphrase_that_wpa_supplicant_would_cut_is_refused(
    #[case] text: &str,
    #[case] expected: Option<&str>,
) {
    let passphrase = crate::node::Passphrase::from_text(text).unwrap();
    let said = |release| {
        let (root, boot) = base(release);
        let profile = Profile::detect(&root, &boot).unwrap();
        with_inputs(&wireless(), 1, &profile, |inputs| {
            let inputs = NodeInputs {
                passphrase: Some(&passphrase),
                ..*inputs
            };
            personality(&inputs).err().map(|error| error.to_string())
        })
    };
    assert_eq!(said(Release::Trixie), None);
    match (said(Release::Bullseye), expected) {
        (None, None) => {}
        (Some(said), Some(expected)) => {
            assert!(
                said.contains(expected) && said.contains("64 hex digits"),
                "{said}"
            );
            assert!(!said.contains(text), "{said}");
        }
        (said, expected) => panic!("{said:?} and not {expected:?}"),
    }
}
