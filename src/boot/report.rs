//! What a node in a rehearsal tells of itself.
//!
//! The image's `pidoop-report.service` writes lines to a serial port of their
//! own; what else comes out there is noise.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::BootError;

/// What a report begins with, wherever on the line it is.
const MARK: &str = "pidoop-report: ";

/// Longest line that can be a report, in bytes.
const LONGEST: usize = 1 << 20;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The node runs; its problems say what it still lacks.
    Booting,
    /// Everything the node is for is there.
    Up,
    /// Sent again and again once it was up; problems may have come up.
    Alive,
    /// How the smoke job ended.
    Job,
    /// Something a later version tells.
    #[serde(other)]
    Other,
}

/// One report. What the node did not tell is empty or 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Report {
    /// What it is about.
    pub event: Event,
    /// The node's name.
    #[serde(default)]
    pub node: String,
    /// Its role.
    #[serde(default)]
    pub role: String,
    /// Another for each boot.
    #[serde(default)]
    pub boot_id: String,
    /// Seconds since its kernel started, by its own clock.
    #[serde(default)]
    pub uptime_s: u64,
    /// `/etc/machine-id`.
    #[serde(default)]
    pub machine_id: String,
    /// The id in the card's partition table, in hex.
    #[serde(default)]
    pub disk_id: String,
    /// Size of the root partition.
    #[serde(default)]
    pub root_bytes: u64,
    /// Size of the root filesystem.
    #[serde(default)]
    pub filesystem_bytes: u64,
    /// Size of the card.
    #[serde(default)]
    pub card_bytes: u64,
    /// Fingerprint of its ed25519 host key, `SHA256:…`.
    #[serde(default)]
    pub host_key: String,
    /// Its addresses, such as `192.168.1.10/24`.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Units that failed.
    #[serde(default)]
    pub failed_units: Vec<String>,
    /// State of each service of its role.
    #[serde(default)]
    pub services: BTreeMap<String, String>,
    /// Its memory.
    #[serde(default)]
    pub memory: MemoryUse,
    /// What is not as it should be, as sentences.
    #[serde(default)]
    pub problems: Vec<String>,
    /// Of a job: whether its answer was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
    /// Of a job: how long all of it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Of a job: what it did, or what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Memory of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct MemoryUse {
    /// What the kernel has to share out.
    pub total_kib: u64,
    /// What could be had without swapping.
    pub available_kib: u64,
    /// Swap in use.
    pub swap_used_kib: u64,
    /// The daemons of Hadoop.
    pub daemons: Vec<DaemonMemory>,
}

/// Memory of one daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct DaemonMemory {
    /// Name of its service, without `.service`.
    pub name: String,
    /// Its process id.
    pub pid: u64,
    /// What it has in memory now.
    pub rss_kib: u64,
    /// The most it had.
    pub peak_kib: u64,
}

impl MemoryUse {
    /// What cannot be given to somebody else at once, in MiB.
    pub fn used_mib(&self) -> u64 {
        self.total_kib.saturating_sub(self.available_kib) / 1024
    }
}

impl Report {
    /// The report on a line, if there is one. Bytes in front of it are noise,
    /// such as what a kernel wrote to the same port.
    pub fn find(line: &str) -> Option<Self> {
        let (_, json) = line.rsplit_once(MARK)?;
        // Behind it may be noise too: a second writer's half line.
        serde_json::Deserializer::from_str(json)
            .into_iter()
            .next()?
            .ok()
    }

    /// Whether it says that the node is up.
    pub fn is_up(&self) -> bool {
        match self.event {
            Event::Up => true,
            // Should the line that said so have been lost.
            Event::Alive => self.problems.is_empty(),
            _ => false,
        }
    }
}

/// A growing file of reports, read as it grows.
#[derive(Debug)]
pub(super) struct ReportLog {
    path: Utf8PathBuf,
    position: u64,
    rest: Vec<u8>,
}

impl ReportLog {
    /// The reports that will be in the file at `path`.
    pub(super) fn at(path: &Utf8Path) -> Self {
        Self {
            path: path.to_owned(),
            position: 0,
            rest: Vec::new(),
        }
    }

