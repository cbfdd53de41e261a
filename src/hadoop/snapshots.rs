//! What whole configuration directories look like.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::defaults;
use super::fixture::{cluster, example, files};
use crate::cluster::ConfigFile;

/// Every file of properties, one `key=value` a line.
fn sites(files: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for file in ConfigFile::ALL {
        let name = file.file_name();
        text.push_str(&format!("[{name}]\n"));
        for (key, value) in defaults::parse(name, &files[name]).unwrap() {
            text.push_str(&format!("{key}={value}\n"));
        }
    }
    text
}

fn environments(files: &BTreeMap<String, String>) -> String {
    ["hadoop-env.sh", "yarn-env.sh", "mapred-env.sh"]
        .map(|name| files[name].as_str())
        .join("\n")
}

#[test]
fn a_directory_has_every_file_hadoop_looks_for() {
    let names: Vec<String> = files(&example(), 0).into_keys().collect();
    assert_eq!(
        names,
        [
            "capacity-scheduler.xml",
            "core-site.xml",
            "hadoop-env.sh",
            "hdfs-site.xml",
            "log4j.properties",
            "mapred-env.sh",
            "mapred-site.xml",
            "workers",
            "yarn-env.sh",
            "yarn-site.xml",
        ]
    );
}

#[test]
fn the_xml_of_a_file() {
    assert_snapshot!(files(&example(), 0)["core-site.xml"], @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <!--
      core-site.xml, written by pidoop from cluster.toml. The next build writes it anew:
      set properties under [hadoop.properties."core-site.xml"] in cluster.toml, not here.
    -->
    <configuration>
      <property>
        <name>fs.defaultFS</name>
        <value>hdfs://master:8020</value>
      </property>
      <property>
        <name>fs.trash.interval</name>
        <value>1440</value>
      </property>
      <property>
        <name>hadoop.http.staticuser.user</name>
        <value>hadoop</value>
      </property>
      <property>
        <name>hadoop.tmp.dir</name>
        <value>/var/lib/hadoop/tmp</value>
      </property>
      <property>
        <name>io.file.buffer.size</name>
        <value>65536</value>
      </property>
    </configuration>
    "#);
}

#[test]
fn the_example_master() {
    let files = files(&example(), 0);
    assert_snapshot!(sites(&files), @r"
    [core-site.xml]
    fs.defaultFS=hdfs://master:8020
    fs.trash.interval=1440
    hadoop.http.staticuser.user=hadoop
    hadoop.tmp.dir=/var/lib/hadoop/tmp
    io.file.buffer.size=65536
    [hdfs-site.xml]
    dfs.blocksize=64m
    dfs.client.block.write.replace-datanode-on-failure.policy=NEVER
    dfs.datanode.balance.bandwidthPerSec=20m
    dfs.datanode.balance.max.concurrent.moves=10
    dfs.datanode.data.dir=file:///var/lib/hadoop/hdfs/data
    dfs.datanode.data.transfer.bandwidthPerSec=30m
    dfs.datanode.data.write.bandwidthPerSec=0
    dfs.datanode.du.reserved=4294967296
    dfs.datanode.du.reserved.calculator=org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.ReservedSpaceCalculator$ReservedSpaceCalculatorAggressive
    dfs.datanode.du.reserved.pct=10
    dfs.datanode.handler.count=5
    dfs.datanode.max.transfer.threads=512
    dfs.datanode.synconclose=true
    dfs.image.transfer.bandwidthPerSec=50m
    dfs.namenode.checkpoint.dir=file:///var/lib/hadoop/hdfs/namesecondary
    dfs.namenode.datanode.registration.ip-hostname-check=false
    dfs.namenode.heartbeat.recheck-interval=300000
    dfs.namenode.http-address=master:9870
    dfs.namenode.http-bind-host=0.0.0.0
    dfs.namenode.https-bind-host=0.0.0.0
    dfs.namenode.lifeline.rpc-bind-host=0.0.0.0
    dfs.namenode.name.dir=file:///var/lib/hadoop/hdfs/name
    dfs.namenode.num.extra.edits.retained=100000
    dfs.namenode.replication.max-streams=2
    dfs.namenode.replication.max-streams-hard-limit=4
    dfs.namenode.replication.work.multiplier.per.iteration=2
    dfs.namenode.rpc-bind-host=0.0.0.0
    dfs.namenode.safemode.extension=5000
    dfs.namenode.secondary.http-address=master:9868
    dfs.namenode.servicerpc-bind-host=0.0.0.0
    dfs.permissions.superusergroup=hadoop
    dfs.replication=2
    [yarn-site.xml]
    yarn.log-aggregation-enable=true
    yarn.log-aggregation.retain-seconds=604800
    yarn.log.server.url=http://master:19888/jobhistory/logs
    yarn.nodemanager.address=${yarn.nodemanager.hostname}:45454
    yarn.nodemanager.aux-services=mapreduce_shuffle
    yarn.nodemanager.bind-host=0.0.0.0
    yarn.nodemanager.container-manager.thread-count=4
    yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage=98.0
    yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb=512
    yarn.nodemanager.env-whitelist=JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,CLASSPATH_PREPEND_DISTCACHE,HADOOP_YARN_HOME,HADOOP_HOME,HADOOP_MAPRED_HOME,PATH,LANG,TZ
    yarn.nodemanager.local-dirs=/var/lib/hadoop/yarn/local
    yarn.nodemanager.localizer.cache.target-size-mb=1024
    yarn.nodemanager.log-dirs=/var/log/hadoop/userlogs
    yarn.nodemanager.log.retain-seconds=10800
    yarn.nodemanager.remote-app-log-dir=/tmp/logs
    yarn.nodemanager.vmem-check-enabled=false
    yarn.resourcemanager.bind-host=0.0.0.0
    yarn.resourcemanager.client.thread-count=5
    yarn.resourcemanager.connect.max-wait.ms=-1
    yarn.resourcemanager.connect.retry-interval.ms=5000
    yarn.resourcemanager.hostname=master
    yarn.resourcemanager.resource-tracker.client.thread-count=5
    yarn.resourcemanager.scheduler.client.thread-count=5
    yarn.scheduler.maximum-allocation-mb=2560
    yarn.scheduler.maximum-allocation-vcores=4
    yarn.scheduler.minimum-allocation-mb=256
    [mapred-site.xml]
    mapreduce.client.submit.file.replication=2
    mapreduce.framework.name=yarn
    mapreduce.job.reduce.slowstart.completedmaps=0.8
    mapreduce.job.running.map.limit=0
    mapreduce.job.running.reduce.limit=0
    mapreduce.jobhistory.address=master:10020
    mapreduce.jobhistory.bind-host=0.0.0.0
    mapreduce.jobhistory.webapp.address=master:19888
    mapreduce.jvm.add-opens-as-default=true
    mapreduce.map.env=HADOOP_MAPRED_HOME=/opt/hadoop
    mapreduce.map.java.opts=-Xmx384m -XX:+UseSerialGC
    mapreduce.map.memory.mb=512
    mapreduce.map.output.compress=true
    mapreduce.map.output.compress.codec=org.apache.hadoop.io.compress.SnappyCodec
    mapreduce.map.speculative=false
    mapreduce.reduce.env=HADOOP_MAPRED_HOME=/opt/hadoop
    mapreduce.reduce.java.opts=-Xmx614m
    mapreduce.reduce.memory.mb=768
    mapreduce.reduce.shuffle.parallelcopies=4
    mapreduce.reduce.speculative=false
    mapreduce.shuffle.max.threads=0
    mapreduce.task.io.sort.mb=128
    yarn.app.mapreduce.am.command-opts=-Xmx384m -XX:+UseSerialGC
    yarn.app.mapreduce.am.env=HADOOP_MAPRED_HOME=/opt/hadoop
    yarn.app.mapreduce.am.resource.mb=512
    [capacity-scheduler.xml]
    yarn.scheduler.capacity.maximum-am-resource-percent=0.5
    yarn.scheduler.capacity.maximum-applications=100
    yarn.scheduler.capacity.node-locality-delay=2
    yarn.scheduler.capacity.resource-calculator=org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator
    yarn.scheduler.capacity.root.default.acl_administer_queue=*
    yarn.scheduler.capacity.root.default.acl_submit_applications=*
    yarn.scheduler.capacity.root.default.capacity=100
    yarn.scheduler.capacity.root.default.maximum-capacity=100
    yarn.scheduler.capacity.root.default.state=RUNNING
    yarn.scheduler.capacity.root.default.user-limit-factor=1
    yarn.scheduler.capacity.root.queues=default
    ");
    assert_snapshot!(environments(&files), @r#"
    # hadoop-env.sh of master, written by pidoop from cluster.toml. The next build writes it
    # anew: change cluster.toml, not this file.

    # Where things are.
    export JAVA_HOME="/opt/java"
    export HADOOP_HOME="/opt/hadoop"
    export HADOOP_CONF_DIR="${HADOOP_CONF_DIR:-/opt/hadoop/etc/hadoop}"
    export HADOOP_LOG_DIR="${HADOOP_LOG_DIR:-/var/log/hadoop}"
    export HADOOP_PID_DIR="${HADOOP_PID_DIR:-/run/hadoop}"

    # In the foreground, as under systemd, to the journal; by hand, to files.
    export HADOOP_ROOT_LOGGER="${HADOOP_ROOT_LOGGER:-${HADOOP_LOGLEVEL:-INFO},console}"
    export HADOOP_DAEMON_ROOT_LOGGER="${HADOOP_DAEMON_ROOT_LOGGER:-${HADOOP_LOGLEVEL:-INFO},RFA}"

    # glibc keeps one pool of memory per thread otherwise, 64 MB apart.
    export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"

    # Commands; without a limit each would take a quarter of the memory.
    export HADOOP_HEAPSIZE_MAX="${HADOOP_HEAPSIZE_MAX:-256m}"
    export HADOOP_CLIENT_OPTS="${HADOOP_CLIENT_OPTS:--Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k}"

    # NameNode: a heap of 512 MiB.
    export HDFS_NAMENODE_OPTS="-Xmx512m -Xms16m -XX:+UseSerialGC -Xss512k -XX:MaxMetaspaceSize=128m -XX:+ExitOnOutOfMemoryError"

    # SecondaryNameNode: a heap of 384 MiB.
    export HDFS_SECONDARYNAMENODE_OPTS="-Xmx384m -Xms16m -XX:+UseSerialGC -Xss512k -XX:MaxMetaspaceSize=128m -XX:+ExitOnOutOfMemoryError"

    # yarn-env.sh of master, written by pidoop from cluster.toml. The next build writes it
    # anew: change cluster.toml, not this file.

    # ResourceManager: a heap of 512 MiB.
    export YARN_RESOURCEMANAGER_OPTS="-Xmx512m -Xms16m -XX:+UseSerialGC -Xss512k -XX:MaxMetaspaceSize=160m -XX:+ExitOnOutOfMemoryError"

    # mapred-env.sh of master, written by pidoop from cluster.toml. The next build writes it
    # anew: change cluster.toml, not this file.

    # JobHistoryServer: a heap of 256 MiB.
    export MAPRED_HISTORYSERVER_OPTS="-Xmx256m -Xms16m -XX:+UseSerialGC -Xss512k -XX:MaxMetaspaceSize=160m -XX:+ExitOnOutOfMemoryError"
    "#);
    assert_snapshot!(files["workers"], @r"
    worker1
    worker2
    ");
}

#[test]
fn the_example_worker_differs_only_in_names_and_sizes() {
    let (master, worker) = (files(&example(), 0), files(&example(), 1));
    let (master, worker) = (sites(&master), sites(&worker));
    let differing: Vec<&str> = worker
        .lines()
        .filter(|line| !master.lines().any(|other| other == *line))
        .collect();
    assert_snapshot!(differing.join("\n"), @r"
    dfs.datanode.hostname=worker1
    yarn.nodemanager.hostname=worker1
    yarn.nodemanager.resource.cpu-vcores=4
    yarn.nodemanager.resource.memory-mb=2560
    ");
    assert!(
        master
            .lines()
            .all(|line| worker.lines().any(|other| other == line))
    );
}

#[test]
fn a_1_gb_worker_on_100_mbit() {
    let files = files(&cluster(&["pi3-1gb", "pi3-1gb", "pi3-1gb"]), 1);
    assert_snapshot!(sites(&files), @r"
    [core-site.xml]
    fs.defaultFS=hdfs://master:8020
    fs.trash.interval=1440
    hadoop.http.staticuser.user=hadoop
    hadoop.tmp.dir=/var/lib/hadoop/tmp
    io.file.buffer.size=65536
    [hdfs-site.xml]
    dfs.blocksize=64m
    dfs.client.block.write.replace-datanode-on-failure.policy=NEVER
    dfs.datanode.balance.bandwidthPerSec=2m
    dfs.datanode.balance.max.concurrent.moves=4
    dfs.datanode.data.dir=file:///var/lib/hadoop/hdfs/data
    dfs.datanode.data.transfer.bandwidthPerSec=4m
    dfs.datanode.data.write.bandwidthPerSec=6m
    dfs.datanode.du.reserved=4294967296
    dfs.datanode.du.reserved.calculator=org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.ReservedSpaceCalculator$ReservedSpaceCalculatorAggressive
    dfs.datanode.du.reserved.pct=10
    dfs.datanode.handler.count=3
    dfs.datanode.hostname=worker1
    dfs.datanode.max.transfer.threads=256
    dfs.datanode.synconclose=true
    dfs.image.transfer.bandwidthPerSec=4m
    dfs.namenode.checkpoint.dir=file:///var/lib/hadoop/hdfs/namesecondary
    dfs.namenode.datanode.registration.ip-hostname-check=false
    dfs.namenode.heartbeat.recheck-interval=600000
    dfs.namenode.http-address=master:9870
    dfs.namenode.http-bind-host=0.0.0.0
    dfs.namenode.https-bind-host=0.0.0.0
    dfs.namenode.lifeline.rpc-bind-host=0.0.0.0
    dfs.namenode.name.dir=file:///var/lib/hadoop/hdfs/name
    dfs.namenode.num.extra.edits.retained=100000
    dfs.namenode.replication.max-streams=1
    dfs.namenode.replication.max-streams-hard-limit=2
    dfs.namenode.replication.work.multiplier.per.iteration=1
    dfs.namenode.rpc-bind-host=0.0.0.0
    dfs.namenode.safemode.extension=5000
    dfs.namenode.secondary.http-address=master:9868
    dfs.namenode.servicerpc-bind-host=0.0.0.0
    dfs.permissions.superusergroup=hadoop
    dfs.replication=2
    [yarn-site.xml]
    yarn.log-aggregation-enable=true
    yarn.log-aggregation.retain-seconds=604800
    yarn.nodemanager.address=${yarn.nodemanager.hostname}:45454
    yarn.nodemanager.aux-services=mapreduce_shuffle
    yarn.nodemanager.bind-host=0.0.0.0
    yarn.nodemanager.container-manager.thread-count=4
    yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage=98.0
    yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb=512
    yarn.nodemanager.env-whitelist=JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,CLASSPATH_PREPEND_DISTCACHE,HADOOP_YARN_HOME,HADOOP_HOME,HADOOP_MAPRED_HOME,PATH,LANG,TZ
    yarn.nodemanager.hostname=worker1
    yarn.nodemanager.local-dirs=/var/lib/hadoop/yarn/local
    yarn.nodemanager.localizer.cache.target-size-mb=1024
    yarn.nodemanager.log-dirs=/var/log/hadoop/userlogs
    yarn.nodemanager.log.retain-seconds=10800
    yarn.nodemanager.remote-app-log-dir=/tmp/logs
    yarn.nodemanager.resource.cpu-vcores=2
    yarn.nodemanager.resource.memory-mb=256
    yarn.nodemanager.vmem-check-enabled=false
    yarn.resourcemanager.bind-host=0.0.0.0
    yarn.resourcemanager.client.thread-count=5
    yarn.resourcemanager.connect.max-wait.ms=-1
    yarn.resourcemanager.connect.retry-interval.ms=5000
    yarn.resourcemanager.hostname=master
    yarn.resourcemanager.resource-tracker.client.thread-count=5
    yarn.resourcemanager.scheduler.client.thread-count=5
    yarn.scheduler.maximum-allocation-mb=256
    yarn.scheduler.maximum-allocation-vcores=2
    yarn.scheduler.minimum-allocation-mb=128
    [mapred-site.xml]
    mapreduce.client.submit.file.replication=2
    mapreduce.framework.name=yarn
    mapreduce.job.reduce.slowstart.completedmaps=1.0
    mapreduce.job.running.map.limit=4
    mapreduce.job.running.reduce.limit=2
    mapreduce.jobhistory.address=
    mapreduce.jvm.add-opens-as-default=true
    mapreduce.map.env=HADOOP_MAPRED_HOME=/opt/hadoop
    mapreduce.map.java.opts=-Xmx128m -XX:+UseSerialGC
    mapreduce.map.memory.mb=256
    mapreduce.map.output.compress=true
    mapreduce.map.output.compress.codec=org.apache.hadoop.io.compress.SnappyCodec
    mapreduce.map.speculative=false
    mapreduce.reduce.env=HADOOP_MAPRED_HOME=/opt/hadoop
    mapreduce.reduce.java.opts=-Xmx128m -XX:+UseSerialGC
    mapreduce.reduce.memory.mb=256
    mapreduce.reduce.shuffle.input.buffer.percent=0.50
    mapreduce.reduce.shuffle.parallelcopies=2
    mapreduce.reduce.speculative=false
    mapreduce.shuffle.max.threads=2
    mapreduce.task.io.sort.mb=48
    yarn.app.mapreduce.am.command-opts=-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
    yarn.app.mapreduce.am.env=HADOOP_MAPRED_HOME=/opt/hadoop
    yarn.app.mapreduce.am.resource.mb=256
    [capacity-scheduler.xml]
    yarn.scheduler.capacity.maximum-am-resource-percent=0.5
    yarn.scheduler.capacity.maximum-applications=100
    yarn.scheduler.capacity.node-locality-delay=2
    yarn.scheduler.capacity.resource-calculator=org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator
    yarn.scheduler.capacity.root.default.acl_administer_queue=*
    yarn.scheduler.capacity.root.default.acl_submit_applications=*
    yarn.scheduler.capacity.root.default.capacity=100
    yarn.scheduler.capacity.root.default.maximum-capacity=100
    yarn.scheduler.capacity.root.default.state=RUNNING
    yarn.scheduler.capacity.root.default.user-limit-factor=1
    yarn.scheduler.capacity.root.queues=default
    ");
    assert_snapshot!(environments(&files), @r#"
    # hadoop-env.sh of worker1, written by pidoop from cluster.toml. The next build writes it
    # anew: change cluster.toml, not this file.

    # Where things are.
    export JAVA_HOME="/opt/java"
    export HADOOP_HOME="/opt/hadoop"
    export HADOOP_CONF_DIR="${HADOOP_CONF_DIR:-/opt/hadoop/etc/hadoop}"
    export HADOOP_LOG_DIR="${HADOOP_LOG_DIR:-/var/log/hadoop}"
    export HADOOP_PID_DIR="${HADOOP_PID_DIR:-/run/hadoop}"

    # In the foreground, as under systemd, to the journal; by hand, to files.
    export HADOOP_ROOT_LOGGER="${HADOOP_ROOT_LOGGER:-${HADOOP_LOGLEVEL:-INFO},console}"
    export HADOOP_DAEMON_ROOT_LOGGER="${HADOOP_DAEMON_ROOT_LOGGER:-${HADOOP_LOGLEVEL:-INFO},RFA}"

    # glibc keeps one pool of memory per thread otherwise, 64 MB apart.
    export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"

    # Commands; without a limit each would take a quarter of the memory.
    export HADOOP_HEAPSIZE_MAX="${HADOOP_HEAPSIZE_MAX:-128m}"
    export HADOOP_CLIENT_OPTS="${HADOOP_CLIENT_OPTS:--Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k}"

    # DataNode: a heap of 80 MiB.
    export HDFS_DATANODE_OPTS="-Xmx80m -Xms16m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k -XX:MaxMetaspaceSize=128m -XX:MaxDirectMemorySize=64m -XX:+ExitOnOutOfMemoryError"

    # yarn-env.sh of worker1, written by pidoop from cluster.toml. The next build writes it
    # anew: change cluster.toml, not this file.

    # NodeManager: a heap of 96 MiB.
    export YARN_NODEMANAGER_OPTS="-Xmx96m -Xms16m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k -XX:MaxMetaspaceSize=160m -XX:+ExitOnOutOfMemoryError"

    # mapred-env.sh of worker1, written by pidoop from cluster.toml. The next build writes it
    # anew: change cluster.toml, not this file.
    "#);
}

#[test]
fn logs_stay_small() {
    assert_snapshot!(files(&example(), 0)["log4j.properties"], @r"
    # Written by pidoop; the next build writes it anew.
    # The launchers set hadoop.root.logger, hadoop.log.dir and hadoop.log.file.
    hadoop.root.logger=INFO,console
    hadoop.log.dir=/var/log/hadoop
    hadoop.log.file=hadoop.log
    log4j.rootLogger=${hadoop.root.logger}

    # Standard error: a person's terminal, or the journal under systemd.
    log4j.appender.console=org.apache.log4j.ConsoleAppender
    log4j.appender.console.target=System.err
    log4j.appender.console.layout=org.apache.log4j.PatternLayout
    log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n

    # A file, for daemons started with --daemon.
    log4j.appender.RFA=org.apache.log4j.RollingFileAppender
    log4j.appender.RFA.File=${hadoop.log.dir}/${hadoop.log.file}
    log4j.appender.RFA.MaxFileSize=10MB
    log4j.appender.RFA.MaxBackupIndex=2
    log4j.appender.RFA.layout=org.apache.log4j.PatternLayout
    log4j.appender.RFA.layout.ConversionPattern=%d{ISO8601} %p %c: %m%n

    # Swallows what it is given.
    log4j.appender.NullAppender=org.apache.log4j.varia.NullAppender

    # Who did what: off, and to a file of its own when hdfs.audit.logger or
    # hadoop.security.logger is set to INFO,RFAS.
    hadoop.security.logger=INFO,NullAppender
    hdfs.audit.logger=INFO,NullAppender
    log4j.category.SecurityLogger=${hadoop.security.logger}
    log4j.additivity.SecurityLogger=false
    log4j.logger.org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit=${hdfs.audit.logger}
    log4j.additivity.org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit=false
    log4j.appender.RFAS=org.apache.log4j.RollingFileAppender
    log4j.appender.RFAS.File=${hadoop.log.dir}/audit-${hadoop.log.file}
    log4j.appender.RFAS.MaxFileSize=10MB
    log4j.appender.RFAS.MaxBackupIndex=2
    log4j.appender.RFAS.layout=org.apache.log4j.PatternLayout
    log4j.appender.RFAS.layout.ConversionPattern=%d{ISO8601} %p %c: %m%n

    # A line for each block of each file, which is a lot to write to a card.
    log4j.logger.BlockStateChange=WARN
    ");
}
