//! The private network of a rehearsal: the nodes' own subnet, a switch, and a
//! router that lets this computer in and nobody out.
//!
//! The router is a QEMU without a machine: its user-mode network has the
//! cluster's subnet and forwards ports of 127.0.0.1 to the nodes. It outlives
//! every node, so cutting one's power cuts nothing else.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use fs_err as fs;
use ipnet::Ipv4Net;

use super::BootError;
use super::dhcp::Leases;
use super::hub::Hub;
use super::qemu::{Plug, stream};
use crate::cluster::{Cluster, MacAddr};
use crate::tool::{Running, Tool};

/// How often other ports are tried when somebody was faster.
const TRIES: u32 = 5;

/// How long QEMU may take to start: a busy computer is slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// The name of the router's socket; no host name has a dot at its start.
const ROUTER: &str = ".router";
/// Its socket is the first.
const ROUTER_PORT: usize = 0;

/// A network to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanPlan {
    /// The subnet.
    pub subnet: Ipv4Net,
    /// The router, as the nodes know it.
    pub router: Option<Ipv4Addr>,
    /// Name servers that are handed out; nobody answers there.
    pub dns: Vec<Ipv4Addr>,
    /// Whether addresses are handed out.
    pub dhcp: bool,
    /// Who is on it.
    pub members: Vec<Member>,
}

/// A machine on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its hardware address.
    pub mac: MacAddr,
    /// TCP ports that can be reached from this computer.
    pub ports: Vec<u16>,
}

impl Member {
    /// A machine with a hardware address made from its own address, of those
    /// that are free for private use.
    pub fn new(name: impl Into<String>, address: Ipv4Addr, ports: &[u16]) -> Self {
        let [a, b, c, d] = address.octets();
        Self {
            name: name.into(),
            address,
            mac: MacAddr([0x52, 0x54, a, b, c, d]),
            ports: ports.to_vec(),
        }
    }
}

impl LanPlan {
    /// The network of a cluster, without members yet.
    pub fn of(cluster: &Cluster) -> Self {
        let network = &cluster.network;
        Self {
            subnet: network.subnet,
            router: network.gateway,
            dns: network.dns.clone(),
            dhcp: network.addressing == crate::cluster::Addressing::Dhcp,
            members: Vec::new(),
        }
    }

    /// Two addresses that no member has: the router's own if it has one, and
    /// one that QEMU wants for a name server.
    fn spare_addresses(&self) -> Result<[Ipv4Addr; 2], BootError> {
        let taken = |address: &Ipv4Addr| self.members.iter().any(|m| m.address == *address);
        let mut spare = self
            .router
            .into_iter()
            .chain(self.subnet.hosts())
            .filter(|address| !taken(address));
        let router = spare.next();
        let other = spare.find(|address| Some(*address) != router);
        match (router, other) {
            (Some(router), Some(other)) => Ok([router, other]),
            _ => Err(BootError::Network(format!(
                "{} has no two addresses left beside those of the nodes, \
                 which its router needs here",
                self.subnet
            ))),
        }
    }

    fn leases(&self, server: Ipv4Addr) -> Leases {
        let mut leases = Leases {
            server: Some(server),
            prefix: self.subnet.prefix_len(),
            dns: self.dns.clone(),
            ..Leases::default()
        };
        if self.dhcp {
            for member in &self.members {
                leases.reserve(member.mac, member.address);
            }
        }
        leases
    }
}

/// A network that runs as long as this handle lives.
#[derive(Debug)]
pub struct Lan {
    // Before the hub, so that it goes first.
    router: Running,
    plugs: BTreeMap<String, Plug>,
    forwards: BTreeMap<(String, u16), SocketAddr>,
    _hub: Hub,
}

impl Lan {
    /// Starts a network with sockets in the private directory `dir`, its
    /// router being a run of the emulator `qemu`.
    ///
    /// # Errors
    /// If the subnet is too small, or QEMU is missing or does not start.
    pub fn start(plan: &LanPlan, qemu: Tool, dir: &Utf8Path) -> Result<Self, BootError> {
        let spare = plan.spare_addresses()?;
        let mut hub = Hub::new(dir, plan.leases(spare[0]));
        let mut socket = |name: &str| hub.socket(name).map_err(BootError::io("listening in", dir));
        let cable = socket(ROUTER)?;
        let mut plugs = BTreeMap::new();
        for member in &plan.members {
            let plug = Plug {
                socket: socket(&member.name)?,
                mac: member.mac,
            };
            plugs.insert(member.name.clone(), plug);
        }
        let log = dir.join("router.log");
        for _ in 0..TRIES {
            let forwards = free_ports(plan).map_err(BootError::io("listening at", "127.0.0.1"))?;
            let args = router_args(plan, spare, &forwards, &cable);
            let mut router = qemu.call()?.args(args).start_logging(&log)?;
            if connects(&mut router, &hub) {
                return Ok(Self {
                    router,
                    plugs,
                    forwards,
                    _hub: hub,
                });
            }
        }
        let said = fs::read_to_string(&log).unwrap_or_default();
        Err(BootError::Network(format!(
            "could not be started; QEMU said: {}",
            said.trim()
        )))
    }

    /// The place of a member.
    pub fn plug(&self, name: &str) -> Option<&Plug> {
        self.plugs.get(name)
    }

