use insta::assert_snapshot;
use rstest::rstest;

use super::{said_of, said_of_each, with};

#[test]
fn boards_that_cannot_be_nodes_are_refused_with_the_reason() {
    let board = "board = \"pi4-4gb\"";
    assert_snapshot!(said_of_each(&[
        (board, "board = \"pi-zero-w\""),
        (board, "board = \"zero2w\""),
        (board, "board = \"pi1b\""),
        (board, "board = \"pi2\""),
        (board, "board = \"pi3a+\""),
        (board, "board = \"pi4\""),
        (board, "board = \"pi400\""),
        (board, "board = \"cm4-8gb\""),
        (board, "board = \"pi4-5gb\""),
        (board, "board = \"nuc\""),
    ]), @r#"
    error: "pi-zero-w" cannot be a node: a Raspberry Pi Zero is ARMv6 with 512 MB of memory: no server Java runs on it, and Hadoop would not fit
      --> cluster.toml:29:9
       |
    29 | board = "pi-zero-w"
       |         ^^^^^^^^^^^
       |
       = help: use one of pi3-1gb, pi3plus-1gb, pi4-1gb, pi4-2gb, pi4-4gb, pi4-8gb, pi5-1gb, pi5-2gb, pi5-4gb, pi5-8gb and pi5-16gb
    ---
    error: "zero2w" cannot be a node: a Raspberry Pi Zero 2 W has 512 MB of memory, too little for a Hadoop daemon and a container beside it
      --> cluster.toml:29:9
       |
    29 | board = "zero2w"
       |         ^^^^^^^^
       |
       = help: use one of pi3-1gb, pi3plus-1gb, pi4-1gb, pi4-2gb, pi4-4gb, pi4-8gb, pi5-1gb, pi5-2gb, pi5-4gb, pi5-8gb and pi5-16gb
    ---
    error: "pi1b" cannot be a node: a Raspberry Pi 1 is ARMv6: no server Java runs on it, and Hadoop would not fit its 512 MB of memory
      --> cluster.toml:29:9
       |
    29 | board = "pi1b"
       |         ^^^^^^
       |
       = help: use one of pi3-1gb, pi3plus-1gb, pi4-1gb, pi4-2gb, pi4-4gb, pi4-8gb, pi5-1gb, pi5-2gb, pi5-4gb, pi5-8gb and pi5-16gb
    ---
    error: "pi2" cannot be a node: a Raspberry Pi 2 is ARMv7 without a 64-bit mode, and the images, Java and Hadoop here are 64-bit; only its last version, 1.2, has the processor of the Pi 3: it is a `pi3-1gb`
      --> cluster.toml:29:9
       |
    29 | board = "pi2"
       |         ^^^^^
       |
       = help: use one of pi3-1gb, pi3plus-1gb, pi4-1gb, pi4-2gb, pi4-4gb, pi4-8gb, pi5-1gb, pi5-2gb, pi5-4gb, pi5-8gb and pi5-16gb
    ---
    error: "pi3a+" cannot be a node: a Raspberry Pi 3 Model A+ has 512 MB of memory, too little for a Hadoop daemon and a container beside it
      --> cluster.toml:29:9
       |
    29 | board = "pi3a+"
       |         ^^^^^^^
       |
       = help: use one of pi3-1gb, pi3plus-1gb, pi4-1gb, pi4-2gb, pi4-4gb, pi4-8gb, pi5-1gb, pi5-2gb, pi5-4gb, pi5-8gb and pi5-16gb
    ---
    error: unknown board "pi4"
      --> cluster.toml:29:9
       |
    29 | board = "pi4"
       |         ^^^^^
       |
       = help: say how much memory it has: pi4-1gb, pi4-2gb, pi4-4gb and pi4-8gb
    ---
    error: unknown board "pi400"
      --> cluster.toml:29:9
       |
    29 | board = "pi400"
       |         ^^^^^^^
       |
       = help: for a Raspberry Pi 400, write `pi4-4gb`
    ---
    error: unknown board "cm4-8gb"
      --> cluster.toml:29:9
       |
    29 | board = "cm4-8gb"
       |         ^^^^^^^^^
       |
       = help: for a Compute Module 4, write the `pi4-…` of the same memory
    ---
    error: unknown board "pi4-5gb"
      --> cluster.toml:29:9
       |
    29 | board = "pi4-5gb"
       |         ^^^^^^^^^
       |
       = help: say how much memory it has: pi4-1gb, pi4-2gb, pi4-4gb and pi4-8gb
    ---
    error: unknown board "nuc"
      --> cluster.toml:29:9
       |
    29 | board = "nuc"
       |         ^^^^^
       |
       = help: known are pi3-1gb, pi3plus-1gb, pi4-1gb, pi4-2gb, pi4-4gb, pi4-8gb, pi5-1gb, pi5-2gb, pi5-4gb, pi5-8gb and pi5-16gb
    "#);
}

#[rstest]
#[case("Raspberry Pi Zero", "ARMv6")]
#[case("rpi-zero-2-w", "512 MB")]
#[case("pi0", "ARMv6")]
#[case("pizero2", "512 MB")]
#[case("Pi 1 Model B", "ARMv6")]
#[case("raspberry-pi-2", "ARMv7")]
#[case("pi2-1gb", "ARMv7")]
#[case("pi1", "ARMv6")]
#[case("pizero", "ARMv6")]
#[case("pizerow", "ARMv6")]
#[case("pizero2-512mb", "512 MB")]
#[case("cm1", "ARMv6")]
#[case("raspberrypi3aplus", "512 MB")]
#[case("rpi5", "how much memory")]
#[case("pi3+", "how much memory")]
#[case("PI4-4GB", "did you mean `pi4-4gb`")]
#[case("pi4_4gb", "did you mean `pi4-4gb`")]
fn boards_are_recognised_however_they_are_written(#[case] name: &str, #[case] words: &str) {
    let said = said_of(&with("board = \"pi4-4gb\"", &format!("board = \"{name}\"")));
    assert!(said.contains(words), "{said}");
}
