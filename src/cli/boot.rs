//! Arguments of `boot`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::ClusterFileArgs;
use crate::boot::{CardSize, Machine};

/// Arguments of `boot`.
#[derive(Debug, Args)]
pub struct BootArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterFileArgs,
    /// Directory with the images of a build.
    #[arg(short, long, default_value = "out", value_name = "DIR")]
    pub out: Utf8PathBuf,
    /// Only these nodes; can be repeated. What the others would be needed for
    /// is not asked.
    #[arg(short, long, value_name = "NAME")]
    pub node: Vec<String>,
    /// The machine that the nodes run in.
    #[arg(long, value_name = "MACHINE", default_value = "auto")]
    pub machine: MachineChoice,
    /// Memory of each node, such as 2G or 1500M. Unless given, what the
    /// node's board shows Linux, or less where this computer has less.
    #[arg(long, value_name = "SIZE", value_parser = mebibytes)]
    pub memory: Option<u32>,
    /// Processor cores of each node; at most four, and no more than this
    /// computer has, unless given.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=8))]
    pub cpus: Option<u32>,
    /// Emulate the processor even where this computer's own would do.
    #[arg(long)]
    pub no_kvm: bool,
    /// Size of the cards, such as 8G. Unless given, the next power of two that
    /// leaves room to grow, as filling the card is part of a first boot.
    #[arg(long, value_name = "SIZE")]
    pub card: Option<CardSize>,
    /// Keep the cards in this directory, as NODE.card. If they are there
    /// already, boot them again: a second boot.
    #[arg(long, value_name = "DIR")]
    pub cards: Option<Utf8PathBuf>,
    /// Directory for the logs: NODE.console.log and NODE.qemu.log. Unless
    /// given, boot-logs beside the images.
    #[arg(long, value_name = "DIR")]
    pub logs: Option<Utf8PathBuf>,
    /// Also run a word count on the cluster and check its answer. Needs the
    /// master and at least one worker.
    #[arg(long)]
    pub job: bool,
    /// Give up after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub timeout: u64,
    /// Leave the cluster running once it is healthy, until Ctrl-C; says where
    /// its pages and its ssh are.
    #[arg(long)]
    pub stay: bool,
    /// Print progress, reports and the verdict as JSON lines on standard
    /// output.
    #[arg(long)]
    pub json: bool,
}

/// Which machine to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MachineChoice {
    /// virt or q35, by the image; raspi3b where its kernel knows nothing else.
    Auto,
    /// A Raspberry Pi 3B: 1 GiB, an SD card, the network on USB. Slower.
    Raspi3b,
    /// A machine of any size, for arm64 images.
    Virt,
    /// A PC, for amd64 images.
    Q35,
}

impl MachineChoice {
    /// The machine, unless it is to be chosen by the image.
    pub fn machine(self) -> Option<Machine> {
        match self {
            Self::Auto => None,
            Self::Raspi3b => Some(Machine::Raspi3b),
            Self::Virt => Some(Machine::Virt),
            Self::Q35 => Some(Machine::Q35),
        }
    }
}

/// A size as MiB; sizes of memory are written as those of cards.
fn mebibytes(text: &str) -> Result<u32, String> {
    match text.parse::<CardSize>() {
        Ok(CardSize::Bytes(bytes)) => match u32::try_from(bytes >> 20) {
            Ok(mib) if mib >= 256 => Ok(mib),
            _ => Err(format!("{text}: a node needs at least 256M")),
        },
        _ => Err(format!("{text:?} is not a size such as 2G or 1500M")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_written_as_cards_are() {
        assert_eq!(mebibytes("2G"), Ok(2048));
        assert_eq!(mebibytes("1500M"), Ok(1500));
        for wrong in ["", "100M", "2", "lots"] {
            assert!(mebibytes(wrong).is_err(), "{wrong}");
        }
    }
}
