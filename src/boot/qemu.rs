//! QEMU's arguments, as data.

use camino::{Utf8Path, Utf8PathBuf};

use super::machine::{Accel, Machine, Model};
use super::payload::Payload;
use crate::cluster::MacAddr;
use crate::recipe::Arch;
use crate::tool::{Probe, Tool, Version};

/// The oldest QEMU that will do: 7.2 brought networks over UNIX sockets
/// (`-netdev stream`, QEMU's change log for 7.2).
const MINIMUM: Version = Version::new(7, 2, 0);

const fn qemu(name: &'static str, package: &'static str) -> Tool {
    Tool {
        name,
        package,
        probe: Some(Probe {
            args: &["--version"],
            minimum: MINIMUM,
        }),
    }
}

/// The emulator for images of an architecture.
pub const fn emulator(arch: Arch) -> Tool {
    match arch {
        Arch::Arm64 => qemu("qemu-system-aarch64", "qemu-system-arm"),
        Arch::Amd64 => qemu("qemu-system-x86_64", "qemu-system-x86"),
    }
}

/// A machine with its card in it, about to be switched on.
#[derive(Clone, Debug)]
pub(super) struct Hardware<'a> {
    pub(super) machine: Machine,
    pub(super) model: Model,
    pub(super) accel: Accel,
    pub(super) memory_mib: u32,
    pub(super) cpus: u32,
    pub(super) payload: &'a Payload,
    /// The card, a raw file.
    pub(super) card: &'a Utf8Path,
    /// Where the console goes.
    pub(super) console: &'a Utf8Path,
    /// Where the guest's reports go.
    pub(super) report: &'a Utf8Path,
    /// Where QEMU listens to us.
    pub(super) monitor: &'a Utf8Path,
    /// Its place in the network.
    pub(super) plug: Option<&'a Plug>,
}

/// A machine's place in a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plug {
    /// The socket it connects to.
    pub socket: Utf8PathBuf,
    /// Its hardware address.
    pub mac: MacAddr,
}

impl Hardware<'_> {
    /// The arguments.
    pub(super) fn args(&self) -> Vec<String> {
        let mut args = Args::default();
        args.pair("-machine", self.machine.traits().name);
        args.pair(
            "-accel",
            match self.accel {
                Accel::Tcg => "tcg,thread=multi",
                Accel::Kvm => "kvm",
            },
        );
        if let Some(cpu) = self.cpu() {
            args.pair("-cpu", cpu);
        }
        args.pair("-smp", self.cpus.to_string());
        args.pair("-m", format!("{}M", self.memory_mib));
        // Nothing but what is asked for here; a reset ends QEMU, so that a
        // reboot reads the card anew, as the firmware does.
        args.words(["-nodefaults", "-no-user-config", "-no-reboot"]);
        args.pair("-display", "none");
        args.pair(
            "-qmp",
            format!("unix:{},server=on,wait=off", value(self.monitor)),
        );
        args.pair("-kernel", self.payload.kernel.as_str());
        if let Some(initramfs) = &self.payload.initramfs {
            args.pair("-initrd", initramfs.as_str());
        }
        if let Some(tree) = &self.payload.device_tree {
            args.pair("-dtb", tree.as_str());
        }
        args.pair("-append", self.payload.cmdline.as_str());
        args.pair(
            "-chardev",
            format!("file,id=console,path={},append=on", value(self.console)),
        );
        args.pair(
            "-chardev",
            format!("file,id=report,path={}", value(self.report)),
        );
        args.pair("-serial", "chardev:console");
        match self.machine {
            Machine::Raspi3b | Machine::Q35 => args.pair("-serial", "chardev:report"),
            Machine::Virt => {
                args.pair("-device", "virtio-serial-pci");
                args.pair(
                    "-device",
                    "virtserialport,chardev=report,name=pidoop.report",
                );
            }
        }
        self.card(&mut args);
        self.network(&mut args);
        if self.machine != Machine::Raspi3b {
            args.pair("-device", "virtio-rng-pci");
        }
        args.list
    }

    fn cpu(&self) -> Option<&'static str> {
        match (self.machine, self.accel) {
            (Machine::Raspi3b, _) => None,
            (_, Accel::Kvm) => Some("host"),
            (Machine::Virt, Accel::Tcg) => Some(self.model.cpu()),
            // Page tables of five levels bring nothing here, and few emulators
            // are ever run with them.
            (Machine::Q35, Accel::Tcg) => Some("max,la57=off"),
        }
    }

    /// A power cut is the end of QEMU, which this computer's page cache
    /// outlives, so the guest's flushes need not wait for a disk here. Zeros
    /// become holes: a card is mostly nothing.
    fn card(&self, args: &mut Args) {
        let options = format!(
            "format=raw,file={},cache=unsafe,discard=unmap,detect-zeroes=unmap",
            value(self.card)
        );
        match self.machine {
            Machine::Raspi3b => args.pair("-drive", format!("if=sd,{options}")),
            Machine::Virt | Machine::Q35 => {
                args.pair("-drive", format!("if=none,id=card,{options}"));
                args.pair("-device", "virtio-blk-pci,drive=card");
            }
        }
    }

    fn network(&self, args: &mut Args) {
        let Some(plug) = self.plug else {
            args.pair("-nic", "none");
            return;
        };
        args.pair("-netdev", stream("lan", &plug.socket));
        let device = match self.machine {
            Machine::Raspi3b => "usb-net",
            Machine::Virt | Machine::Q35 => "virtio-net-pci",
        };
        args.pair("-device", format!("{device},netdev=lan,mac={}", plug.mac));
    }
}

