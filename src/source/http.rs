//! Downloading over HTTP.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use ureq::Agent;
use ureq::http::{Response, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::digest::{CHUNK, Digester};
use super::{Algorithm, Digests, SourceError};
use crate::progress::Reporter;

/// Certificate bundles of Debian, Fedora, openSUSE and Alpine, in this order.
const SYSTEM_BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// Most a checksum file may have; the longest in use, of a whole release, has
/// a few KiB.
const TEXT_LIMIT: u64 = 1 << 20;

/// How to talk to servers.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Certificates to trust instead of the system's bundle, which is used if
    /// there is one, or else Mozilla's.
    pub certificates: Option<Utf8PathBuf>,
    /// Whether `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` of the
    /// environment count.
    pub environment_proxy: bool,
    /// How often one address is tried while failures look passing.
    pub tries: u32,
    /// How long to wait before the second try; it doubles each time.
    pub pause: Duration,
    /// How long a connection may take to open, and then a server to say
    /// anything more.
    pub patience: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            certificates: None,
            environment_proxy: true,
            tries: 3,
            pause: Duration::from_secs(1),
            patience: Duration::from_secs(30),
        }
    }
}

/// Why an address gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server, or the way there; another address may do better.
    Remote {
        /// What happened, for people.
        reason: String,
        /// Whether the same address may do better in a moment.
        passing: bool,
    },
    /// This machine; no other address would help.
    Local(SourceError),
}

#[derive(Clone, Debug)]
pub(super) struct Client {
    agent: Agent,
    tries: u32,
    pause: Duration,
}

