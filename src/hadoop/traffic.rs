//! Limits that keep Hadoop's traffic within the network.
//!
//! What loads a small switch is the write pipeline, the shuffle, the copies
//! made after a node is taken for dead, and the balancer. On 100 Mbit/s the
//! wire is the limit and each of them gets a share of its 11 MB/s; on 1 Gbit/s
//! the card is.

use super::site::SiteProperties;
use crate::cluster::{Cluster, LinkSpeed, Node};

/// The slowest link: what the user says, or else the slowest node's.
pub(super) fn slowest_link(cluster: &Cluster) -> LinkSpeed {
    let nodes = || cluster.nodes.iter().map(Node::link).min();
    cluster
        .network
        .link
        .or_else(nodes)
        .unwrap_or(LinkSpeed::Gigabit)
}

/// Picks a value for 100 Mbit/s, 300 Mbit/s or 1 Gbit/s.
fn by<T: Copy>(link: LinkSpeed, [fast, usb, gigabit]: [T; 3]) -> T {
    match link {
        LinkSpeed::Fast => fast,
        LinkSpeed::UsbGigabit => usb,
        LinkSpeed::Gigabit => gigabit,
    }
}

/// Throttles of `hdfs-site.xml`.
pub(super) fn hdfs(site: &mut SiteProperties, link: LinkSpeed) {
    site.set(
        "dfs.datanode.balance.bandwidthPerSec",
        by(link, ["2m", "6m", "20m"]),
    );
    site.set(
        "dfs.datanode.balance.max.concurrent.moves",
        by(link, [4, 6, 10]),
    );
    site.set(
        "dfs.datanode.data.transfer.bandwidthPerSec",
        by(link, ["4m", "10m", "30m"]),
    );
    // A client's writes: on gigabit the card slows them down enough.
    site.set(
        "dfs.datanode.data.write.bandwidthPerSec",
        by(link, ["6m", "16m", "0"]),
    );
    site.set(
        "dfs.image.transfer.bandwidthPerSec",
        by(link, ["4m", "12m", "50m"]),
    );
    site.set("dfs.namenode.replication.max-streams", by(link, [1, 2, 2]));
    site.set(
        "dfs.namenode.replication.max-streams-hard-limit",
        by(link, [2, 3, 4]),
    );
    site.set(
        "dfs.namenode.replication.work.multiplier.per.iteration",
        by(link, [1, 1, 2]),
    );
    // A DataNode counts as dead after twice this and 30 s: 20.5 minutes on a
    // slow network, where copying its blocks again for a slow reboot hurts.
    site.set(
        "dfs.namenode.heartbeat.recheck-interval",
        by(link, [600_000, 450_000, 300_000]),
    );
}

/// Shuffle limits of `mapred-site.xml`, for a cluster of `workers` workers.
pub(super) fn mapred(
    site: &mut SiteProperties,
    link: LinkSpeed,
    workers: usize,
    reduce_after_maps: bool,
) {
    site.set(
        "mapreduce.reduce.shuffle.parallelcopies",
        by(link, [2, 3, 4]),
    );
    site.set("mapreduce.shuffle.max.threads", by(link, [2, 4, 0]));
    // Reduces that start early hold containers while they wait for maps; where
    // there is no room for both, no map would run.
    let slowstart = if reduce_after_maps {
        "1.0"
    } else {
        by(link, ["1.0", "0.9", "0.8"])
    };
    site.set("mapreduce.job.reduce.slowstart.completedmaps", slowstart);
    site.set(
        "mapreduce.job.running.map.limit",
        by(link, [2 * workers, 0, 0]),
    );
    site.set(
        "mapreduce.job.running.reduce.limit",
        by(link, [workers, 0, 0]),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hadoop::fixture::cluster;

    #[test]
    fn the_slowest_node_decides_unless_the_user_does() {
        let mut mixed = cluster(&["pi4-4gb", "pi4-4gb", "pi3plus-1gb"]);
        assert_eq!(slowest_link(&mixed), LinkSpeed::UsbGigabit);
        mixed.network.link = Some(LinkSpeed::Fast);
        assert_eq!(slowest_link(&mixed), LinkSpeed::Fast);
        assert_eq!(
            slowest_link(&cluster(&["pi5-8gb", "pi5-8gb"])),
            LinkSpeed::Gigabit
        );
        let mut wireless = cluster(&["pi5-8gb", "pi5-8gb"]);
        wireless.nodes[1].wifi = true;
        assert_eq!(slowest_link(&wireless), LinkSpeed::Fast);
    }

    #[test]
    fn reduces_wait_where_there_is_no_room() {
        let mut site = SiteProperties::default();
        mapred(&mut site, LinkSpeed::Gigabit, 2, true);
        assert_eq!(
            site.get("mapreduce.job.reduce.slowstart.completedmaps"),
            Some("1.0")
        );
        mapred(&mut site, LinkSpeed::Gigabit, 2, false);
        assert_eq!(
            site.get("mapreduce.job.reduce.slowstart.completedmaps"),
            Some("0.8")
        );
    }
}
