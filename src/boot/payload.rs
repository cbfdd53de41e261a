//! What the firmware would load from the card, laid out for QEMU.

use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::MultiGzDecoder;

use super::BootError;
use super::cmdline::command_line;
use super::device_tree::{DeviceTree, SerialPorts};
use super::firmware::{Firmware, Initramfs};
use super::machine::{Machine, Model};
use crate::disk::PiImage;
use crate::disk::fat::FatVolume;
use crate::edit::{ImagePath, ReadTree};
use crate::recipe::Arch;

/// Longest kernel that is unpacked; the largest in use have about 60 MiB.
const LONGEST_KERNEL: u64 = 512 << 20;

/// The architecture of the kernel on the boot partition of a card or raw image.
///
/// # Errors
/// [`BootError::Unbootable`] if there is no kernel that could be started;
/// what is wrong with the image otherwise.
pub fn arch_of_card(card: &Utf8Path, model: Model) -> Result<Arch, BootError> {
    BootPartition::open(card, model)?.arch()
}

/// Files and words to start a card with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    /// The kernel, not compressed.
    pub(super) kernel: Utf8PathBuf,
    /// The initial file system.
    pub(super) initramfs: Option<Utf8PathBuf>,
    /// The device tree, where the machine does not make its own.
    pub(super) device_tree: Option<Utf8PathBuf>,
    /// The kernel's command line.
    pub(super) cmdline: String,
}

/// The boot partition of a card, being read as the firmware would.
#[derive(Debug)]
pub(super) struct BootPartition {
    card: Utf8PathBuf,
    volume: FatVolume,
    firmware: Firmware,
}

impl BootPartition {
    /// Opens the boot partition of the card or image at `card`.
    pub(super) fn open(card: &Utf8Path, model: Model) -> Result<Self, BootError> {
        let disk = PiImage::open(card)?;
        let volume = FatVolume::open(&disk.boot())?;
        let text = read(card, &volume, "config.txt")?.unwrap_or_default();
        Ok(Self {
            card: card.to_owned(),
            firmware: Firmware::read(&String::from_utf8_lossy(&text), model),
            volume,
        })
    }

    fn arch(&self) -> Result<Arch, BootError> {
        let (_, kernel) = self.kernel("QEMU")?;
        arch_of(&kernel).map_err(|reason| self.unbootable("QEMU", reason))
    }

    /// Writes what `machine` needs into the directory `dir`. `words` go to the
    /// end of the kernel's command line, with the port for reports.
    pub(super) fn extract(
        &self,
        machine: Machine,
        words: &[String],
        dir: &Utf8Path,
    ) -> Result<Payload, BootError> {
        let name = machine.traits().name;
        let fail = |reason: String| self.unbootable(name, reason);
        if machine.traits().arch == Arch::Arm64 && !self.firmware.arm_64bit {
            return Err(fail(
                "config.txt has arm_64bit=0, and Hadoop's Java is a 64-bit one".to_owned(),
            ));
        }
        let (kernel_name, kernel) = self.kernel(name)?;
        let arch = arch_of(&kernel).map_err(fail)?;
        if arch != machine.traits().arch {
            return Err(fail(format!(
                "its kernel is one for {}; such images run on {}",
                arch.debian(),
                Machine::usual(arch)
            )));
        }
        let initramfs = self.initramfs(&kernel_name).map_err(|missing| {
            fail(format!(
                "config.txt names {missing}, which is not on the boot partition"
            ))
        })?;
        let tree = match machine {
            Machine::Raspi3b => Some(self.device_tree(name)?),
            Machine::Virt | Machine::Q35 => None,
        };
        let ports = ports(machine, tree.as_ref());
        let cmdline_txt = read(&self.card, &self.volume, &self.firmware.cmdline)?
            .ok_or_else(|| fail(format!("there is no {}", self.firmware.cmdline)))?;
        let mut all_words = vec![format!("pidoop.report={}", ports.report)];
        if machine == Machine::Raspi3b {
            // What the firmware adds; Raspberry Pi's kernel has none else.
            all_words.push("8250.nr_uarts=4".to_owned());
        }
        all_words.extend(words.iter().cloned());
        let put = |file: &str, bytes: &[u8]| -> Result<Utf8PathBuf, BootError> {
            let path = dir.join(file);
            fs_err::write(&path, bytes).map_err(BootError::io("writing", &path))?;
            Ok(path)
        };
        Ok(Payload {
            kernel: put("kernel", &kernel)?,
            initramfs: match initramfs {
                Some(bytes) => Some(put("initramfs", &bytes)?),
                None => None,
            },
            device_tree: match tree {
                Some(tree) => Some(put("device-tree", &tree.with_free_serial_ports())?),
                None => None,
            },
            cmdline: command_line(
                &String::from_utf8_lossy(&cmdline_txt),
                &ports.console,
                &all_words,
            ),
        })
    }

    /// The kernel's name and bytes, unpacked if it is compressed.
    fn kernel(&self, machine: &'static str) -> Result<(String, Vec<u8>), BootError> {
        for name in &self.firmware.kernels {
            if let Some(bytes) = read(&self.card, &self.volume, name)? {
                let bytes = unpacked(bytes)
                    .map_err(|error| self.unbootable(machine, format!("{name}: {error}")))?;
                return Ok((name.clone(), bytes));
            }
        }
        let tried = self.firmware.kernels.join(" or ");
        Err(self.unbootable(
            machine,
            format!("there is no kernel {tried} on its boot partition"),
        ))
    }

