//! What cannot be rehearsed, and why.

use fs_err as fs;
use rstest::rstest;

use super::theatre::{Theatre, make_image, x86_kernel};

#[rstest]
#[case("boot --node nosuch", &["no node nosuch", "the nodes are master, worker1, worker2"])]
#[case("boot -o elsewhere", &["no image of master: elsewhere/tiny-master.img", "pidoop build"])]
#[case("boot -f nosuch.toml", &["there is no nosuch.toml"])]
#[case("boot --job --node worker1", &["a job needs the master and a worker"])]
#[case("boot --card 64M", &["112 MiB, which do not fit on a card of 64M"])]
#[case("boot --machine virt", &["its kernel is one for amd64; such images run on q35"])]
#[case("boot --machine raspi3b --memory 2G", &["1 GiB and four cores"])]
#[case("boot --machine raspi3b --card 300M", &["no power of two", "--card such as 4G"])]
fn a_wrong_wish(#[case] args: &str, #[case] words: &[&str]) {
    let theatre = Theatre::new();
    theatre.sandbox.run(args).refuses(2, words);
    theatre.is_empty();
}

#[rstest]
#[case("boot --machine pi5")]
#[case("boot --card lots")]
#[case("boot --memory 1M")]
#[case("boot --cpus 0")]
fn a_slip_of_the_hand(#[case] args: &str) {
    Theatre::new().sandbox.run(args).exits(2);
}

#[test]
fn a_missing_emulator_is_named_with_its_package() {
    let theatre = Theatre::new();
    let sandbox = &theatre.sandbox;
    let command = sandbox.wrapped(&["env", "PATH=/nowhere"], "boot");
    sandbox.finish(command, "boot").refuses(
        3,
        &[
            "qemu-system-x86_64 was not found",
            "apt install qemu-system-x86",
        ],
    );
    assert_eq!(sandbox.names("home"), [".ssh"], "nothing was copied before");
}

#[test]
fn an_old_emulator_is_refused() {
    let mut theatre = Theatre::new();
    let script = "#!/bin/sh\necho 'QEMU emulator version 6.2.0'\n";
    theatre
        .sandbox
        .install_program("qemu-system-x86_64", script);
    theatre
        .sandbox
        .run("boot")
        .refuses(3, &["version 6.2.0", "7.2.0 or newer"]);
}

#[rstest]
#[case(b"no kernel".to_vec(), "", "its kernel is no Linux kernel")]
#[case(x86_kernel(&[]), "kernel=other.img\n", "there is no kernel other.img")]
#[case(
    x86_kernel(&[]),
    "initramfs missing.img followkernel\n",
    "config.txt names missing.img, which is not on the boot partition"
)]
fn an_image_that_cannot_start(#[case] kernel: Vec<u8>, #[case] config: &str, #[case] why: &str) {
    let theatre = Theatre::new();
    let image = theatre.sandbox.image("worker1");
    fs::remove_file(&image).unwrap();
    make_image(&image, &kernel, "config.txt", config);
    theatre
        .sandbox
        .run("boot --node worker1")
        .refuses(2, &["cannot be started", why]);
    theatre.is_empty();
}

#[test]
fn one_rehearsal_at_a_time_uses_a_directory_of_cards() {
    let theatre = Theatre::new();
    let dir = theatre.sandbox.path("cards");
    fs::create_dir(&dir).unwrap();
    let lock = std::fs::File::create(dir.join(".pidoop.lock")).unwrap();
    lock.try_lock().unwrap();
    theatre
        .sandbox
        .run("boot --cards cards")
        .refuses(3, &["another pidoop is at work in cards"]);
}
