//! `yarn-site.xml`.

use super::site::SiteProperties;
use super::{ConfigInputs, Daemon};

/// Variables that containers inherit from the NodeManager: Hadoop's default
/// list (yarn-default.xml of 3.5.0), and HADOOP_MAPRED_HOME, without which
/// MRAppMaster is not found.
const INHERITED: &str = "JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,\
                         CLASSPATH_PREPEND_DISTCACHE,HADOOP_YARN_HOME,HADOOP_HOME,\
                         HADOOP_MAPRED_HOME,PATH,LANG,TZ";

/// What ResourceManager, NodeManagers and YARN clients read.
pub(super) fn properties(inputs: &ConfigInputs<'_>) -> SiteProperties {
    let mut site = SiteProperties::default();
    resource_manager(&mut site, inputs);
    node_manager(&mut site, inputs);
    logs(&mut site, inputs);
    site
}

fn resource_manager(site: &mut SiteProperties, inputs: &ConfigInputs<'_>) {
    // Left out, workers look for the ResourceManager at 0.0.0.0: themselves.
    site.set("yarn.resourcemanager.hostname", inputs.master());
    site.set("yarn.resourcemanager.bind-host", "0.0.0.0");
    let scheduler = inputs.memory.scheduler;
    site.set(
        "yarn.scheduler.minimum-allocation-mb",
        scheduler.minimum_mib,
    );
    site.set(
        "yarn.scheduler.maximum-allocation-mb",
        scheduler.maximum_mib,
    );
    site.set(
        "yarn.scheduler.maximum-allocation-vcores",
        scheduler.maximum_vcores,
    );
    // 50 threads each by default; a stack apiece is memory a Pi has use for.
    let threads = inputs.worker_count().clamp(5, 20);
    site.set("yarn.resourcemanager.client.thread-count", 5);
    site.set(
        "yarn.resourcemanager.scheduler.client.thread-count",
        threads,
    );
    site.set(
        "yarn.resourcemanager.resource-tracker.client.thread-count",
        threads,
    );
    // A NodeManager waits for the ResourceManager for ever, where the default
    // gives up after 15 minutes: cards are put in and powered in any order.
    site.set("yarn.resourcemanager.connect.max-wait.ms", -1);
    site.set("yarn.resourcemanager.connect.retry-interval.ms", 5000);
}

fn node_manager(site: &mut SiteProperties, inputs: &ConfigInputs<'_>) {
    let ConfigInputs {
        layout,
        node,
        memory,
        ..
    } = inputs;
    if let Some(containers) = memory.node(&node.name).and_then(|memory| memory.containers) {
        site.set("yarn.nodemanager.hostname", &node.name);
        site.set("yarn.nodemanager.resource.memory-mb", containers.memory_mib);
        site.set("yarn.nodemanager.resource.cpu-vcores", containers.vcores);
    }
    site.set("yarn.nodemanager.bind-host", "0.0.0.0");
    // A fixed port keeps a node's id over restarts; with a random one it is
    // listed twice, once as lost.
    let port = Daemon::NodeManager.port("rpc");
    site.set(
        "yarn.nodemanager.address",
        format!("${{yarn.nodemanager.hostname}}:{port}"),
    );
    site.set("yarn.nodemanager.aux-services", "mapreduce_shuffle");
    site.set("yarn.nodemanager.env-whitelist", INHERITED);
    // A 64-bit JVM with a heap of 200 MB reserves 2.7 GB of addresses, more
    // than the 2.1 times its container that the check allows.
    site.set("yarn.nodemanager.vmem-check-enabled", false);
    site.set("yarn.nodemanager.local-dirs", layout.local_dir());
    site.set("yarn.nodemanager.log-dirs", layout.container_log_dir());
    site.set("yarn.nodemanager.localizer.cache.target-size-mb", 1024);
    site.set("yarn.nodemanager.container-manager.thread-count", 4);
    // The share counts the whole root filesystem; at the default of 90 % a
    // full card makes the node unhealthy and jobs wait without a word.
    let checker = "yarn.nodemanager.disk-health-checker";
    site.set(
        &format!("{checker}.max-disk-utilization-per-disk-percentage"),
        "98.0",
    );
    site.set(&format!("{checker}.min-free-space-per-disk-mb"), 512);
}

/// Logs of containers go to HDFS when an application ends, so that `yarn logs`
/// finds them and no card fills up.
fn logs(site: &mut SiteProperties, inputs: &ConfigInputs<'_>) {
    site.set("yarn.log-aggregation-enable", true);
    site.set("yarn.log-aggregation.retain-seconds", 604_800);
    site.set("yarn.nodemanager.remote-app-log-dir", "/tmp/logs");
    site.set("yarn.nodemanager.log.retain-seconds", 10_800);
    if inputs.memory.has(Daemon::JobHistoryServer) {
        let port = Daemon::JobHistoryServer.port("web");
        let url = format!("http://{}:{port}/jobhistory/logs", inputs.master());
        site.set("yarn.log.server.url", url);
    }
}
