//! The time server, asked as systemd-timesyncd asks.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::overlay_file;

/// From 1900 to 1970, in seconds.
const ERA: u64 = 2_208_988_800;

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new("perl")
            .arg(overlay_file("hadoop/usr/local/lib/pidoop/time-server"))
            // Any port that is free.
            .arg("0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
        Self { child, port }
    }

    fn ask(&self, request: &[u8]) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        socket.send_to(request, ("127.0.0.1", self.port)).unwrap();
        let mut reply = vec![0; 512];
        let len = socket.recv(&mut reply).ok()?;
        reply.truncate(len);
        Some(reply)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Seconds since 1970 of a timestamp at `at`.
fn seconds(packet: &[u8], at: usize) -> f64 {
    let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
    (u64::from(word(at)) - ERA) as f64 + f64::from(word(at + 4)) / 4_294_967_296.0
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

fn request(flags: u8) -> Vec<u8> {
    let mut packet = vec![0; 48];
    packet[0] = flags;
    packet[2] = 6;
    packet[40..48].copy_from_slice(b"mystamp!");
    packet
}

#[test]
fn clients_get_the_time_in_a_form_timesyncd_accepts() {
    let server = Server::start();
    let before = now();
    // Version 4, mode 3: what timesyncd sends.
    let reply = server.ask(&request(0x23)).expect("no answer");
    let after = now();
    assert_eq!(reply.len(), 48);
    // No leap alarm, the same version, mode 4 (timesyncd-manager.c checks all).
    assert_eq!(reply[0], 0x24);
    assert!((1..16).contains(&reply[1]), "stratum {}", reply[1]);
    assert_eq!(&reply[24..32], b"mystamp!");
    // Root distance below five seconds.
    let short =
        |at: usize| f64::from(u32::from_be_bytes(reply[at..at + 4].try_into().unwrap())) / 65536.0;
    assert!(short(4) / 2.0 + short(8) < 5.0);
    let (received, sent) = (seconds(&reply, 32), seconds(&reply, 40));
    let slack = 0.002;
    assert!(
        before - slack <= received && received <= sent && sent <= after + slack,
        "{before} {received} {sent} {after}"
    );
}

#[test]
fn what_is_no_question_gets_no_answer() {
    let server = Server::start();
    // A server's own answer, or two servers would never stop talking.
    for nonsense in [request(0x24), vec![0x23; 20], request(0x3b)] {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .send_to(&nonsense, ("127.0.0.1", server.port))
            .unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        assert!(socket.recv(&mut [0; 64]).is_err());
    }
    assert!(
        server.ask(&request(0x1b)).is_some(),
        "it answers version 3 still"
    );
}
