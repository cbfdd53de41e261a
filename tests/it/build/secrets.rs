//! What is secret is in the images and nowhere else.

use std::os::unix::fs::PermissionsExt;

use fs_err as fs;

use crate::support::world::{CLUSTER_KEY, ClusterFile, Image, Sandbox, holds, world};

/// A hash nobody uses: of `tiny world`, by sha512crypt.
const HASH: &str = "$6$tinyworldsalt$iJzIm7Q5Fg2yRDgZ5oDqJ2xOcG1bV3vX4Vw7z1yP0kq8uT6sQn4mLr9eWc2aHd5jKf3gBxYtZu0vNpRsMw1Xy.";

/// Lines of an OpenSSH private key that are this key's own: the first lines of
/// all such keys are alike.
fn own_lines(private_key: &str) -> Vec<String> {
    let lines: Vec<&str> = private_key.lines().collect();
    assert!(lines[0].contains("OPENSSH PRIVATE KEY"), "{private_key}");
    lines[3..lines.len() - 1]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

#[test]
fn secrets_are_in_the_images_and_nowhere_else() {
    let keys = "authorized_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxJUmVUvVPT2kfjBgkIHEgjGQhPA2Bw2HWjxYO1hWtb x\"]";
    let cluster = ClusterFile::new(world())
        .access(&format!("{keys}\npassword_hash = \"{HASH}\""))
        .first_nodes(2);
    let sandbox = Sandbox::with(&cluster);
    let said: Vec<(&str, String)> = [
        "build",
        "build --json",
        "check --json",
        "plan",
        "plan --json",
        "plan --edits",
        "plan --json --edits",
        "inspect out/tiny-master.img",
        "inspect --json out/tiny-master.img",
    ]
    .map(|args| (args, sandbox.run(args).works().to_string()))
    .into();

    let mut secrets = vec![
        CLUSTER_KEY.to_owned(),
        CLUSTER_KEY.to_uppercase(),
        HASH.to_owned(),
    ];
    for node in ["master", "worker1"] {
        let image = Image::open(&sandbox.image(node));
        secrets.extend(own_lines(&image.text("/etc/ssh/ssh_host_ed25519_key")));
        secrets.extend(own_lines(&image.text("/home/hadoop/.ssh/id_ed25519")));
        assert!(image.text("/etc/shadow").contains(HASH));
        // The key that everything follows from is on no card.
        assert!(!holds(&sandbox.image(node), CLUSTER_KEY));
    }
    assert!(secrets.len() >= 7, "{}", secrets.len());

    fs::remove_file(sandbox.path("cluster.key")).unwrap();
    for secret in &secrets {
        for (args, said) in &said {
            assert!(
                !said.contains(secret.as_str()),
                "pidoop {args} says a secret"
            );
        }
        // The cache, with the layer in it.
        assert!(
            !holds(&sandbox.path("home"), secret),
            "a secret is in the cache"
        );
        for name in sandbox.finished() {
            if !name.ends_with(".img") {
                let place = sandbox.path(&format!("out/{name}"));
                assert!(!holds(&place, secret), "a secret is in {name}");
            }
        }
    }
    // The search finds what is there.
    assert!(holds(&sandbox.path("out"), &secrets[3]));
    assert!(holds(&sandbox.path("home"), "not a kernel"));
}

#[test]
fn nobody_else_can_read_what_is_secret() {
    let sandbox = Sandbox::with(&ClusterFile::new(world()).first_nodes(2));
    fs::remove_file(sandbox.path("cluster.key")).unwrap();
    let generous = sandbox.wrapped(&["sh", "-c", "umask 000; exec \"$@\"", "sh"], "build");
    sandbox.finish(generous, "build").works();
    let mode = |name: &str| {
        fs::metadata(sandbox.path(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    for name in ["cluster.key", "out/tiny-master.img", "out/tiny-worker1.img"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    // Nobody else gets to what the next build is made of.
    assert_eq!(mode("home/.cache/pidoop") & 0o077, 0);
}

#[test]
fn a_cluster_key_that_others_can_read_is_refused() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.set_mode("cluster.key", 0o644);
    sandbox
        .run("build")
        .refuses(2, &["cluster.key", "read by others", "chmod 600"]);
    assert!(sandbox.finished().is_empty());
    sandbox.set_mode("cluster.key", 0o600);
    sandbox.write("cluster.key", "not a key\n");
    sandbox
        .run("build")
        .refuses(2, &["not a cluster key", "64 hex digits"]);
    sandbox.write("cluster.key", CLUSTER_KEY);
    sandbox.run("build -n master").works();
}
