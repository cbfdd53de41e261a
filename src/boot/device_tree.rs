//! Flattened device trees (Devicetree Specification 0.4, chapter 5): the names
//! of a Pi's serial ports, and the one change that sets both free.
//!
//! On a Pi 3 the first port is wired to the Bluetooth chip, which QEMU does
//! not have. The kernel gives a port with a device behind it no name in
//! `/dev`, so the chip is switched off, as `dtoverlay=disable-bt` does.

use std::collections::BTreeMap;

const MAGIC: u32 = 0xd00d_feed;
const HEADER: usize = 40;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROP: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// Node names of the two ports, by their addresses (bcm283x.dtsi).
const PL011: &str = "serial@7e201000";
const MINI_UART: &str = "serial@7e215040";

/// A device tree blob that was found sound.
#[derive(Clone, Debug)]
pub(super) struct DeviceTree {
    reservations: Vec<u8>,
    structure: Vec<u8>,
    strings: Vec<u8>,
    boot_cpu: u32,
    nodes: Vec<Node>,
}

/// What is remembered of a node.
#[derive(Clone, Debug)]
struct Node {
    path: String,
    /// Where its properties begin in the structure block.
    body: usize,
    properties: BTreeMap<String, Vec<u8>>,
}

/// Names of the two serial ports in `/dev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SerialPorts {
    /// QEMU's first, the PL011.
    pub(super) first: String,
    /// QEMU's second, the mini UART.
    pub(super) second: String,
}

impl DeviceTree {
    /// Reads a blob; the error says what is wrong with it.
    pub(super) fn parse(blob: &[u8]) -> Result<Self, String> {
        if word(blob, 0)? != MAGIC {
            return Err("it is no device tree".to_owned());
        }
        let structure = slice(blob, word(blob, 8)?, word(blob, 36)?)?.to_vec();
        let strings = slice(blob, word(blob, 12)?, word(blob, 32)?)?.to_vec();
        let reserved = word(blob, 16)? as usize;
        let mut end = reserved;
        loop {
            let entry = slice(blob, end as u32, 16)?;
            end += 16;
            if entry.iter().all(|byte| *byte == 0) {
                break;
            }
        }
        let nodes = walk(&structure, &strings)?;
        Ok(Self {
            reservations: blob[reserved..end].to_vec(),
            structure,
            strings,
            boot_cpu: word(blob, 28)?,
            nodes,
        })
    }

    /// The names that Linux gives the two ports: numbers come from the
    /// aliases, as do those of Raspberry Pi's kernel, which count them the
    /// other way round.
    pub(super) fn serial_ports(&self) -> SerialPorts {
        SerialPorts {
            first: format!("ttyAMA{}", self.serial_number(PL011).unwrap_or(0)),
            second: format!("ttyS{}", self.serial_number(MINI_UART).unwrap_or(1)),
        }
    }

    fn serial_number(&self, name: &str) -> Option<u32> {
        let aliases = self.nodes.iter().find(|node| node.path == "/aliases")?;
        aliases.properties.iter().find_map(|(alias, value)| {
            let number = alias.strip_prefix("serial")?.parse().ok()?;
            let path = String::from_utf8_lossy(value);
            (path.trim_end_matches('\0').rsplit('/').next() == Some(name)).then_some(number)
        })
    }

    /// The blob with both serial ports free for the guest to use.
    pub(super) fn with_free_serial_ports(mut self) -> Vec<u8> {
        let chip = format!("{PL011}/bluetooth");
        self.set_status(|path| path.contains(&chip), "disabled");
        self.set_status(|path| path.ends_with(MINI_UART), "okay");
        self.to_bytes()
    }

    /// Sets the `status` of the nodes that `which` picks: a property in front
    /// of all others, where of two with one name the first is found.
    fn set_status(&mut self, which: impl Fn(&str) -> bool, status: &str) {
        let name = self.string("status");
        let mut property = Vec::new();
        property.extend(PROP.to_be_bytes());
        property.extend((status.len() as u32 + 1).to_be_bytes());
        property.extend(name.to_be_bytes());
        property.extend(status.as_bytes());
        property.push(0);
        property.resize(property.len().next_multiple_of(4), 0);
        // From the last on, so that the places of those before stay right.
        let mut found: Vec<usize> = (0..self.nodes.len())
            .filter(|index| which(&self.nodes[*index].path))
            .collect();
        found.sort_by_key(|index| std::cmp::Reverse(self.nodes[*index].body));
        for index in found {
            let at = self.nodes[index].body;
            self.remove_status(index);
            self.structure.splice(at..at, property.iter().copied());
        }
        // What was read fits what is there now.
        if let Ok(nodes) = walk(&self.structure, &self.strings) {
            self.nodes = nodes;
        }
    }

