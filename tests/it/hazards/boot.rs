//! What the firmware and the first boot do.

use rstest::rstest;

use super::Node;
use crate::support::world::Flavour;

#[rstest]
fn the_command_line_is_one_line_without_a_trigger(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Desktop,
        Flavour::Imaged,
        Flavour::FirstTrixie,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    let line = node.image.boot_text("cmdline.txt");
    assert_eq!(line.lines().count(), 1, "{line}");
    // The scripts of the releases look for these anywhere in the line.
    for part in [
        "firstboot",
        "init_resize",
        " resize",
        "systemd.run",
        "init=",
        "ds=",
    ] {
        assert!(!line.contains(part), "{line}");
    }
    let words = node.words();
    for word in [
        "quiet",
        "splash",
        "systemd.unit=kernel-command-line.target",
        "sdhci.debug_quirks2=4",
    ] {
        assert!(!words.iter().any(|other| other == word), "{line}");
    }
    for word in ["rootwait", "fsck.repair=yes", "cgroup_enable=memory"] {
        assert!(words.iter().any(|other| other == word), "{line}");
    }
    // Only Debian's own images mount the root writable from the start.
    let writable = words.iter().any(|word| word == "rw");
    assert_eq!(writable, flavour == Flavour::Debian12, "{line}");
}

#[rstest]
#[case(Flavour::Bullseye)]
#[case(Flavour::Bookworm)]
#[case(Flavour::Desktop)]
fn the_script_of_the_first_boot_has_nothing_left_to_start_it(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    assert!(!node.words().iter().any(|word| word.starts_with("init=")));
    assert!(node.is_masked("resize2fs_once.service"));
    for path in ["/etc/init.d/resize2fs_once", "/etc/rc3.d/S01resize2fs_once"] {
        assert!(!node.image.exists(path), "{path}");
    }
    // It is a package's, and stays.
    assert!(node.image.exists("/usr/lib/raspberrypi-sys-mods/firstboot"));
}

#[rstest]
#[case(Flavour::FirstTrixie)]
#[case(Flavour::Trixie)]
fn trixie_gives_the_disk_no_new_id_and_grows_nothing(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    assert!(!node.words().iter().any(|word| word == "resize"));
    assert!(node.is_masked("rpi-resize.service"));
    assert!(!node.starts("sysinit.target", "rpi-resize.service"));
    assert!(!node.image.text("/etc/fstab").contains("growfs"));
    // The files of the initramfs stay where the firmware looks for them.
    assert!(
        node.image
            .boot_text("config.txt")
            .contains("\nauto_initramfs=1\n")
    );
    assert!(node.image.boot_names().contains(&"initramfs8".to_owned()));
}

#[rstest]
fn one_unit_of_our_own_fills_the_card(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let node = Node::worker(flavour);
    assert!(node.starts("multi-user.target", "pidoop-grow.service"));
    let script = "/usr/local/lib/pidoop/grow-root";
    assert_eq!(node.image.attributes(script), "0755 0:0");
}

#[rstest]
fn the_disk_has_one_id_in_every_place(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Desktop,
        Flavour::Imaged,
        Flavour::FirstTrixie,
        Flavour::Trixie,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let (master, worker) = (Node::master(flavour), Node::worker(flavour));
    assert_ne!(master.image.id, worker.image.id);
    for node in [master, worker] {
        let id = node.image.id.trim_start_matches("0x").to_owned();
        assert_ne!(id, "50a7d0a6", "the id of the base image");
        let root = format!("root=PARTUUID={id}-02");
        assert!(node.words().contains(&root), "{:?}", node.words());
        let fstab = node.image.text("/etc/fstab");
        for (partition, mount) in [("01", flavour.boot_mount()), ("02", "/")] {
            let line = fstab.lines().find(|line| {
                let mut fields = line.split_whitespace();
                fields.next() == Some(&format!("PARTUUID={id}-{partition}"))
                    && fields.next() == Some(mount)
            });
            assert!(line.is_some(), "{fstab}");
        }
        assert!(!fstab.contains("50a7d0a6"), "{fstab}");
    }
}

