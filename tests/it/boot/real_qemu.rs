//! The real QEMU takes our arguments for every machine, and what a guest writes
//! to its ports arrives. The guests are kernels of a few instructions.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use fs_err as fs;
use pidoop::boot::{
    BootError, Card, CardSize, Event, Guest, GuestPlan, Lan, LanPlan, Machine, Member, Model,
    best_accel, emulator,
};
use pidoop::progress::Reporter;

use super::theatre::{put, x86_kernel};
use crate::support::tiny_image::{Ext4, MIB, Table, TinyRoot, temp_dir};
use crate::support::world::{assemble, make_fat};

/// Longest that QEMU may take to run a hundred instructions here.
const PATIENCE: Duration = Duration::from_secs(120);

const HELLO: &str = "console says hello\r\n";
const REPORT: &str = "noise pidoop-report: {\"event\":\"up\",\"node\":\"tiny\",\"uptime_s\":7}\r\n";

/// A directory with a card in it.
struct Bench {
    _dir: tempfile::TempDir,
    dir: Utf8PathBuf,
    card: Card,
}

impl Bench {
    fn new(kernel: &[u8], config: &str, device_tree: Option<Vec<u8>>) -> Self {
        let (guard, dir) = temp_dir();
        let files = [
            ("cmdline.txt", "console=tty1 rootwait\n".to_owned()),
            ("config.txt", config.to_owned()),
        ];
        let boot = make_fat(&dir, &files);
        put(&dir, &boot, "kernel8.img", kernel);
        if let Some(tree) = device_tree {
            put(&dir, &boot, "bcm2710-rpi-3-b.dtb", &tree);
        }
        let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
        let image = dir.join("tiny.img");
        assemble(&image, Table::Mbr, &[&boot, &root.path]);
        let card = Card::make(
            &image,
            &dir.join("tiny.card"),
            CardSize::Next,
            &Reporter::silent(),
        )
        .unwrap();
        Self {
            _dir: guard,
            dir,
            card,
        }
    }

    fn guest(&self, machine: Machine) -> GuestPlan {
        GuestPlan {
            name: "tiny".to_owned(),
            card: self.card.path().to_owned(),
            machine,
            model: Model::Pi3,
            memory_mib: 256,
            cpus: 1,
            accel: best_accel(machine),
            plug: None,
            words: Vec::new(),
            logs: self.dir.join("logs"),
        }
    }
}

/// 64-bit ARM code that writes each text to a port and then sleeps, with the
/// header of a kernel (Linux `Documentation/arch/arm64/booting.rst`).
fn arm_kernel(writes: &[(u64, &str)]) -> Vec<u8> {
    const HEADER: usize = 64;
    const LOOP: usize = 7 * 4;
    let mut code: Vec<u8> = Vec::new();
    let data = HEADER + writes.len() * LOOP + 8;
    let mut tail: Vec<u8> = Vec::new();
    for (port, text) in writes {
        let here = HEADER + code.len();
        let (address, words) = (data + tail.len(), data + tail.len() + 8);
        let literal = ((address - (here + 4)) / 4) as u32;
        let distance = (words - here) as u32;
        for word in [
            0x1000_0001 | (distance & 3) << 29 | (distance >> 2) << 5, // adr x1, words
            0x5800_0000 | literal << 5,                                // ldr x0, address
            0x3840_1422,                                               // 1: ldrb w2, [x1], #1
            0x3400_0062,                                               // cbz w2, 2f
            0xb900_0002,                                               // str w2, [x0]
            0x17ff_fffd,                                               // b 1b
            0xd503_201f,                                               // 2: nop
        ] {
            code.extend(word.to_le_bytes());
        }
        tail.extend(port.to_le_bytes());
        tail.extend(text.as_bytes());
        tail.push(0);
        // The next port's address must be where `ldr` can take it from.
        tail.resize(tail.len().next_multiple_of(8), 0);
    }
    code.extend(0xd503_207f_u32.to_le_bytes()); // wfi
    code.extend(0x17ff_ffff_u32.to_le_bytes()); // b .-4
    let mut kernel = vec![0; HEADER];
    kernel[..4].copy_from_slice(&0x1400_0010_u32.to_le_bytes()); // b code
    kernel[16..24].copy_from_slice(&0x1_0000_u64.to_le_bytes()); // size in memory
    kernel[56..60].copy_from_slice(b"ARM\x64");
    kernel.extend(code);
    kernel.extend(tail);
    kernel
}

