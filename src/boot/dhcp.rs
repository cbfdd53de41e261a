//! The router's part where it hands out addresses: DHCP with reservations by
//! hardware address (RFC 2131, RFC 2132), one frame in, one frame out.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::cluster::MacAddr;

const IPV4: [u8; 2] = [8, 0];
const UDP: u8 = 17;
const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Where options begin in a message.
const OPTIONS: usize = 240;
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const LEASE_SECONDS: u32 = 86_400;

const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const WANT: u8 = 3;
const ACK: u8 = 5;

/// Who gets which address.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    /// Address by hardware address.
    pub(super) of: BTreeMap<[u8; 6], Ipv4Addr>,
    /// The router, which is the server too.
    pub(super) server: Option<Ipv4Addr>,
    /// Length of the subnet's prefix.
    pub(super) prefix: u8,
    /// Name servers.
    pub(super) dns: Vec<Ipv4Addr>,
}

/// Whether a frame is from a DHCP client to a server.
pub(super) fn is_for_a_server(frame: &[u8]) -> bool {
    message(frame).is_some()
}

impl Leases {
    /// Reserves `address`.
    pub(super) fn reserve(&mut self, mac: MacAddr, address: Ipv4Addr) {
        self.of.insert(mac.0, address);
    }

    /// The answer to a frame, if it asks for an address that is reserved.
    pub(super) fn answer(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let asked = message(frame)?;
        let client: [u8; 6] = asked.get(28..34)?.try_into().ok()?;
        let (address, server) = (*self.of.get(&client)?, self.server?);
        let kind = match option(asked, 53)? {
            [DISCOVER] => OFFER,
            [WANT] => ACK,
            _ => return None,
        };
        let mut reply = vec![0; OPTIONS];
        reply[..3].copy_from_slice(&[REPLY, 1, 6]);
        // Transaction and flags are the client's.
        reply[4..8].copy_from_slice(&asked[4..8]);
        reply[10..12].copy_from_slice(&asked[10..12]);
        reply[16..20].copy_from_slice(&address.octets());
        reply[20..24].copy_from_slice(&server.octets());
        reply[28..44].copy_from_slice(&asked[28..44]);
        reply[236..240].copy_from_slice(&COOKIE);
        let mut put = |code: u8, value: &[u8]| {
            reply.extend([code, value.len() as u8]);
            reply.extend(value);
        };
        let mask = u32::MAX
            .checked_shl(32 - u32::from(self.prefix))
            .unwrap_or(0);
        put(53, &[kind]);
        put(54, &server.octets());
        put(51, &LEASE_SECONDS.to_be_bytes());
        put(1, &mask.to_be_bytes());
        put(3, &server.octets());
        if !self.dns.is_empty() {
            let servers: Vec<u8> = self.dns.iter().flat_map(Ipv4Addr::octets).collect();
            put(6, &servers);
        }
        reply.push(255);
        Some(frame_of(client, server, address, &reply))
    }
}

/// The DHCP message in a frame from a client to a server.
fn message(frame: &[u8]) -> Option<&[u8]> {
    let packet = frame.get(14..).filter(|_| frame[12..14] == IPV4)?;
    let header = usize::from(*packet.first()? & 15) * 4;
    if packet.get(9) != Some(&UDP) {
        return None;
    }
    let datagram = packet.get(header..)?;
    let port = u16::from_be_bytes(datagram.get(2..4)?.try_into().ok()?);
    let message = datagram.get(8..)?;
    let is_request = port == SERVER_PORT
        && message.first() == Some(&REQUEST)
        && message.get(236..240) == Some(&COOKIE);
    is_request.then_some(message)
}

/// The value of an option in a message.
fn option(message: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut rest = message.get(OPTIONS..)?;
    loop {
        match rest {
            [] | [255, ..] => return None,
            [0, after @ ..] => rest = after,
            [code, len, after @ ..] => {
                let value = after.get(..usize::from(*len))?;
                if *code == wanted {
                    return Some(value);
                }
                rest = &after[usize::from(*len)..];
            }
            [_] => return None,
        }
    }
}