#[test]
fn an_image_that_mounts_by_label_goes_on_doing_so() {
    let node = Node::worker(Flavour::Debian12);
    assert!(node.words().contains(&"root=LABEL=RASPIROOT".to_owned()));
    let fstab = node.image.text("/etc/fstab");
    assert!(fstab.contains("LABEL=RASPIROOT / ext4 rw 0 1"), "{fstab}");
    assert!(
        fstab.contains("LABEL=RASPIFIRM /boot/firmware vfat rw,nofail 0 2"),
        "{fstab}"
    );
    assert_eq!(node.image.label(), "RASPIROOT");
}

#[rstest]
fn a_machine_id_of_its_own_makes_no_boot_the_first(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Imaged,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let id = |node: &Node| node.image.text("/etc/machine-id");
    let (master, worker) = (Node::master(flavour), Node::worker(flavour));
    for node in [&master, &worker] {
        let id = id(node);
        assert_eq!(id.trim_end().len(), 32, "{id}");
        assert!(id.trim_end().bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        let link = node.image.link("/var/lib/dbus/machine-id");
        assert_eq!(link.as_deref(), Some("/etc/machine-id"));
        for shared in [
            "/var/lib/systemd/random-seed",
            "/var/lib/NetworkManager/secret_key",
        ] {
            assert!(!node.image.exists(shared), "{shared}");
        }
    }
    assert_ne!(id(&master), id(&worker));
}

#[rstest]
fn nothing_is_read_from_the_firmware_partition(
    #[values(
        Flavour::Bullseye,
        Flavour::Bookworm,
        Flavour::Imaged,
        Flavour::Trixie,
        Flavour::Debian12,
        Flavour::Debian13
    )]
    flavour: Flavour,
) {
    let mut names = Node::worker(flavour).image.boot_names();
    names.retain(|name| !matches!(name.as_str(), "issue.txt" | "initramfs8"));
    assert_eq!(
        names,
        [
            "bcm2711-rpi-4-b.dtb",
            "cmdline.txt",
            "config.txt",
            "kernel8.img",
            "overlays",
            "start4.elf"
        ]
    );
}

#[rstest]
#[case(Flavour::FirstTrixie)]
#[case(Flavour::Trixie)]
fn cloud_init_is_switched_off(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    assert!(node.image.exists("/etc/cloud/cloud-init.disabled"));
    assert!(!node.words().iter().any(|word| word.starts_with("ds=")));
    // Its units stay: the file decides, before any of them starts.
    assert!(
        node.image
            .exists("/usr/lib/systemd/system/cloud-init-main.service")
    );
}

#[rstest]
#[case(Flavour::Bookworm)]
#[case(Flavour::Trixie)]
fn decoys_are_left_alone(#[case] flavour: Flavour) {
    let node = Node::worker(flavour);
    for name in ["cmdline.txt", "config.txt"] {
        let text = node.image.text(&format!("/boot/{name}"));
        assert!(text.starts_with("DO NOT EDIT THIS FILE"), "{text}");
    }
}

#[rstest]
#[case(Flavour::Bullseye, true)]
#[case(Flavour::Trixie, true)]
#[case(Flavour::Debian13, false)]
fn config_txt_holds_for_every_board(#[case] flavour: Flavour, #[case] gpu: bool) {
    let text = Node::worker(flavour).image.boot_text("config.txt");
    let all = text.rsplit("[all]").next().unwrap();
    assert_eq!(all.lines().any(|line| line == "gpu_mem=16"), gpu, "{text}");
    assert!(
        text.contains("arm_64bit=1\n") && text.contains("enable_uart=1\n"),
        "{text}"
    );
}

#[test]
fn debians_images_do_not_set_themselves_up_again() {
    let node = Node::worker(Flavour::Debian12);
    for unit in [
        "rpi-set-sysconf",
        "rpi-reconfigure-raspi-firmware",
        "rpi-generate-ssh-host-keys",
    ] {
        assert!(
            !node
                .image
                .exists(&format!("/etc/systemd/system/{unit}.service")),
            "{unit}"
        );
        // A link that requires what is not there would keep its target from
        // starting.
        for target in ["basic", "sysinit", "multi-user"] {
            let link = format!("/etc/systemd/system/{target}.target.requires/{unit}.service");
            assert!(!node.image.exists(&link), "{link}");
        }
    }
    // A new kernel writes the command line anew, with these words.
    let words = node.image.text("/etc/default/raspi-extra-cmdline");
    assert_eq!(words, "cgroup_enable=memory\n");
    let shadow = node.image.text("/etc/shadow");
    assert!(shadow.starts_with("root:*:20000:"), "{shadow}");
}