    /// Overwrites an existing `status` with words that mean nothing, so that
    /// there is one only.
    fn remove_status(&mut self, index: usize) {
        let mut at = self.nodes[index].body;
        while let Ok(token) = word(&self.structure, at) {
            match token {
                NOP => at += 4,
                PROP => {
                    let len = word(&self.structure, at + 4).unwrap_or(0) as usize;
                    let end = at + 12 + len.next_multiple_of(4);
                    let name = word(&self.structure, at + 8).unwrap_or(u32::MAX) as usize;
                    if text(&self.strings, name) == Ok("status") {
                        for nop in self.structure[at..end].chunks_exact_mut(4) {
                            nop.copy_from_slice(&NOP.to_be_bytes());
                        }
                    }
                    at = end;
                }
                _ => break,
            }
        }
    }

    /// Where a string is in the strings block, which takes it on if need be.
    fn string(&mut self, text: &str) -> u32 {
        let mut wanted = text.as_bytes().to_vec();
        wanted.push(0);
        let at = (0..self.strings.len()).find(|at| {
            (*at == 0 || self.strings[at - 1] == 0) && self.strings[*at..].starts_with(&wanted)
        });
        at.unwrap_or_else(|| {
            let at = self.strings.len();
            self.strings.extend(&wanted);
            at
        }) as u32
    }

    fn to_bytes(&self) -> Vec<u8> {
        let reserved = HEADER;
        let structure = reserved + self.reservations.len();
        let strings = structure + self.structure.len();
        let total = strings + self.strings.len();
        let header = [
            MAGIC,
            total as u32,
            structure as u32,
            strings as u32,
            reserved as u32,
            17,
            16,
            self.boot_cpu,
            self.strings.len() as u32,
            self.structure.len() as u32,
        ];
        let mut blob: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        blob.extend(&self.reservations);
        blob.extend(&self.structure);
        blob.extend(&self.strings);
        blob
    }
}

