//! Arguments of `fetch`.

use clap::Args;

use super::{ClusterFileArgs, SourceArgs};

/// Arguments of `fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterFileArgs,
    /// Where from.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Take what recipes, lists and addresses lead to today in place of what
    /// cluster.lock says, and show what moved. Without names all inputs; else
    /// these: base, java, hadoop, or a recipe's name.
    #[arg(long, num_args = 0.., value_name = "NAME", conflicts_with = "locked")]
    pub update: Option<Vec<String>>,
    /// Print progress and the result as JSON lines on standard output.
    #[arg(long)]
    pub json: bool,
}