    /// The initial file system for this kernel; the error is the name of one
    /// that is not there.
    fn initramfs(&self, kernel: &str) -> Result<Option<Vec<u8>>, String> {
        let load = |name: &str| read(&self.card, &self.volume, name).ok().flatten();
        match &self.firmware.initramfs {
            Initramfs::None => Ok(None),
            Initramfs::Named(name) => load(name).map(Some).ok_or_else(|| name.clone()),
            Initramfs::Auto => Ok(Firmware::initramfs_of(kernel).and_then(|name| load(&name))),
        }
    }

    fn device_tree(&self, machine: &'static str) -> Result<DeviceTree, BootError> {
        for name in &self.firmware.device_trees {
            if let Some(bytes) = read(&self.card, &self.volume, name)? {
                return DeviceTree::parse(&bytes)
                    .map_err(|error| self.unbootable(machine, format!("{name}: {error}")));
            }
        }
        let tried = self.firmware.device_trees.join(" or ");
        Err(self.unbootable(
            machine,
            format!("there is no device tree {tried} on its boot partition"),
        ))
    }

    fn unbootable(&self, machine: &'static str, reason: String) -> BootError {
        BootError::Unbootable {
            card: self.card.clone(),
            machine,
            reason,
        }
    }
}

/// Where the console and the reports come out of a machine.
struct Ports {
    /// Name of the console in `/dev`.
    console: String,
    /// Path of the port for reports.
    report: String,
}

fn ports(machine: Machine, tree: Option<&DeviceTree>) -> Ports {
    let (console, report) = match (machine, tree.map(DeviceTree::serial_ports)) {
        (Machine::Raspi3b, Some(SerialPorts { first, second })) => (first, second),
        (Machine::Raspi3b, None) => ("ttyAMA0".to_owned(), "ttyS1".to_owned()),
        (Machine::Virt, _) => ("ttyAMA0".to_owned(), "vport0p1".to_owned()),
        (Machine::Q35, _) => ("ttyS0".to_owned(), "ttyS1".to_owned()),
    };
    Ports {
        console,
        report: format!("/dev/{report}"),
    }
}

fn read(card: &Utf8Path, volume: &FatVolume, name: &str) -> Result<Option<Vec<u8>>, BootError> {
    let fail = |source| BootError::Tree {
        card: card.to_owned(),
        source: Box::new(source),
    };
    let Ok(path) = ImagePath::root().join(name) else {
        return Ok(None);
    };
    match volume.entry(&path).map_err(fail)? {
        Some(_) => volume.read(&path).map(Some).map_err(fail),
        None => Ok(None),
    }
}

/// A kernel as it is when nothing packs it: the firmware reads gzip.
fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut kernel = Vec::new();
    MultiGzDecoder::new(&bytes[..])
        .take(LONGEST_KERNEL)
        .read_to_end(&mut kernel)
        .map_err(|error| format!("its gzip stream is damaged: {error}"))?;
    Ok(kernel)
}

/// The architecture of a kernel by its header (Linux
/// `Documentation/arch/arm64/booting.rst` and `Documentation/arch/x86/boot.rst`).
fn arch_of(kernel: &[u8]) -> Result<Arch, String> {
    if kernel.get(56..60) == Some(b"ARM\x64") {
        Ok(Arch::Arm64)
    } else if kernel.get(0x202..0x206) == Some(b"HdrS") {
        Ok(Arch::Amd64)
    } else if kernel.get(4..8) == Some(b"zimg") {
        Err("its kernel is packed for EFI, which the firmware does not unpack either".to_owned())
    } else if kernel.get(36..40) == Some(&[0x18, 0x28, 0x6f, 0x01]) {
        Err("its kernel is a 32-bit one, and Hadoop's Java is a 64-bit one".to_owned())
    } else {
        Err("its kernel is no Linux kernel for 64-bit ARM or x86".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn kernel(at: usize, magic: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        bytes[at..at + magic.len()].copy_from_slice(magic);
        bytes
    }

    #[test]
    fn kernels_tell_their_architecture() {
        assert_eq!(arch_of(&kernel(56, b"ARM\x64")), Ok(Arch::Arm64));
        assert_eq!(arch_of(&kernel(0x202, b"HdrS")), Ok(Arch::Amd64));
        let cases = [
            (kernel(36, &[0x18, 0x28, 0x6f, 0x01]), "32-bit"),
            (kernel(4, b"zimg"), "EFI"),
            (b"short".to_vec(), "no Linux kernel"),
        ];
        for (bytes, words) in cases {
            assert!(arch_of(&bytes).unwrap_err().contains(words), "{words}");
        }
    }

    #[test]
    fn a_compressed_kernel_is_unpacked() {
        let plain = kernel(56, b"ARM\x64");
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&plain).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(unpacked(packed.clone()).unwrap(), plain);
        assert_eq!(unpacked(plain.clone()).unwrap(), plain);
        assert!(unpacked(packed[..packed.len() / 2].to_vec()).is_err());
    }
}