    /// What came since the last call.
    pub(super) fn news(&mut self) -> Result<Vec<Report>, BootError> {
        let fail = |e| BootError::io("reading", &self.path)(e);
        let mut file = match fs::File::open(&self.path) {
            Ok(file) => file,
            // QEMU has not made it yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail(error)),
        };
        file.seek(SeekFrom::Start(self.position)).map_err(fail)?;
        let count = file.read_to_end(&mut self.rest).map_err(fail)?;
        self.position += count as u64;
        let mut reports = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            reports.extend(Report::find(String::from_utf8_lossy(&line).trim_end()));
        }
        if self.rest.len() > LONGEST {
            self.rest.clear();
        }
        Ok(reports)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const UP: &str = r#"pidoop-report: {"version":1,"event":"up","node":"worker1","role":"worker","boot_id":"b","uptime_s":73,"machine_id":"m","disk_id":"1234abcd","root_bytes":3,"filesystem_bytes":2,"card_bytes":4,"host_key":"SHA256:abc","addresses":["10.0.0.11/24"],"failed_units":[],"services":{"hdfs-datanode.service":"active"},"memory":{"total_kib":900,"available_kib":300,"swap_used_kib":10,"daemons":[{"name":"hdfs-datanode","pid":42,"rss_kib":200,"peak_kib":220}]},"problems":[]}"#;

    #[test]
    fn a_report_is_read_as_written() {
        let report = Report::find(UP).unwrap();
        assert!(report.is_up());
        assert_eq!(report.node, "worker1");
        assert_eq!(report.services["hdfs-datanode.service"], "active");
        assert_eq!(report.memory.daemons[0].peak_kib, 220);
        assert_eq!((report.ok, report.seconds), (None, None));
    }

    #[test]
    fn noise_around_a_report_does_no_harm() {
        let noisy = format!("\u{1b}[32m[   12.3] usb 1-1: new device {UP} [   12.4] more");
        assert_eq!(Report::find(&noisy), Report::find(UP));
        for noise in [
            "",
            "login:",
            "pidoop-report: ",
            "pidoop-report: {\"event\":",
            "pidoop-report: []",
            "pidoop-report: {\"node\":\"a\"}",
            "pidoop-report: {\"event\":\"up\",\"uptime_s\":-1}",
        ] {
            assert_eq!(Report::find(noise), None, "{noise}");
        }
        // The later of two counts: the first was cut short.
        let twice = format!("pidoop-report: {{\"event\":\"boo{UP}");
        assert_eq!(Report::find(&twice), Report::find(UP));
    }

    #[test]
    fn later_versions_and_shorter_reports_are_read() {
        let event = |json: &str| Report::find(&format!("{MARK}{json}")).unwrap().event;
        assert_eq!(event(r#"{"event":"thinking","mood":7}"#), Event::Other);
        let job = r#"{"version":1,"event":"job","node":"m","ok":false,"seconds":9,"detail":"d"}"#;
        let job = Report::find(&format!("{MARK}{job}")).unwrap();
        assert_eq!((job.event, job.ok), (Event::Job, Some(false)));
        assert_eq!(job.detail.as_deref(), Some("d"));
    }

    #[test]
    fn a_file_is_followed_as_it_grows() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("report")).unwrap();
        let mut log = ReportLog::at(&path);
        assert_eq!(log.news().unwrap(), []);
        let mut file = std::fs::File::create(&path).unwrap();
        let (first, second) = UP.split_at(100);
        file.write_all(b"\xff noise\n").unwrap();
        file.write_all(first.as_bytes()).unwrap();
        assert_eq!(log.news().unwrap(), []);
        file.write_all(second.as_bytes()).unwrap();
        file.write_all(b"\r\npidoop-report: {\"event\":\"alive\"}\n")
            .unwrap();
        let events: Vec<Event> = log.news().unwrap().iter().map(|r| r.event).collect();
        assert_eq!(events, [Event::Up, Event::Alive]);
        assert_eq!(log.news().unwrap(), []);
    }
}
