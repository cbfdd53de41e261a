//! A baked image with one edit taken back: cloud-init is left on. A stock image
//! cannot show what it does to somebody else's user.

use anyhow::{Result, ensure};

use super::baked::Baked;
use super::cluster_file::USER;
use super::disk::Disk;
use super::interrupt::{self, NotYet};
use super::proof::Proof;

/// How long cloud-init may take to do its work, in an emulator.
const BOOT: std::time::Duration = std::time::Duration::from_secs(1200);

/// Boots it, and sees what cloud-init does.
pub(crate) fn show(proof: &mut Proof<'_>, baked: &Baked) -> Result<()> {
    let name = format!("{} cloud-init left on", proof.profile.name());
    let mut bench = proof.bench(&baked.image, "trixie.cloud-init")?;
    let disk = Disk::open(bench.card())?;
    let key = disk.needed("/etc/ssh/ssh_host_ed25519_key")?;
    disk.write("rm /etc/cloud/cloud-init.disabled\n")?;
    bench.guest.switch_on()?;
    // Its services start whatever has become of the user.
    let mut last = None;
    interrupt::until("the services of the node", BOOT, || {
        bench.look(&mut last)?;
        match &last {
            Some(report) if report.services.values().all(|state| state == "active") => Ok(()),
            _ => Err(NotYet::Wait(anyhow::anyhow!("it says {last:?}"))),
        }
    })?;
    bench.shut_down()?;

    let disk = Disk::open(bench.card())?;
    let mut note = |check: &str, result: Result<()>| proof.note(&name, check, &result);
    let passwd = disk.needed("/etc/passwd")?;
    let renamed = || {
        let pi = passwd.lines().any(|line| line.starts_with("pi:x:1000:"));
        ensure!(pi && !passwd.contains(&format!("\n{USER}:")), "{passwd}");
        Ok(())
    };
    note("cloud-init renames the user", renamed());
    let now = disk.needed("/etc/ssh/ssh_host_ed25519_key")?;
    let remade = || {
        ensure!(now != key, "the host key is the baked one");
        Ok(())
    };
    note("cloud-init makes host keys anew", remade());
    let hosts = disk.needed("/etc/hosts")?;
    let rewritten = || {
        ensure!(hosts.contains("127.0.1.1"), "{hosts}");
        Ok(())
    };
    note("cloud-init rewrites /etc/hosts", rewritten());
    Ok(())
}
