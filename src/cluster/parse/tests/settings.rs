use insta::assert_snapshot;
use rstest::rstest;

use super::{said_of_each, valid_with};

const NETWORK: &str = "[network]\n";

#[rstest]
#[case("timezone = \"Europe/Berlin\"")]
#[case("timezone = \"Etc/GMT-1\"")]
#[case("timezone = \"UTC\"")]
#[case("timezone = \"America/Argentina/Buenos_Aires\"")]
#[case("locale = \"en_GB.UTF-8\"")]
#[case("locale = \"ca_ES.UTF-8@valencia\"")]
#[case("journal = \"16M\"")]
#[case("swap = \"none\"")]
fn right_settings_pass(#[case] line: &str) {
    valid_with(NETWORK, &format!("[settings]\n{line}\n[network]\n"));
}

#[test]
fn wrong_settings_are_told() {
    let said = |lines: &[&str]| {
        let changes: Vec<String> = lines
            .iter()
            .map(|line| format!("[settings]\n{line}\n{NETWORK}"))
            .collect();
        let changes: Vec<(&str, &str)> = changes
            .iter()
            .map(|change| (NETWORK, change.as_str()))
            .collect();
        said_of_each(&changes)
    };
    assert_snapshot!(said(&[
        "timezone = \"Europe/Ber lin\"",
        "timezone = \"/etc/localtime\"",
        "timezone = \"Erope/Berlin\"",
        "timezone = \"Mars/Olympus\"",
        "timezone = \"UTC+1\"",
        "timezone = \"Europe\"",
        "timezone = 1",
    ]), @r#"
    error: "Europe/Ber lin" is not the name of a time zone
      --> cluster.toml:16:12
       |
    16 | timezone = "Europe/Ber lin"
       |            ^^^^^^^^^^^^^^^^
       |
       = help: write it as Area/City, such as `Europe/London`, or `Etc/UTC`
    ---
    error: "/etc/localtime" is not the name of a time zone
      --> cluster.toml:16:12
       |
    16 | timezone = "/etc/localtime"
       |            ^^^^^^^^^^^^^^^^
       |
       = help: write it as Area/City, such as `Europe/London`, or `Etc/UTC`
    ---
    error: "Erope/Berlin" is not the name of a time zone
      --> cluster.toml:16:12
       |
    16 | timezone = "Erope/Berlin"
       |            ^^^^^^^^^^^^^^
       |
       = help: did you mean `Europe/Berlin`?
    ---
    error: "Mars/Olympus" is not the name of a time zone
      --> cluster.toml:16:12
       |
    16 | timezone = "Mars/Olympus"
       |            ^^^^^^^^^^^^^^
       |
       = help: "Mars" is none of the areas: Africa, America, Antarctica, Arctic, Asia, Atlantic, Australia, Brazil, Canada, Chile, Etc, Europe, Indian, Mexico, Pacific, US
    ---
    error: "UTC+1" is not the name of a time zone
      --> cluster.toml:16:12
       |
    16 | timezone = "UTC+1"
       |            ^^^^^^^
       |
       = help: name a city's zone, such as `Europe/Paris`
    ---
    error: "Europe" is not the name of a time zone
      --> cluster.toml:16:12
       |
    16 | timezone = "Europe"
       |            ^^^^^^^^
       |
       = help: add the city, such as `Europe/…`
    ---
    error: `timezone` is an integer, expected a string
      --> cluster.toml:16:12
       |
    16 | timezone = 1
       |            ^ an integer
       |
       = help: write it like `timezone = "Europe/London"`
    "#);
    assert_snapshot!(said(&[
        "locale = \"en_GB\"",
        "locale = \"en_GB.ISO-8859-1\"",
        "locale = \"english\"",
        "swap = \"file\"",
        "swap = true",
        "journal = \"200\"",
        "journal = 200",
        "journal = \"xM\"",
        "journal = \"99999999999G\"",
        "journal = \"1M\"",
    ]), @r#"
    error: the locale "en_GB" is not a UTF-8 one
      --> cluster.toml:16:10
       |
    16 | locale = "en_GB"
       |          ^^^^^^^
       |
       = help: write `en_GB.UTF-8`: file names in HDFS are UTF-8
    ---
    error: the locale "en_GB.ISO-8859-1" is not a UTF-8 one
      --> cluster.toml:16:10
       |
    16 | locale = "en_GB.ISO-8859-1"
       |          ^^^^^^^^^^^^^^^^^^
       |
       = help: write `en_GB.UTF-8`: file names in HDFS are UTF-8
    ---
    error: "english" is not the name of a locale
      --> cluster.toml:16:10
       |
    16 | locale = "english"
       |          ^^^^^^^^^
       |
       = help: write it like `en_GB.UTF-8` or `C.UTF-8`
    ---
    error: swap is "zram" or "none", not "file"
      --> cluster.toml:16:8
       |
    16 | swap = "file"
       |        ^^^^^^
       |
       = help: a swap file wears the card out, so there is none to choose
    ---
    error: `swap` is a boolean, expected a string
      --> cluster.toml:16:8
       |
    16 | swap = true
       |        ^^^^ a boolean
       |
       = help: write it like `swap = "zram"`
    ---
    error: "200" is not a size
      --> cluster.toml:16:11
       |
    16 | journal = "200"
       |           ^^^^^
       |
       = help: write it like `200M` or `1G`
    ---
    error: `journal` is an integer, expected a string
      --> cluster.toml:16:11
       |
    16 | journal = 200
       |           ^^^ an integer
       |
       = help: write it like `journal = "200M"`
    ---
    error: "xM" is not a size
      --> cluster.toml:16:11
       |
    16 | journal = "xM"
       |           ^^^^
       |
       = help: write it like `200M` or `1G`
    ---
    error: the journal takes between 16M and 16G, not 99999999999G
      --> cluster.toml:16:11
       |
    16 | journal = "99999999999G"
       |           ^^^^^^^^^^^^^^
       |
       = help: write it like `200M` or `1G`
    ---
    error: the journal takes between 16M and 16G, not 1M
      --> cluster.toml:16:11
       |
    16 | journal = "1M"
       |           ^^^^
       |
       = help: write it like `200M` or `1G`
    "#);
}
