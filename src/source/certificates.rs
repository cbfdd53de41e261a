//! Whose word counts for who a server is.

use camino::Utf8Path;
use ureq::tls::{PemItem, RootCerts, parse_pem};

use super::SourceError;

/// Certificate bundles of Debian, Fedora, openSUSE and Alpine, in this order.
const SYSTEM_BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// The certificates in the file `given`, else in the system's bundle, else
/// Mozilla's.
pub(super) fn root_certificates(given: Option<&Utf8Path>) -> Result<RootCerts, SourceError> {
    let found = SYSTEM_BUNDLES
        .iter()
        .map(|path| Utf8Path::new(*path))
        .find(|path| path.exists());
    let Some(path) = given.or(found) else {
        return Ok(RootCerts::WebPki);
    };
    let pem = std::fs::read(path).map_err(SourceError::io("reading certificates from", path))?;
    // A certificate that does not parse is one that cannot vouch for anything.
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return match given {
            None => Ok(RootCerts::WebPki),
            Some(path) => Err(SourceError::WrongContents {
                path: path.to_owned(),
                looks_like: "has no certificate in it".to_owned(),
                needed: "SSL_CERT_FILE must name a file of PEM certificates".to_owned(),
            }),
        };
    }
    Ok(certificates.into())
}
