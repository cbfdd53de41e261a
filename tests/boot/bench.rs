//! A machine on the workbench: a card in it, a cable to this computer, its power
//! switch.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use camino::Utf8Path;
use fs_err as fs;
use pidoop::boot::{
    Accel, Card, CardSize, Ending, Guest, GuestPlan, Lan, LanPlan, Machine, Member, Model, Report,
    emulator,
};
use pidoop::progress::Reporter;
use pidoop::recipe::Arch;

use super::baked::WORKER;
use super::cluster_file::{OUTSIDE, board, subnet};
use super::interrupt::{self, NotYet};
use super::program::Program;
use super::ssh::Ssh;

/// Size of the cards; more than any image here.
const CARD_BYTES: u64 = 4 << 30;

/// How long a boot may take. Emulated on a busy computer it takes minutes.
const BOOT: Duration = Duration::from_secs(1200);

/// How long a shutdown may take: each daemon may have 90 s to end.
const SHUTDOWN: Duration = Duration::from_secs(300);

/// Words for systemd: on a busy computer an emulated disk may take longer to show
/// up than the minute and a half that a board has for it.
const PATIENCE: [&str; 2] = [
    "systemd.default_timeout_start_sec=900",
    "systemd.default_device_timeout_sec=900",
];

/// A machine with a card of its own.
pub(crate) struct Bench {
    // Before the network, so that the machine goes first.
    pub(crate) guest: Guest,
    lan: Lan,
    card: Card,
    /// Whether the emulated kernel has given up before its system began.
    stumbled: bool,
    _directory: tempfile::TempDir,
}

impl Bench {
    /// Puts `image` on a new card, and the card into a machine whose logs are
    /// named `name`. The machine is off. With `dhcp`, its router hands out its
    /// address.
    pub(crate) fn with(image: &Utf8Path, name: &str, logs: &Utf8Path, dhcp: bool) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("pidoop-card-")
            .tempdir_in("/var/tmp")?;
        let place = Utf8Path::from_path(directory.path()).context("a path is not UTF-8")?;
        let card = Card::make(
            image,
            &place.join("card"),
            CardSize::Bytes(CARD_BYTES),
            &Reporter::silent(),
        )?;
        let lan = Lan::start(
            &LanPlan {
                subnet: format!("{OUTSIDE}/{}", subnet().prefix_len()).parse()?,
                router: Some(OUTSIDE),
                dns: Vec::new(),
                dhcp,
                members: vec![Member::new(WORKER.name, WORKER.address, &[22])],
            },
            emulator(Arch::Amd64),
            place,
        )?;
        let guest = Guest::new(GuestPlan {
            name: name.to_owned(),
            card: card.path().to_owned(),
            machine: Machine::Q35,
            model: Model::Pi4,
            memory_mib: board()?.visible_mib,
            cpus: 2,
            // The same everywhere, and what a computer without KVM has.
            accel: Accel::Tcg,
            plug: lan.plug(WORKER.name).cloned(),
            words: PATIENCE.map(str::to_owned).to_vec(),
            logs: logs.to_owned(),
        });
        Ok(Self {
            guest,
            lan,
            card,
            stumbled: false,
            _directory: directory,
        })
    }

    /// The card, which nobody else may look at while the machine is on.
    pub(crate) fn card(&self) -> &Utf8Path {
        self.card.path()
    }

    pub(crate) fn card_bytes(&self) -> u64 {
        self.card.bytes()
    }

    /// Switches it on and waits until it says that it is up. How long that took.
    pub(crate) fn boot(&mut self) -> Result<Duration> {
        self.guest.switch_on()?;
        self.wait_for_up()?;
        Ok(self.guest.on_for())
    }

    fn wait_for_up(&mut self) -> Result<()> {
        let mut last: Option<Report> = None;
        let waited = interrupt::until("the node to be up", BOOT, || {
            self.look(&mut last)?;
            match &last {
                Some(report) if report.is_up() => Ok(()),
                Some(report) => Err(NotYet::Wait(anyhow!(
                    "it says: {}",
                    report.problems.join("; ")
                ))),
                None => Err(NotYet::Wait(anyhow!("it says nothing"))),
            }
        });
        waited.map_err(|error| anyhow!("{error:#}{}", self.guest.console().trouble()))
    }

    /// Takes the newest report into `last`; an error if there will be no more. A
    /// machine that restarts goes on, as a board would.
    // Nobody who tells of progress is at hand here.
    #[allow(clippy::print_stderr)]
    pub(crate) fn look(&mut self, last: &mut Option<Report>) -> Result<(), NotYet> {
        if let Some(report) = self.guest.news()?.into_iter().next_back() {
            *last = Some(report);
        }
        match self.guest.ending() {
            None => {}
            Some(Ending::Restarted) => self.guest.switch_on()?,
            Some(ending) => return Err(NotYet::Never(anyhow!("it ended: {ending:?}"))),
        }
        match self.guest.console().hopeless() {
            None => Ok(()),
            Some(_) if !self.stumbled && self.is_before_the_system() => {
                self.stumbled = true;
                eprintln!(
                    "the emulated kernel gave up before the first program of the image; \
                     switched on once more:{}",
                    self.guest.console().trouble()
                );
                self.guest.cut_power();
                Ok(self.guest.switch_on()?)
            }
            Some(what) => Err(NotYet::Never(anyhow!("{what}"))),
        }
    }

    /// Whether nothing of the image but its kernel has run since the machine was
    /// switched on. An emulator's processors fail there once in many boots, and
    /// what is baked cannot be why: it would be so again at once.
    fn is_before_the_system(&self) -> bool {
        let bytes = fs::read(self.guest.console().path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let this_boot = text.rfind("Linux version").map_or("", |at| &text[at..]);
        !this_boot.is_empty() && !this_boot.contains("systemd[1]")
    }

    /// Runs `script` in a shell of the user.
    pub(crate) fn shell(&self, ssh: &Ssh, script: &str) -> Result<Program> {
        let door = self.door()?;
        Ok(ssh
            .through(door, WORKER.name, "sh -s")
            .input(script)
            .seconds(600))
    }

    fn door(&self) -> Result<std::net::SocketAddr> {
        self.lan
            .forward(WORKER.name, 22)
            .context("no way to port 22")
    }

    /// Shuts it down by its power button; an error if it does not obey.
    pub(crate) fn shut_down(&mut self) -> Result<()> {
        anyhow::ensure!(
            self.guest.shut_down(SHUTDOWN),
            "it did not shut down within {} s",
            SHUTDOWN.as_secs()
        );
        Ok(())
    }
}
