//! Where an input came from, for documents that leave this machine.

use serde::Serializer;

/// Serialises an origin without the directories of the machine it was read on,
/// so that plans and manifests of one cluster are the same anywhere. Addresses
/// stay whole.
pub(super) fn portable<S: Serializer>(origin: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(without_directory(origin))
}

fn without_directory(origin: &str) -> &str {
    match origin.rsplit_once('/') {
        Some((_, name)) if !origin.contains("://") => name,
        _ => origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_lose_their_directories() {
        for (origin, portable) in [
            ("/home/me/base.img.xz", "base.img.xz"),
            ("base.img.xz", "base.img.xz"),
            (
                "https://example.org/a/jre.tar.gz",
                "https://example.org/a/jre.tar.gz",
            ),
        ] {
            assert_eq!(without_directory(origin), portable);
        }
    }
}
