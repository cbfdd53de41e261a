//! How people and nodes log in.

use std::fmt::Write;

use super::context::HADOOP_USER;
use super::draft::Draft;
use super::{ClusterKey, IdentityError, NodeError, NodeInputs, Release, users};
use crate::cluster::{Cluster, Node};
use crate::edit::{Content, Mode, Owner};

/// Our part of sshd's configuration. The first value of a keyword wins and
/// files are read in order of their names (sshd_config(5)), so it beats
/// whatever else a base brings.
const DROP_IN: &str = "/etc/ssh/sshd_config.d/10-pidoop.conf";
const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    let access = &inputs.cluster.access;
    let opens = inputs.authorized_keys.iter().any(|key| !key.is_authority());
    if !opens && access.password_hash.is_none() {
        return Err(NodeError::NoWayIn);
    }
    daemon(inputs, draft);
    host_key(inputs, draft)?;

    let user = users::user_owner(inputs.profile)?;
    let keys: String = inputs
        .authorized_keys
        .iter()
        .map(|key| format!("{key}\n"))
        .collect();
    authorize(draft, access.user.as_str(), user, keys);

    let hadoop = users::hadoop_owner(inputs.profile)?;
    let pair = inputs.key.hadoop_key(inputs.cluster.name.as_str())?;
    // The key lies on every card, so it opens doors inside the cluster only.
    let subnet = inputs.cluster.network.subnet.trunc();
    let from = format!("from=\"{subnet},127.0.0.1,::1\"");
    authorize(
        draft,
        HADOOP_USER,
        hadoop,
        format!("{from} {}\n", pair.public()),
    );
    let private = format!("/home/{HADOOP_USER}/.ssh/id_ed25519");
    draft.content(
        &private,
        Content::secret(pair.private()),
        hadoop,
        Mode::SECRET,
    );
    let public = Content::text(format!("{}\n", pair.public()));
    draft.content(&format!("{private}.pub"), public, hadoop, Mode::FILE);

    draft.file(
        "/etc/ssh/ssh_known_hosts",
        known_hosts(inputs.cluster, inputs.key)?,
    );
    Ok(())
}

/// Lines for `known_hosts`: every node under its names and its address.
///
/// # Errors
/// [`IdentityError`] if a key cannot be written.
pub fn known_hosts(cluster: &Cluster, key: &ClusterKey) -> Result<String, IdentityError> {
    let mut text = String::new();
    for Node { name, address, .. } in &cluster.nodes {
        let host_key = key.host_key(name)?;
        let domain = cluster.network.domain.iter();
        let full: String = domain.map(|domain| format!("{name}.{domain},")).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{name},{full}{address} {}",
            host_key.public_without_comment()
        );
    }
    Ok(text)
}

fn daemon(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let service = draft.unit_path("ssh.service");
    draft
        .enable("ssh.service")
        .link("/etc/systemd/system/sshd.service", &service)
        // The socket would take the port first.
        .remove("/etc/systemd/system/sockets.target.wants/ssh.socket")
        .remove("/etc/ssh/sshd_not_to_be_run");
    let passwords = match inputs.cluster.access.password_hash {
        Some(_) => "yes",
        None => "no",
    };
    // OpenSSH 8.4 knows the next but one keyword under its old name only.
    let keyboard = match inputs.profile.release {
        Release::Bullseye => "ChallengeResponseAuthentication",
        _ => "KbdInteractiveAuthentication",
    };
    draft.file(
        DROP_IN,
        format!(
            "# Written by pidoop.\n\
             PermitRootLogin no\n\
             PubkeyAuthentication yes\n\
             PasswordAuthentication {passwords}\n\
             {keyboard} no\n\
             HostKey {HOST_KEY}\n"
        ),
    );
}

fn host_key(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) -> Result<(), NodeError> {
    let key = inputs.key.host_key(&inputs.node.name)?;
    draft
        .content(
            HOST_KEY,
            Content::secret(key.private()),
            Owner::ROOT,
            Mode::SECRET,
        )
        .file(&format!("{HOST_KEY}.pub"), format!("{}\n", key.public()));
    // Keys that a base was published with are nobody's secret.
    for kind in ["rsa", "dsa", "ecdsa"] {
        let other = format!("/etc/ssh/ssh_host_{kind}_key");
        draft.remove(&other).remove(&format!("{other}.pub"));
    }
    Ok(())
}

