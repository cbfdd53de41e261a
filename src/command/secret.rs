//! Secrets that stand beside the cluster file: the cluster key, made once, and
//! the passphrase of a Wi-Fi network.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;

use super::Failure;
use super::load::{home, read_text};
use crate::cluster::Cluster;
use crate::diagnostic::Problem;
use crate::node::{ClusterKey, Passphrase};
use crate::source::Location;

/// File name of the key, beside the cluster file.
const FILE: &str = "cluster.key";

/// Where the key came from.
pub(super) enum Origin {
    /// It was there.
    Found,
    /// It was made now.
    Made,
}

/// Reads the cluster's key; none if it was never made.
pub(super) fn existing_key(dir: &Utf8Path) -> Result<Option<ClusterKey>, Failure> {
    let path = dir.join(FILE);
    let Some(text) = read_text(&path)? else {
        return Ok(None);
    };
    let mode = fs_err::metadata(&path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failure::usage(format!(
            "{path} can be read by others (mode {mode:04o}), and every identity of the \
             cluster follows from it"
        ))
        .hint(format!("chmod 600 {path}")));
    }
    let key =
        ClusterKey::from_text(&text).map_err(|error| Failure::usage(format!("{path}: {error}")))?;
    Ok(Some(key))
}

/// Reads the cluster's key, or makes it the first time.
pub(super) fn cluster_key(dir: &Utf8Path) -> Result<(ClusterKey, Origin), Failure> {
    if let Some(key) = existing_key(dir)? {
        return Ok((key, Origin::Found));
    }
    let path = dir.join(FILE);
    let key = random_key()?;
    // A temporary file is its owner's alone from the start.
    let mut temp = tempfile::Builder::new()
        .prefix(".cluster-key-")
        .tempfile_in(dir)
        .map_err(|error| Failure::from(error).context(format!("{path} cannot be made")))?;
    temp.write_all(key.to_text().as_bytes())?;
    temp.as_file().sync_all()?;
    match temp.persist_noclobber(&path) {
        Ok(_) => Ok((key, Origin::Made)),
        // Another process has made one meanwhile: its key stands.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => cluster_key(dir),
        Err(error) => Err(error.error.into()),
    }
}

/// The passphrase of the cluster's Wi-Fi network. No message repeats what the
/// cluster file says in the place of the file's name before there is such a
/// file: it may be the passphrase itself.
pub(super) fn passphrase(
    cluster: &Cluster,
    dir: &Utf8Path,
    problems: &mut Vec<Problem>,
) -> Option<Passphrase> {
    let (written, span) = &cluster.network.wifi.as_ref()?.passphrase_file;
    let mut refuse = |message: String, help: String| {
        problems.push(Problem::new(span.clone(), message).help(help));
        None
    };
    let path = match Location::parse(written, dir, home().as_deref()) {
        Ok(Location::Path(path)) => path,
        _ => {
            return refuse(
                "passphrase_file is not the path of a file".to_owned(),
                "write the passphrase into a file of its own and name that".to_owned(),
            );
        }
    };
    let text = match fs_err::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return refuse(
                format!("{path} is no text"),
                "it has the passphrase in its only line".to_owned(),
            );
        }
        Err(error) => {
            let reason = match error.kind() {
                ErrorKind::NotFound => "there is no such file",
                ErrorKind::PermissionDenied => "it may not be read",
                ErrorKind::IsADirectory => "it is a directory",
                _ => "it cannot be read",
            };
            return refuse(
                format!("the file that passphrase_file names: {reason}"),
                "write the passphrase into a file of its own, readable by you alone, and name \
                 that file; a relative path begins beside the cluster file"
                    .to_owned(),
            );
        }
    };
    match fs_err::metadata(&path) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            let mode = meta.permissions().mode() & 0o777;
            return refuse(
                format!("{path} can be read by others (mode {mode:04o})"),
                format!("chmod 600 {path}"),
            );
        }
        Ok(_) => {}
        Err(error) => return refuse(error.to_string(), "look at the file".to_owned()),
    }
    match Passphrase::from_text(&text) {
        Ok(passphrase) => Some(passphrase),
        Err(error) => refuse(
            format!("{path}: {error}"),
            "the file has the passphrase, or the key of 64 hex digits, in its only line".to_owned(),
        ),
    }
}

/// 32 bytes from the system's random source.
fn random_key() -> Result<ClusterKey, Failure> {
    let mut bytes = [0; ClusterKey::LEN];
    fs_err::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(ClusterKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ExitStatus;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let (first, origin) = cluster_key(dir).unwrap();
        assert!(matches!(origin, Origin::Made));
        let path = dir.join(FILE);
        assert_eq!(
            fs_err::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let (second, origin) = cluster_key(dir).unwrap();
        assert!(matches!(origin, Origin::Found));
        assert_eq!(first.to_text(), second.to_text());

        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let refused = cluster_key(dir).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn a_damaged_key_is_for_its_owner_to_restore_and_is_not_shown() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let path = dir.join(FILE);
        let damaged: [&[u8]; 3] = [b"", b"\xff\xfe", &[b'7'; 63]];
        for bytes in damaged {
            fs_err::write(&path, bytes).unwrap();
            fs_err::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            let refused = cluster_key(dir).map(|_| ()).unwrap_err();
            assert_eq!(refused.status(), ExitStatus::Usage, "{refused}");
            assert!(!refused.to_string().contains("777"), "{refused}");
            assert_eq!(fs_err::read(&path).unwrap(), bytes);
        }
    }
}
