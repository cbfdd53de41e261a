//! Everything that makes nodes and clusters distinguishable, from one secret.
//!
//! Each value is HKDF-SHA256 (RFC 5869) over the cluster key, with the purpose
//! and the node's name as label. A rebuilt image therefore has the identity it
//! had before: known_hosts stays right, DataNodes rejoin, PARTUUIDs agree.
//! Nothing is derived from anything public.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};
use thiserror::Error;
use uuid::{Builder, Uuid};

use super::DiskId;
use crate::cluster::Hostname;

/// Extraction salt; a change of derivation gets a new one.
const SALT: &[u8] = b"pidoop identity v1";

/// Why an identity could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The text of a key file is not a cluster key.
    #[error(
        "not a cluster key: expected {} hex digits, found {found}; restore the file from a backup, \
         or remove it to make a new cluster identity",
        2 * ClusterKey::LEN
    )]
    NotAKey {
        /// What was there instead, without the text itself.
        found: String,
    },
    /// The key's OpenSSH form could not be written; a defect, not a mistake of
    /// the user.
    #[error("writing an SSH key for {purpose}: {reason}")]
    Encode {
        /// Which key.
        purpose: String,
        /// The encoder's words.
        reason: String,
    },
}

/// The one secret of a cluster: 32 random bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterKey([u8; Self::LEN]);

impl ClusterKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A key from random bytes.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Reads the text form: 64 hex digits, surrounding blanks allowed.
    ///
    /// # Errors
    /// [`IdentityError::NotAKey`], which never repeats the text.
    pub fn from_text(text: &str) -> Result<Self, IdentityError> {
        let text = text.trim();
        let mut bytes = [0; Self::LEN];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) if text.len() == 2 * Self::LEN => Err(IdentityError::NotAKey {
                found: "other characters".to_owned(),
            }),
            Err(_) => Err(IdentityError::NotAKey {
                found: format!("{} characters", text.len()),
            }),
        }
    }

    /// The text form with a line end, for the key file and nowhere else.
    pub fn to_text(&self) -> String {
        let mut text = hex::encode(self.0);
        text.push('\n');
        text
    }

    /// The SSH host key of `node`.
    ///
    /// # Errors
    /// [`IdentityError::Encode`] if the key cannot be written.
    pub fn host_key(&self, node: &Hostname) -> Result<SshKey, IdentityError> {
        let seed = self.derive("ssh-host-ed25519", Some(node));
        SshKey::from_seed(&seed, &format!("root@{node}"))
    }

    /// The key pair with which the `hadoop` user of any node reaches that of
    /// any other.
    ///
    /// # Errors
    /// [`IdentityError::Encode`] if the key cannot be written.
    pub fn hadoop_key(&self, cluster: &str) -> Result<SshKey, IdentityError> {
        let seed = self.derive("ssh-hadoop-ed25519", None);
        SshKey::from_seed(&seed, &format!("hadoop@{cluster}"))
    }

    /// The NameNode's `clusterID`, in the form Hadoop itself makes
    /// (`CID-` and a UUID).
    pub fn cluster_id(&self) -> String {
        format!("CID-{}", self.uuid("hdfs-cluster-id", None))
    }

    /// The MBR disk signature of `node`'s card; never zero, which would mean
    /// "none".
    pub fn disk_id(&self, node: &Hostname) -> DiskId {
        let bytes: [u8; 4] = self.derive("mbr-disk-id", Some(node));
        DiskId(match u32::from_le_bytes(bytes) {
            0 => 1,
            id => id,
        })
    }

    /// The content of `/etc/machine-id` without its line end: 32 hex digits,
    /// shaped as a version 4 UUID as systemd asks of new ids (machine-id(5)).
    pub fn machine_id(&self, node: &Hostname) -> String {
        self.uuid("machine-id", Some(node)).simple().to_string()
    }

    /// The UUID of `node`'s network connection profile.
    pub fn connection_uuid(&self, node: &Hostname) -> Uuid {
        self.uuid("network-connection", Some(node))
    }

    /// A version 4 shaped UUID for `purpose`.
    fn uuid(&self, purpose: &str, node: Option<&Hostname>) -> Uuid {
        Builder::from_random_bytes(self.derive(purpose, node)).into_uuid()
    }

    /// `N` bytes for one purpose on one node, or on all.
    ///
    /// Purposes are ours and contain no NUL, host names cannot contain one,
    /// and a cluster-wide purpose has no second field: no two labels are equal.
    fn derive<const N: usize>(&self, purpose: &str, node: Option<&Hostname>) -> [u8; N] {
        let mut info = purpose.as_bytes().to_vec();
        if let Some(node) = node {
            info.push(0);
            info.extend_from_slice(node.as_str().as_bytes());
        }
        let mut out = [0; N];
        // HKDF-SHA256 gives up to 8160 bytes; every N here is at most 32.
        let fits = Hkdf::<Sha256>::new(Some(SALT), &self.0).expand(&info, &mut out);
        debug_assert!(fits.is_ok());
        out
    }
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(redacted)")
    }
}

/// An ed25519 key pair in OpenSSH's text forms.
#[derive(Clone, PartialEq, Eq)]
pub struct SshKey {
    private: String,
    public: String,
    fingerprint: String,
}

