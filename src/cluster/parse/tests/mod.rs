//! What cluster files mean, and what is said about wrong ones.

mod access;
mod any;
mod board;
mod image;
mod network;
mod node;
mod outline;
mod property;
mod settings;
mod whole;
mod wifi;

use crate::cluster::{Cluster, parse};
use crate::diagnostic::{Color, render};

/// A cluster file with nothing wrong.
const VALID: &str = r#"schema = 1

[cluster]
name = "elephant"

[image]
base   = "raspios-trixie-lite-arm64"
java   = "temurin-17"
hadoop = "hadoop-3.5.0"

[access]
user = "pi"
authorized_keys = ["~/.ssh/id_ed25519.pub"]

[network]
subnet  = "192.168.1.0/24"
gateway = "192.168.1.1"
dns     = ["192.168.1.1"]

[[node]]
name = "master"
role = "master"
board = "pi4-4gb"
address = "192.168.1.10"

[[node]]
name = "worker1"
role = "worker"
board = "pi4-4gb"
address = "192.168.1.11"

[hadoop.properties."hdfs-site.xml"]
"dfs.blocksize" = "64m"
"#;

/// The valid file with `from` replaced by `to`, at its last occurrence.
fn with(from: &str, to: &str) -> String {
    let at = VALID
        .rfind(from)
        .unwrap_or_else(|| panic!("{from:?} is not in the file"));
    format!("{}{to}{}", &VALID[..at], &VALID[at + from.len()..])
}

fn valid_with(from: &str, to: &str) -> Cluster {
    let text = with(from, to);
    parse(&text).unwrap_or_else(|problems| {
        panic!("{}", render("cluster.toml", &text, &problems, Color::Off))
    })
}

/// What is said about `text`, which must be wrong.
fn said_of(text: &str) -> String {
    match parse(text) {
        Ok(_) => panic!("nothing was said of:\n{text}"),
        Err(problems) => render("cluster.toml", text, &problems, Color::Off),
    }
}

/// What is said about the valid file with one change, for each change.
fn said_of_each(changes: &[(&str, &str)]) -> String {
    let said: Vec<String> = changes
        .iter()
        .map(|(from, to)| said_of(&with(from, to)))
        .collect();
    said.join("---\n")
}
