//! What Hadoop's web pages say.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use ureq::Agent;

/// How long a page may take: the first one of a daemon in an emulated Pi needs
/// most of a minute.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest answer that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// Where the NameNode tells its state.
const NAMENODE: &str = "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState";
/// Where the ResourceManager tells its state.
const RESOURCE_MANAGER: &str = "/ws/v1/cluster/metrics";

/// The state of HDFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HdfsState {
    /// DataNodes that are in touch.
    pub live_datanodes: u64,
    /// Whether nothing can be written yet.
    pub safe_mode: bool,
}

/// The state of YARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct YarnState {
    /// NodeManagers that are in touch.
    pub active_nodes: u64,
}

/// Asks pages on this computer's loopback interface, never through a proxy.
#[derive(Clone, Debug)]
pub(super) struct Web {
    agent: Agent,
}

impl Web {
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            // Pages send people on to the names of nodes, which mean nothing here.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        Self {
            agent: config.new_agent(),
        }
    }

    /// The state of HDFS, from its NameNode.
    pub(super) fn hdfs(&self, at: SocketAddr) -> Result<HdfsState, String> {
        HdfsState::read(&self.get(at, NAMENODE)?)
    }

    /// The state of YARN, from its ResourceManager.
    pub(super) fn yarn(&self, at: SocketAddr) -> Result<YarnState, String> {
        YarnState::read(&self.get(at, RESOURCE_MANAGER)?)
    }

    /// Whether a page answers at all.
    pub(super) fn answers(&self, at: SocketAddr) -> Result<(), String> {
        self.get(at, "/").map(|_| ())
    }

    fn get(&self, at: SocketAddr, path: &str) -> Result<String, String> {
        let response = self
            .agent
            .get(format!("http://{at}{path}"))
            .call()
            .map_err(in_words)?;
        response
            .into_body()
            .into_with_config()
            .limit(LONGEST)
            .read_to_string()
            .map_err(in_words)
    }
}

/// Few and plain words: while a daemon starts, the same thing fails in several
/// ways that mean nothing to people.
#[allow(clippy::needless_pass_by_value)]
fn in_words(error: ureq::Error) -> String {
    match error {
        ureq::Error::Io(_) | ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::Timeout(_) => format!("no answer in {} s", PATIENCE.as_secs()),
        ureq::Error::StatusCode(status) => format!("HTTP status {status}"),
        error => error.to_string(),
    }
}

impl HdfsState {
    /// Reads the NameNode's `/jmx` answer.
    fn read(text: &str) -> Result<Self, String> {
        let answer = json(text)?;
        let bean = &answer["beans"][0];
        let (Some(live), Some(state)) =
            (bean["NumLiveDataNodes"].as_u64(), bean["FSState"].as_str())
        else {
            return Err("its answer has no NumLiveDataNodes and FSState".to_owned());
        };
        Ok(Self {
            live_datanodes: live,
            // "Operational" otherwise (FSNamesystem.getFSState).
            safe_mode: state == "safeMode",
        })
    }
}

impl YarnState {
    /// Reads the ResourceManager's answer.
    fn read(text: &str) -> Result<Self, String> {
        let active_nodes = json(text)?["clusterMetrics"]["activeNodes"]
            .as_u64()
            .ok_or("its answer has no activeNodes")?;
        Ok(Self { active_nodes })
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("its answer is no JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    const JMX: &str = r#"{ "beans" : [ { "name" : "Hadoop:service=NameNode,name=FSNamesystemState",
        "FSState" : "Operational", "NumLiveDataNodes" : 2, "NumDeadDataNodes" : 0 } ] }"#;

    #[test]
    fn answers_are_read() {
        let hdfs = HdfsState::read(JMX).unwrap();
        assert_eq!((hdfs.live_datanodes, hdfs.safe_mode), (2, false));
        let safe = JMX.replace("Operational", "safeMode");
        assert!(HdfsState::read(&safe).unwrap().safe_mode);
        let yarn = r#"{"clusterMetrics":{"appsSubmitted":0,"activeNodes":2,"lostNodes":0}}"#;
        assert_eq!(YarnState::read(yarn).unwrap().active_nodes, 2);
        for text in ["", "<html>", "{}", r#"{"beans":[]}"#, "[1]"] {
            assert!(HdfsState::read(text).is_err(), "{text}");
            assert!(YarnState::read(text).is_err(), "{text}");
        }
    }

    /// A server that gives `answer` to one request, which it returns.
    fn serve(answer: &'static str) -> (SocketAddr, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        (at, server)
    }

    #[test]
    fn pages_are_asked_as_they_want() {
        let (at, server) = serve(
            "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n{\"clusterMetrics\":{\"activeNodes\":3}}   ",
        );
        assert_eq!(Web::new().yarn(at).unwrap().active_nodes, 3);
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /ws/v1/cluster/metrics HTTP/1.1"));
    }

    #[test]
    fn a_redirect_is_an_answer_and_an_error_is_none() {
        let (at, server) = serve(
            "HTTP/1.1 302 Found\r\nLocation: http://master:8088/cluster\r\nContent-Length: 0\r\n\r\n",
        );
        Web::new().answers(at).unwrap();
        server.join().unwrap();
        let (at, server) = serve("HTTP/1.1 503 Starting\r\nContent-Length: 0\r\n\r\n");
        let error = Web::new().answers(at).unwrap_err();
        assert_eq!(error, "HTTP status 503");
        server.join().unwrap();
        let (at, server) = serve("");
        assert_eq!(Web::new().answers(at).unwrap_err(), "no connection");
        server.join().unwrap();
    }
}
