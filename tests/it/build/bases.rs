//! What a base image is, by what is in it: bases that are refused with the
//! reason, and names of files that say something else.

use camino::Utf8Path;
use fs_err as fs;
use fs_err::os::unix::fs::FileExt;
use rstest::rstest;

use crate::support::tiny_image::{MIB, Table};
use crate::support::tools::run;
use crate::support::world::{
    ClusterFile, Flavour, Sandbox, assemble, copy_sparsely, make_ext4, make_fat, world,
};

/// What `build` says of the base that `make` makes.
#[track_caller]
fn refused(words: &[&str], make: impl FnOnce(&Utf8Path)) {
    let place = Sandbox::new();
    let image = place.path("base.img");
    make(&image);
    let sandbox = Sandbox::with(&ClusterFile::new(world()).base(&image));
    sandbox.run("build --quiet").refuses(2, words);
    assert!(sandbox.finished().is_empty(), "{:?}", sandbox.finished());
}

/// A disk whose root partition begins with these marks and is no ext4.
fn with_root_of(image: &Utf8Path, marks: &[(u64, &[u8])]) {
    let dir = image.parent().unwrap();
    let root = dir.join("root");
    let file = fs::File::create(&root).unwrap();
    file.set_len(8 * MIB).unwrap();
    for (at, bytes) in marks {
        file.write_all_at(bytes, *at).unwrap();
    }
    let boot = make_fat(dir, Flavour::Trixie);
    assemble(image, Table::Mbr, &[&boot, &root]);
}

#[rstest]
#[case(0, b"hsqs", &["squashfs", "then only read; take an image with ext4"])]
#[case(0x1_0040, b"_BHRfS_M", &["btrfs", "pidoop writes ext4 and nothing else"])]
#[case(0, b"LUKS\xba\xbe", &["an encrypted LUKS volume", "cannot be written without its key"])]
#[case(0, b"", &["partition 2: zeros", "take an image with ext4"])]
fn a_root_that_is_no_ext4(#[case] at: u64, #[case] mark: &[u8], #[case] words: &[&str]) {
    refused(words, |image| with_root_of(image, &[(at, mark)]));
}

#[test]
fn a_card_with_an_installer() {
    // As the archives of NOOBS and PINN are unpacked onto one.
    refused(&["there is no partition 2", "PINN or NOOBS"], |image| {
        let boot = make_fat(image.parent().unwrap(), Flavour::Trixie);
        assemble(image, Table::Mbr, &[&boot]);
    });
    // As they leave it once they have installed something.
    refused(
        &["partition 2 is an extended one", "NOOBS and PINN"],
        |image| {
            fs::File::create(image).unwrap().set_len(64 * MIB).unwrap();
            let table = "label: dos\nstart=8192, size=32768, type=e\nstart=40960, type=5\n\
                     start=43008, size=8192, type=83\n";
            let script = image.with_extension("sfdisk");
            fs::write(&script, table).unwrap();
            run(
                "sh",
                &["-c", &format!("sfdisk --quiet '{image}' < '{script}'")],
            );
        },
    );
}

#[test]
fn a_root_partition_that_cannot_grow() {
    refused(&["another lies behind it"], |image| {
        let dir = image.parent().unwrap();
        let boot = make_fat(dir, Flavour::Trixie);
        let root = make_ext4(dir, Flavour::Trixie, &Flavour::Trixie.root());
        let data = dir.join("data");
        fs::File::create(&data).unwrap().set_len(8 * MIB).unwrap();
        assemble(image, Table::Mbr, &[&boot, &root, &data]);
    });
}

/// A base of this system, one file of which says something else.
fn with_file(flavour: Flavour, path: &str, text: &[u8], image: &Utf8Path) {
    let dir = image.parent().unwrap();
    let mut tree = flavour.root();
    tree.program(path, text);
    let boot = make_fat(dir, flavour);
    assemble(image, Table::Mbr, &[&boot, &make_ext4(dir, flavour, &tree)]);
}

#[rstest]
#[case(
    "ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nVERSION_CODENAME=noble\n",
    &["the image is Ubuntu 24.04.3 LTS", "belongs to cloud-init and snapd"]
)]
#[case(
    "ID=raspbian\nPRETTY_NAME=\"Raspbian GNU/Linux 10 (buster)\"\nVERSION_CODENAME=buster\n",
    &["(buster), which is too old", "take Raspberry Pi OS bullseye, bookworm or trixie"]
)]
fn a_system_without_a_profile(#[case] os_release: &str, #[case] words: &[&str]) {
    refused(words, |image| {
        with_file(
            Flavour::Bookworm,
            "usr/lib/os-release",
            os_release.as_bytes(),
            image,
        );
    });
}

#[test]
fn a_32_bit_system() {
    refused(
        &["the image is 32-bit (arm)", "take the 64-bit (arm64) image"],
        |image| {
            // EM_ARM in an ELF of class 1 (System V ABI).
            let mut bash = vec![0; 64];
            bash[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
            bash[18] = 40;
            with_file(Flavour::Trixie, "usr/bin/bash", &bash, image);
        },
    );
}

#[test]
fn an_image_of_rpi_image_gen() {
    refused(
        &["made with rpi-image-gen", "/dev/disk/by-slot/system"],
        |image| {
            let fstab = b"/dev/disk/by-slot/system  /  ext4 rw,relatime 0 1\n";
            with_file(Flavour::Debian13, "etc/fstab", fstab, image);
        },
    );
}

#[test]
fn the_name_of_the_file_says_nothing() {
    let place = Sandbox::new();
    let image = place.path("2026-09-15-raspios-trixie-armhf-lite.img");
    copy_sparsely(&world().base(Flavour::Bookworm), &image);
    let sandbox = Sandbox::with(&ClusterFile::new(world()).base(&image));
    let plan = sandbox.run("plan --json").works().document();
    assert_eq!(plan["base"]["profile"]["release"], "bookworm");
}