/// Every node of a structure block.
fn walk(structure: &[u8], strings: &[u8]) -> Result<Vec<Node>, String> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    loop {
        let token = word(structure, at)?;
        at += 4;
        match token {
            BEGIN_NODE => {
                let name = text(structure, at)?;
                at = (at + name.len() + 1).next_multiple_of(4);
                let path = match open.last() {
                    None => String::new(),
                    Some(parent) => format!("{}/{name}", nodes[*parent].path),
                };
                open.push(nodes.len());
                nodes.push(Node {
                    path,
                    body: at,
                    properties: BTreeMap::new(),
                });
            }
            PROP => {
                let len = word(structure, at)?;
                let name = text(strings, word(structure, at + 4)? as usize)?;
                let value = slice(structure, at as u32 + 8, len)?.to_vec();
                at = (at + 8 + len as usize).next_multiple_of(4);
                let node = open.last().ok_or("a property outside of any node")?;
                nodes[*node].properties.insert(name.to_owned(), value);
            }
            END_NODE => {
                open.pop().ok_or("a node ends that never began")?;
            }
            NOP => {}
            END if open.is_empty() => return Ok(nodes),
            _ => return Err(format!("token {token} at byte {at} of its structure")),
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Result<u32, String> {
    let four = bytes
        .get(at..at.saturating_add(4))
        .and_then(|four| four.try_into().ok())
        .ok_or_else(|| "it is cut short".to_owned())?;
    Ok(u32::from_be_bytes(four))
}

fn slice(bytes: &[u8], at: u32, len: u32) -> Result<&[u8], String> {
    let (at, len) = (at as usize, len as usize);
    bytes
        .get(at..at.saturating_add(len))
        .ok_or_else(|| "it is cut short".to_owned())
}

fn text(bytes: &[u8], at: usize) -> Result<&str, String> {
    let rest = bytes.get(at..).ok_or("it is cut short")?;
    let end = rest
        .iter()
        .position(|byte| *byte == 0)
        .ok_or("a name without an end")?;
    std::str::from_utf8(&rest[..end]).map_err(|_| "a name that is no text".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tree written by hand, with what a Pi 3's has.
    struct Writer {
        structure: Vec<u8>,
        strings: Vec<u8>,
    }

    impl Writer {
        fn node(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
            self.structure.extend(BEGIN_NODE.to_be_bytes());
            self.structure.extend(name.as_bytes());
            self.structure.push(0);
            self.pad();
            inside(self);
            self.structure.extend(END_NODE.to_be_bytes());
        }

        fn property(&mut self, name: &str, value: &str) {
            let at = self.strings.len() as u32;
            self.strings.extend(name.as_bytes());
            self.strings.push(0);
            self.structure.extend(PROP.to_be_bytes());
            self.structure
                .extend((value.len() as u32 + 1).to_be_bytes());
            self.structure.extend(at.to_be_bytes());
            self.structure.extend(value.as_bytes());
            self.structure.push(0);
            self.pad();
        }

        fn pad(&mut self) {
            let len = self.structure.len().next_multiple_of(4);
            self.structure.resize(len, 0);
        }
    }

    fn blob(aliases: [&str; 2], chip_has_a_status: bool) -> Vec<u8> {
        let mut writer = Writer {
            structure: Vec::new(),
            strings: Vec::new(),
        };
        writer.node("", |tree| {
            tree.property("model", "Raspberry Pi 3 Model B");
            tree.node("aliases", |tree| {
                tree.property(aliases[0], &format!("/soc/{PL011}"));
                tree.property(aliases[1], &format!("/soc/{MINI_UART}"));
            });
            tree.node("soc", |tree| {
                tree.node(PL011, |tree| {
                    tree.property("status", "okay");
                    tree.node("bluetooth", |tree| {
                        tree.property("compatible", "brcm,bcm43438-bt");
                        if chip_has_a_status {
                            tree.property("status", "okay");
                        }
                    });
                });
                tree.node(MINI_UART, |tree| tree.property("status", "disabled"));
            });
        });
        writer.structure.extend(END.to_be_bytes());
        DeviceTree {
            reservations: vec![0; 16],
            structure: writer.structure,
            strings: writer.strings,
            boot_cpu: 0,
            nodes: Vec::new(),
        }
        .to_bytes()
    }

    fn status(tree: &DeviceTree, end: &str) -> String {
        let node = tree.nodes.iter().find(|node| node.path.ends_with(end));
        let value = &node.unwrap().properties["status"];
        String::from_utf8_lossy(value)
            .trim_end_matches('\0')
            .to_owned()
    }

    #[test]
    fn ports_are_named_by_the_aliases() {
        let names = |aliases| {
            let ports = DeviceTree::parse(&blob(aliases, true))
                .unwrap()
                .serial_ports();
            (ports.first, ports.second)
        };
        assert_eq!(
            names(["serial0", "serial1"]),
            ("ttyAMA0".to_owned(), "ttyS1".to_owned())
        );
        assert_eq!(
            names(["serial1", "serial0"]),
            ("ttyAMA1".to_owned(), "ttyS0".to_owned())
        );
    }

    #[test]
    fn both_ports_are_free_and_nothing_else_changes() {
        for chip_has_a_status in [true, false] {
            let before = DeviceTree::parse(&blob(["serial0", "serial1"], chip_has_a_status));
            let before = before.unwrap();
            let after = DeviceTree::parse(&before.clone().with_free_serial_ports()).unwrap();
            assert_eq!(status(&after, "/bluetooth"), "disabled");
            assert_eq!(status(&after, MINI_UART), "okay");
            assert_eq!(status(&after, PL011), "okay");
            assert_eq!(after.serial_ports(), before.serial_ports());
            let paths = |tree: &DeviceTree| -> Vec<String> {
                tree.nodes.iter().map(|node| node.path.clone()).collect()
            };
            assert_eq!(paths(&after), paths(&before));
        }
    }

    proptest! {
        #[test]
        fn damage_is_an_error_and_no_panic(at in 0usize..900, byte: u8, cut in 0usize..900) {
            let mut damaged = blob(["serial0", "serial1"], true);
            let at = at % damaged.len();
            damaged[at] = byte;
            damaged.truncate(damaged.len().saturating_sub(cut % 64));
            if let Ok(tree) = DeviceTree::parse(&damaged) {
                tree.serial_ports();
                tree.with_free_serial_ports();
            }
        }
    }
}
