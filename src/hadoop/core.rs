//! `core-site.xml`.

use super::site::SiteProperties;
use super::{ConfigInputs, Daemon, topology};

/// What every Hadoop program on the node reads.
pub(super) fn properties(inputs: &ConfigInputs<'_>) -> SiteProperties {
    let ConfigInputs { layout, .. } = inputs;
    let mut site = SiteProperties::default();
    let port = Daemon::NameNode.port("rpc");
    site.set("fs.defaultFS", format!("hdfs://{}:{port}", inputs.master()));
    site.set("hadoop.tmp.dir", layout.tmp_dir());
    site.set("io.file.buffer.size", 65536);
    // A day in the trash before a deleted file is gone, in minutes.
    site.set("fs.trash.interval", 1440);
    // The web pages read files as this user; dr.who may read nothing.
    site.set("hadoop.http.staticuser.user", &layout.user);
    if topology::has_racks(inputs.cluster) {
        // A table needs no process for each address, unlike a script.
        let table = "org.apache.hadoop.net.TableMapping";
        site.set("net.topology.node.switch.mapping.impl", table);
        site.set("net.topology.table.file.name", layout.topology_table());
    }
    site
}