/// 16-bit x86 code that writes texts to the first two serial ports and sleeps.
fn pc_kernel() -> Vec<u8> {
    let mut code = vec![0xfc]; // cld
    let mut texts = Vec::new();
    // Where the texts will be, from the start of the kernel.
    let data: u16 = 0x300;
    for (port, text) in [(0x3f8_u16, HELLO), (0x2f8, REPORT)] {
        let at = data + texts.len() as u16;
        code.push(0xbe); // mov si, text
        code.extend(at.to_le_bytes());
        code.push(0xba); // mov dx, port
        code.extend(port.to_le_bytes());
        code.extend([
            0xac, // 1: lodsb
            0x84, 0xc0, // test al, al
            0x74, 0x03, // jz 2f
            0xee, // out dx, al
            0xeb, 0xf8, // jmp 1b
        ]); // 2:
        texts.extend(text.bytes().chain([0]));
    }
    code.extend([0xfa, 0xf4, 0xeb, 0xfd]); // cli; hlt; jmp
    let mut kernel = x86_kernel(&code);
    let data = usize::from(data);
    kernel[data..data + texts.len()].copy_from_slice(&texts);
    kernel
}

/// A Pi 3's device tree with nothing but its serial ports.
fn pi_tree() -> Vec<u8> {
    struct Blocks {
        structure: Vec<u8>,
        strings: Vec<u8>,
    }
    impl Blocks {
        fn begin(&mut self, name: &str) {
            self.structure.extend(1_u32.to_be_bytes());
            self.structure.extend(name.as_bytes());
            self.structure.push(0);
            self.pad();
        }
        fn end(&mut self) {
            self.structure.extend(2_u32.to_be_bytes());
        }
        fn property(&mut self, name: &str, value: &[u8]) {
            self.structure.extend(3_u32.to_be_bytes());
            self.structure.extend((value.len() as u32).to_be_bytes());
            self.structure
                .extend((self.strings.len() as u32).to_be_bytes());
            self.strings.extend(name.as_bytes());
            self.strings.push(0);
            self.structure.extend(value);
            self.pad();
        }
        fn pad(&mut self) {
            let len = self.structure.len().next_multiple_of(4);
            self.structure.resize(len, 0);
        }
    }
    let mut blocks = Blocks {
        structure: Vec::new(),
        strings: Vec::new(),
    };
    blocks.begin("");
    blocks.property("#address-cells", &1_u32.to_be_bytes());
    blocks.property("#size-cells", &1_u32.to_be_bytes());
    blocks.begin("aliases");
    blocks.property("serial0", b"/soc/serial@7e201000\0");
    blocks.property("serial1", b"/soc/serial@7e215040\0");
    blocks.end();
    blocks.begin("soc");
    blocks.begin("serial@7e201000");
    blocks.begin("bluetooth");
    blocks.end();
    blocks.end();
    blocks.end();
    blocks.end();
    blocks.structure.extend(9_u32.to_be_bytes());
    let (structure, strings) = (blocks.structure, blocks.strings);
    let total = 56 + structure.len() + strings.len();
    let header = [
        0xd00d_feed,
        total as u32,
        56,
        56 + structure.len() as u32,
        40,
        17,
        16,
        0,
        strings.len() as u32,
        structure.len() as u32,
    ];
    let mut blob: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    blob.extend([0; 16]);
    blob.extend(structure);
    blob.extend(strings);
    blob
}