    /// Where on this computer a member's port is reached.
    pub fn forward(&self, name: &str, port: u16) -> Option<SocketAddr> {
        self.forwards.get(&(name.to_owned(), port)).copied()
    }

    /// Whether the router still runs; it has no reason to end.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.router.try_wait(), Ok(None))
    }
}

/// Whether the router gets as far as its cable, which comes after its ports.
fn connects(router: &mut Running, hub: &Hub) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE && matches!(router.try_wait(), Ok(None)) {
        if hub.is_connected(ROUTER_PORT) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// A free port of 127.0.0.1 for each port of each member. All are held until
/// the last is found, so that no two are the same.
fn free_ports(plan: &LanPlan) -> std::io::Result<BTreeMap<(String, u16), SocketAddr>> {
    let mut held = Vec::new();
    let mut forwards = BTreeMap::new();
    for member in &plan.members {
        for port in &member.ports {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            forwards.insert((member.name.clone(), *port), listener.local_addr()?);
            held.push(listener);
        }
    }
    Ok(forwards)
}

fn router_args(
    plan: &LanPlan,
    [router, other]: [Ipv4Addr; 2],
    forwards: &BTreeMap<(String, u16), SocketAddr>,
    cable: &Utf8Path,
) -> Vec<String> {
    // Its own DHCP server is never asked, but must have a place to begin.
    let dhcp = plan.members.first().map_or(other, |member| member.address);
    let mut user = format!(
        "user,id=user,net={},host={router},dns={other},dhcpstart={dhcp},ipv6=off,restrict=on",
        plan.subnet.trunc()
    );
    for member in &plan.members {
        for port in &member.ports {
            if let Some(here) = forwards.get(&(member.name.clone(), *port)) {
                user.push_str(&format!(
                    ",hostfwd=tcp:{}:{}-{}:{port}",
                    here.ip(),
                    here.port(),
                    member.address
                ));
            }
        }
    }
    let words = ["-machine", "none", "-nodefaults", "-no-user-config"];
    let mut args: Vec<String> = words.map(str::to_owned).into();
    let mut pair = |option: &str, value: String| args.extend([option.to_owned(), value]);
    pair("-display", "none".to_owned());
    pair("-netdev", user);
    pair(
        "-netdev",
        "hubport,id=inside,hubid=0,netdev=user".to_owned(),
    );
    pair("-netdev", stream("cable", cable));
    pair(
        "-netdev",
        "hubport,id=outside,hubid=0,netdev=cable".to_owned(),
    );
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(subnet: &str, router: Option<[u8; 4]>, members: &[[u8; 4]]) -> LanPlan {
        LanPlan {
            subnet: subnet.parse().unwrap(),
            router: router.map(Ipv4Addr::from),
            dns: Vec::new(),
            dhcp: false,
            members: members
                .iter()
                .map(|address| Member::new("node", Ipv4Addr::from(*address), &[22, 9870]))
                .collect(),
        }
    }

    fn spare(plan: &LanPlan) -> Option<[[u8; 4]; 2]> {
        plan.spare_addresses()
            .ok()
            .map(|spare| spare.map(|address| address.octets()))
    }

    #[test]
    fn the_router_has_its_own_address_or_a_free_one() {
        let lan = "10.0.0.0/24";
        let with = plan(lan, Some([10, 0, 0, 254]), &[[10, 0, 0, 1]]);
        assert_eq!(spare(&with), Some([[10, 0, 0, 254], [10, 0, 0, 2]]));
        let without = plan(lan, None, &[[10, 0, 0, 1], [10, 0, 0, 3]]);
        assert_eq!(spare(&without), Some([[10, 0, 0, 2], [10, 0, 0, 4]]));
        let narrow = plan("10.0.0.0/30", Some([10, 0, 0, 1]), &[[10, 0, 0, 2]]);
        assert_eq!(spare(&narrow), None);
    }

    #[test]
    fn the_router_lets_this_computer_in_and_nobody_out() {
        let plan = plan("10.0.0.7/24", Some([10, 0, 0, 1]), &[[10, 0, 0, 10]]);
        let here = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let forwards = BTreeMap::from([
            (("node".to_owned(), 22), here(40001)),
            (("node".to_owned(), 9870), here(40002)),
        ]);
        let args = router_args(
            &plan,
            plan.spare_addresses().unwrap(),
            &forwards,
            "run/.router.lan".into(),
        );
        insta::assert_snapshot!(args.join("\n"));
    }

    #[test]
    fn hardware_addresses_differ_as_addresses_do() {
        let plan = plan("10.0.0.0/24", None, &[[10, 0, 0, 1], [10, 0, 0, 2]]);
        assert_ne!(plan.members[0].mac, plan.members[1].mac);
        assert_eq!(plan.members[0].mac.0[0] & 3, 2, "local, not a group");
    }

    #[test]
    fn ports_are_free_and_all_different() {
        let mut plan = plan("10.0.0.0/24", None, &[[10, 0, 0, 1]]);
        plan.members
            .push(Member::new("other", Ipv4Addr::new(10, 0, 0, 2), &[22]));
        let forwards = free_ports(&plan).unwrap();
        let mut ports: Vec<u16> = forwards.values().map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 3);
        for here in forwards.values() {
            assert!(here.ip().is_loopback());
            TcpListener::bind(here).unwrap();
        }
    }
}