/// A message to a client that may not have its address yet.
fn frame_of(client: [u8; 6], server: Ipv4Addr, address: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let udp_len = 8 + message.len() as u16;
    let mut header = vec![0x45, 0];
    header.extend((20 + udp_len).to_be_bytes());
    header.extend([0, 0, 0, 0, 64, UDP, 0, 0]);
    header.extend(server.octets());
    header.extend(address.octets());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());

    let mut frame = client.to_vec();
    frame.extend(ROUTER);
    frame.extend(IPV4);
    frame.extend(header);
    frame.extend(SERVER_PORT.to_be_bytes());
    frame.extend(CLIENT_PORT.to_be_bytes());
    frame.extend(udp_len.to_be_bytes());
    // No checksum, as RFC 768 allows.
    frame.extend([0, 0]);
    frame.extend(message);
    frame
}

/// The hardware address of the server; that of the router is QEMU's own.
const ROUTER: [u8; 6] = [0x52, 0x55, 0x70, 0x69, 0x64, 0x6f];

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])))
        .sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAC: [u8; 6] = [0xdc, 0xa6, 0x32, 1, 2, 3];

    fn leases() -> Leases {
        let mut leases = Leases {
            server: Some(Ipv4Addr::new(10, 0, 0, 1)),
            prefix: 24,
            dns: vec![Ipv4Addr::new(10, 0, 0, 2)],
            ..Leases::default()
        };
        leases.reserve(MacAddr(MAC), Ipv4Addr::new(10, 0, 0, 11));
        leases
    }

    /// A client's message, sent to everybody.
    fn request(kind: u8, mac: [u8; 6]) -> Vec<u8> {
        let mut message = vec![0; OPTIONS];
        message[..3].copy_from_slice(&[REQUEST, 1, 6]);
        message[4..8].copy_from_slice(b"xact");
        message[28..34].copy_from_slice(&mac);
        message[236..240].copy_from_slice(&COOKIE);
        message.extend([0, 12, 2, b'h', b'i', 53, 1, kind, 255]);
        let mut frame = frame_of(
            [0xff; 6],
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::BROADCAST,
            &message,
        );
        frame[34..36].copy_from_slice(&CLIENT_PORT.to_be_bytes());
        frame[36..38].copy_from_slice(&SERVER_PORT.to_be_bytes());
        frame
    }

    #[test]
    fn a_reservation_is_offered_and_acknowledged() {
        for (kind, answer) in [(DISCOVER, OFFER), (WANT, ACK)] {
            let reply = leases().answer(&request(kind, MAC)).unwrap();
            assert_eq!(reply[..6], MAC);
            assert_eq!(checksum(&reply[14..34]), 0, "the header adds up");
            let message = &reply[42..];
            assert_eq!(message[0], REPLY);
            assert_eq!(&message[4..8], b"xact");
            assert_eq!(message[16..20], [10, 0, 0, 11]);
            assert_eq!(option(message, 53), Some(&[answer][..]));
            assert_eq!(option(message, 1), Some(&[255, 255, 255, 0][..]));
            assert_eq!(option(message, 3), Some(&[10, 0, 0, 1][..]));
            assert_eq!(option(message, 6), Some(&[10, 0, 0, 2][..]));
        }
    }

    #[test]
    fn strangers_and_other_messages_get_no_answer() {
        let release = 7;
        assert_eq!(leases().answer(&request(release, MAC)), None);
        assert_eq!(leases().answer(&request(DISCOVER, [2; 6])), None);
        assert!(is_for_a_server(&request(DISCOVER, [2; 6])));
        let reply = leases().answer(&request(DISCOVER, MAC)).unwrap();
        assert!(!is_for_a_server(&reply));
    }

    proptest! {
        #[test]
        fn no_frame_makes_it_stumble(
            mut frame in Just(request(DISCOVER, MAC)),
            cut in 0usize..400,
            at in 0usize..400,
            byte: u8,
        ) {
            let at = at % frame.len();
            frame[at] = byte;
            frame.truncate(cut);
            leases().answer(&frame);
        }
    }
}
