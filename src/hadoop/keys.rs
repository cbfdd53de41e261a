//! Whether the properties a user set exist.
//!
//! Hadoop ignores a key it does not know without a word, so a typing error or
//! a name from an old guide looks as if it had been obeyed.

use std::collections::BTreeMap;

use super::value::Shape;
use super::{Defaults, deprecated};
use crate::cluster::{Cluster, ConfigFile, Properties, Property};
use crate::diagnostic::Problem;

/// What every property of the scheduler begins with.
const SCHEDULER: &str = "yarn.scheduler.capacity.";

/// Keys Hadoop reads although no `*-default.xml` has them (constants of
/// `MRJobConfig`, `JHAdminConfig`, `YarnConfiguration` and `DFSConfigKeys` of
/// 3.5.0), as far as they make sense in a site file.
const UNDOCUMENTED: [(ConfigFile, &str); 33] = [
    (ConfigFile::Hdfs, "dfs.datanode.synconclose"),
    (ConfigFile::Hdfs, "dfs.namenode.replqueue.threshold-pct"),
    (ConfigFile::Yarn, "yarn.client.app-submission.poll-interval"),
    (ConfigFile::Yarn, "yarn.nodemanager.user-home-dir"),
    (
        ConfigFile::Yarn,
        "yarn.resourcemanager.am-scheduling.node-blacklisting-enabled",
    ),
    (
        ConfigFile::Yarn,
        "yarn.timeline-service.generic-application-history.enabled",
    ),
    (ConfigFile::Yarn, "yarn.timeline-service.versions"),
    (ConfigFile::Mapred, "mapreduce.admin.map.child.java.opts"),
    (ConfigFile::Mapred, "mapreduce.admin.reduce.child.java.opts"),
    (
        ConfigFile::Mapred,
        "mapreduce.job.counters.counter.name.max",
    ),
    (ConfigFile::Mapred, "mapreduce.job.counters.group.name.max"),
    (ConfigFile::Mapred, "mapreduce.job.counters.groups.max"),
    (ConfigFile::Mapred, "mapreduce.job.jvm.numtasks"),
    (ConfigFile::Mapred, "mapreduce.job.priority"),
    (
        ConfigFile::Mapred,
        "mapreduce.job.speculative.slownodethreshold",
    ),
    (ConfigFile::Mapred, "mapreduce.job.user.classpath.first"),
    (ConfigFile::Mapred, "mapreduce.jobhistory.bind-host"),
    (ConfigFile::Mapred, "mapreduce.map.combine.minspills"),
    (ConfigFile::Mapred, "mapreduce.map.env"),
    (ConfigFile::Mapred, "mapreduce.map.failures.maxpercent"),
    (ConfigFile::Mapred, "mapreduce.map.java.opts"),
    (ConfigFile::Mapred, "mapreduce.reduce.env"),
    (ConfigFile::Mapred, "mapreduce.reduce.failures.maxpercent"),
    (ConfigFile::Mapred, "mapreduce.reduce.java.opts"),
    (
        ConfigFile::Mapred,
        "mapreduce.reduce.merge.memtomem.enabled",
    ),
    (
        ConfigFile::Mapred,
        "mapreduce.reduce.shuffle.maxfetchfailures",
    ),
    (
        ConfigFile::Mapred,
        "mapreduce.task.progress-report.interval",
    ),
    (
        ConfigFile::Mapred,
        "yarn.app.mapreduce.am.job.client.thread-count",
    ),
    (
        ConfigFile::Mapred,
        "yarn.app.mapreduce.am.job.node-blacklisting.enable",
    ),
    (
        ConfigFile::Mapred,
        "yarn.app.mapreduce.am.job.recovery.enable",
    ),
    (
        ConfigFile::Mapred,
        "yarn.app.mapreduce.am.job.reduce.preemption.limit",
    ),
    (
        ConfigFile::Mapred,
        "yarn.app.mapreduce.am.job.reduce.rampup.limit",
    ),
    (
        ConfigFile::Mapred,
        "yarn.app.mapreduce.am.preemption.policy",
    ),
];

