//! The closing words of a build: what was made, and what to do with it.

use std::fmt;

use camino::Utf8Path;

use crate::bake::How;
use crate::cluster::{Addressing, Cluster, Node};
use crate::hadoop::{Daemon, MemoryPlan};

/// What was made, for those who now take it to their boards.
#[derive(Debug)]
pub(super) struct Farewell<'a> {
    /// The cluster.
    pub(super) cluster: &'a Cluster,
    /// Says which daemons run.
    pub(super) memory: &'a MemoryPlan,
    /// The directory of the images.
    pub(super) out: &'a Utf8Path,
    /// The images, in the order of the cluster file.
    pub(super) cards: Vec<Card<'a>>,
}

/// An image and whose it is.
#[derive(Debug)]
pub(super) struct Card<'a> {
    /// The node.
    pub(super) node: &'a Node,
    /// Its image.
    pub(super) image: &'a Utf8Path,
    /// Length of the image, in bytes.
    pub(super) bytes: u64,
    /// How one logs in, as proven: "with the ssh-ed25519 key me@desk".
    pub(super) ways: String,
    /// What it took.
    pub(super) how: How,
}

impl fmt::Display for Farewell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, out, .. } = self;
        writeln!(f, "\ncluster {} is ready to flash", cluster.name)?;
        for card in &self.cards {
            writeln!(
                f,
                "  {}  ({} MiB)  ->  the card of {}, a {}: {}",
                card.image,
                card.bytes >> 20,
                card.node.name,
                card.node.board.name,
                card.how
            )?;
        }
        let master = cluster.master();
        let Some(login) = self
            .cards
            .iter()
            .find(|card| card.node.name == master.name)
            .or_else(|| self.cards.first())
        else {
            return Ok(());
        };
        writeln!(
            f,
            "\nwrite each image to its card with Raspberry Pi Imager, or as root:\n  \
             dd if={} of=/dev/sdX bs=4M conv=fsync",
            login.image
        )?;
        if cluster.network.addressing == Addressing::Dhcp {
            writeln!(f, "reserve these addresses in your router:")?;
            for Card { node, .. } in &self.cards {
                let mac = node.mac.map_or(String::new(), |mac| format!(" for {mac}"));
                writeln!(f, "  {}{mac} ({})", node.address, node.name)?;
            }
        }
        writeln!(
            f,
            "put the cards in and switch on, in any order; then\n  \
             ssh -o {} {}@{}\n    \
             {}; {out}/known_hosts knows every node",
            known_hosts_option(out),
            cluster.access.user,
            login.node.address,
            login.ways
        )?;
        write!(
            f,
            "  HDFS  http://{0}:9870    YARN  http://{0}:8088",
            master.address
        )?;
        if self.memory.runs(&master.name, Daemon::JobHistoryServer) {
            write!(f, "    jobs  http://{}:19888", master.address)?;
        }
        Ok(())
    }
}

/// The option of ssh(1) that names the file, as a shell takes it. ssh splits
/// the value at blanks itself, so both have to be told.
fn known_hosts_option(out: &Utf8Path) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if out.as_str().chars().all(plain) {
        format!("UserKnownHostsFile={out}/known_hosts")
    } else {
        let quoted = out.as_str().replace('\'', r"'\''");
        format!("'UserKnownHostsFile=\"{quoted}/known_hosts\"'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_a_blank_is_quoted_for_the_shell_and_for_ssh() {
        let option = |out: &str| known_hosts_option(Utf8Path::new(out));
        assert_eq!(option("out"), "UserKnownHostsFile=out/known_hosts");
        assert_eq!(
            option("my images"),
            "'UserKnownHostsFile=\"my images/known_hosts\"'"
        );
    }

    const CLUSTER: &str = r#"
schema = 1
[cluster]
name = "elephant"
[image]
base = "raspios-trixie-lite-arm64"
[access]
user = "pi"
authorized_keys = ["id.pub"]
[network]
subnet = "192.168.1.0/24"
[[node]]
name = "master"
role = "master"
board = "pi4-4gb"
address = "192.168.1.10"
mac = "dc:a6:32:01:02:03"
[[node]]
name = "worker1"
role = "worker"
board = "pi4-2gb"
address = "192.168.1.11"
"#;

    fn words(text: &str, made: &[&str]) -> String {
        let cluster = crate::cluster::parse(text).unwrap();
        let memory = MemoryPlan::for_cluster(&cluster).unwrap();
        let cards = cluster
            .nodes
            .iter()
            .filter(|node| made.contains(&node.name.as_str()))
            .map(|node| Card {
                node,
                image: "out/elephant.img".into(),
                bytes: 2192 << 20,
                ways: "with the ssh-ed25519 key me@desk".to_owned(),
                how: match node.name.as_str() {
                    "master" => How::Built,
                    _ => How::Patched { blocks: 37 },
                },
            })
            .collect();
        let farewell = Farewell {
            cluster: &cluster,
            memory: &memory,
            out: "out".into(),
            cards,
        };
        farewell.to_string()
    }

    #[test]
    fn says_what_to_do_next() {
        insta::assert_snapshot!(words(CLUSTER, &["master", "worker1"]), @"

        cluster elephant is ready to flash
          out/elephant.img  (2192 MiB)  ->  the card of master, a pi4-4gb: built
          out/elephant.img  (2192 MiB)  ->  the card of worker1, a pi4-2gb: patched (37 blocks)

        write each image to its card with Raspberry Pi Imager, or as root:
          dd if=out/elephant.img of=/dev/sdX bs=4M conv=fsync
        put the cards in and switch on, in any order; then
          ssh -o UserKnownHostsFile=out/known_hosts pi@192.168.1.10
            with the ssh-ed25519 key me@desk; out/known_hosts knows every node
          HDFS  http://192.168.1.10:9870    YARN  http://192.168.1.10:8088    jobs  http://192.168.1.10:19888
        ");
    }

    #[test]
    fn one_node_is_logged_in_to_itself() {
        let text = words(CLUSTER, &["worker1"]);
        assert!(text.contains("pi@192.168.1.11"), "{text}");
        assert!(text.contains("HDFS  http://192.168.1.10:9870"), "{text}");
    }

    #[test]
    fn reservations_are_the_routers_to_make() {
        let text = CLUSTER.replace("subnet =", "mode = \"dhcp\"\nsubnet =");
        let text = words(&text, &["master", "worker1"]);
        assert!(
            text.contains(
                "  192.168.1.10 for dc:a6:32:01:02:03 (master)\n  192.168.1.11 (worker1)"
            ),
            "{text}"
        );
    }

    #[test]
    fn no_address_of_what_does_not_run() {
        let small = CLUSTER.replace("pi4-4gb", "pi3-1gb");
        let text = words(&small, &["master"]);
        assert!(!text.contains("19888"), "{text}");
    }
}
