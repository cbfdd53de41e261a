//! Who can log in, and where.

use fs_err as fs;
use rstest::rstest;

use super::Node;
use crate::support::tiny_image::temp_dir;
use crate::support::tools::run;
use crate::support::world::Flavour;

#[rstest]
fn host_keys_are_baked_and_nothing_deletes_them(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Desktop,
        Flavour::FirstTrixie,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    let key = "/etc/ssh/ssh_host_ed25519_key";
    assert_eq!(node.image.attributes(key), "0600 0:0");
    let (_scratch, dir) = temp_dir();
    let file = dir.join("key");
    fs::write(&file, node.image.text(key)).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let public = run("ssh-keygen", &["-y", "-f", file.as_str()]);
    assert_eq!(public, node.image.text(&format!("{key}.pub")));
    let drop_in = node.image.text("/etc/ssh/sshd_config.d/10-pidoop.conf");
    assert!(drop_in.contains(&format!("HostKey {key}\n")), "{drop_in}");
    let unit = "regenerate_ssh_host_keys.service";
    if flavour.is_raspberry_pi_os() {
        assert!(node.is_masked(unit));
    }
    for target in ["multi-user.target", "sysinit.target"] {
        assert!(
            !node
                .image
                .exists(&format!("/etc/systemd/system/{target}.wants/{unit}"))
        );
    }
    assert!(node.starts("multi-user.target", "ssh.service"));
    assert!(!node.image.exists("/etc/ssh/sshd_not_to_be_run"));
}

#[rstest]
#[case(Flavour::Bullseye)]
#[case(Flavour::Bookworm)]
#[case(Flavour::Desktop)]
#[case(Flavour::FirstTrixie)]
#[case(Flavour::Trixie)]
fn no_wizard_waits_for_anybody(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    assert!(node.is_masked("userconfig.service"));
    for path in [
        "/etc/systemd/system/multi-user.target.wants/userconfig.service",
        "/etc/ssh/sshd_config.d/rename_user.conf",
        "/var/lib/userconf-pi/autologin",
        "/etc/systemd/system/getty@tty1.service.d/autologin.conf",
        "/etc/xdg/autostart/piwiz.desktop",
    ] {
        assert!(!node.image.exists(path), "{path}");
    }
    let getty = "/etc/systemd/system/getty.target.wants/getty@tty1.service";
    assert_eq!(
        node.image.link(getty).as_deref(),
        Some("/usr/lib/systemd/system/getty@.service")
    );
}

#[test]
fn a_desktop_becomes_a_node_without_one() {
    let node = Node::worker(Flavour::Desktop);
    let wizard = "rpi-first-boot-wizard";
    for file in ["passwd", "shadow", "group", "gshadow"] {
        let text = node.image.text(&format!("/etc/{file}"));
        assert!(!text.contains(wizard), "{file}:\n{text}");
    }
    assert!(!node.image.exists(&format!("/home/{wizard}")));
    assert!(!node.image.exists("/etc/sudoers.d/010_wiz-nopasswd"));
    let lightdm = node.image.text("/etc/lightdm/lightdm.conf");
    assert!(
        lightdm.contains("greeter-session=") && !lightdm.contains("autologin-user"),
        "{lightdm}"
    );
    assert_eq!(
        node.image
            .link("/etc/systemd/system/default.target")
            .as_deref(),
        Some("/usr/lib/systemd/system/multi-user.target")
    );
    assert_eq!(
        node.masked_where_packaged(&["cups.path", "cups.service", "cups.socket"]),
        3
    );
}

/// The line of a name in a file of colons.
fn line(text: &str, name: &str) -> Vec<String> {
    let prefix = format!("{name}:");
    let line = text.lines().find(|line| line.starts_with(&prefix));
    line.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
        .split(':')
        .map(str::to_owned)
        .collect()
}