/// Beginnings of keys that users name the rest of.
const FAMILIES: [(ConfigFile, &str); 16] = [
    (ConfigFile::Core, "hadoop.proxyuser."),
    (ConfigFile::Core, "hadoop.rpc.socket.factory.class."),
    (ConfigFile::Core, "hadoop.security.crypto.codec.classes."),
    (ConfigFile::Core, "hadoop.security.group.mapping.provider."),
    (ConfigFile::Core, "io.compression.codec."),
    (ConfigFile::Hdfs, "dfs.datanode.du.reserved."),
    (ConfigFile::Yarn, "yarn.nodemanager.admin-env."),
    (ConfigFile::Yarn, "yarn.nodemanager.resource-type."),
    (ConfigFile::Yarn, "yarn.resource-types."),
    (ConfigFile::Yarn, "yarn.scheduler.fair."),
    (ConfigFile::Mapred, "mapreduce.map.env."),
    (ConfigFile::Mapred, "mapreduce.map.resource."),
    (ConfigFile::Mapred, "mapreduce.reduce.env."),
    (ConfigFile::Mapred, "mapreduce.reduce.resource."),
    (ConfigFile::Mapred, "yarn.app.mapreduce.am.env."),
    (ConfigFile::Mapred, "yarn.app.mapreduce.am.resource."),
];

/// Keys that take the id of a nameservice or NameNode behind them.
const PER_NAMESERVICE: [&str; 12] = [
    "dfs.ha.automatic-failover.enabled.",
    "dfs.ha.namenodes.",
    "dfs.client.failover.proxy.provider.",
    "dfs.namenode.http-address.",
    "dfs.namenode.http-bind-host.",
    "dfs.namenode.https-address.",
    "dfs.namenode.name.dir.",
    "dfs.namenode.rpc-address.",
    "dfs.namenode.rpc-bind-host.",
    "dfs.namenode.secondary.http-address.",
    "dfs.namenode.servicerpc-address.",
    "dfs.namenode.shared.edits.dir.",
];

/// Properties, of the cluster and of single nodes, that the release with these
/// `defaults` does not know, keeps in another file, or cannot read the value
/// of.
pub fn check_properties(cluster: &Cluster, defaults: &Defaults) -> Vec<Problem> {
    let check = |properties: &Properties| -> Vec<Problem> {
        properties
            .iter()
            .flat_map(|(file, keys)| keys.iter().map(|(key, property)| (*file, key, property)))
            .filter_map(|(file, key, property)| check_property(file, key, property, defaults))
            .collect()
    };
    std::iter::once(&cluster.properties)
        .chain(cluster.nodes.iter().map(|node| &node.properties))
        .flat_map(check)
        .collect()
}

fn check_property(
    file: ConfigFile,
    key: &str,
    property: &Property,
    defaults: &Defaults,
) -> Option<Problem> {
    if let Some(default) = defaults.of(file).and_then(|keys| keys.get(key)) {
        return check_value(key, property, default);
    }
    let problem = |message: String| Problem::new(property.span.clone(), message);
    if let Some(home) = home_of(key, defaults).filter(|home| *home != file) {
        return Some(
            problem(format!(
                "{key} belongs in {home}, not in {}",
                file.file_name(),
                home = home.file_name()
            ))
            .help(format!(
                "move it to [hadoop.properties.\"{}\"]",
                home.file_name()
            )),
        );
    }
    if let Some(new) = deprecated::renamed(key) {
        let place = match home_of(new, defaults).filter(|home| *home != file) {
            Some(home) => format!(" in [hadoop.properties.\"{}\"]", home.file_name()),
            None => String::new(),
        };
        return Some(
            problem(format!("{key} is an old name of {new}")).help(format!("write {new}{place}")),
        );
    }
    if deprecated::is_gone(key) {
        return Some(
            problem(format!(
                "{key} was for Hadoop 1's JobTracker, nothing reads it today"
            ))
            .help("remove it; YARN runs the jobs, with sizes that pidoop chooses"),
        );
    }
    if is_undocumented(file, key) || is_patterned(file, key, defaults) {
        return None;
    }
    let near = nearest(file, key, defaults);
    // Any file system may have keys below fs., so there only a near miss is
    // taken for one.
    if file == ConfigFile::Core && key.starts_with("fs.") {
        near.as_ref().filter(|near| near.distance <= 2)?;
    }
    let unknown = problem(format!("{} has no property {key}", file.file_name()))
        .label("nothing in this Hadoop release reads it");
    Some(match near {
        Some(Near {
            key, file: home, ..
        }) if home == file => unknown.help(format!("did you mean {key}?")),
        Some(Near {
            key, file: home, ..
        }) => unknown.help(format!("did you mean {key}, in {}?", home.file_name())),
        None => unknown,
    })
}

