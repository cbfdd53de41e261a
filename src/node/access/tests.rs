use rstest::rstest;

use super::*;
use crate::cluster::Addressing;
use crate::edit::{Content, Edit, Edits, ImagePath, Mode, Owner};
use crate::node::Release;
use crate::node::fake_cluster::cluster;
use crate::node::made::Made;

fn path(text: &str) -> ImagePath {
    ImagePath::new(text).unwrap()
}

fn proof(made: &Made, cluster: &Cluster, index: usize) -> Result<Proof, Vec<String>> {
    prove(&made.root, &made.boot, cluster, &cluster.nodes[index])
}

#[rstest]
fn every_node_of_every_release_can_be_logged_in_to(
    #[values(
        Release::Bullseye,
        Release::Bookworm,
        Release::Trixie,
        Release::Debian12,
        Release::Debian13
    )]
    release: Release,
    #[values(0, 2)] index: usize,
    #[values(Addressing::Static, Addressing::Dhcp)] addressing: Addressing,
) {
    let mut cluster = cluster();
    cluster.network.addressing = addressing;
    let made = Made::new(release, &cluster, index);
    let proof = proof(&made, &cluster, index).unwrap();
    let words = proof.to_string();
    let node = &cluster.nodes[index];
    assert!(
        words.starts_with(&format!(
            "keeper@{} with the ssh-ed25519 key me@desk, address ",
            node.address
        )),
        "{words}"
    );
    let key = crate::node::ClusterKey::new([7; 32])
        .host_key(&node.name)
        .unwrap();
    assert_eq!(proof.host_key, key.fingerprint());
}

#[test]
fn a_password_is_a_way_where_it_is_allowed() {
    let mut cluster = cluster();
    cluster.access.password_hash = Some("$6$salt$hash".to_owned());
    let made = Made::new(Release::Trixie, &cluster, 0);
    let words = proof(&made, &cluster, 0).unwrap().to_string();
    assert!(
        words.contains("key me@desk or with the password,"),
        "{words}"
    );
    cluster.access.authorized_keys.clear();
    let made = Made::new(Release::Trixie, &cluster, 0);
    assert_eq!(proof(&made, &cluster, 0).unwrap().ways, [Way::Password]);
}

#[test]
fn an_untouched_image_is_refused_with_every_reason() {
    let cluster = cluster();
    let (root, boot) = crate::node::fake_base::base(Release::Bookworm);
    let obstacles = prove(&root, &boot, &cluster, &cluster.nodes[0])
        .unwrap_err()
        .join("\n");
    for expected in [
        "ssh.service is not enabled",
        "firstboot, which deletes the host keys",
        "sshd has no host key",
        "there is no user keeper",
        "nothing sets an address",
    ] {
        assert!(obstacles.contains(expected), "{obstacles}");
    }
}

fn file(at: &str, text: &str, owner: Owner, mode: u16) -> Edit {
    Edit::PutFile {
        path: path(at),
        content: Content::text(text),
        owner,
        mode: Mode::new(mode),
    }
}

fn root_file(at: &str, text: &str) -> Edit {
    file(at, text, Owner::ROOT, 0o644)
}

fn link(at: &str, target: &str) -> Edit {
    Edit::Symlink {
        path: path(at),
        target: target.to_owned(),
    }
}

fn remove(at: &str) -> Edit {
    Edit::Remove { path: path(at) }
}

fn dir(at: &str, owner: Owner, mode: u16) -> Edit {
    Edit::MakeDir {
        path: path(at),
        owner,
        mode: Mode::new(mode),
    }
}

const USER: Owner = Owner::new(1000, 1000);
const WANTS: &str = "/etc/systemd/system/multi-user.target.wants";

