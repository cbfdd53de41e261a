//! How nodes reach each other.

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::Serialize;

/// How a node gets the address its `address` key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addressing {
    /// The image sets the address itself.
    Static,
    /// The router hands it out, by a reservation for the node's MAC address.
    Dhcp,
}

/// Hardware address of the interface a node is reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Parses six hex pairs joined by `:` or `-`; the error says what is wrong.
    pub fn new(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a MAC address such as dc:a6:32:01:02:03");
        let parts: Vec<&str> = text.split([':', '-']).collect();
        let bytes: Result<Vec<u8>, String> = parts
            .iter()
            .map(|part| match part.len() {
                2 => u8::from_str_radix(part, 16).map_err(|_| wrong()),
                _ => Err(wrong()),
            })
            .collect();
        let bytes: [u8; 6] = bytes?.try_into().map_err(|_| wrong())?;
        if bytes[0] & 1 == 1 {
            return Err(format!(
                "{text:?} is a multicast address, no interface has it"
            ));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl Serialize for MacAddr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The cluster's network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Who sets the addresses.
    pub addressing: Addressing,
    /// The subnet all nodes are in.
    pub subnet: Ipv4Net,
    /// Default route; none on an isolated network.
    pub gateway: Option<Ipv4Addr>,
    /// Name servers.
    pub dns: Vec<Ipv4Addr>,
    /// Time servers besides the master, which always serves its workers.
    pub ntp: Vec<String>,
    /// Domain put behind host names as a second name, such as `lan`.
    pub domain: Option<String>,
    /// How many names beyond the cluster's own workers every hosts file has,
    /// so that another card can join without touching the others.
    pub spare_workers: u32,
    /// Slowest link of the cluster, where the user knows better than the
    /// boards (a 100 Mbit/s switch).
    pub link: Option<super::LinkSpeed>,
    /// The Wi-Fi network of those nodes that have no cable.
    pub wifi: Option<super::Wifi>,
}
