//! Arguments of `diff`.

use camino::Utf8PathBuf;
use clap::Args;

use super::ClusterFileArgs;

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit status:
  0   nothing differs
  1   something does: a file, an id, a missing image
  2   the command line, the cluster file or an image given is wrong
  3   the machine could not do it: an input is not at hand, a disk is full

Examples:
  pidoop diff                          what would a build change?
  pidoop diff --stat                   names and counts only
  pidoop diff --path /opt/hadoop/etc   only that directory
  pidoop diff old.img.xz new.img       two images")]
pub struct DiffArgs {
    /// Images, raw or compressed (.xz, .gz, .zst, .zip); at most two.
    #[arg(value_name = "IMAGE", num_args = 0..=2)]
    pub images: Vec<Utf8PathBuf>,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterFileArgs,
    /// Directory of the images that were built.
    #[arg(short, long, default_value = "out", value_name = "DIR")]
    pub out: Utf8PathBuf,
    /// Only these nodes; can be repeated. With one image, whose it is, if not
    /// that of the host name in it.
    #[arg(short, long, value_name = "NAME")]
    pub node: Vec<String>,
    /// Only what is at or below this path of the root partition, or of the
    /// firmware partition as boot:/PATH; can be repeated.
    #[arg(short, long, value_name = "PATH")]
    pub path: Vec<String>,
    /// Show which paths differ and by how many lines, not the lines.
    #[arg(long)]
    pub stat: bool,
    /// Times of files' last changes count too.
    #[arg(long)]
    pub times: bool,
    /// Print one JSON document on standard output.
    #[arg(long)]
    pub json: bool,
}
