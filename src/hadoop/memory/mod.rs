//! Memory: from boards and roles to every heap, container and scheduler value.
//!
//! Hadoop's defaults assume nodes with 8 GB and more for YARN alone. On a Pi
//! they end in containers killed, jobs waiting in ACCEPTED and NodeManagers
//! told to shut down, so every one of these values is set, from one table per
//! board class ([`MemoryClass`]), and checked against each other before an
//! image is made.

mod chosen;
mod invariant;
mod plan;
mod render;
mod table;
#[cfg(test)]
mod tests;

pub use plan::{Container, JobMemory, MemoryPlan, NodeContainers, NodeMemory, SchedulerMemory};
pub use table::MemoryClass;

/// What a JVM takes beyond its heap, in MiB: metaspace, code, stacks, direct
/// buffers. Measured 90 to 110 for HDFS daemons on Java 17 with SerialGC.
pub const JVM_OVERHEAD_MIB: u32 = 110;

/// The heap for a JVM in a container of `container_mib`. YARN's own rule, eight
/// tenths, leaves a small container no room for the rest of the JVM, and it is
/// killed for "running beyond physical memory limits"; hence at least 128 MiB
/// are left.
pub const fn heap_in(container_mib: u32) -> u32 {
    let eight_tenths = container_mib / 5 * 4 + container_mib % 5 * 4 / 5;
    let beside_the_rest = container_mib.saturating_sub(128);
    if eight_tenths < beside_the_rest {
        eight_tenths
    } else {
        beside_the_rest
    }
}
