//! Why an address gave nothing.

use std::io;
use std::time::Duration;

use super::SourceError;

/// Why an address gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server, or the way there; another address may do better.
    Remote {
        /// What happened, for people.
        reason: String,
        /// Whether the same address may do better in a moment.
        passing: bool,
        /// How long the server asked to be left alone.
        after: Option<Duration>,
    },
    /// This machine; no other address would help.
    Local(SourceError),
}

impl Failure {
    /// What the same address may not do again in a moment.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self::Remote {
            reason: reason.into(),
            passing: true,
            after: None,
        }
    }

    /// What the same address will do again.
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self::Remote {
            reason: reason.into(),
            passing: false,
            after: None,
        }
    }

    /// With words in front of the reason: what led there.
    pub(super) fn behind(self, led: &str) -> Self {
        match self {
            Self::Remote {
                reason,
                passing,
                after,
            } => Self::Remote {
                reason: format!("{led}{reason}"),
                passing,
                after,
            },
            local @ Self::Local(_) => local,
        }
    }

    /// A body that stopped in the middle.
    pub(super) fn cut(error: &io::Error) -> Self {
        Self::passing(match error.kind() {
            io::ErrorKind::TimedOut => "the server stopped sending".to_owned(),
            _ => format!("the connection broke off ({error})"),
        })
    }

    /// An answer that is no file. `after` is what its `Retry-After` said.
    pub(super) fn status(code: u16, after: Option<Duration>) -> Self {
        let reason = match code {
            404 | 410 => {
                format!("there is no such file ({code}); it may have moved to an archive")
            }
            401 | 403 => format!("access was refused ({code})"),
            407 => "the proxy wants a password (407)".to_owned(),
            429 => "the server is asked too often (429)".to_owned(),
            _ => format!("the server answered {code}"),
        };
        Self::Remote {
            reason,
            passing: code >= 500 || matches!(code, 408 | 425 | 429),
            after,
        }
    }
}

impl From<&ureq::Error> for Failure {
    fn from(error: &ureq::Error) -> Self {
        match error {
            ureq::Error::HostNotFound => Self::lasting("no such host, or no network"),
            ureq::Error::ConnectionFailed => Self::passing("the server cannot be reached"),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Self::lasting("nothing listens there (connection refused)")
            }
            ureq::Error::Io(error) => Self::passing(format!("the connection failed ({error})")),
            ureq::Error::Timeout(_) => Self::passing("the server did not answer in time"),
            ureq::Error::ConnectProxyFailed(words) if words.contains("407") => {
                Self::lasting("it wants a name and a password (407)")
            }
            ureq::Error::ConnectProxyFailed(words) => {
                Self::passing(format!("it made no connection ({words})"))
            }
            ureq::Error::BadUri(_) => Self::lasting("this is no address"),
            ureq::Error::Protocol(error) => {
                Self::passing(format!("the server does not speak HTTP ({error})"))
            }
            ureq::Error::Rustls(error) => Self::lasting(format!(
                "the server's certificate is not trusted ({error}); behind an intercepting proxy, \
                 name its certificates in SSL_CERT_FILE"
            )),
            other => Self::lasting(other.to_string()),
        }
    }
}
