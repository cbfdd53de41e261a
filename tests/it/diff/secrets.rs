//! Secrets differ and are not shown.

use fs_err as fs;
use serde_json::Value;

use super::{built, found, meddle, paths};
use crate::support::world::{ClusterFile, Image, PUBLIC_KEY, Run, Sandbox, world};

/// Two hashes nobody uses, and passphrases.
const HASHES: [&str; 2] = [
    "$6$tinyworldsalt$iJzIm7Q5Fg2yRDgZ5oDqJ2xOcG1bV3vX4Vw7z1yP0kq8uT6sQn4mLr9eWc2aHd5jKf3gBxYtZu0vNpRsMw1Xy.",
    "$y$j9T$saltsaltsaltsalt$0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
];
const PASSPHRASES: [&str; 2] = ["correct horse battery", "staple every morning"];

#[test]
fn secrets_differ_and_are_not_shown() {
    let access = |hash| format!("authorized_keys = [\"{PUBLIC_KEY}\"]\npassword_hash = \"{hash}\"");
    let cluster = |hash| {
        ClusterFile::new(world())
            .access(&access(hash))
            .first_nodes(2)
    };
    let sandbox = Sandbox::warm(&cluster(HASHES[0]));
    sandbox.run("build").works();
    sandbox.write_cluster(&cluster(HASHES[1]));
    let mut said: Vec<Run> = Vec::new();
    let document = sandbox.run("diff --json").exits(1);
    assert_eq!(paths(&document.document(), 0), ["/etc/shadow"]);
    let shadow = document.document();
    let diff = found(&shadow, "/etc/shadow")["diff"].as_str().unwrap();
    assert!(
        diff.contains("\n-pi:<secret 1>:") && diff.contains("\n+pi:<secret 2>:"),
        "{diff}"
    );
    assert_eq!(
        found(&shadow, "/etc/shadow")["before"]["bytes"],
        Value::Null
    );
    said.push(document);
    said.push(sandbox.run("diff").exits(1));

    // Another cluster's key changes every private key.
    fs::write(sandbox.path("cluster.key"), "1".repeat(64)).unwrap();
    let document = sandbox.run("diff --json -n worker1").exits(1);
    let keys = document.document();
    for path in [
        "/etc/ssh/ssh_host_ed25519_key",
        "/home/hadoop/.ssh/id_ed25519",
    ] {
        let found = found(&keys, path);
        assert_eq!(found["content"], "secret", "{found}");
        assert_eq!(found["diff"], Value::Null);
        assert_eq!(found["before"]["bytes"], Value::Null);
    }
    assert_eq!(
        found(&keys, "/etc/ssh/ssh_host_ed25519_key.pub")["content"],
        "text"
    );
    said.push(document);
    said.push(sandbox.run("diff").exits(1));
    said.push(
        sandbox
            .run("diff out/tiny-master.img out/tiny-worker1.img")
            .exits(1),
    );

    // Nobody's plan: files that came by themselves.
    let connections = "/etc/NetworkManager/system-connections";
    for (node, passphrase) in ["master", "worker1"].iter().zip(PASSPHRASES) {
        let keyfile = format!("[wifi]\nssid=home\n[wifi-security]\npsk={passphrase}\n");
        let supplicant = format!("network={{\n\tssid=\"home\"\n\tpsk=\"{passphrase}\"\n}}\n");
        let (one, two) = (
            sandbox.write(&format!("{node}.nm"), keyfile),
            sandbox.write(&format!("{node}.wpa"), supplicant),
        );
        meddle(
            &sandbox.image(node),
            &format!(
                "cd {connections}\nwrite {one} home.nmconnection\n\
                 sif home.nmconnection mode 0100600\n\
                 cd /etc\nwrite {two} wpa_supplicant.conf\n"
            ),
        );
    }
    let both = sandbox
        .run("diff --json out/tiny-master.img out/tiny-worker1.img")
        .exits(1);
    let document = both.document();
    for path in [
        format!("{connections}/home.nmconnection"),
        "/etc/wpa_supplicant.conf".to_owned(),
    ] {
        let found = found(&document, &path);
        let diff = found["diff"].as_str().unwrap();
        assert!(
            diff.contains("<secret 1>") && diff.contains("<secret 2>"),
            "{diff}"
        );
        assert!(diff.contains("ssid=") && found["secret"] == true);
    }
    said.push(both);
    said.push(
        sandbox
            .run("diff out/tiny-master.img out/tiny-worker1.img")
            .exits(1),
    );
    said.push(sandbox.run("diff").exits(1));
    said.push(sandbox.run("diff --stat").exits(1));

    let mut secrets: Vec<String> = HASHES
        .iter()
        .flat_map(|hash| hash.rsplit('$').take(2))
        .chain(PASSPHRASES)
        .map(str::to_owned)
        .collect();
    for node in ["master", "worker1"] {
        let image = Image::open(&sandbox.image(node));
        for key in [
            "/etc/ssh/ssh_host_ed25519_key",
            "/home/hadoop/.ssh/id_ed25519",
        ] {
            let text = image.text(key);
            let lines: Vec<&str> = text.lines().collect();
            secrets.extend(
                lines[2..lines.len() - 1]
                    .iter()
                    .map(|line| (*line).to_owned()),
            );
        }
    }
    assert!(secrets.len() >= 14, "{}", secrets.len());
    for run in &said {
        for secret in &secrets {
            let shown = run.stdout.contains(secret) || run.stderr.contains(secret);
            assert!(!shown, "a secret is shown");
        }
    }
}

#[test]
fn what_an_image_says_does_nothing_to_a_terminal() {
    let sandbox = built();
    let text = sandbox.write("bell", "\x1b]0;gotcha\x07\nplain\n");
    meddle(
        &sandbox.image("master"),
        &format!("cd /etc\nwrite {text} greeting\n"),
    );
    let run = sandbox.run("diff -n master").exits(1);
    assert!(run.stdout.contains("\\u{1b}]0;gotcha\\u{7}"), "{run}");
    assert!(!run.stdout.contains(['\x1b', '\x07']), "{run}");
}
