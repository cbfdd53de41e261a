//! Where inputs may come from, for every verb that uses them.

use clap::Args;

/// Where inputs may come from.
#[derive(Clone, Debug, Default, Args)]
pub struct SourceArgs {
    /// Ask no server: use files, the cache and mirror directories, and say
    /// what is missing.
    #[arg(long)]
    pub offline: bool,
    /// Look for downloads by file name in this directory, or below this
    /// address, before where they are published; can be repeated. Digests
    /// decide as always.
    #[arg(
        long,
        env = "PIDOOP_MIRROR",
        hide_env_values = true,
        value_name = "DIR|URL"
    )]
    pub mirror: Vec<String>,
    /// Take exactly what cluster.lock says; fail if it is missing, does not
    /// answer the cluster file or would change. For CI.
    #[arg(long)]
    pub locked: bool,
}
