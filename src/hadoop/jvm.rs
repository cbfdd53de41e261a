//! Options of Java virtual machines on small boards.

use super::{Daemon, MemoryClass};

/// Largest heap collected by one thread. G1 costs some 20 MB more for its
/// tables, which only larger heaps repay.
pub(super) const SERIAL_UP_TO_MIB: u32 = 512;

/// Packages of java.base that Hadoop and its libraries reach into
/// (hadoop-functions.sh of 3.4.2 and later).
const OPENED_PACKAGES: [&str; 11] = [
    "java.io",
    "java.lang",
    "java.lang.reflect",
    "java.math",
    "java.net",
    "java.text",
    "java.util",
    "java.util.concurrent",
    "java.util.zip",
    "sun.security.util",
    "sun.security.x509",
];

/// Options that open those packages; a VM before Java 9 would not start with
/// them.
pub(super) fn opens() -> impl Iterator<Item = String> {
    OPENED_PACKAGES
        .iter()
        .map(|package| format!("--add-opens=java.base/{package}=ALL-UNNAMED"))
}

/// Options for a daemon with this heap on a board of this class.
pub(super) fn daemon(daemon: Daemon, heap_mib: u32, class: MemoryClass) -> String {
    let mut options = vec![format!("-Xmx{heap_mib}m")];
    if heap_mib <= SERIAL_UP_TO_MIB {
        // A small first heap: the JVM's own is a share of the board's memory.
        options.push("-Xms16m".to_owned());
        options.push("-XX:+UseSerialGC".to_owned());
    }
    let few_compilers = match class {
        MemoryClass::One => true,
        MemoryClass::Two => daemon == Daemon::DataNode,
        _ => false,
    };
    if few_compilers {
        // The first compiler alone saves 20 to 30 MB of code and data.
        options.push("-XX:TieredStopAtLevel=1".to_owned());
    }
    options.push("-Xss512k".to_owned());
    let metaspace_mib = match daemon {
        Daemon::NameNode | Daemon::SecondaryNameNode | Daemon::DataNode => 128,
        // Guice and Jersey bring some thousand classes more.
        Daemon::ResourceManager | Daemon::NodeManager | Daemon::JobHistoryServer => 160,
    };
    options.push(format!("-XX:MaxMetaspaceSize={metaspace_mib}m"));
    if daemon == Daemon::DataNode {
        options.push(format!(
            "-XX:MaxDirectMemorySize={}m",
            (heap_mib / 2).max(64)
        ));
    }
    // A daemon that is out of memory limps on; systemd starts a dead one anew.
    options.push("-XX:+ExitOnOutOfMemoryError".to_owned());
    options.join(" ")
}

/// Options for commands people run, which mostly start and end.
pub(super) fn client(heap_mib: u32) -> String {
    format!("-Xmx{heap_mib}m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k")
}