fn check_value(key: &str, Property { value, span }: &Property, default: &str) -> Option<Problem> {
    let shape = Shape::of(key, default);
    (!shape.fits(value)).then(|| {
        let message = format!("{value:?} is no value for {key}");
        let help = format!("it takes {}; the default is {default}", shape.description());
        Problem::new(span.clone(), message).help(help)
    })
}

/// The file a key is read from.
fn home_of(key: &str, defaults: &Defaults) -> Option<ConfigFile> {
    if let Some(file) = defaults.file_of(key) {
        return Some(file);
    }
    if key.starts_with(SCHEDULER) {
        return Some(ConfigFile::CapacityScheduler);
    }
    UNDOCUMENTED
        .iter()
        .find(|(_, known)| *known == key)
        .map(|(file, _)| *file)
}

fn is_undocumented(file: ConfigFile, key: &str) -> bool {
    UNDOCUMENTED.contains(&(file, key))
        || (file == ConfigFile::CapacityScheduler && key.starts_with(SCHEDULER))
}

/// Whether users make up a part of this key.
fn is_patterned(file: ConfigFile, key: &str, defaults: &Defaults) -> bool {
    let named = |prefix: &str| {
        key.strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty())
    };
    if FAMILIES
        .iter()
        .any(|(home, prefix)| *home == file && named(prefix))
    {
        return true;
    }
    match file {
        ConfigFile::Core => is_rpc_port(key) || is_file_system(key),
        ConfigFile::Hdfs => PER_NAMESERVICE.iter().any(|prefix| named(prefix)),
        ConfigFile::Yarn => is_aux_service(key) || is_of_one_resource_manager(key, defaults),
        _ => false,
    }
}

/// `ipc.8020.callqueue.impl`: a known setting for one port.
fn is_rpc_port(key: &str) -> bool {
    key.strip_prefix("ipc.")
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(port, rest)| port.parse::<u16>().is_ok() && !rest.is_empty())
}

/// `fs.SCHEME.impl` and its abstract kin.
fn is_file_system(key: &str) -> bool {
    key.strip_prefix("fs.")
        .is_some_and(|rest| rest.ends_with(".impl"))
}

/// `yarn.nodemanager.aux-services.NAME.class` and the like.
fn is_aux_service(key: &str) -> bool {
    let settings = ["class", "classpath", "remote-classpath", "system-classes"];
    key.strip_prefix("yarn.nodemanager.aux-services.")
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(name, setting)| !name.is_empty() && settings.contains(&setting))
}

/// `yarn.resourcemanager.hostname.rm1`: an address of one of several.
fn is_of_one_resource_manager(key: &str, defaults: &Defaults) -> bool {
    key.rsplit_once('.').is_some_and(|(base, id)| {
        let of_address = ["address", "hostname", "bind-host"]
            .iter()
            .any(|end| base.ends_with(end));
        let id_fits = id.starts_with("rm") && id.len() > 2;
        of_address
            && id_fits
            && base.starts_with("yarn.resourcemanager.")
            && defaults.yarn.contains_key(base)
    })
}

/// A known key that resembles one that is not.
struct Near {
    distance: usize,
    file: ConfigFile,
    key: String,
}

/// The known key that is nearest to `key`, if any is near; of equals one of
/// `file`.
fn nearest(file: ConfigFile, key: &str, defaults: &Defaults) -> Option<Near> {
    let wanted = key.to_lowercase();
    let limit = (key.len() / 4).max(1);
    let documented = ConfigFile::ALL.into_iter().flat_map(|home| {
        let keys: Option<&BTreeMap<String, String>> = defaults.of(home);
        keys.into_iter()
            .flat_map(BTreeMap::keys)
            .map(move |key| (home, key.as_str()))
    });
    documented
        .chain(UNDOCUMENTED)
        .filter(|(_, known)| known.len().abs_diff(key.len()) <= limit)
        .map(|(home, known)| {
            let distance = strsim::osa_distance(&wanted, &known.to_lowercase());
            (distance, home != file, home, known)
        })
        .filter(|(distance, ..)| *distance <= limit)
        .min()
        .map(|(distance, _, file, known)| Near {
            distance,
            file,
            key: known.to_owned(),
        })
}

#[cfg(test)]
mod tests;
