//! `hadoop-env.sh`, `yarn-env.sh` and `mapred-env.sh`.
//!
//! They hold what launchers read whoever calls them: systemd and shells that
//! are not interactive know no `.bashrc`, hence "JAVA_HOME is not set".

use super::compat::opens_by_hand;
use super::{ConfigInputs, Daemon, Layout, jvm};

/// Lines of shell that set variables.
struct Script(String);

impl Script {
    fn new(name: &str, inputs: &ConfigInputs<'_>) -> Self {
        Self(format!(
            "# {name} of {}, written by pidoop from cluster.toml. The next build writes it\n\
             # anew: change cluster.toml, not this file.\n",
            inputs.node.name
        ))
    }

    fn comment(&mut self, text: &str) {
        self.0.push_str(&format!("\n# {text}\n"));
    }

    /// Sets a variable whatever the caller's environment says.
    fn export(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("export {name}=\"{value}\"\n"));
    }

    /// Sets a variable unless the caller's environment does.
    fn default(&mut self, name: &str, value: &str) {
        self.0
            .push_str(&format!("export {name}=\"${{{name}:-{value}}}\"\n"));
    }

    /// Sets the options of those of `daemons` that the node runs.
    fn daemons(&mut self, inputs: &ConfigInputs<'_>, daemons: &[Daemon]) {
        let Some(node) = inputs.memory.node(&inputs.node.name) else {
            return;
        };
        for daemon in daemons {
            if let Some(heap_mib) = node.heaps_mib.get(daemon) {
                let options = jvm::daemon(*daemon, *heap_mib, node.class);
                self.comment(&format!("{daemon}: a heap of {heap_mib} MiB."));
                self.export(daemon.opts_variable(), &options);
            }
        }
    }
}

/// `hadoop-env.sh`, which every command reads.
pub(super) fn hadoop(inputs: &ConfigInputs<'_>) -> String {
    let Layout {
        hadoop_home,
        java_home,
        conf_dir,
        log_dir,
        run_dir,
        ..
    } = inputs.layout;
    let mut script = Script::new("hadoop-env.sh", inputs);
    script.comment("Where things are.");
    script.export("JAVA_HOME", java_home.as_str());
    script.export("HADOOP_HOME", hadoop_home.as_str());
    script.default("HADOOP_CONF_DIR", conf_dir.as_str());
    script.default("HADOOP_LOG_DIR", log_dir.as_str());
    script.default("HADOOP_PID_DIR", run_dir.as_str());
    script.comment("In the foreground, as under systemd, to the journal; by hand, to files.");
    script.default("HADOOP_ROOT_LOGGER", "${HADOOP_LOGLEVEL:-INFO},console");
    script.default("HADOOP_DAEMON_ROOT_LOGGER", "${HADOOP_LOGLEVEL:-INFO},RFA");
    script.comment("glibc keeps one pool of memory per thread otherwise, 64 MB apart.");
    script.default("MALLOC_ARENA_MAX", "2");
    if opens_by_hand(inputs.java_major, inputs.hadoop_version) {
        script.comment("This release does not open java.base to itself on Java 16 and later.");
        script.export("HADOOP_OPTS", &jvm::opens().collect::<Vec<_>>().join(" "));
    }
    let node = inputs.memory.node(&inputs.node.name);
    let client_heap_mib = node.map_or(128, |node| node.client_heap_mib);
    script.comment("Commands; without a limit each would take a quarter of the memory.");
    script.default("HADOOP_HEAPSIZE_MAX", &format!("{client_heap_mib}m"));
    script.default("HADOOP_CLIENT_OPTS", &jvm::client(client_heap_mib));
    script.daemons(
        inputs,
        &[
            Daemon::NameNode,
            Daemon::SecondaryNameNode,
            Daemon::DataNode,
        ],
    );
    script.0
}

/// `yarn-env.sh`, which `yarn` reads.
pub(super) fn yarn(inputs: &ConfigInputs<'_>) -> String {
    let mut script = Script::new("yarn-env.sh", inputs);
    script.daemons(inputs, &[Daemon::ResourceManager, Daemon::NodeManager]);
    script.0
}

/// `mapred-env.sh`, which `mapred` reads.
pub(super) fn mapred(inputs: &ConfigInputs<'_>) -> String {
    let mut script = Script::new("mapred-env.sh", inputs);
    script.daemons(inputs, &[Daemon::JobHistoryServer]);
    script.0
}
