//! A sandbox with images that could boot and a QEMU that only plays it.

use std::io::{Read, Seek, SeekFrom, Write};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::{Value, json};

use crate::support::tiny_image::{Ext4, MIB, Table, TinyRoot, temp_dir};
use crate::support::tools::run;
use crate::support::world::{PUBLIC_KEY, Sandbox, assemble, make_fat};

/// A cluster of a master and two workers, whose inputs nobody asks for.
const CLUSTER: &str = r#"schema = 1

[cluster]
name = "tiny"

[image]
base = "raspios-trixie-lite-arm64"

[access]
authorized_keys = ["~/.ssh/id_ed25519.pub"]

[network]
subnet = "10.4.0.0/24"
gateway = "10.4.0.1"

[[node]]
name = "master"
role = "master"
board = "pi3-1gb"
address = "10.4.0.10"

[[node]]
name = "worker1"
role = "worker"
board = "pi3-1gb"
address = "10.4.0.11"

[[node]]
name = "worker2"
role = "worker"
board = "pi3-1gb"
address = "10.4.0.12"
"#;

pub(super) const NODES: [&str; 3] = ["master", "worker1", "worker2"];

/// The sandbox and its play.
pub(super) struct Theatre {
    pub(super) sandbox: Sandbox,
}

/// What a node says when all is well.
pub(super) fn up() -> Value {
    json!({ "report": {
        "version": 1, "event": "up", "problems": [], "failed_units": [],
        "memory": {
            "total_kib": 921_600, "available_kib": 409_600, "swap_used_kib": 0,
            "daemons": [
                { "name": "hdfs-namenode", "pid": 7, "rss_kib": 102_400, "peak_kib": 204_800 },
                { "name": "hdfs-datanode", "pid": 8, "rss_kib": 102_400, "peak_kib": 133_120 },
            ],
        },
    } })
}

impl Theatre {
    /// A stage with images of x86 kernels, on which every node comes up.
    pub(super) fn new() -> Self {
        let mut sandbox = Sandbox::new();
        sandbox.write("home/.ssh/id_ed25519.pub", PUBLIC_KEY);
        sandbox.write("cluster.toml", CLUSTER);
        sandbox.install_program("qemu-system-x86_64", include_str!("fake_qemu.py"));
        fs::create_dir(sandbox.path("out")).unwrap();
        let image = sandbox.image("master");
        make_image(&image, &x86_kernel(&[]), "config.txt", "");
        for node in &NODES[1..] {
            run(
                "cp",
                &[
                    "--sparse=always",
                    image.as_str(),
                    sandbox.image(node).as_str(),
                ],
            );
        }
        let theatre = Self { sandbox };
        theatre.play(&json!({ "others": [[up()]] }));
        theatre
    }

    /// What the nodes say at each start; "others" for those without a part of
    /// their own. HDFS and YARN know two workers.
    pub(super) fn play(&self, nodes: &Value) {
        self.play_with_workers(nodes, 2);
    }

    /// The same, with so many workers known.
    pub(super) fn play_with_workers(&self, nodes: &Value, workers: u32) {
        let play = json!({ "nodes": nodes, "datanodes": workers, "nodemanagers": workers });
        self.sandbox
            .write("programs/play.json", play.to_string().as_bytes());
    }

    /// The arguments of each QEMU so far, each in one string; the router's too.
    pub(super) fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.sandbox.path("programs/calls"))
            .unwrap_or_default()
            .lines()
            .map(|line| {
                let args: Vec<String> = serde_json::from_str(line).unwrap();
                args.join(" ")
            })
            .collect()
    }

    /// The calls for one node.
    pub(super) fn calls_of(&self, node: &str) -> Vec<String> {
        let plug = format!("/{node}.lan");
        let mut calls = self.calls();
        calls.retain(|call| call.contains(&plug) && !call.contains("-machine none"));
        calls
    }

    /// Digests of the images.
    pub(super) fn images(&self) -> Vec<String> {
        NODES
            .iter()
            .map(|node| run("sha256sum", &[self.sandbox.image(node).as_str()]))
            .collect()
    }

    /// No machine runs any more and no card that should pass is there.
    #[track_caller]
    pub(super) fn is_empty(&self) {
        let left: Vec<String> = self
            .sandbox
            .names("home/.cache/pidoop/boot")
            .into_iter()
            .chain(self.sandbox.names("tmp"))
            .filter(|name| name != ".pidoop.lock")
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let ours = self.sandbox.path("programs");
        for process in fs::read_dir("/proc").unwrap() {
            let command = process.unwrap().path().join("cmdline");
            // It may be gone by now.
            let command = fs::read(command).unwrap_or_default();
            let command = String::from_utf8_lossy(&command);
            assert!(!command.contains(ours.as_str()), "still runs: {command}");
        }
    }
}

/// An image with this kernel, a file of the given name and text beside it, and
/// a root filesystem in which nobody looks.
pub(super) fn make_image(image: &Utf8Path, kernel: &[u8], name: &'static str, text: &str) {
    let (_scratch, dir) = temp_dir();
    let files = [
        (
            "cmdline.txt",
            "console=serial0,115200 console=tty1 root=PARTUUID=1-02 rootwait quiet\n".to_owned(),
        ),
        (name, text.to_owned()),
    ];
    let boot = make_fat(&dir, &files);
    put(&dir, &boot, "kernel8.img", kernel);
    let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    assemble(image, Table::Mbr, &[&boot, &root.path]);
}

/// Puts a file on a FAT filesystem.
pub(super) fn put(dir: &Utf8Path, volume: &Utf8Path, name: &str, bytes: &[u8]) {
    let file: Utf8PathBuf = dir.join(name);
    fs::write(&file, bytes).unwrap();
    run(
        "mcopy",
        &[
            "-o",
            "-i",
            volume.as_str(),
            file.as_str(),
            &format!("::/{name}"),
        ],
    );
}

/// A kernel with the header of x86's (Linux `Documentation/arch/x86/boot.rst`)
/// and this code at its 16-bit entry.
pub(super) fn x86_kernel(code: &[u8]) -> Vec<u8> {
    const ENTRY: usize = 0x268;
    let mut kernel = vec![0; 4096];
    kernel[0x1f1] = 1; // sectors of 16-bit code behind the first
    kernel[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    kernel[0x200..0x202].copy_from_slice(&[0xeb, 0x66]); // jump to the entry
    kernel[0x202..0x206].copy_from_slice(b"HdrS");
    kernel[0x206..0x208].copy_from_slice(&[0x03, 0x02]); // boot protocol 2.3
    kernel[0x211] = 1; // loaded high
    kernel[ENTRY..ENTRY + code.len()].copy_from_slice(code);
    kernel
}

/// Changes one byte of a file.
pub(super) fn flip(path: &Utf8Path, at: u64) {
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 0xff]).unwrap();
}
