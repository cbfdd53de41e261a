//! Argument types of the command line. Their doc comments are the help.

mod boot;
mod exit;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use boot::{BootArgs, MachineChoice};
pub use exit::ExitStatus;

/// Turn a Raspberry Pi OS image into SD cards of a Hadoop cluster.
///
/// You describe the cluster in one file, cluster.toml. pidoop bakes Java,
/// Hadoop, users, keys, names, network and configuration into one image for
/// each node. Flash them, plug the Pis in, and the cluster comes up by itself.
///
/// Nothing here needs root or a network mount, and only boot an emulator.
#[derive(Debug, Parser)]
#[command(name = "pidoop", version, help_expected = true, max_term_width = 80)]
#[command(after_long_help = "\
Exit status:
  0   it worked, or every check passed
  1   a check failed: the thing looked at is not as it should be
  2   the command line or the cluster file is wrong
  3   the machine could not do it: a tool is missing, the disk is full,
      an input could not be had
  70  a bug in pidoop; please report it
  130 interrupted

First steps:
  pidoop new          write a commented cluster.toml
  pidoop check        see whether it makes sense
  pidoop plan         see what would be built, with the memory plan
  pidoop build        make the images, one for each node, under out/
  pidoop boot         see them boot in an emulator before you flash them")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Options every command takes.
#[derive(Clone, Debug, Args)]
pub struct GlobalArgs {
    /// Directory for downloads, unpacked inputs and layers.
    #[arg(long, global = true, env = "PIDOOP_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<Utf8PathBuf>,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Say only what went wrong.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented cluster.toml to start from.
    New(NewArgs),
    /// Read the cluster file and cross-check it, without any input.
    Check(CheckArgs),
    /// Show what a build would make, with the memory plan.
    Plan(PlanArgs),
    /// Make one image for each node.
    Build(BuildArgs),
    /// Boot the images in an emulator and see whether they are a cluster.
    ///
    /// Starts the images of a build in QEMU, on throw-away copies, and judges
    /// them: every node reports that it is up, HDFS and YARN know all their
    /// workers, every daemon's page answers. The images are never written. It
    /// needs QEMU, and neither root nor a bridge nor another kernel than the
    /// image's own.
    ///
    /// Emulation is slow: expect minutes for each node, and half an hour for
    /// three on two cores. A node that fails ends it at once, and the end of
    /// its console is quoted.
    ///
    /// Not rehearsed: the firmware and what config.txt tells it beyond the
    /// files it loads, speed and wear of cards, Wi-Fi, pins, clocks, and the
    /// device trees of a Pi 4 or 5. docs/boot.md tells more.
    Boot(BootArgs),
    /// Show what is in an image.
    Inspect(InspectArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// Write manual pages into a directory.
    Man(ManArgs),
}

/// The cluster file.
#[derive(Clone, Debug, Args)]
pub struct ClusterFileArgs {
    /// The cluster file. recipes/ and overlays/ beside it add to the
    /// built-in ones.
    #[arg(
        short = 'f',
        long = "file",
        default_value = "cluster.toml",
        value_name = "FILE"
    )]
    pub file: Utf8PathBuf,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Where to write it; never overwrites.
    #[arg(default_value = "cluster.toml", value_name = "FILE")]
    pub file: Utf8PathBuf,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterFileArgs,
    /// Print one JSON document on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `plan`.
///
/// Uses inputs that are files or already in the cache; what must be
/// downloaded first is named.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterFileArgs,
    /// Print the plan as one JSON document on standard output.
    #[arg(long)]
    pub json: bool,
    /// List every edit of every node, secrets left out.
    #[arg(long)]
    pub edits: bool,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterFileArgs,
    /// Directory for the images; made if it does not exist.
    #[arg(short, long, default_value = "out", value_name = "DIR")]
    pub out: Utf8PathBuf,
    /// Only these nodes; can be repeated.
    #[arg(short, long, value_name = "NAME")]
    pub node: Vec<String>,
    /// Print progress and the result as JSON lines on standard output.
    #[arg(long)]
    pub json: bool,
    /// Also write SHA256SUMS of the images.
    #[arg(long)]
    pub sums: bool,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The image, raw or compressed (.xz, .gz, .zst, .zip).
    #[arg(value_name = "IMAGE")]
    pub image: Utf8PathBuf,
    /// Print one JSON document on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Where the pages go; made if it does not exist.
    #[arg(value_name = "DIR")]
    pub dir: Utf8PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_fits_eighty_columns() {
        let mut command = Cli::command();
        command.build();
        for sub in command.get_subcommands_mut() {
            for line in sub.render_long_help().to_string().lines() {
                assert!(line.chars().count() <= 80, "too wide: {line}");
            }
        }
    }
}