impl Client {
    pub(super) fn new(options: &HttpOptions) -> Result<Self, SourceError> {
        let mut config = Agent::config_builder()
            .user_agent(concat!("pidoop/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .http_status_as_error(false)
            .timeout_connect(Some(options.patience))
            .timeout_recv_response(Some(options.patience))
            .timeout_per_read(Some(options.patience))
            .tls_config(
                TlsConfig::builder()
                    .root_certs(root_certs(options)?)
                    .build(),
            );
        if !options.environment_proxy {
            config = config.proxy(None);
        }
        let agent = config.build().new_agent();
        Ok(Self {
            agent,
            tries: options.tries.max(1),
            pause: options.pause,
        })
    }

    /// Downloads `url` to the file `to`, replacing it.
    pub(super) fn download(
        &self,
        url: &str,
        to: &Utf8Path,
        also: Option<Algorithm>,
        title: &str,
        reporter: &Reporter,
    ) -> Result<Digests, Failure> {
        self.with_patience(reporter, title, || {
            self.download_once(url, to, also, title, reporter)
        })
    }

    /// The text at `url`.
    pub(super) fn text(&self, url: &str, reporter: &Reporter) -> Result<String, Failure> {
        self.with_patience(reporter, url, || {
            let response = self.get(url)?;
            let mut bytes = Vec::new();
            let mut body = response.into_body().into_reader().take(TEXT_LIMIT);
            body.read_to_end(&mut bytes).map_err(|error| cut(&error))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        })
    }

    fn with_patience<T>(
        &self,
        reporter: &Reporter,
        title: &str,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut pause = self.pause;
        for _ in 1..self.tries {
            match attempt() {
                Err(Failure::Remote {
                    reason,
                    passing: true,
                }) => {
                    reporter.note(format!("{title}: {reason}; trying again"));
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                result => return result,
            }
        }
        attempt()
    }

    fn get(&self, url: &str) -> Result<Response<ureq::Body>, Failure> {
        let response = self
            .agent
            .get(url)
            .call()
            .map_err(|error| failure(&error))?;
        let status = response.status();
        if status.is_success() && status.as_u16() != 206 {
            return Ok(response);
        }
        let code = status.as_u16();
        let reason = match code {
            404 | 410 => format!("there is no such file ({code}); it may have moved to an archive"),
            401 | 403 | 407 => format!("access was refused ({code})"),
            _ => format!("the server answered {status}"),
        };
        let passing = status.is_server_error() || matches!(code, 408 | 425 | 429);
        Err(Failure::Remote { reason, passing })
    }

    fn download_once(
        &self,
        url: &str,
        to: &Utf8Path,
        also: Option<Algorithm>,
        title: &str,
        reporter: &Reporter,
    ) -> Result<Digests, Failure> {
        let response = self.get(url)?;
        let announced = announced_length(&response);
        if let Some(length) = announced {
            refuse_if_full(to, length).map_err(Failure::Local)?;
        }
        let local = |error: io::Error| {
            Failure::Local(SourceError::io_needing("downloading to", to, announced)(
                error,
            ))
        };
        let mut file = File::create(to).map_err(local)?;
        let mut body = response.into_body().into_reader();
        let task = reporter.task(title, announced);
        let mut digester = Digester::new(also);
        let mut buffer = vec![0; CHUNK];
        loop {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    digester.update(&buffer[..read]);
                    file.write_all(&buffer[..read]).map_err(local)?;
                    task.advance(read as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(cut(&error)),
            }
        }
        let digests = digester.finish();
        if announced.is_some_and(|length| length != digests.size) {
            let size = digests.size;
            let length = announced.unwrap_or_default();
            return Err(Failure::Remote {
                reason: format!("the file ended after {size} of {length} bytes"),
                passing: true,
            });
        }
        file.sync_all().map_err(local)?;
        task.finish();
        Ok(digests)
    }
}

fn announced_length(response: &Response<ureq::Body>) -> Option<u64> {
    response
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Says so at once when `length` bytes cannot fit where `to` is going to be.
fn refuse_if_full(to: &Utf8Path, length: u64) -> Result<(), SourceError> {
    let dir = to.parent().unwrap_or(to);
    // A filesystem that does not tell its free space finds out by itself.
    let Ok(space) = rustix::fs::statvfs(dir.as_std_path()) else {
        return Ok(());
    };
    if space.f_bavail.saturating_mul(space.f_frsize) < length {
        return Err(SourceError::DiskFull {
            action: "downloading to",
            path: to.to_owned(),
            needed: Some(length),
        });
    }
    Ok(())
}

fn cut(error: &io::Error) -> Failure {
    let reason = match error.kind() {
        io::ErrorKind::TimedOut => "the server stopped sending".to_owned(),
        _ => format!("the connection broke off ({error})"),
    };
    Failure::Remote {
        reason,
        passing: true,
    }
}

fn failure(error: &ureq::Error) -> Failure {
    let (reason, passing) = match error {
        ureq::Error::HostNotFound => ("no such host, or no network".to_owned(), false),
        ureq::Error::ConnectionFailed => ("the server cannot be reached".to_owned(), true),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => (
            "nothing listens there (connection refused)".to_owned(),
            false,
        ),
        ureq::Error::Io(error) => (format!("the connection failed ({error})"), true),
        ureq::Error::Timeout(_) => ("the server did not answer in time".to_owned(), true),
        ureq::Error::TooManyRedirects => ("it redirects in a circle".to_owned(), false),
        ureq::Error::InvalidProxyUrl => (
            "the proxy named in the environment is no address".to_owned(),
            false,
        ),
        ureq::Error::Rustls(error) => (
            format!(
                "the server's certificate is not trusted ({error}); behind an intercepting proxy, \
                 name its certificates in SSL_CERT_FILE"
            ),
            false,
        ),
        other => (other.to_string(), false),
    };
    Failure::Remote { reason, passing }
}

fn root_certs(options: &HttpOptions) -> Result<RootCerts, SourceError> {
    let found = SYSTEM_BUNDLES
        .iter()
        .map(|path| Utf8Path::new(*path))
        .find(|path| path.exists());
    let Some(path) = options.certificates.as_deref().or(found) else {
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
        return match &options.certificates {
            None => Ok(RootCerts::WebPki),
            Some(path) => Err(SourceError::WrongContents {
                path: path.clone(),
                looks_like: "has no certificate in it".to_owned(),
                needed: "SSL_CERT_FILE must name a file of PEM certificates".to_owned(),
            }),
        };
    }
    Ok(certificates.into())
}