/// One thing spoilt, and what the judge must say of it.
#[rstest]
#[case(
    link("/etc/systemd/system/ssh.service", "/dev/null"),
    "ssh.service is masked"
)]
#[case(remove(&format!("{WANTS}/ssh.service")), "ssh.service is not enabled")]
#[case(link(&format!("{WANTS}/ssh.service"), "/usr/lib/nowhere"), "leads nowhere")]
#[case(
    root_file("/etc/ssh/sshd_not_to_be_run", ""),
    "keeps sshd from starting"
)]
#[case(root_file("/etc/nologin", ""), "keeps everybody but root out")]
#[case(remove("/etc/ssh/ssh_host_ed25519_key"), "key is not there")]
#[case(
    root_file("/etc/ssh/ssh_host_ed25519_key", "x"),
    "0644 0:0, sshd wants 0600"
)]
#[case(
    file("/etc/ssh/ssh_host_ed25519_key", "x", Owner::ROOT, 0o600),
    "is no private key"
)]
#[case(
    root_file("/etc/ssh/ssh_host_ed25519_key.pub", "x"),
    "does not belong to the .pub"
)]
#[case(
    root_file("/etc/ssh/sshd_config.d/05-x.conf", "PubkeyAuthentication no\n"),
    "keys are off"
)]
#[case(
    root_file("/etc/ssh/sshd_config.d/99-x.conf", "AllowUsers root\n"),
    "AllowUsers"
)]
#[case(
    root_file(
        "/etc/ssh/sshd_config.d/99-x.conf",
        "AuthenticationMethods publickey,password\n"
    ),
    "AuthenticationMethods asks for publickey,password"
)]
#[case(
    root_file(
        "/etc/ssh/sshd_config.d/05-x.conf",
        "AuthorizedKeysFile /etc/keys/%u\n"
    ),
    "/etc/keys/keeper is not there"
)]
#[case(
    root_file("/etc/passwd", "root:x:0:0::/root:/bin/bash\n"),
    "there is no user keeper"
)]
#[case(
    root_file("/etc/passwd", "keeper:x:1000:1000::/home/keeper:/usr/sbin/nologin\n"),
    "/usr/sbin/nologin, which ends the session"
)]
#[case(
    root_file("/etc/passwd", "keeper:x:1000:1000::/home/keeper:/bin/zsh\n"),
    "/bin/zsh, is no program"
)]
#[case(
    root_file("/etc/passwd", "keeper:x:1000:1000::/home/other:/bin/bash\n"),
    "/home/other/.ssh/authorized_keys is not there"
)]
#[case(
    root_file("/etc/shadow", "keeper:*:0:0:99999:7:::\n"),
    "changed at the first login"
)]
#[case(
    root_file("/etc/shadow", "keeper:*:20000:0:99999:7::100:\n"),
    "expires, on day 100"
)]
#[case(root_file("/etc/shadow", "root:*:1::::::\n"), "no line in /etc/shadow")]
#[case(dir("/home/keeper", USER, 0o775), "/home/keeper is 0775 1000:1000")]
#[case(
    dir("/home/keeper", Owner::new(1001, 1001), 0o700),
    "/home/keeper is 0700 1001:1001"
)]
#[case(dir("/home/keeper/.ssh", USER, 0o777), ".ssh is 0777")]
#[case(
    dir("/home/keeper/.ssh", Owner::ROOT, 0o700),
    "cannot be reached by its user"
)]
#[case(
    dir("/home", Owner::ROOT, 0o700),
    "/home cannot be reached by its user"
)]
#[case(
    file("/home/keeper/.ssh/authorized_keys", "# none\n", USER, 0o600),
    "keeper has no way in"
)]
#[case(
    file("/home/keeper/.ssh/authorized_keys", "ssh-ed25519 AAAA\n", USER, 0o600),
    "a line of /home/keeper/.ssh/authorized_keys: the ssh-ed25519 key is damaged"
)]
#[case(
    root_file("/etc/NetworkManager/system-connections/pidoop.nmconnection", ""),
    "is not root's alone"
)]
#[case(
    file(
        "/etc/NetworkManager/system-connections/pidoop.nmconnection",
        "[ipv4]\nmethod=manual\naddress1=192.168.1.99/24\n",
        Owner::ROOT,
        0o600
    ),
    "sets the address 192.168.1.99/24, not 192.168.1.10/24"
)]
#[case(
    file(
        "/etc/NetworkManager/system-connections/pidoop.nmconnection",
        "[ipv4]\nmethod=auto\n",
        Owner::ROOT,
        0o600
    ),
    "does not set the address 192.168.1.10/24"
)]
#[case(
    link("/etc/systemd/system/NetworkManager.service", "/dev/null"),
    "NetworkManager.service is masked"
)]
fn one_thing_spoilt_is_noticed(#[case] edit: Edit, #[case] expected: &str) {
    let cluster = cluster();
    let mut made = Made::new(Release::Trixie, &cluster, 0);
    made.apply(&Edits {
        root: vec![edit],
        boot: Vec::new(),
    });
    let obstacles = proof(&made, &cluster, 0).unwrap_err().join("\n");
    assert!(obstacles.contains(expected), "{obstacles}");
}

#[test]
fn a_host_key_service_that_is_still_on_is_noticed() {
    let cluster = cluster();
    let mut made = Made::new(Release::Trixie, &cluster, 0);
    let unit = "regenerate_ssh_host_keys.service";
    made.apply(&Edits {
        root: vec![
            remove(&format!("/etc/systemd/system/{unit}")),
            link(
                &format!("/etc/systemd/system/sysinit.target.wants/{unit}"),
                "/x",
            ),
        ],
        boot: vec![root_file(
            "/cmdline.txt",
            "init=/usr/lib/raspberrypi-sys-mods/firstboot",
        )],
    });
    let obstacles = proof(&made, &cluster, 0).unwrap_err();
    assert_eq!(obstacles.len(), 2, "{obstacles:?}");
}
