//! What ifupdown would do: it is the network of plain Debian, and where it
//! names an interface, NetworkManager and dhcpcd leave that one alone.

use crate::edit::EditError;
use crate::node::reader::Reader;

/// Its main file and the directory that file usually includes
/// (interfaces(5)).
pub(super) const INTERFACES: &str = "/etc/network/interfaces";
const FRAGMENTS: &str = "/etc/network/interfaces.d";

/// Files in which it sets up an interface other than the loopback.
pub(super) fn configured(root: Reader<'_>) -> Result<Vec<String>, EditError> {
    files(root, |name| name != "lo")
}

/// Files in which it takes an interface that a node's address could belong to.
/// An overlay may bring others: a tunnel, a bridge.
pub(in crate::node) fn in_the_way(root: Reader<'_>) -> Result<Vec<String>, EditError> {
    files(root, |name| {
        ["eth", "en", "wl", "host", "usb"]
            .iter()
            .any(|start| name.starts_with(start))
    })
}

fn files(root: Reader<'_>, of: impl Fn(&str) -> bool) -> Result<Vec<String>, EditError> {
    let names = root.names(FRAGMENTS)?;
    let fragments = names.iter().map(|name| format!("{FRAGMENTS}/{name}"));
    let mut found = Vec::new();
    for path in std::iter::once(INTERFACES.to_owned()).chain(fragments) {
        let text = root.text(&path)?.unwrap_or_default();
        if sets_up(&text, &of) {
            found.push(path);
        }
    }
    Ok(found)
}

fn sets_up(text: &str, of: impl Fn(&str) -> bool) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        let names = match words.next() {
            Some("iface") => words.take(1).collect::<Vec<_>>(),
            Some(word) if word == "auto" || word.starts_with("allow-") => words.collect(),
            _ => Vec::new(),
        };
        names.iter().any(|name| of(name))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    // As Raspberry Pi OS and Debian ship it.
    #[case("# interfaces(5)\nsource /etc/network/interfaces.d/*\n", false)]
    #[case("auto lo\niface lo inet loopback\n", false)]
    #[case("auto eth0\niface eth0 inet dhcp\n", true)]
    #[case("  allow-hotplug wlan0\n", true)]
    #[case("auto lo eth0\n", true)]
    #[case("# auto eth0\n", false)]
    fn only_stanzas_of_other_interfaces_count(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(sets_up(text, |name| name != "lo"), expected, "{text}");
    }
}
