//! `mapred-site.xml`.

use super::site::SiteProperties;
use super::{ConfigInputs, Daemon, HadoopVersion, jvm, traffic};

/// What clients, ApplicationMasters and tasks of MapReduce read.
pub(super) fn properties(inputs: &ConfigInputs<'_>) -> SiteProperties {
    let mut site = SiteProperties::default();
    // The default, local, runs a job inside its client: no error, idle workers.
    site.set("mapreduce.framework.name", "yarn");
    let home = format!("HADOOP_MAPRED_HOME={}", inputs.layout.hadoop_home);
    for env in [
        "yarn.app.mapreduce.am.env",
        "mapreduce.map.env",
        "mapreduce.reduce.env",
    ] {
        site.set(env, &home);
    }
    history(&mut site, inputs);
    memory(&mut site, inputs);
    let workers = inputs.worker_count();
    let after_maps = inputs.memory.job.reduce_after_maps;
    traffic::mapred(
        &mut site,
        traffic::slowest_link(inputs.cluster),
        workers,
        after_maps,
    );
    // Snappy comes with snappy-java, whose jar has libraries for every Pi;
    // unlike zstd it needs no libhadoop (SnappyCompressor, since 3.3.1).
    site.set("mapreduce.map.output.compress", true);
    let codec = "org.apache.hadoop.io.compress.SnappyCodec";
    site.set("mapreduce.map.output.compress.codec", codec);
    // Running a slow task twice slows down everything else on the card.
    site.set("mapreduce.map.speculative", false);
    site.set("mapreduce.reduce.speculative", false);
    site.set(
        "mapreduce.client.submit.file.replication",
        inputs.replication(),
    );
    site
}

fn history(site: &mut SiteProperties, inputs: &ConfigInputs<'_>) {
    if !inputs.memory.has(Daemon::JobHistoryServer) {
        // A client with an address asks there how a finished job went, and
        // calls the job failed when nobody answers; with an empty one it
        // believes the ResourceManager (ClientCache, instantiateHistoryProxy).
        site.set("mapreduce.jobhistory.address", "");
        return;
    }
    let at = |purpose| {
        format!(
            "{}:{}",
            inputs.master(),
            Daemon::JobHistoryServer.port(purpose)
        )
    };
    site.set("mapreduce.jobhistory.address", at("rpc"));
    site.set("mapreduce.jobhistory.webapp.address", at("web"));
    site.set("mapreduce.jobhistory.bind-host", "0.0.0.0");
}

fn memory(site: &mut SiteProperties, inputs: &ConfigInputs<'_>) {
    let job = inputs.memory.job;
    for (container, size, options) in [
        (
            job.master,
            "yarn.app.mapreduce.am.resource.mb",
            "yarn.app.mapreduce.am.command-opts",
        ),
        (
            job.map,
            "mapreduce.map.memory.mb",
            "mapreduce.map.java.opts",
        ),
        (
            job.reduce,
            "mapreduce.reduce.memory.mb",
            "mapreduce.reduce.java.opts",
        ),
    ] {
        site.set(size, container.container_mib);
        site.set(options, task_options(container.heap_mib, inputs));
    }
    if job.master.heap_mib <= 256 {
        // An ApplicationMaster waits more than it computes, and of all JVMs in
        // small containers it comes nearest to the limit: 237 MiB were seen of
        // 256 with both compilers.
        let options = task_options(job.master.heap_mib, inputs);
        let one_compiler = format!("{options} -XX:TieredStopAtLevel=1");
        site.set("yarn.app.mapreduce.am.command-opts", one_compiler);
    }
    site.set("mapreduce.task.io.sort.mb", job.sort_mib);
    if job.reduce.heap_mib <= 256 {
        // The default of 0.70 leaves the JVM of a small reduce no room while
        // it fetches.
        site.set("mapreduce.reduce.shuffle.input.buffer.percent", "0.50");
    }
    if inputs.java_major >= 16 && inputs.hadoop_version >= OPENS_BY_KEY {
        site.set("mapreduce.jvm.add-opens-as-default", true);
    }
}

/// The first release that opens packages of java.base to tasks by a key.
const OPENS_BY_KEY: HadoopVersion = HadoopVersion::new(3, 4, 0);

fn task_options(heap_mib: u32, inputs: &ConfigInputs<'_>) -> String {
    let mut options = vec![format!("-Xmx{heap_mib}m")];
    if heap_mib <= jvm::SERIAL_UP_TO_MIB {
        options.push("-XX:+UseSerialGC".to_owned());
    }
    if inputs.java_major >= 16 && inputs.hadoop_version < OPENS_BY_KEY {
        options.extend(jvm::opens());
    }
    options.join(" ")
}
