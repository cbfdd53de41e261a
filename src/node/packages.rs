//! dpkg's list of installed packages.

use crate::hadoop::GlibcVersion;

/// Version of the C library, from the text of `/var/lib/dpkg/status`. With a
/// foreign architecture there are two stanzas of one version (libc6 is
/// `Multi-Arch: same`), so the first will do.
pub(super) fn glibc(status: &str) -> Option<GlibcVersion> {
    let stanza = status
        .split("\n\n")
        .find(|stanza| stanza.lines().any(|line| line == "Package: libc6"))?;
    let version = stanza
        .lines()
        .find_map(|line| line.strip_prefix("Version: "))?;
    version.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_is_found_among_packages_named_like_it() {
        let status = "Package: libc6-dev\nVersion: 1.0\n\nPackage: libc6\nStatus: install ok \
                      installed\nVersion: 2.36-9+deb12u10\n\nPackage: x\nVersion: 3\n";
        assert_eq!(glibc(status), Some(GlibcVersion::new(2, 36)));
        assert_eq!(glibc("Package: musl\nVersion: 1.2\n"), None);
    }
}
