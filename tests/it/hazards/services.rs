//! What runs on a node, and what does not.

use rstest::rstest;

use super::Node;
use crate::support::world::Flavour;

#[rstest]
fn nothing_swaps_to_the_card(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::FirstTrixie,
        Flavour::Trixie,
        Flavour::Debian12
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    if flavour.is("trixie") {
        let text = node.image.text("/etc/rpi/swap.conf.d/90-pidoop.conf");
        assert!(text.ends_with("[Main]\nMechanism=none\n"), "{text}");
        assert!(node.is_masked("rpi-resize-swap-file.service"));
    } else if flavour.is_raspberry_pi_os() {
        assert!(node.is_masked("dphys-swapfile.service"));
        assert!(!node.starts("multi-user.target", "dphys-swapfile.service"));
    }
    assert!(!node.image.exists("/var/swap"));
    assert!(!node.image.text("/etc/fstab").contains("swap"));
    assert!(node.starts("multi-user.target", "pidoop-zram.service"));
}

#[rstest]
fn the_clock_starts_when_the_base_was_made(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Trixie,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    let clock = "/var/lib/systemd/timesync/clock";
    assert_eq!(node.image.attributes(clock), "0644 996:996");
    // Its date is what counts, and that of every file that was written.
    let date = node.image.modified(clock);
    assert_eq!(date, node.image.modified("/etc/hostname"));
    let old = matches!(flavour, Flavour::Bullseye | Flavour::Bookworm);
    assert_eq!(node.image.exists("/etc/fake-hwclock.data"), old);
    if old {
        let text = node.image.text("/etc/fake-hwclock.data");
        assert_ne!(text, "2025-05-13 00:17:01\n", "that of the base");
        assert_eq!(text.len(), "2025-05-13 00:17:01\n".len());
    }
    assert!(node.starts("sysinit.target", "systemd-timesyncd.service"));
}

#[rstest]
#[case(Flavour::Bullseye)]
#[case(Flavour::Bookworm)]
#[case(Flavour::Trixie)]
fn the_journal_is_kept_whatever_the_release_says(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    let text = node
        .image
        .text("/etc/systemd/journald.conf.d/90-pidoop.conf");
    assert!(text.contains("Storage=persistent\n"), "{text}");
    assert_eq!(node.image.attributes("/var/log/journal"), "02755 0:999");
}

#[rstest]
#[case(Flavour::FirstTrixie)]
#[case(Flavour::Trixie)]
fn the_watchdog_stays_as_it_is(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    let shipped = "/usr/lib/systemd/system.conf.d/70-rpi-enable-watchdog.conf";
    assert_eq!(
        node.image.text(shipped),
        "[Manager]\nRuntimeWatchdogSec=16\n"
    );
    assert!(!node.image.exists("/etc/systemd/system.conf.d"));
}

#[rstest]
fn there_is_a_console_on_the_screen_and_on_the_wire(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Desktop,
        Flavour::Trixie,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    let words = node.words();
    let consoles: Vec<&String> = words
        .iter()
        .filter(|word| word.starts_with("console="))
        .collect();
    assert_eq!(consoles, ["console=serial0,115200", "console=tty1"]);
    assert!(!node.is_masked("serial-getty@.service") && !node.is_masked("getty@.service"));
}

#[rstest]
fn nothing_asks_at_the_console(
    #[values(
        Flavour::Bullseye,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    assert!(node.is_masked("systemd-firstboot.service"));
}

#[rstest]
fn place_and_language_are_those_the_base_has(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Trixie,
        Flavour::Debian12
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    assert_eq!(
        node.image.link("/etc/localtime").as_deref(),
        Some("/usr/share/zoneinfo/Etc/UTC")
    );
    assert_eq!(node.image.text("/etc/timezone"), "Etc/UTC\n");
    for path in ["/etc/default/locale", "/etc/locale.conf"] {
        assert_eq!(node.image.text(path), "LANG=C.UTF-8\n", "{path}");
    }
    // A node has no keyboard; the base's stays for who brings one.
    assert_eq!(
        node.image.text("/etc/default/keyboard"),
        "XKBLAYOUT=\"gb\"\n"
    );
}

#[rstest]
#[case(Flavour::Bullseye, 8)]
#[case(Flavour::Bookworm, 9)]
#[case(Flavour::Desktop, 9)]
#[case(Flavour::Trixie, 5)]
#[case(Flavour::Debian13, 3)]
fn what_only_takes_memory_or_acts_by_itself_is_masked(
    #[case] flavour: Flavour,
    #[case] count: usize,
) {
    let node = Node::worker(flavour);
    let masked = node.masked_where_packaged(&[
        "ModemManager.service",
        "apt-daily-upgrade.timer",
        "apt-daily.timer",
        "bluetooth.service",
        "hciuart.service",
        "man-db.timer",
        "rpi-eeprom-update.service",
        "triggerhappy.service",
        "triggerhappy.socket",
    ]);
    assert_eq!(masked, count);
    // NAME.local is still answered for.
    assert!(node.starts("multi-user.target", "avahi-daemon.service"));
}

#[rstest]
fn what_starts_is_there(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Desktop,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    const UNITS: &str = "/etc/systemd/system";
    for node in [Node::master(flavour), Node::worker(flavour)] {
        let dirs = node.image.names(UNITS);
        let targets = [".wants", ".requires"];
        let dirs = dirs
            .iter()
            .filter(|name| targets.iter().any(|end| name.ends_with(end)));
        let mut count = 0;
        for dir in dirs {
            for name in node.image.names(&format!("{UNITS}/{dir}")) {
                let link = format!("{UNITS}/{dir}/{name}");
                let target = node.image.link(&link).unwrap();
                assert!(node.image.exists(&target), "{link} leads to no {target}");
                count += 1;
            }
        }
        assert!(count > 8, "{count}");
    }
}
