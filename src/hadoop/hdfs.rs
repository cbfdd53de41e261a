//! `hdfs-site.xml`.

use super::site::SiteProperties;
use super::{ConfigInputs, Daemon, MemoryClass, traffic};

/// Calculator that keeps back the smaller of a number of bytes and a
/// percentage (hdfs-default.xml, `dfs.datanode.du.reserved.calculator`).
const SMALLER_RESERVE: &str = "org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.\
                               ReservedSpaceCalculator$ReservedSpaceCalculatorAggressive";

/// What NameNode, DataNodes and HDFS clients read.
pub(super) fn properties(inputs: &ConfigInputs<'_>) -> SiteProperties {
    let mut site = SiteProperties::default();
    names(&mut site, inputs);
    storage(&mut site, inputs);
    sizes(&mut site, inputs);
    traffic::hdfs(&mut site, traffic::slowest_link(inputs.cluster));
    site
}

/// Where the daemons listen and what they are called.
fn names(site: &mut SiteProperties, inputs: &ConfigInputs<'_>) {
    let master = inputs.master();
    let web = |daemon: Daemon| format!("{master}:{}", daemon.port("web"));
    site.set("dfs.namenode.http-address", web(Daemon::NameNode));
    site.set(
        "dfs.namenode.secondary.http-address",
        web(Daemon::SecondaryNameNode),
    );
    // Bound to every address, the NameNode is reached even where the master's
    // own name leads to 127.0.1.1.
    for bind in [
        "dfs.namenode.rpc-bind-host",
        "dfs.namenode.servicerpc-bind-host",
        "dfs.namenode.lifeline.rpc-bind-host",
        "dfs.namenode.http-bind-host",
        "dfs.namenode.https-bind-host",
    ] {
        site.set(bind, "0.0.0.0");
    }
    // A DataNode whose address has no name at the NameNode is otherwise
    // refused, and its process stays up as if all were well.
    site.set(
        "dfs.namenode.datanode.registration.ip-hostname-check",
        false,
    );
    if inputs.memory.runs(&inputs.node.name, Daemon::DataNode) {
        site.set("dfs.datanode.hostname", &inputs.node.name);
    }
}

/// Directories, copies and what is kept free.
fn storage(site: &mut SiteProperties, inputs: &ConfigInputs<'_>) {
    let ConfigInputs { layout, .. } = inputs;
    site.set(
        "dfs.namenode.name.dir",
        format!("file://{}", layout.name_dir()),
    );
    site.set(
        "dfs.namenode.checkpoint.dir",
        format!("file://{}", layout.checkpoint_dir()),
    );
    site.set(
        "dfs.datanode.data.dir",
        format!("file://{}", layout.block_dir()),
    );
    // More copies than DataNodes would leave every block under-replicated for
    // ever.
    site.set("dfs.replication", inputs.replication());
    // Half of Hadoop's default, for parallel maps on inputs that fit a card.
    site.set("dfs.blocksize", "64m");
    // The card holds the system too: 4 GiB stay free, or a tenth if less.
    site.set("dfs.datanode.du.reserved.calculator", SMALLER_RESERVE);
    site.set("dfs.datanode.du.reserved", 4_u64 << 30);
    site.set("dfs.datanode.du.reserved.pct", 10);
    site.set("dfs.permissions.superusergroup", &layout.user);
    let workers = inputs.worker_count();
    if workers <= 3 {
        // There is no other node to take a failed one's place in a pipeline.
        site.set(
            "dfs.client.block.write.replace-datanode-on-failure.policy",
            "NEVER",
        );
    }
    if workers <= 10 {
        // Few nodes have all reported as soon as their blocks are; in ms.
        site.set("dfs.namenode.safemode.extension", 5000);
    }
    site.set("dfs.namenode.num.extra.edits.retained", 100_000);
}

/// Threads, by the board.
fn sizes(site: &mut SiteProperties, inputs: &ConfigInputs<'_>) {
    let class = inputs
        .memory
        .node(&inputs.node.name)
        .map_or(MemoryClass::One, |node| node.class);
    let (handlers, transfers) = match class {
        MemoryClass::One => (3, 256),
        MemoryClass::Two => (3, 512),
        MemoryClass::Four => (5, 512),
        MemoryClass::Eight | MemoryClass::Sixteen => (10, 1024),
    };
    site.set("dfs.datanode.handler.count", handlers);
    site.set("dfs.datanode.max.transfer.threads", transfers);
    // Boards lose power. A block that only the page cache held comes back
    // empty, and with as many copies as nodes there is no other node for a new
    // one, so the file would stay a copy short.
    site.set("dfs.datanode.synconclose", true);
}
