use rstest::rstest;

use super::*;
use crate::cluster::UserName;
use crate::node::fake_base::base;
use crate::node::fake_cluster::{cluster, with_inputs};
use crate::node::made::Made;
use crate::node::{Release, personality};

fn line(text: &str, key: &str) -> String {
    let prefix = format!("{key}:");
    text.lines()
        .find(|line| line.starts_with(&prefix))
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn pi_becomes_the_user() {
    let made = Made::new(Release::Trixie, &cluster(), 0);
    let passwd = made.text("/etc/passwd");
    assert_eq!(
        line(&passwd, "keeper"),
        "keeper:x:1000:1000:,,,:/home/keeper:/bin/bash"
    );
    assert_eq!(
        line(&made.text("/etc/shadow"), "keeper"),
        "keeper:*:20711:0:99999:7:::"
    );
    assert_eq!(line(&made.text("/etc/group"), "keeper"), "keeper:x:1000:");
    assert_eq!(line(&made.text("/etc/gshadow"), "keeper"), "keeper:!::");
    assert_eq!(made.text("/etc/subuid"), "keeper:100000:65536\n");
    for file in ["passwd", "shadow", "group", "gshadow", "subuid", "subgid"] {
        let text = made.text(&format!("/etc/{file}"));
        let words: Vec<&str> = text.split([':', ',', '\n']).collect();
        assert!(!words.contains(&"pi"), "pi is left in {file}:\n{text}");
    }
    assert!(!made.has("/home/pi"));
    assert_eq!(made.text("/home/keeper/.bashrc"), "# bash\n");
    assert_eq!(made.attributes("/home/keeper"), "0700 1000:1000");
    assert_eq!(made.attributes("/home/keeper/.bashrc"), "0644 1000:1000");
    assert_eq!(made.attributes("/etc/shadow"), "0640 0:42");
    for group in ["adm", "sudo", "video", "gpio", "users"] {
        assert!(
            line(&made.text("/etc/group"), group).ends_with(":keeper"),
            "{group}"
        );
    }
    // Groups the base does not have are not made up.
    assert_eq!(line(&made.text("/etc/group"), "spi"), "");
}

#[test]
fn the_daemons_have_a_user_that_nobody_has_the_password_of() {
    let made = Made::new(Release::Bookworm, &cluster(), 1);
    assert_eq!(
        line(&made.text("/etc/passwd"), "hadoop"),
        "hadoop:x:1001:1001:Hadoop daemons:/home/hadoop:/bin/bash"
    );
    assert_eq!(
        line(&made.text("/etc/group"), "hadoop"),
        "hadoop:x:1001:keeper"
    );
    assert!(line(&made.text("/etc/shadow"), "hadoop").starts_with("hadoop:*:20711:"));
    assert_eq!(made.attributes("/home/hadoop"), "0700 1001:1001");
}

#[test]
fn a_user_of_the_same_name_keeps_the_home() {
    let mut cluster = cluster();
    cluster.access.user = UserName::new("pi").unwrap();
    let made = Made::new(Release::Bookworm, &cluster, 0);
    assert_eq!(
        line(&made.text("/etc/passwd"), "pi"),
        "pi:x:1000:1000:,,,:/home/pi:/bin/bash"
    );
    assert_eq!(line(&made.text("/etc/group"), "sudo"), "sudo:x:27:pi");
    assert_eq!(made.attributes("/home/pi/.bashrc"), "0644 1000:1000");
    assert_eq!(
        made.attributes("/home/pi/.ssh/authorized_keys"),
        "0600 1000:1000"
    );
}

#[test]
fn debian_without_a_user_gets_one() {
    let made = Made::new(Release::Debian13, &cluster(), 0);
    assert_eq!(
        line(&made.text("/etc/passwd"), "keeper"),
        "keeper:x:1000:1000::/home/keeper:/bin/bash"
    );
    assert_eq!(line(&made.text("/etc/group"), "sudo"), "sudo:x:27:keeper");
    assert_eq!(made.attributes("/home/keeper"), "0700 1000:1000");
}

#[rstest]
#[case(true, None)]
#[case(false, Some("$6$salt$hash"))]
fn sudo_and_password_are_as_asked(#[case] passwordless: bool, #[case] hash: Option<&str>) {
    let mut cluster = cluster();
    cluster.access.passwordless_sudo = passwordless;
    cluster.access.password_hash = hash.map(str::to_owned);
    let made = Made::new(Release::Bookworm, &cluster, 0);
    assert!(!made.has("/etc/sudoers.d/010_pi-nopasswd"));
    let ours = "/etc/sudoers.d/010_pidoop-keeper";
    assert_eq!(made.has(ours), passwordless);
    if passwordless {
        assert_eq!(made.attributes(ours), "0440 0:0");
        assert_eq!(made.text(ours), "keeper ALL=(ALL) NOPASSWD: ALL\n");
    }
    let password = hash.unwrap_or("*");
    let shadow = line(&made.text("/etc/shadow"), "keeper");
    assert!(
        shadow.starts_with(&format!("keeper:{password}:")),
        "{shadow}"
    );
}

#[rstest]
#[case("games", "user games with uid 5")]
#[case("video", "group video with gid 44")]
fn names_of_the_system_are_refused(#[case] name: &str, #[case] expected: &str) {
    let mut cluster = cluster();
    cluster.access.user = UserName::new(name).unwrap();
    let (root, boot) = base(Release::Trixie);
    let profile = Profile::detect(&root, &boot).unwrap();
    let error = with_inputs(&cluster, 0, &profile, |inputs| {
        personality(inputs).unwrap_err()
    });
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn the_daemons_take_an_id_that_is_free() {
    let (root, boot) = base(Release::Debian13);
    let taken = root
        .file(
            "/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nguest:x:1001:1002::/:/bin/sh\n",
        )
        .file("/etc/group", "root:x:0:\nold:x:1000:\n");
    let profile = Profile::detect(&taken, &boot).unwrap();
    // The group 1000 is somebody's, 1001 and 1002 are guest's.
    assert_eq!(user_owner(&profile).unwrap(), Owner::new(1000, 1003));
    assert_eq!(hadoop_owner(&profile).unwrap(), Owner::new(1004, 1004));

    let before = root_with_hadoop();
    let profile = Profile::detect(&before, &boot).unwrap();
    assert_eq!(hadoop_owner(&profile).unwrap(), Owner::new(998, 997));
}

fn root_with_hadoop() -> crate::node::fake_tree::FakeTree {
    base(Release::Debian13).0.file(
        "/etc/passwd",
        "root:x:0:0::/root:/bin/sh\nhadoop:x:998:997::/srv:/bin/sh\n",
    )
}

#[test]
fn nothing_secret_is_shown() {
    let mut cluster = cluster();
    cluster.access.password_hash = Some("$6$salt$hash".to_owned());
    let (root, boot) = base(Release::Trixie);
    let profile = Profile::detect(&root, &boot).unwrap();
    let edits = with_inputs(&cluster, 0, &profile, |inputs| personality(inputs).unwrap());
    let shown: String = edits
        .root
        .iter()
        .map(|edit| format!("{edit}\n{edit:?}\n"))
        .collect();
    assert!(
        !shown.contains("$6$") && !shown.contains("PRIVATE KEY"),
        "{shown}"
    );
}
