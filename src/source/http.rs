//! Asking servers.

use std::io::{self, Read};
use std::sync::OnceLock;
use std::time::Duration;

use camino::Utf8PathBuf;
use ureq::http::{HeaderMap, HeaderName, Uri, header};
use ureq::tls::TlsConfig;
use ureq::{Agent, BodyReader, Proxy};

use super::certificates::root_certificates;
use super::failure::Failure;
use super::location::without_password;
use super::redirect::target;
use super::retry::Retries;
use super::{Proxies, SourceError};
use crate::progress::{Reporter, Unit, amount};

/// How often a server may send on to another address.
const MOST_REDIRECTS: usize = 10;

/// How to talk to servers.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Certificates to trust instead of the system's bundle, which is used if
    /// there is one, or else Mozilla's.
    pub certificates: Option<Utf8PathBuf>,
    /// Which addresses are asked through a proxy.
    pub proxies: Proxies,
    /// How often one address is tried while failures look passing and nothing
    /// is gained.
    pub tries: u32,
    /// How long to wait before the second try; it doubles each time.
    pub pause: Duration,
    /// How long a connection may take to open, and then a server to say
    /// anything more.
    pub patience: Duration,
    /// Bytes that have to come within each `window`.
    pub least: u64,
    /// How long a server may send less than `least`.
    pub window: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            certificates: None,
            proxies: Proxies::default(),
            tries: 4,
            pause: Duration::from_secs(1),
            patience: Duration::from_secs(30),
            // 2 KiB a second: half a gigabyte would take three days.
            least: 120 << 10,
            window: Duration::from_secs(60),
        }
    }
}

/// Asks servers, through proxies where these are set.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// By their addresses.
    proxies: Vec<(String, Proxy)>,
    /// Made when a server is first asked: with everything at hand none is, and
    /// the certificates need not be read.
    agents: OnceLock<Agents>,
    pub(super) options: HttpOptions,
}

#[derive(Clone, Debug)]
struct Agents {
    direct: Agent,
    /// One for each proxy, by its address.
    proxied: Vec<(String, Agent)>,
}

/// A server's answer, before its body is read.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: BodyReader<'static>,
    /// Which redirect led here, as the beginning of a sentence.
    led: String,
}

impl Client {
    pub(super) fn new(options: &HttpOptions) -> Result<Self, SourceError> {
        let proxies = options.proxies.all().map(|address| {
            let wrong = |reason: &str| SourceError::Location {
                text: without_password(address),
                reason: format!("{reason}, and http_proxy, https_proxy or all_proxy names it"),
            };
            let proxy = Proxy::new(address).map_err(|_| wrong("it is no address of a proxy"))?;
            if !matches!(
                proxy.protocol(),
                ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https
            ) {
                return Err(wrong("pidoop knows HTTP proxies only"));
            }
            Ok((address.to_owned(), proxy))
        });
        let client = Self {
            proxies: proxies.collect::<Result<_, _>>()?,
            agents: OnceLock::new(),
            options: options.clone(),
        };
        if options.certificates.is_some() {
            // Whoever names some is told at once if they are none.
            client.agents()?;
        }
        Ok(client)
    }

    fn agents(&self) -> Result<&Agents, SourceError> {
        if let Some(agents) = self.agents.get() {
            return Ok(agents);
        }
        let certificates = root_certificates(self.options.certificates.as_deref())?;
        let agent = |proxy: Option<Proxy>| {
            Agent::config_builder()
                .user_agent(concat!("pidoop/", env!("CARGO_PKG_VERSION")))
                .accept_encoding("identity")
                .http_status_as_error(false)
                // Followed here, so that a message can say where they led.
                .max_redirects(0)
                .timeout_connect(Some(self.options.patience))
                .timeout_recv_response(Some(self.options.patience))
                .timeout_per_read(Some(self.options.patience))
                .tls_config(
                    TlsConfig::builder()
                        .root_certs(certificates.clone())
                        .build(),
                )
                .proxy(proxy)
                .build()
                .new_agent()
        };
        let by_proxy =
            |(address, proxy): &(String, Proxy)| (address.clone(), agent(Some(proxy.clone())));
        let agents = Agents {
            direct: agent(None),
            proxied: self.proxies.iter().map(by_proxy).collect(),
        };
        Ok(self.agents.get_or_init(|| agents))
    }