#[track_caller]
fn wait_for_hello(guest: &mut Guest) {
    let begun = Instant::now();
    loop {
        let trouble = guest.console().trouble();
        if trouble.lines == [HELLO.trim_end()] {
            return;
        }
        assert!(guest.is_on() && begun.elapsed() < PATIENCE, "{trouble:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_pi_3b_writes_to_both_its_ports() {
    let kernel = arm_kernel(&[(0x3f20_1000, HELLO), (0x3f21_5040, REPORT)]);
    let bench = Bench::new(&kernel, "", Some(pi_tree()));
    let mut guest = Guest::new(bench.guest(Machine::Raspi3b));
    guest.switch_on().unwrap();
    let report = guest.wait_for(Event::Up, PATIENCE).unwrap();
    assert_eq!((report.node.as_str(), report.uptime_s), ("tiny", 7));
    wait_for_hello(&mut guest);
}

#[test]
fn a_pc_can_lose_power_and_come_back() {
    let bench = Bench::new(&pc_kernel(), "", None);
    let mut guest = Guest::new(bench.guest(Machine::Q35));
    for _ in 0..2 {
        guest.switch_on().unwrap();
        guest.wait_for(Event::Up, PATIENCE).unwrap();
        wait_for_hello(&mut guest);
        guest.cut_power();
        assert!(!guest.is_on());
    }
    let error = guest.wait_for(Event::Up, PATIENCE).unwrap_err();
    assert!(matches!(error, BootError::Ended { .. }), "{error}");
}

#[test]
fn a_virtual_machine_starts_what_is_on_its_card_now() {
    let quiet = arm_kernel(&[]);
    let bench = Bench::new(&quiet, "kernel=kernel8.img\n", None);
    let mut guest = Guest::new(bench.guest(Machine::Virt));
    guest.switch_on().unwrap();
    let error = guest.wait_for(Event::Up, Duration::ZERO).unwrap_err();
    assert!(matches!(error, BootError::TooSlow { .. }), "{error}");
    // Another card in the same machine; its one port at hand is the console.
    let loud = Bench::new(&arm_kernel(&[(0x0900_0000, HELLO)]), "", None);
    fs::rename(loud.card.path(), bench.card.path()).unwrap();
    guest.switch_on().unwrap();
    wait_for_hello(&mut guest);
    // It has a power button, which this guest does not listen to.
    assert!(!guest.shut_down(Duration::from_secs(1)));
    assert!(!guest.is_on());
}

#[test]
fn the_network_takes_every_machine_and_its_router_lives_on() {
    let (_guard, dir) = temp_dir();
    let plan = LanPlan {
        subnet: "10.4.0.0/24".parse().unwrap(),
        router: None,
        dns: Vec::new(),
        dhcp: true,
        members: vec![
            Member::new("pi", [10, 4, 0, 10].into(), &[22]),
            Member::new("pc", [10, 4, 0, 11].into(), &[22, 80]),
        ],
    };
    let mut lan = Lan::start(&plan, emulator(Machine::Q35.traits().arch), &dir).unwrap();
    assert!(lan.forward("pc", 80).unwrap().ip().is_loopback());
    assert_eq!(lan.forward("pi", 80), None);
    let pi = Bench::new(&arm_kernel(&[(0x3f20_1000, HELLO)]), "", Some(pi_tree()));
    let pc = Bench::new(&pc_kernel(), "", None);
    for (bench, name, machine) in [(&pi, "pi", Machine::Raspi3b), (&pc, "pc", Machine::Q35)] {
        let mut plan = bench.guest(machine);
        plan.plug = Some(lan.plug(name).unwrap().clone());
        let mut guest = Guest::new(plan);
        guest.switch_on().unwrap();
        wait_for_hello(&mut guest);
    }
    assert!(lan.is_alive(), "cut cables must not stop the router");
}