/// A network card's cable to a socket of ours.
pub(super) fn stream(id: &str, socket: &Utf8Path) -> String {
    format!(
        "stream,id={id},server=off,addr.type=unix,addr.path={}",
        value(socket)
    )
}

/// A value in an option list, where a comma ends it unless doubled.
pub(super) fn value(path: &Utf8Path) -> String {
    path.as_str().replace(',', ",,")
}

#[derive(Default)]
struct Args {
    list: Vec<String>,
}

impl Args {
    fn pair(&mut self, option: &str, value: impl Into<String>) {
        self.list.push(option.to_owned());
        self.list.push(value.into());
    }

    fn words<const N: usize>(&mut self, words: [&str; N]) {
        self.list.extend(words.map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(machine: Machine, accel: Accel, network: bool) -> String {
        let tree = machine == Machine::Raspi3b;
        let payload = Payload {
            kernel: "run/kernel".into(),
            initramfs: Some("run/initramfs".into()),
            device_tree: tree.then(|| "run/device-tree".into()),
            cmdline: "root=PARTUUID=1-02 console=x".to_owned(),
        };
        let plug = Plug {
            socket: "run/master.lan".into(),
            mac: MacAddr([0x52, 0x54, 0, 1, 2, 3]),
        };
        let traits = machine.traits();
        let hardware = Hardware {
            machine,
            model: Model::Pi4,
            accel,
            memory_mib: traits.fixed_memory_mib.unwrap_or(1900),
            cpus: traits.fixed_cpus.unwrap_or(2),
            payload: &payload,
            card: "a, b/master.card".into(),
            console: "log/master.console.log".into(),
            report: "run/report".into(),
            monitor: "run/monitor".into(),
            plug: network.then_some(&plug),
        };
        hardware.args().join("\n")
    }

    #[test]
    fn a_pi_3b() {
        insta::assert_snapshot!(args(Machine::Raspi3b, Accel::Tcg, true));
    }

    #[test]
    fn a_machine_of_any_size() {
        insta::assert_snapshot!(args(Machine::Virt, Accel::Tcg, true));
    }

    #[test]
    fn a_pc_on_its_own_processor_without_a_network() {
        insta::assert_snapshot!(args(Machine::Q35, Accel::Kvm, false));
    }

    #[test]
    fn the_emulator_comes_from_a_package() {
        assert_eq!(emulator(Arch::Arm64).package, "qemu-system-arm");
        assert_eq!(emulator(Arch::Amd64).package, "qemu-system-x86");
    }
}
