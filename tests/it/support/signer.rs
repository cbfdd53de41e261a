//! Keys and signatures by gpg, made for one test and gone with it.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use camino::Utf8PathBuf;

/// Somebody who signs.
pub(crate) struct Signer {
    _temporary: tempfile::TempDir,
    home: Utf8PathBuf,
}

impl Signer {
    /// With a new key.
    pub(crate) fn new() -> Self {
        // Short, for the socket of gpg's agent is in it.
        let temporary = tempfile::Builder::new()
            .prefix("gpg-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .unwrap();
        let home = Utf8PathBuf::from_path_buf(temporary.path().to_owned()).unwrap();
        let signer = Self {
            _temporary: temporary,
            home,
        };
        let key = [
            "--quick-gen-key",
            "Publisher <p@example.org>",
            "ed25519",
            "sign",
            "never",
        ];
        signer.gpg(&[&["--passphrase", ""], &key[..]].concat(), b"");
        signer
    }

    /// The public key, as text or as bytes.
    pub(crate) fn public_key(&self, armoured: bool) -> Vec<u8> {
        match armoured {
            true => self.gpg(&["--armor", "--export"], b""),
            false => self.gpg(&["--export"], b""),
        }
    }

    /// A detached signature, as text or as bytes.
    pub(crate) fn sign(&self, bytes: &[u8], armoured: bool) -> Vec<u8> {
        match armoured {
            true => self.gpg(&["--armor", "--detach-sign"], bytes),
            false => self.gpg(&["--detach-sign"], bytes),
        }
    }

    /// The key's fingerprint.
    pub(crate) fn fingerprint(&self) -> String {
        let list = self.gpg(&["--with-colons", "--list-keys"], b"");
        let list = String::from_utf8(list).unwrap();
        let line = list.lines().find_map(|line| line.strip_prefix("fpr:"));
        line.unwrap().trim_matches(':').to_owned()
    }

    fn gpg(&self, args: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new("gpg")
            .args(["--batch", "--quiet", "--yes"])
            .args(args)
            .env("GNUPGHOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gpg is needed for this test: apt install gnupg");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "gpg {args:?}: {output:?}");
        output.stdout
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        // The agent that gpg started lives until it is told to end.
        let _ = Command::new("gpgconf")
            .args(["--kill", "all"])
            .env("GNUPGHOME", &self.home)
            .status();
    }
}
