//! Names properties had before, or have only in guides.

/// Old names with the names that replaced them, sorted. Most are those Hadoop
/// still translates, with a warning in a log few people read
/// (`Configuration`, `HdfsConfiguration` and `ConfigUtil` of 3.5.0); some are
/// mistakes that guides copy from each other, which nothing translates.
const RENAMED: &[(&str, &str)] = &[
    (
        "dfs.access.time.precision",
        "dfs.namenode.accesstime.precision",
    ),
    (
        "dfs.balance.bandwidthPerSec",
        "dfs.datanode.balance.bandwidthPerSec",
    ),
    ("dfs.block.size", "dfs.blocksize"),
    ("dfs.data.dir", "dfs.datanode.data.dir"),
    (
        "dfs.datanode.max.xceivers",
        "dfs.datanode.max.transfer.threads",
    ),
    (
        "dfs.datanode.max.xcievers",
        "dfs.datanode.max.transfer.threads",
    ),
    ("dfs.datanode.name.dir", "dfs.namenode.name.dir"),
    ("dfs.df.interval", "fs.df.interval"),
    (
        "dfs.encryption.key.provider.uri",
        "hadoop.security.key.provider.path",
    ),
    ("dfs.http.address", "dfs.namenode.http-address"),
    ("dfs.https.address", "dfs.namenode.https-address"),
    (
        "dfs.https.client.keystore.resource",
        "dfs.client.https.keystore.resource",
    ),
    ("dfs.https.need.client.auth", "dfs.client.https.need-auth"),
    (
        "dfs.max-repl-streams",
        "dfs.namenode.replication.max-streams",
    ),
    ("dfs.name.dir", "dfs.namenode.name.dir"),
    ("dfs.name.dir.restore", "dfs.namenode.name.dir.restore"),
    ("dfs.name.edits.dir", "dfs.namenode.edits.dir"),
    ("dfs.namenode.data.dir", "dfs.datanode.data.dir"),
    (
        "dfs.namenode.replication.considerLoad",
        "dfs.namenode.redundancy.considerLoad",
    ),
    (
        "dfs.namenode.replication.considerLoad.factor",
        "dfs.namenode.redundancy.considerLoad.factor",
    ),
    (
        "dfs.namenode.replication.interval",
        "dfs.namenode.redundancy.interval.seconds",
    ),
    (
        "dfs.namenode.replication.pending.timeout-sec",
        "dfs.namenode.reconstruction.pending.timeout-sec",
    ),
    ("dfs.permissions", "dfs.permissions.enabled"),
    (
        "dfs.permissions.supergroup",
        "dfs.permissions.superusergroup",
    ),
    ("dfs.read.prefetch.size", "dfs.client.read.prefetch.size"),
    (
        "dfs.replication.considerLoad",
        "dfs.namenode.redundancy.considerLoad",
    ),
    (
        "dfs.replication.interval",
        "dfs.namenode.redundancy.interval.seconds",
    ),
    ("dfs.replication.min", "dfs.namenode.replication.min"),
    (
        "dfs.replication.pending.timeout.sec",
        "dfs.namenode.reconstruction.pending.timeout-sec",
    ),
    ("dfs.safemode.extension", "dfs.namenode.safemode.extension"),
    (
        "dfs.safemode.threshold.pct",
        "dfs.namenode.safemode.threshold-pct",
    ),
    (
        "dfs.secondary.http.address",
        "dfs.namenode.secondary.http-address",
    ),
    ("dfs.socket.timeout", "dfs.client.socket-timeout"),
    ("dfs.umaskmode", "fs.permissions.umask-mode"),
    ("dfs.write.packet.size", "dfs.client-write-packet-size"),
    ("fs.checkpoint.dir", "dfs.namenode.checkpoint.dir"),
    (
        "fs.checkpoint.edits.dir",
        "dfs.namenode.checkpoint.edits.dir",
    ),
    ("fs.checkpoint.period", "dfs.namenode.checkpoint.period"),
    ("fs.default.name", "fs.defaultFS"),
    (
        "hadoop.configured.node.mapping",
        "net.topology.configured.node.mapping",
    ),
    (
        "heartbeat.recheck.interval",
        "dfs.namenode.heartbeat.recheck-interval",
    ),
    ("io.bytes.per.checksum", "dfs.bytes-per-checksum"),
    ("io.sort.factor", "mapreduce.task.io.sort.factor"),
    ("io.sort.mb", "mapreduce.task.io.sort.mb"),
    ("io.sort.spill.percent", "mapreduce.map.sort.spill.percent"),
    (
        "job.end.notification.url",
        "mapreduce.job.end-notification.url",
    ),
    (
        "job.end.retry.attempts",
        "mapreduce.job.end-notification.retry.attempts",
    ),
    (
        "job.end.retry.interval",
        "mapreduce.job.end-notification.retry.interval",
    ),
    (
        "jobclient.completion.poll.interval",
        "mapreduce.client.completion.pollinterval",
    ),
    (
        "jobclient.progress.monitor.poll.interval",
        "mapreduce.client.progressmonitor.pollinterval",
    ),
    (
        "keep.failed.task.files",
        "mapreduce.task.files.preserve.failedtasks",
    ),
    (
        "keep.task.files.pattern",
        "mapreduce.task.files.preserve.filepattern",
    ),
    ("mapred.acls.enabled", "mapreduce.cluster.acls.enabled"),
    (
        "mapred.committer.job.setup.cleanup.needed",
        "mapreduce.job.committer.setup.cleanup.needed",
    ),
    (
        "mapred.compress.map.output",
        "mapreduce.map.output.compress",
    ),
    ("mapred.framework.name", "mapreduce.framework.name"),
    (
        "mapred.inmem.merge.threshold",
        "mapreduce.reduce.merge.inmem.threshold",
    ),
    ("mapred.job.map.memory.mb", "mapreduce.map.memory.mb"),
    ("mapred.job.priority", "mapreduce.job.priority"),
    ("mapred.job.queue.name", "mapreduce.job.queuename"),
    (
        "mapred.job.reduce.input.buffer.percent",
        "mapreduce.reduce.input.buffer.percent",
    ),
    (
        "mapred.job.reduce.markreset.buffer.percent",
        "mapreduce.reduce.markreset.buffer.percent",
    ),
    ("mapred.job.reduce.memory.mb", "mapreduce.reduce.memory.mb"),
    (
        "mapred.job.reduce.total.mem.bytes",
        "mapreduce.reduce.memory.totalbytes",
    ),
    (
        "mapred.job.reuse.jvm.num.tasks",
        "mapreduce.job.jvm.numtasks",
    ),
    (
        "mapred.job.shuffle.input.buffer.percent",
        "mapreduce.reduce.shuffle.input.buffer.percent",
    ),
    (
        "mapred.job.shuffle.merge.percent",
        "mapreduce.reduce.shuffle.merge.percent",
    ),
    (
        "mapred.line.input.format.linespermap",
        "mapreduce.input.lineinputformat.linespermap",
    ),
    (
        "mapred.linerecordreader.maxlength",
        "mapreduce.input.linerecordreader.line.maxlength",
    ),
    ("mapred.local.dir", "mapreduce.cluster.local.dir"),
    ("mapred.map.child.env", "mapreduce.map.env"),
    ("mapred.map.child.java.opts", "mapreduce.map.java.opts"),
    ("mapred.map.child.log.level", "mapreduce.map.log.level"),
    ("mapred.map.max.attempts", "mapreduce.map.maxattempts"),
    (
        "mapred.map.output.compression.codec",
        "mapreduce.map.output.compress.codec",
    ),
    ("mapred.map.tasks", "mapreduce.job.maps"),
    (
        "mapred.map.tasks.speculative.execution",
        "mapreduce.map.speculative",
    ),
    (
        "mapred.max.map.failures.percent",
        "mapreduce.map.failures.maxpercent",
    ),
    (
        "mapred.max.reduce.failures.percent",
        "mapreduce.reduce.failures.maxpercent",
    ),
    (
        "mapred.max.split.size",
        "mapreduce.input.fileinputformat.split.maxsize",
    ),
    (
        "mapred.max.tracker.failures",
        "mapreduce.job.maxtaskfailures.per.tracker",
    ),
    (
        "mapred.min.split.size",
        "mapreduce.input.fileinputformat.split.minsize",
    ),
    (
        "mapred.min.split.size.per.node",
        "mapreduce.input.fileinputformat.split.minsize.per.node",
    ),
    (
        "mapred.min.split.size.per.rack",
        "mapreduce.input.fileinputformat.split.minsize.per.rack",
    ),
    (
        "mapred.output.compress",
        "mapreduce.output.fileoutputformat.compress",
    ),
    (
        "mapred.output.compression.codec",
        "mapreduce.output.fileoutputformat.compress.codec",
    ),
    (
        "mapred.output.compression.type",
        "mapreduce.output.fileoutputformat.compress.type",
    ),
    ("mapred.reduce.child.env", "mapreduce.reduce.env"),
    (
        "mapred.reduce.child.java.opts",
        "mapreduce.reduce.java.opts",
    ),
    (
        "mapred.reduce.child.log.level",
        "mapreduce.reduce.log.level",
    ),
    ("mapred.reduce.max.attempts", "mapreduce.reduce.maxattempts"),
    (
        "mapred.reduce.parallel.copies",
        "mapreduce.reduce.shuffle.parallelcopies",
    ),
    (
        "mapred.reduce.slowstart.completed.maps",
        "mapreduce.job.reduce.slowstart.completedmaps",
    ),
    ("mapred.reduce.tasks", "mapreduce.job.reduces"),
    (
        "mapred.reduce.tasks.speculative.execution",
        "mapreduce.reduce.speculative",
    ),
    (
        "mapred.shuffle.connect.timeout",
        "mapreduce.reduce.shuffle.connect.timeout",
    ),
    (
        "mapred.shuffle.read.timeout",
        "mapreduce.reduce.shuffle.read.timeout",
    ),
    (
        "mapred.speculative.execution.slowTaskThreshold",
        "mapreduce.job.speculative.slowtaskthreshold",
    ),
    (
        "mapred.speculative.execution.speculativeCap",
        "mapreduce.job.speculative.speculative-cap-running-tasks",
    ),
    (
        "mapred.submit.replication",
        "mapreduce.client.submit.file.replication",
    ),
    ("mapred.task.profile", "mapreduce.task.profile"),
    ("mapred.task.profile.maps", "mapreduce.task.profile.maps"),
    (
        "mapred.task.profile.params",
        "mapreduce.task.profile.params",
    ),
    (
        "mapred.task.profile.reduces",
        "mapreduce.task.profile.reduces",
    ),
    ("mapred.task.timeout", "mapreduce.task.timeout"),
    ("mapred.userlog.limit.kb", "mapreduce.task.userlog.limit.kb"),
    (
        "mapreduce.am.resource.mb",
        "yarn.app.mapreduce.am.resource.mb",
    ),
    ("mapreduce.job.counters.limit", "mapreduce.job.counters.max"),
    ("mapreduce.job.framework.name", "mapreduce.framework.name"),
    (
        "min.num.spills.for.combine",
        "mapreduce.map.combine.minspills",
    ),
    ("slave.host.name", "dfs.datanode.hostname"),
    (
        "topology.node.switch.mapping.impl",
        "net.topology.node.switch.mapping.impl",
    ),
    ("topology.script.file.name", "net.topology.script.file.name"),
    (
        "topology.script.number.args",
        "net.topology.script.number.args",
    ),
    (
        "yarn.app.mapreduce.am.memory.mb",
        "yarn.app.mapreduce.am.resource.mb",
    ),
    (
        "yarn.app.mapreduce.yarn.app.mapreduce.client-am.ipc.max-retries-on-timeouts",
        "yarn.app.mapreduce.client-am.ipc.max-retries-on-timeouts",
    ),
    (
        "yarn.client.max-nodemanagers-proxies",
        "yarn.client.max-cached-nodemanagers-proxies",
    ),
    (
        "yarn.nodemanager.aux-service",
        "yarn.nodemanager.aux-services",
    ),
    (
        "yarn.nodemanager.memory-mb",
        "yarn.nodemanager.resource.memory-mb",
    ),
    (
        "yarn.resourcemanager.system-metrics-publisher.enabled",
        "yarn.system-metrics-publisher.enabled",
    ),
    ("yarn.resourcemanager.zk-acl", "hadoop.zk.acl"),
    ("yarn.resourcemanager.zk-auth", "hadoop.zk.auth"),
    (
        "yarn.resourcemanager.zk-num-retries",
        "hadoop.zk.num-retries",
    ),
    (
        "yarn.resourcemanager.zk-retry-interval-ms",
        "hadoop.zk.retry-interval-ms",
    ),
    ("yarn.resourcemanager.zk-timeout-ms", "hadoop.zk.timeout-ms"),
];

/// Prefixes of the JobTracker's and TaskTrackers' properties, which YARN has
/// no use for.
const GONE: [&str; 5] = [
    "mapred.job.tracker",
    "mapred.jobtracker.",
    "mapred.tasktracker.",
    "mapreduce.jobtracker.",
    "mapreduce.tasktracker.",
];

/// The name that replaced `key`.
pub(super) fn renamed(key: &str) -> Option<&'static str> {
    let index = RENAMED.binary_search_by_key(&key, |(old, _)| old).ok()?;
    RENAMED.get(index).map(|(_, new)| *new)
}

/// Whether `key` was of a daemon that Hadoop no longer has.
pub(super) fn is_gone(key: &str) -> bool {
    GONE.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_leads_to_no_old_name() {
        assert!(RENAMED.is_sorted_by_key(|(old, _)| old));
        for (old, new) in RENAMED {
            assert_eq!(renamed(new), None, "{old}");
        }
        assert_eq!(renamed("fs.default.name"), Some("fs.defaultFS"));
        assert_eq!(renamed("fs.defaultFS"), None);
    }
}