fn authorize(draft: &mut Draft<'_>, user: &str, owner: Owner, keys: String) {
    let dir = format!("/home/{user}/.ssh");
    draft.dir(&dir, owner, Mode::PRIVATE_DIR).content(
        &format!("{dir}/authorized_keys"),
        Content::text(keys),
        owner,
        Mode::SECRET,
    );
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::node::fake_base::base;
    use crate::node::fake_cluster::{KEY, cluster, with_inputs};
    use crate::node::made::Made;
    use crate::node::{Profile, personality};

    #[test]
    fn sshd_starts_with_keys_only() {
        let made = Made::new(Release::Trixie, &cluster(), 1);
        let unit = "/usr/lib/systemd/system/ssh.service";
        for link in ["multi-user.target.wants/ssh.service", "sshd.service"] {
            let link = format!("/etc/systemd/system/{link}");
            assert_eq!(made.link(&link).unwrap(), unit, "{link}");
        }
        let text = made.text(DROP_IN);
        assert!(
            text.contains("PasswordAuthentication no\nKbdInteractiveAuthentication no\n"),
            "{text}"
        );
        assert!(text.contains("PermitRootLogin no\n"), "{text}");
        assert!(!made.has("/etc/ssh/sshd_config.d/rename_user.conf"));
        let mask = "/etc/systemd/system/regenerate_ssh_host_keys.service";
        assert_eq!(made.link(mask).unwrap(), "/dev/null");
    }

    #[test]
    fn bullseye_knows_one_keyword_by_its_old_name() {
        let text = Made::new(Release::Bullseye, &cluster(), 1).text(DROP_IN);
        assert!(
            text.contains("ChallengeResponseAuthentication no"),
            "{text}"
        );
        assert!(!text.contains("KbdInteractive"), "{text}");
    }

    #[test]
    fn keys_have_the_owners_and_modes_sshd_wants() {
        let made = Made::new(Release::Bookworm, &cluster(), 1);
        for (path, attributes) in [
            ("/etc/ssh/ssh_host_ed25519_key", "0600 0:0"),
            ("/etc/ssh/ssh_host_ed25519_key.pub", "0644 0:0"),
            ("/home/keeper/.ssh", "0700 1000:1000"),
            ("/home/keeper/.ssh/authorized_keys", "0600 1000:1000"),
            ("/home/hadoop/.ssh", "0700 1001:1001"),
            ("/home/hadoop/.ssh/id_ed25519", "0600 1001:1001"),
            ("/home/hadoop/.ssh/authorized_keys", "0600 1001:1001"),
        ] {
            assert_eq!(made.attributes(path), attributes, "{path}");
        }
        assert_eq!(
            made.text("/home/keeper/.ssh/authorized_keys"),
            format!("{KEY}\n")
        );
        let hadoop = made.text("/home/hadoop/.ssh/authorized_keys");
        let public = made.text("/home/hadoop/.ssh/id_ed25519.pub");
        assert_eq!(
            hadoop,
            format!("from=\"192.168.1.0/24,127.0.0.1,::1\" {public}")
        );
    }

    #[test]
    fn every_node_knows_every_other_by_name_and_address() {
        let mut cluster = cluster();
        cluster.network.domain = Some("lan".to_owned());
        let master = Made::new(Release::Trixie, &cluster, 0);
        let worker = Made::new(Release::Trixie, &cluster, 2);
        let known = master.text("/etc/ssh/ssh_known_hosts");
        assert_eq!(known, worker.text("/etc/ssh/ssh_known_hosts"));
        let public = worker.text("/etc/ssh/ssh_host_ed25519_key.pub");
        let key = public.trim_end().rsplit_once(' ').unwrap().0;
        let line = format!("worker2,worker2.lan,192.168.1.12 {key}\n");
        assert!(known.ends_with(&line), "{known}");
        assert_eq!(known.lines().count(), 3);
    }

    #[test]
    fn ssh_keygen_finds_the_nodes_in_known_hosts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known_hosts");
        let text = known_hosts(&cluster(), &ClusterKey::new([7; 32])).unwrap();
        std::fs::write(&path, text).unwrap();
        for host in ["worker1", "192.168.1.11"] {
            let mut keygen = std::process::Command::new("ssh-keygen");
            let found = keygen.args(["-F", host, "-f"]).arg(&path).output().unwrap();
            let found = String::from_utf8(found.stdout).unwrap();
            assert!(
                found.contains(&format!("Host {host} found: line 2")),
                "{found}"
            );
        }
    }

    #[test]
    fn an_image_nobody_can_log_in_to_is_not_made() {
        let mut cluster = cluster();
        let authority = format!("cert-authority {KEY}");
        let (root, boot) = base(Release::Trixie);
        let profile = Profile::detect(&root, &boot).unwrap();
        for keys in [vec![], vec![(authority, 0..0)]] {
            cluster.access.authorized_keys = keys;
            let error = with_inputs(&cluster, 0, &profile, |inputs| {
                personality(inputs).unwrap_err()
            });
            assert!(matches!(error, NodeError::NoWayIn), "{error}");
        }
    }
}
