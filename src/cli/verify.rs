//! Arguments of `verify`.

use camino::Utf8PathBuf;
use clap::Args;

use super::ClusterFileArgs;

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0   nothing is wrong
  1   something is: a check failed, or an image is missing
  2   the command line, the cluster file or an image given is wrong
  3   the machine could not do it: e2fsck is missing, a disk is full")]
pub struct VerifyArgs {
    /// Images, raw or compressed (.xz, .gz, .zst, .zip); without any, those in
    /// --out of every node.
    #[arg(value_name = "IMAGE")]
    pub images: Vec<Utf8PathBuf>,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterFileArgs,
    /// Directory of the images that were built.
    #[arg(short, long, default_value = "out", value_name = "DIR")]
    pub out: Utf8PathBuf,
    /// Only the images of these nodes; can be repeated.
    #[arg(short, long, value_name = "NAME", conflicts_with = "images")]
    pub node: Vec<String>,
    /// Print one JSON document on standard output.
    #[arg(long)]
    pub json: bool,
}
