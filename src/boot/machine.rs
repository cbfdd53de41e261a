//! The machines a card can be put into.

use std::fmt;

use crate::cluster::Board;
use crate::recipe::Arch;

/// A machine QEMU can be, with what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// A Raspberry Pi 3B: its memory, its processor, its SD card controller;
    /// the network is an adapter on USB.
    Raspi3b,
    /// No board that exists: any memory, disk and network through virtio.
    Virt,
    /// A PC, for images of that architecture.
    Q35,
}

/// A Raspberry Pi model, as the sections of `config.txt` know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Pi 3B, 3B+, Zero 2 W.
    Pi3,
    /// Pi 4.
    Pi4,
    /// Pi 5.
    Pi5,
}

/// What carries out a machine's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    /// QEMU translates them: always there, ten to thirty times slower than
    /// the processor.
    Tcg,
    /// The processor itself.
    Kvm,
}

/// What makes a machine, as data.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// The name QEMU and users give it.
    pub name: &'static str,
    /// Images of this architecture run on it.
    pub arch: Arch,
    /// Its memory in MiB if it cannot be chosen.
    pub fixed_memory_mib: Option<u32>,
    /// Its processor cores if they cannot be chosen.
    pub fixed_cpus: Option<u32>,
    /// Whether the card is an SD card, whose size must be a power of two.
    pub sd_card: bool,
    /// Whether it has a power button that the guest can hear.
    pub power_button: bool,
}

impl Machine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Raspi3b, Self::Virt, Self::Q35];

    /// What makes it.
    pub const fn traits(self) -> Traits {
        match self {
            Self::Raspi3b => Traits {
                name: "raspi3b",
                arch: Arch::Arm64,
                fixed_memory_mib: Some(1024),
                fixed_cpus: Some(4),
                sd_card: true,
                power_button: false,
            },
            Self::Virt => Traits {
                name: "virt",
                arch: Arch::Arm64,
                fixed_memory_mib: None,
                fixed_cpus: None,
                sd_card: false,
                power_button: true,
            },
            Self::Q35 => Traits {
                name: "q35",
                arch: Arch::Amd64,
                fixed_memory_mib: None,
                fixed_cpus: None,
                sd_card: false,
                power_button: true,
            },
        }
    }

    /// The machine for an image of this architecture unless somebody wants
    /// another.
    pub const fn usual(arch: Arch) -> Self {
        match arch {
            Arch::Arm64 => Self::Virt,
            Arch::Amd64 => Self::Q35,
        }
    }

    /// The machine of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|machine| machine.traits().name == name)
    }

    /// How its instructions are carried out on a computer whose architecture
    /// is `host`; `kvm` says whether `/dev/kvm` can be used there. A
    /// Raspberry Pi's timers and interrupts exist in QEMU only.
    pub fn accel(self, host: &str, kvm: bool) -> Accel {
        if kvm && self != Self::Raspi3b && self.traits().arch.kernel() == host {
            Accel::Kvm
        } else {
            Accel::Tcg
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.traits().name)
    }
}

impl Model {
    /// The model that a board of a cluster file is.
    pub fn of(board: &Board) -> Self {
        match board.name.as_bytes() {
            [b'p', b'i', b'3', ..] => Self::Pi3,
            [b'p', b'i', b'5', ..] => Self::Pi5,
            _ => Self::Pi4,
        }
    }

    /// QEMU's name of its processor cores.
    pub(super) const fn cpu(self) -> &'static str {
        match self {
            Self::Pi3 => "cortex-a53",
            Self::Pi4 => "cortex-a72",
            Self::Pi5 => "cortex-a76",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_is_a_model() {
        for board in Board::ALL {
            let model = match Model::of(board) {
                Model::Pi3 => "pi3",
                Model::Pi4 => "pi4",
                Model::Pi5 => "pi5",
            };
            assert!(board.name.starts_with(model), "{board}");
        }
    }

    #[test]
    fn the_processor_itself_is_used_where_it_fits() {
        assert_eq!(Machine::Q35.accel("x86_64", true), Accel::Kvm);
        assert_eq!(Machine::Q35.accel("x86_64", false), Accel::Tcg);
        assert_eq!(Machine::Virt.accel("x86_64", true), Accel::Tcg);
        assert_eq!(Machine::Virt.accel("aarch64", true), Accel::Kvm);
        assert_eq!(Machine::Raspi3b.accel("aarch64", true), Accel::Tcg);
    }

    #[test]
    fn names_lead_back() {
        for machine in Machine::ALL {
            assert_eq!(Machine::named(&machine.to_string()), Some(machine));
        }
        assert_eq!(Machine::named("raspi4b"), None);
    }
}
