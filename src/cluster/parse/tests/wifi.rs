use rstest::rstest;

use super::{said_of, valid_with, with};
use crate::cluster::Country;

/// A `[network.wifi]` with these lines, and a worker on it.
fn wireless(lines: &str) -> String {
    let text = with(
        "\n\n[hadoop",
        &format!("\nwifi = true\n\n[network.wifi]\n{lines}\n\n[hadoop"),
    );
    assert!(text.contains("wifi = true"));
    text
}

const LINES: &str =
    "ssid = \"Elephant House\"\npassphrase_file = \"wifi.passphrase\"\ncountry = \"GB\"";

#[test]
fn a_node_may_be_on_wifi() {
    let text = wireless(&format!("{LINES}\nhidden = true"));
    let cluster = crate::cluster::parse(&text).unwrap();
    let wifi = cluster.network.wifi.as_ref().unwrap();
    assert_eq!(wifi.ssid.as_str(), "Elephant House");
    assert_eq!(wifi.passphrase_file.0, "wifi.passphrase");
    assert_eq!(wifi.country, Country::new("GB").unwrap());
    assert!(wifi.hidden);
    assert_eq!(
        cluster
            .nodes
            .iter()
            .map(|node| node.wifi)
            .collect::<Vec<_>>(),
        [false, true]
    );
    let shown = serde_json::to_string(&cluster).unwrap();
    assert!(
        shown.contains("Elephant House") && !shown.contains("wifi.passphrase"),
        "{shown}"
    );
}

#[test]
fn nodes_are_on_the_cable_unless_the_file_says_otherwise() {
    let cluster = valid_with("board = ", "wifi = false\nboard = ");
    assert!(cluster.network.wifi.is_none() && cluster.nodes.iter().all(|node| !node.wifi));
}

#[rstest]
#[case("", &["has no `ssid`", "has no `passphrase_file`", "has no `country`"])]
#[case("ssid = \"\"", &["name cannot be empty"])]
#[case("ssid = \"0123456789012345678901234567890é\"", &["at most 32 bytes, this has 33"])]
#[case("ssid = \"a\\tb\"", &["no control characters"])]
#[case("country = \"UK\"", &["\"UK\" is not the code of a country", "write `country = \"GB\"`"])]
#[case("country = \"gb\"", &["write `country = \"GB\"`"])]
#[case("country = \"XX\"", &["two capital letters of ISO 3166"])]
#[case("country = \"Germany\"", &["\"Germany\" is not the code"])]
#[case("hidden = \"yes\"", &["`hidden` is a string, expected true or false"])]
#[case("passphrase = \"hunter2hunter2\"", &["unknown key `passphrase`", "did you mean `passphrase_file`?"])]
#[case("psk = \"hunter2hunter2\"", &["unknown key `psk`", "may have"])]
#[case("passphrase_file = \" \"", &["the passphrase file is empty", "a file of its own"])]
#[case("passphrase_file = \"hunter2\\u0007\"", &["has a control character"])]
#[case("passphrase_file = [\"hunter2\"]", &["expected a string"])]
fn what_is_wrong_with_it_is_said_and_no_secret(#[case] lines: &str, #[case] words: &[&str]) {
    let said = said_of(&wireless(lines));
    for words in words {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_network_that_is_not_there_and_one_that_is_not_used_are_told() {
    let said = said_of(&with("board = ", "wifi = true\nboard = "));
    assert!(
        said.contains("this node is on a Wi-Fi network, and the file has none"),
        "{said}"
    );
    assert!(said.contains("add `[network.wifi]`"), "{said}");
    let said = said_of(&with(
        "\n\n[hadoop",
        &format!("\n\n[network.wifi]\n{LINES}\n\n[hadoop"),
    ));
    assert!(said.contains("no node is on this Wi-Fi network"), "{said}");
    assert!(
        said.contains("write `wifi = true` in each `[[node]]`"),
        "{said}"
    );
    // What is wrong with the network is said, not that there is none.
    let said = said_of(&wireless("ssid = 1"));
    assert!(
        !said.contains("has none") && !said.contains("no node is on"),
        "{said}"
    );
    let said = said_of(&with("board = ", "wifi = 1\nboard = "));
    assert!(
        said.contains("`wifi` is an integer, expected true or false"),
        "{said}"
    );
}
