//! A node: a card in its slot, and the container that runs from it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::card::Card;
use super::cgroup::Cgroup;
use super::cluster_file::NodeEntry;
use super::interrupt::{self, NotYet};
use super::network::{Cable, Network};
use super::program::Program;

/// Starts a container, from a mount namespace of its own: lets go of the cards
/// beside the first word, which the container would keep mounted for as long as
/// it runs, enters the control groups named before `--`, and becomes the rest.
const LAUNCH: &str = r#"
root=$1; shift
for card in "${root%/*}"/*/; do
    [ "$card" = "$root/" ] || ! mountpoint -q "$card" || umount "$card" || exit 125
done
while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done
shift; exec "$@""#;

/// How long a node may take to shut down. A NodeManager whose ResourceManager
/// is gone before it needs most of a minute, if its unit lets it.
const SHUTDOWN: Duration = Duration::from_secs(120);

/// Lines of a console or log that are shown after a failure.
const TAIL: usize = 15;

/// NetworkManager's complaint about a container's /proc/sys, again and again.
const HARMLESS: &str = "platform-linux: sysctl: failed to open";

/// A node, running or not.
pub(crate) struct Node {
    pub(crate) entry: NodeEntry,
    // Before the card, which cannot be unmounted under a running container.
    running: Option<Running>,
    card: Card,
    boots: u32,
    /// Number of this run.
    run: u32,
    logs: PathBuf,
}

/// A node's container with all that is its own.
struct Running {
    container: Child,
    cgroup: Cgroup,
    /// Pulled when the node stops: a container that is booted again finds its
    /// interface as new.
    _cable: Cable,
}

impl Node {
    /// A node with `card` in its slot, switched off; its console goes to
    /// `logs`.
    pub(crate) fn new(entry: NodeEntry, card: Card, run: u32, logs: &Path) -> Self {
        Self {
            entry,
            running: None,
            card,
            boots: 0,
            run,
            logs: logs.to_owned(),
        }
    }

    /// Name of the node.
    pub(crate) fn name(&self) -> &'static str {
        self.entry.name
    }

    /// The root directory of its card.
    pub(crate) fn root(&self) -> &Path {
        self.card.root()
    }

    /// Boots what is on the card. Nothing is given to the system but an
    /// interface `eth0` without address and the device of its root filesystem;
    /// the name it starts with is not its own.
    pub(crate) fn boot(&mut self, network: &Network, memory_mib: u32) -> Result<()> {
        self.boots += 1;
        let cgroup = Cgroup::new(self.run, self.name(), memory_mib)?;
        let cable = network.plug(self.name())?;
        let console = fs_err::File::create(self.console())?.into_parts().0;
        let (device, uuid) = self.card.device()?;
        let container = Command::new("unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "--",
                "sh",
                "-c",
                LAUNCH,
                "launch",
            ])
            .arg(self.card.root())
            .args(cgroup.doors())
            .arg("--")
            .arg("systemd-nspawn")
            .args([
                "--boot",
                "--quiet",
                "--register=no",
                "--keep-unit",
                "--console=read-only",
            ])
            .args([
                "--settings=no",
                "--resolv-conf=off",
                "--timezone=off",
                "--link-journal=no",
            ])
            .args(["--hostname=not-baked", "--capability=CAP_NET_ADMIN"])
            .arg(format!("--machine={}", self.name()))
            .arg(format!(
                "--network-namespace-path={}",
                cable.path().display()
            ))
            // The kernel of a Pi has a device for the partition that fstab names.
            .arg(format!("--bind={device}:/dev/disk/by-partuuid/{uuid}"))
            .arg("--directory")
            .arg(self.card.root())
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            // Ctrl-C is for the test, which then shuts nodes down itself.
            .process_group(0)
            .spawn()
            .context("starting systemd-nspawn")?;
        self.running = Some(Running {
            container,
            cgroup,
            _cable: cable,
        });
        Ok(())
    }

    /// An error if the node should run and does not.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        let name = self.name();
        if let Some(running) = &mut self.running
            && let Some(status) = running.container.try_wait()?
        {
            bail!("{name} stopped by itself: {status}");
        }
        Ok(())
    }

    /// Its control groups.
    pub(crate) fn cgroup(&self) -> Result<&Cgroup> {
        let running = self
            .running
            .as_ref()
            .with_context(|| format!("{} is off", self.name()))?;
        Ok(&running.cgroup)
    }

    /// Asks the node to shut down.
    pub(crate) fn ask_to_halt(&mut self) -> Result<()> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        let process = i32::try_from(running.container.id())
            .ok()
            .and_then(Pid::from_raw);
        // systemd-nspawn passes this on as a request to halt.
        kill_process(process.context("a process without id")?, Signal::TERM)?;
        Ok(())
    }

    /// Waits until the node has shut down, and has its card checked.
    pub(crate) fn wait_until_halted(&mut self) -> Result<()> {
        let Some(mut running) = self.running.take() else {
            return Ok(());
        };
        let name = self.name();
        let what = format!("{name} to shut down");
        let status = interrupt::until(&what, SHUTDOWN, || {
            let status = running
                .container
                .try_wait()
                .map_err(|e| NotYet::Never(e.into()))?;
            status.ok_or_else(|| NotYet::Wait(anyhow!("it still runs")))
        })?;
        ensure!(status.success(), "{name} did not shut down well: {status}");
        drop(running);
        self.card.unmount()?;
        self.card
            .check()
            .with_context(|| format!("the card of {name} after a clean shutdown"))?;
        self.card.mount()
    }

    /// Takes the power away, between two writes to the card.
    pub(crate) fn cut_power(&mut self) -> Result<()> {
        self.card
            .cut_power()
            .with_context(|| format!("cutting the power of {}", self.name()))?;
        drop(self.running.take());
        self.card.unmount()?;
        // Mounting replays the journal, as a Pi's kernel does.
        self.card.mount()
    }

    /// Where the console of the present boot is written.
    fn console(&self) -> PathBuf {
        self.logs
            .join(format!("{}-boot{}.console", self.name(), self.boots))
    }

    /// What the node has to say after a failure: the end of its console and of
    /// its services' journal and logs. The whole journal goes to the logs.
    pub(crate) fn last_words(&self) -> String {
        let mut words = String::new();
        let mut tell = |what: &str, text: &str| {
            let lines: Vec<_> = text
                .lines()
                .filter(|line| !line.contains(HARMLESS))
                .collect();
            let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
            words.push_str(&format!("--- {}: {what}\n{tail}\n", self.name()));
        };
        if self.boots == 0 {
            tell("never booted", "");
            return words;
        }
        tell("console", &text_of(&self.console()));
        let journal = self.root().join("var/log/journal");
        let journalctl = |args: &[&str]| match Program::new("journalctl")
            .args(["--no-pager", "--quiet", "-o", "short-precise", "-D"])
            .arg(&journal)
            .args(args)
            .run()
        {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(error) => format!("{error:#}"),
        };
        let whole = self.logs.join(format!("{}.journal", self.name()));
        if let Err(error) = fs_err::write(whole, journalctl(&[])) {
            tell("journal cannot be kept", &error.to_string());
        }
        tell("journal, warnings", &journalctl(&["-p", "warning"]));
        let units = ["hadoop", "hdfs", "yarn", "mapred"].map(|prefix| format!("--unit={prefix}*"));
        tell(
            "journal, Hadoop",
            &journalctl(&units.each_ref().map(String::as_str)),
        );
        let logs = fs_err::read_dir(self.root().join("var/log/hadoop"));
        for log in logs.into_iter().flatten().flatten() {
            if log
                .path()
                .extension()
                .is_some_and(|extension| extension == "log")
            {
                tell(&log.path().display().to_string(), &text_of(&log.path()));
            }
        }
        words
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killing systemd-nspawn alone would leave its container running.
        self.cgroup.kill().ok();
        self.container.wait().ok();
    }
}

fn text_of(path: &Path) -> String {
    match fs_err::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => error.to_string(),
    }
}
