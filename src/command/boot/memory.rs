//! How much memory each machine gets.

use crate::hadoop::NodeMemory;

/// What this computer keeps for itself, in MiB.
const RESERVE_MIB: u32 = 512;

/// What QEMU takes beside a machine's memory: mostly translated code.
const EMULATOR_MIB: u32 = 256;

/// What a kernel keeps of a machine's memory before it counts what it has:
/// itself, and one page in sixty-four for its notes about pages. Seen on virt:
/// 75 of 1900 MiB.
const KERNEL_MIB: u32 = 48;

/// Containers that a machine is given room for at least, in MiB.
const CONTAINERS_MIB: u32 = 512;

/// What a machine should have, and what it cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// As much as the board it stands for.
    pub(super) wish_mib: u32,
    /// Enough for its daemons.
    pub(super) least_mib: u32,
}

impl Need {
    /// The need of a node with this plan.
    pub(super) fn of(plan: &NodeMemory) -> Self {
        let containers = plan.containers_mib().min(CONTAINERS_MIB);
        let least = plan.os_mib + plan.daemons_mib() + containers;
        let wish = plan.board.visible_mib;
        Self {
            wish_mib: with_kernel(wish),
            least_mib: with_kernel(least.min(wish)),
        }
    }
}

/// Memory of a machine whose Linux counts `visible` MiB.
fn with_kernel(visible: u32) -> u32 {
    visible + KERNEL_MIB + visible / 63
}

/// Memory for each machine when this computer has `available` MiB: what it
/// wishes for, or its share of what there is. The error says why it is too
/// little.
pub(super) fn share(needs: &[Need], available: u32) -> Result<Vec<u32>, String> {
    let sum = |part: fn(&Need) -> u32| needs.iter().map(|need| u64::from(part(need))).sum::<u64>();
    let (wish, least) = (sum(|need| need.wish_mib), sum(|need| need.least_mib));
    let beside = u64::from(RESERVE_MIB) + needs.len() as u64 * u64::from(EMULATOR_MIB);
    let room = u64::from(available).saturating_sub(beside);
    if room >= wish {
        return Ok(needs.iter().map(|need| need.wish_mib).collect());
    }
    if room < least {
        return Err(format!(
            "{} machines need {} MiB at least, and this computer has {available} MiB free",
            needs.len(),
            least + beside,
        ));
    }
    let (more, spread) = (room - least, wish - least);
    Ok(needs
        .iter()
        .map(|need| {
            let gap = u64::from(need.wish_mib - need.least_mib);
            need.least_mib + (gap * more / spread) as u32
        })
        .collect())
}

/// Memory that programs can have here without swapping, in MiB, from the text
/// of `/proc/meminfo`.
pub(super) fn available_mib(meminfo: &str) -> Option<u32> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    u32::try_from(kib >> 10).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn need(wish_mib: u32, least_mib: u32) -> Need {
        Need {
            wish_mib,
            least_mib,
        }
    }

    #[test]
    fn everyone_gets_a_board_where_there_is_room() {
        let needs = [need(2000, 1500); 3];
        assert_eq!(share(&needs, 8000), Ok(vec![2000; 3]));
    }

    #[test]
    fn a_small_computer_shares_what_it_has() {
        let needs = [need(2000, 1000), need(4000, 1000)];
        let room = 3000 + RESERVE_MIB + 2 * EMULATOR_MIB;
        assert_eq!(share(&needs, room), Ok(vec![1250, 1750]));
        let error = share(&needs, 2500).unwrap_err();
        assert!(error.contains("2 machines need 3024 MiB"), "{error}");
    }

    #[test]
    fn free_memory_is_read() {
        let text = "MemTotal: 9 kB\nMemFree:  1 kB\nMemAvailable:   24105000 kB\n";
        assert_eq!(available_mib(text), Some(23540));
        assert_eq!(available_mib("MemTotal: 9 kB\n"), None);
    }

    proptest! {
        #[test]
        fn no_one_gets_less_than_it_needs_or_more_than_there_is(
            needs in prop::collection::vec((300u32..4000, 0u32..4000), 1..6),
            available in 0u32..30_000,
        ) {
            let needs: Vec<Need> = needs
                .iter()
                .map(|(least, more)| need(least + more, *least))
                .collect();
            if let Ok(given) = share(&needs, available) {
                for (need, mib) in needs.iter().zip(&given) {
                    prop_assert!((need.least_mib..=need.wish_mib).contains(mib));
                }
                prop_assert!(given.iter().sum::<u32>() < available);
            }
        }
    }
}