    /// Asks for `url` with these headers, and follows wherever servers send on.
    pub(super) fn get(
        &self,
        url: &str,
        headers: &[(HeaderName, String)],
    ) -> Result<Answer, Failure> {
        let mut visited = vec![url.to_owned()];
        let mut led = String::new();
        loop {
            let here = visited.last().map_or(url, String::as_str).to_owned();
            let answer = self.ask(&here, headers).map_err(|f| f.behind(&led))?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(Answer { led, ..answer });
            }
            let location = text_of(&answer.headers, &header::LOCATION).unwrap_or_default();
            let Some(next) = target(&here, location) else {
                return Err(Failure::lasting("it redirects to no address").behind(&led));
            };
            let shown = without_password(&next);
            if visited.contains(&next) {
                return Err(Failure::lasting(format!(
                    "it redirects in a circle, by {shown}"
                )));
            }
            if visited.len() > MOST_REDIRECTS {
                return Err(Failure::lasting(format!(
                    "it redirects more than {MOST_REDIRECTS} times, last to {shown}"
                )));
            }
            if here.starts_with("https://") && next.starts_with("http://") {
                return Err(Failure::lasting(format!(
                    "it redirects to {shown}, which anybody on the way could change; if you want \
                     that, name this address yourself"
                )));
            }
            led = format!("it redirects to {shown}: ");
            visited.push(next);
        }
    }

    /// The bytes at `url`, of which there may be `most`.
    pub(super) fn bytes(
        &self,
        url: &str,
        most: u64,
        reporter: &Reporter,
    ) -> Result<Vec<u8>, Failure> {
        let mut retries = Retries::new(self.options.tries, self.options.pause);
        loop {
            let failure = match self.bytes_once(url, most) {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => failure,
            };
            self.wait(&mut retries, failure, 0, &without_password(url), reporter)?;
        }
    }

    /// Waits until it is time to try again behind `failure`, or gives it back if
    /// it is not to be tried again.
    pub(super) fn wait(
        &self,
        retries: &mut Retries,
        failure: Failure,
        reached: u64,
        what: &str,
        reporter: &Reporter,
    ) -> Result<(), Failure> {
        let Some(pause) = retries.after(&failure, reached) else {
            return Err(failure);
        };
        if let Failure::Remote { reason, .. } = &failure {
            let at_hand = match reached {
                0 => String::new(),
                bytes => format!(" with {} at hand", amount(bytes, Unit::Bytes)),
            };
            reporter.note(format!("{what}: {reason}; trying again{at_hand}"));
        }
        std::thread::sleep(pause);
        Ok(())
    }

    fn bytes_once(&self, url: &str, most: u64) -> Result<Vec<u8>, Failure> {
        let answer = self.get(url, &[])?;
        if answer.status != 200 {
            return Err(answer.failure());
        }
        let mut bytes = Vec::new();
        let mut body = answer.body.take(most + 1);
        body.read_to_end(&mut bytes)
            .map_err(|error| Failure::cut(&error))?;
        if bytes.len() as u64 > most {
            return Err(Failure::lasting(format!("it has more than {most} bytes")));
        }
        Ok(bytes)
    }

    fn ask(&self, url: &str, headers: &[(HeaderName, String)]) -> Result<Answer, Failure> {
        let uri: Uri = url
            .parse()
            .map_err(|_| Failure::lasting("this is no address"))?;
        let agents = self.agents().map_err(Failure::Local)?;
        let proxy = self.options.proxies.of(&uri).and_then(|wanted| {
            let known = agents.proxied.iter().find(|(address, _)| address == wanted);
            known.map(|(address, agent)| (agent, format!("by the proxy {}: ", shown(address))))
        });
        let (agent, led) = match proxy {
            Some((agent, led)) => (agent, led),
            None => (&agents.direct, String::new()),
        };
        let mut request = agent.get(uri);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request
            .call()
            .map_err(|error| Failure::from(&error).behind(&led))?;
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.into_reader(),
            led: String::new(),
        })
    }
}

impl Answer {
    /// What an answer that is no file means.
    pub(super) fn failure(&self) -> Failure {
        let after = text_of(&self.headers, &header::RETRY_AFTER)
            .and_then(|text| text.trim().parse().ok())
            .map(Duration::from_secs);
        Failure::status(self.status, after).behind(&self.led)
    }

    /// A header's text.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        text_of(&self.headers, name)
    }

    /// Reads the next part of the body.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            match self.body.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| Failure::cut(&error)),
            }
        }
    }
}

fn text_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// A proxy's address without its password; its scheme may be left out there.
fn shown(proxy: &str) -> String {
    match proxy.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => proxy.to_owned(),
    }
}
