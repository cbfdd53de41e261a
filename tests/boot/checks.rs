//! What must hold of a baked node after any boot.

use anyhow::{Result, bail, ensure};

use super::baked::{Baked, SERVICES, WORKER};
use super::cluster_file::{OUTSIDE, USER, subnet};
use super::disk::Disk;
use super::facts::Facts;
use super::profile::Profile;

/// A partition that ends this close to the card's end fills it.
const SLACK: u64 = 16 << 20;

/// What a check may look at.
pub(crate) struct Evidence<'a> {
    pub(crate) baked: &'a Baked,
    pub(crate) facts: &'a Facts,
    pub(crate) card_bytes: u64,
    /// Boots that must be in the journal.
    pub(crate) boots: usize,
}

type Check = fn(&Evidence<'_>) -> Result<()>;

/// Checks of a running node by the names they have in the table. Those that a
/// profile gives no cause for are left out.
pub(crate) fn of_running(profile: Profile) -> impl Iterator<Item = (&'static str, Check)> {
    let all: [(&'static str, Check); 14] = [
        ("login by key and sudo", login),
        ("host keys same", host_keys),
        ("disk id same", disk_id),
        ("machine-id stable", machine_id),
        ("root grown", root_grown),
        ("address", address),
        ("/etc/hosts untouched", hosts),
        ("services up", services),
        ("no failed units", units),
        ("no swap on card", no_swap),
        ("journal kept", journal),
        ("one user", one_user),
        ("no wizard", no_wizard),
        ("cloud-init did not run", no_cloud_init),
    ];
    all.into_iter().filter(move |(name, _)| match *name {
        "no wizard" => profile.is_raspberry_pi_os(),
        "cloud-init did not run" => profile.has_cloud_init(),
        _ => true,
    })
}

fn same(what: &str, found: &str, expected: &str) -> Result<()> {
    ensure!(
        found == expected,
        "{what} is {found:?}, expected {expected:?}"
    );
    Ok(())
}

/// A file of the node must be what was baked, byte for byte.
fn same_file(evidence: &Evidence<'_>, fact: &str, expected: &str) -> Result<()> {
    same(fact, &evidence.facts.file(fact)?, expected)
}

fn login(evidence: &Evidence<'_>) -> Result<()> {
    same("the user", evidence.facts.get("user"), USER)?;
    same("sudo's user", evidence.facts.get("sudo"), "root")
}

/// That the node shows the key in `known_hosts` is what logging in was about: ssh
/// was given no other. Here it is that there is no key beside it.
fn host_keys(evidence: &Evidence<'_>) -> Result<()> {
    let known = fs_err::read_to_string(&evidence.baked.known_hosts)?;
    let baked: Vec<_> = known
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(names, _)| names.split(',').any(|name| name == WORKER.name))
        .map(|(_, key)| key)
        .collect();
    ensure!(
        !baked.is_empty(),
        "known_hosts names no {}: {known}",
        WORKER.name
    );
    same(
        "what the node has in /etc/ssh",
        evidence.facts.get("host_keys"),
        &baked.join("|"),
    )
}

fn disk_id(evidence: &Evidence<'_>) -> Result<()> {
    same(
        "the disk id",
        evidence.facts.get("disk"),
        &evidence.baked.disk_id,
    )?;
    same_file(evidence, "fstab", &evidence.baked.fstab)?;
    ensure!(
        !evidence.facts.get("mounted").is_empty(),
        "the boot partition is not mounted"
    );
    same_file(evidence, "cmdline", &evidence.baked.cmdline)
}

fn machine_id(evidence: &Evidence<'_>) -> Result<()> {
    same(
        "the machine-id",
        evidence.facts.get("machine_id"),
        &evidence.baked.machine_id,
    )?;
    // One for this boot only would be laid over the file.
    same(
        "a passing machine-id",
        evidence.facts.get("passing_id"),
        "no",
    )
}

fn root_grown(evidence: &Evidence<'_>) -> Result<()> {
    let root: u64 = evidence.facts.get("root_bytes").trim().parse()?;
    let start = Disk::open(&evidence.baked.image)?.root_range().start;
    ensure!(
        start + root + SLACK > evidence.card_bytes,
        "the root partition ends at {}, the card at {}",
        start + root,
        evidence.card_bytes
    );
    let size = evidence.facts.get("filesystem_bytes");
    let Some((blocks, size)) = size.split_once(' ') else {
        bail!("the filesystem has {size:?} bytes");
    };
    let filesystem = blocks.parse::<u64>()? * size.parse::<u64>()?;
    // What ext4 keeps for itself is about a sixtieth.
    ensure!(
        filesystem > root / 20 * 19,
        "the filesystem has {filesystem} bytes of a partition of {root}"
    );
    Ok(())
}

fn address(evidence: &Evidence<'_>) -> Result<()> {
    let addresses = evidence.facts.get("address");
    let ours = format!("eth0    inet {}/{} ", WORKER.address, subnet().prefix_len());
    ensure!(
        addresses.contains(&ours) && !addresses.contains('|'),
        "the addresses are {addresses:?}"
    );
    let route = evidence.facts.get("route");
    ensure!(
        route.starts_with(&format!("default via {OUTSIDE} dev eth0")),
        "the route is {route:?}"
    );
    same("the name", evidence.facts.get("hostname"), WORKER.name)
}

fn hosts(evidence: &Evidence<'_>) -> Result<()> {
    ensure!(
        !evidence.baked.hosts.contains("127.0.1.1"),
        "127.0.1.1 was baked"
    );
    same_file(evidence, "hosts", &evidence.baked.hosts)
}

fn services(evidence: &Evidence<'_>) -> Result<()> {
    for service in SERVICES {
        let state = evidence.facts.services.get(service);
        same(service, state.map_or("", String::as_str), "active")?;
    }
    Ok(())
}

fn units(evidence: &Evidence<'_>) -> Result<()> {
    same("the list of failed units", evidence.facts.get("failed"), "")?;
    same("multi-user.target", evidence.facts.get("target"), "active")?;
    same("the system", evidence.facts.get("running"), "running")
}

fn no_swap(evidence: &Evidence<'_>) -> Result<()> {
    let swaps = evidence.facts.get("swaps");
    ensure!(
        swaps.split('|').all(|swap| swap.starts_with("/dev/zram")),
        "swap goes to {swaps:?}"
    );
    same("a file /var/swap", evidence.facts.get("swap_file"), "no")
}

fn journal(evidence: &Evidence<'_>) -> Result<()> {
    let boots = evidence.facts.get("boots");
    ensure!(
        boots.split('|').filter(|boot| !boot.is_empty()).count() >= evidence.boots,
        "of {} boots the journal has {boots:?}",
        evidence.boots
    );
    Ok(())
}

fn one_user(evidence: &Evidence<'_>) -> Result<()> {
    let user = evidence.facts.get("uid1000");
    ensure!(
        user.starts_with(&format!("{USER}:")),
        "user 1000 is {user:?}"
    );
    Ok(())
}

fn no_wizard(evidence: &Evidence<'_>) -> Result<()> {
    same("the wizard", evidence.facts.get("wizard"), "inactive")?;
    let jobs = evidence.facts.get("jobs");
    ensure!(
        ["", "No jobs running."].contains(&jobs),
        "jobs still wait: {jobs}"
    );
    same(
        "the console's login",
        evidence.facts.get("console"),
        "active",
    )?;
    same("a banner for ssh", evidence.facts.get("banner"), "no")
}

fn no_cloud_init(evidence: &Evidence<'_>) -> Result<()> {
    same("cloud-init", evidence.facts.get("cloud"), "inactive")?;
    same("a log of cloud-init", evidence.facts.get("cloud_log"), "no")?;
    same(
        "a state of cloud-init",
        evidence.facts.get("cloud_state"),
        "no",
    )
}