impl SshKey {
    fn from_seed(seed: &[u8; 32], comment: &str) -> Result<Self, IdentityError> {
        let failed = |error: ssh_key::Error| IdentityError::Encode {
            purpose: comment.to_owned(),
            reason: error.to_string(),
        };
        let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(seed));
        // Without encryption the format's check integer is computed from the
        // key itself, so the text is a function of the seed.
        let key = PrivateKey::new(pair, comment).map_err(failed)?;
        Ok(Self {
            private: key.to_openssh(LineEnding::LF).map_err(failed)?.to_string(),
            public: key.public_key().to_openssh().map_err(failed)?,
            fingerprint: key.fingerprint(ssh_key::HashAlg::Sha256).to_string(),
        })
    }

    /// The private key file, `-----BEGIN OPENSSH PRIVATE KEY-----` and on.
    pub fn private(&self) -> &str {
        &self.private
    }

    /// The public key line with its comment, without a line end.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Type and key without the comment, as known_hosts lines want it.
    pub fn public_without_comment(&self) -> &str {
        let comment = self.public.match_indices(' ').nth(1).map(|(at, _)| at);
        &self.public[..comment.unwrap_or(self.public.len())]
    }

    /// Such as `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl fmt::Debug for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshKey({}, private part redacted)", self.public)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    /// What to do when a pinned value fails.
    const PINNED: &str = "a derived identity changed: every cluster built before would get new host \
                          keys, a new HDFS cluster id and new disk ids on its next rebuild. If that \
                          is intended, give SALT a new version, say so in the changelog, and pin \
                          the new values";

    /// The identities of worker1 under [`key`]; the disk id was also computed
    /// with another HKDF (Python's hmac).
    const IDENTITIES: &str = "\
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfophOcZbe/HNUOAB8g5PCKKCAj2opuSb6qFWgXyknC root@worker1\n\
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpSwBmnPiJVB6OR1TCfTDPkt04Lw5yOGVL5Sikt3NLN hadoop@elephant\n\
        CID-63e89ba8-b0b4-4ebc-b0e3-df2171c119e5\n\
        5f69fdf4\n\
        9ef4bd61876f4085986cc1adbe6f340d\n\
        70118d97-bdc7-48eb-bf22-68cada855d84";

    fn key() -> ClusterKey {
        ClusterKey::new([7; 32])
    }

    fn name(text: &str) -> Hostname {
        Hostname::new(text).unwrap()
    }

    #[test]
    fn identities_are_pinned() {
        let (key, node) = (key(), name("worker1"));
        let values = format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            key.host_key(&node).unwrap().public(),
            key.hadoop_key("elephant").unwrap().public(),
            key.cluster_id(),
            key.disk_id(&node),
            key.machine_id(&node),
            key.connection_uuid(&node),
        );
        assert_eq!(values, IDENTITIES, "{PINNED}");
    }

    #[test]
    fn the_private_key_text_is_pinned() {
        use sha2::Digest;
        let text = key()
            .host_key(&name("worker1"))
            .unwrap()
            .private()
            .to_owned();
        let digest = hex::encode(Sha256::digest(text.as_bytes()));
        assert_eq!(
            digest, "0d62836faa9217a84485604aa325aaded8d3aa0e7f0bd0dd1b6b05cd274e8dd3",
            "{PINNED}"
        );
    }

    #[test]
    fn no_two_nodes_or_purposes_share_anything() {
        let mut seen = BTreeSet::new();
        for key in [key(), ClusterKey::new([8; 32])] {
            assert!(seen.insert(key.cluster_id()));
            assert!(seen.insert(key.hadoop_key("c").unwrap().fingerprint().to_owned()));
            for node in ["master", "worker1", "worker11", "worker2", "ssh-host"].map(name) {
                assert!(seen.insert(key.host_key(&node).unwrap().fingerprint().to_owned()));
                assert!(seen.insert(key.disk_id(&node).to_string()));
                assert!(seen.insert(key.machine_id(&node)));
                assert!(seen.insert(key.connection_uuid(&node).simple().to_string()));
            }
        }
        assert_eq!(seen.len(), 2 * (2 + 5 * 4));
    }

    #[test]
    fn machine_ids_have_the_shape_systemd_asks_for() {
        let id = key().machine_id(&name("master"));
        assert_eq!(id.len(), 32);
        let uuid = Uuid::parse_str(&id).unwrap();
        assert_eq!(uuid.get_version_num(), 4);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id, id.to_lowercase());
    }

    #[test]
    fn key_files_round_trip_and_bad_ones_are_not_repeated() {
        assert_eq!(ClusterKey::from_text(&key().to_text()).unwrap(), key());
        for (text, found) in [
            ("", "found 0 characters"),
            ("0707", "found 4 characters"),
            (&"zz".repeat(32), "found other characters"),
        ] {
            let message = ClusterKey::from_text(text).unwrap_err().to_string();
            assert!(message.contains(found), "{message}");
            assert!(!message.contains("zz"), "{message}");
        }
    }

    #[test]
    fn debug_forms_show_no_secret() {
        let key = key();
        let host = key.host_key(&name("master")).unwrap();
        assert_eq!(format!("{key:?}"), "ClusterKey(redacted)");
        let shown = format!("{host:?}");
        assert!(
            !shown.contains("PRIVATE") && shown.contains("redacted"),
            "{shown}"
        );
    }

    #[test]
    fn ssh_keygen_reads_the_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = key().host_key(&name("worker1")).unwrap();
        std::fs::write(&path, key.private()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let keygen = |arguments: &[&str]| {
            let output = Command::new("ssh-keygen")
                .args(arguments)
                .arg(&path)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(keygen(&["-y", "-f"]).trim_end(), key.public());
        let listed = keygen(&["-l", "-f"]);
        assert!(
            listed.starts_with(&format!("256 {} ", key.fingerprint())),
            "{listed}"
        );
        assert!(key.public().starts_with(key.public_without_comment()));
        assert_eq!(key.public_without_comment().split(' ').count(), 2);
    }
}