#[rstest]
fn the_first_user_can_log_in(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Desktop,
        Flavour::FirstTrixie,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    let file = |name: &str| node.image.text(&format!("/etc/{name}"));
    let passwd = line(&file("passwd"), "keeper");
    assert_eq!(passwd[2], "1000");
    // The shell also where it was nologin.
    assert_eq!(passwd[5..], ["/home/keeper", "/bin/bash"]);
    let shadow = line(&file("shadow"), "keeper");
    assert_eq!(shadow[1], "*");
    assert_ne!(shadow[2], "0");
    assert_eq!(node.image.attributes("/etc/shadow"), "0640 0:42");
    for group in ["sudo", "adm", "video", "netdev"] {
        let members = line(&file("group"), group).remove(3);
        assert!(
            members.split(',').any(|user| user == "keeper"),
            "{group}: {members}"
        );
    }
    for (path, attributes) in [
        ("/home/keeper", "0700 1000:1000"),
        ("/home/keeper/.ssh", "0700 1000:1000"),
        ("/home/keeper/.ssh/authorized_keys", "0600 1000:1000"),
        ("/etc/sudoers.d/010_pidoop-keeper", "0440 0:0"),
    ] {
        assert_eq!(node.image.attributes(path), attributes, "{path}");
    }
    let sudoers = node.image.text("/etc/sudoers.d/010_pidoop-keeper");
    assert_eq!(sudoers, "keeper ALL=(ALL) NOPASSWD: ALL\n");
    // Root has no password, not even an empty one.
    assert!(line(&file("shadow"), "root")[1].starts_with('*'));
}

#[rstest]
#[case(Flavour::Bullseye)]
#[case(Flavour::Bookworm)]
#[case(Flavour::Desktop)]
#[case(Flavour::FirstTrixie)]
#[case(Flavour::Trixie)]
fn nothing_is_left_of_the_bases_user(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    for file in ["passwd", "shadow", "group", "gshadow", "subuid", "subgid"] {
        let text = node.image.text(&format!("/etc/{file}"));
        let mut words = text.split([':', ',', '\n']);
        assert!(
            !words.any(|word| word == "pi"),
            "pi is left in {file}:\n{text}"
        );
    }
    assert_eq!(node.image.text("/etc/subuid"), "keeper:100000:65536\n");
    assert!(!node.image.exists("/home/pi"));
    assert!(!node.image.exists("/etc/sudoers.d/010_pi-nopasswd"));
}

#[rstest]
fn the_cluster_file_alone_says_where_a_node_is(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Imaged,
        Flavour::FirstTrixie,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    let keyfile = "/etc/NetworkManager/system-connections/pidoop.nmconnection";
    match flavour {
        Flavour::Bullseye => {
            let text = node.image.text("/etc/dhcpcd.conf");
            let block =
                "\ninterface eth0\nstatic ip_address=10.4.0.11/24\nstatic routers=10.4.0.1\n";
            assert!(text.contains(block), "{text}");
            assert!(node.starts("multi-user.target", "dhcpcd.service"));
            assert!(!node.image.exists(keyfile));
        }
        Flavour::Debian12 => {
            let text = node.image.text("/etc/systemd/network/10-pidoop.network");
            assert!(
                text.contains("\nAddress=10.4.0.11/24\nGateway=10.4.0.1\n"),
                "{text}"
            );
            assert!(node.starts("multi-user.target", "systemd-networkd.service"));
        }
        _ => {
            assert_eq!(node.image.attributes(keyfile), "0600 0:0");
            let text = node.image.text(keyfile);
            assert!(
                text.contains("\naddress1=10.4.0.11/24,10.4.0.1\n"),
                "{text}"
            );
            assert!(node.starts("multi-user.target", "NetworkManager.service"));
        }
    }
    // Nothing else takes the interface.
    let connections = node.image.names("/etc/NetworkManager/system-connections");
    assert!(
        connections.iter().all(|name| name == "pidoop.nmconnection"),
        "{connections:?}"
    );
    for dir in ["/etc/netplan", "/etc/network/interfaces.d"] {
        if node.image.exists(dir) {
            for name in node.image.names(dir) {
                let text = node.image.text(&format!("{dir}/{name}"));
                let comment = text.lines().all(|line| line.starts_with('#'));
                assert!(comment, "{dir}/{name}:\n{text}");
            }
        }
    }
}

#[rstest]
#[case(Flavour::Bullseye)]
#[case(Flavour::Bookworm)]
#[case(Flavour::Trixie)]
fn nobody_outside_is_asked_for_names(#[case] flavour: Flavour) {
    // The tiny cluster has no name servers.
    let text = Node::worker(flavour).image.text("/etc/resolv.conf");
    assert_eq!(text, "# Written by pidoop.\n");
}

#[rstest]
fn every_node_knows_the_others_by_their_addresses(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Trixie,
        Flavour::Debian12
    )]
    flavour: Flavour,
) {
    for node in [Node::master(flavour), Node::worker(flavour)] {
        let hosts = node.image.text("/etc/hosts");
        assert!(
            hosts.contains("10.4.0.10\tmaster\n10.4.0.11\tworker1\n"),
            "{hosts}"
        );
        assert!(!hosts.contains("127.0.1.1"), "{hosts}");
        assert_eq!(
            node.image.text("/etc/ssh/ssh_known_hosts").lines().count(),
            2
        );
    }
}
