//! What a node will mount, and from where.

use super::reader::Reader;
use crate::edit::{EditError, ReadTree};

/// Something that is mounted when the node starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Which file says so.
    pub said_by: &'static str,
    /// Where it is mounted.
    pub on: String,
    /// What is mounted, as written: `PARTUUID=1a2b3c4d-02`.
    pub source: String,
}

/// What the kernel command line and fstab mount.
///
/// # Errors
/// When either filesystem cannot be read.
pub fn mounts(root: &dyn ReadTree, boot: &dyn ReadTree) -> Result<Vec<Mount>, EditError> {
    let (fstab, cmdline) = (
        Reader(root).text("/etc/fstab")?.unwrap_or_default(),
        Reader(boot).text("/cmdline.txt")?.unwrap_or_default(),
    );
    let of_kernel = cmdline.split_whitespace().filter_map(|word| {
        Some(Mount {
            said_by: "cmdline.txt",
            on: "/".to_owned(),
            source: word.strip_prefix("root=")?.to_owned(),
        })
    });
    let of_fstab = fstab.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let source = words.next().filter(|word| !word.starts_with('#'))?;
        Some(Mount {
            said_by: "/etc/fstab",
            on: words.next()?.to_owned(),
            source: source.to_owned(),
        })
    });
    Ok(of_kernel.chain(of_fstab).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::fake_tree::FakeTree;

    #[test]
    fn both_files_are_heard() {
        let root = FakeTree::new().file(
            "/etc/fstab",
            "# LABEL=x / ext4\nPARTUUID=ab-01  /boot/firmware vfat defaults\n\nproc\n",
        );
        let boot = FakeTree::new().file("/cmdline.txt", "console=tty1 root=PARTUUID=ab-02 quiet\n");
        let found = mounts(&root, &boot).unwrap();
        let told: Vec<String> = found
            .iter()
            .map(|mount| format!("{} {} {}", mount.said_by, mount.source, mount.on))
            .collect();
        assert_eq!(
            told,
            [
                "cmdline.txt PARTUUID=ab-02 /",
                "/etc/fstab PARTUUID=ab-01 /boot/firmware"
            ]
        );
    }
}
