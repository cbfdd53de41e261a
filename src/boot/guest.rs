//! One machine: switched on, listened to, and its power cut at any moment.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::BootError;
use super::console::Console;
use super::machine::{Accel, Machine, Model};
use super::monitor::press_power_button;
use super::payload::BootPartition;
use super::qemu::{Hardware, Plug, emulator};
use super::report::{Event, Report, ReportLog};
use crate::recipe::Arch;
use crate::tool::{Handover, Running};

/// How often waiting looks for news.
const NAP: Duration = Duration::from_millis(250);

/// A machine to be, as data.
#[derive(Clone, Debug)]
pub struct GuestPlan {
    /// What it is called in messages and log files.
    pub name: String,
    /// The card in it.
    pub card: Utf8PathBuf,
    /// Which machine.
    pub machine: Machine,
    /// Which model the sections of `config.txt` take it for.
    pub model: Model,
    /// Memory in MiB, where the machine leaves a choice.
    pub memory_mib: u32,
    /// Processor cores, where the machine leaves a choice.
    pub cpus: u32,
    /// What carries out its instructions; see [`best_accel`].
    pub accel: Accel,
    /// Its place in a network; none if it is alone.
    pub plug: Option<Plug>,
    /// Words for the end of the kernel's command line.
    pub words: Vec<String>,
    /// Directory for the logs, `NAME.console.log` and, of what QEMU says,
    /// `NAME.qemu.log`. The first start begins them anew, later ones go on.
    pub logs: Utf8PathBuf,
}

/// A machine with a card in it. Dropped, its power is cut.
#[derive(Debug)]
pub struct Guest {
    plan: GuestPlan,
    console: Console,
    /// Kernel, sockets and reports of this start.
    scratch: Option<Handover>,
    running: Option<Running>,
    reports: Option<ReportLog>,
    started: Option<Instant>,
}

/// How a machine that ran came to stand still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The guest restarted; to go on, it must be switched on again.
    Restarted,
    /// The guest switched it off.
    SwitchedOff,
    /// QEMU failed; the words say how.
    Broke(String),
}

impl Guest {
    /// A machine that is off.
    pub fn new(plan: GuestPlan) -> Self {
        let console = Console::at(&plan.logs.join(format!("{}.console.log", plan.name)));
        Self {
            plan,
            console,
            scratch: None,
            running: None,
            reports: None,
            started: None,
        }
    }

    /// What it is.
    pub fn plan(&self) -> &GuestPlan {
        &self.plan
    }

    /// Its console.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Time since it was switched on last.
    pub fn on_for(&self) -> Duration {
        self.started
            .map_or(Duration::ZERO, |started| started.elapsed())
    }

    /// Switches it on. What is started is read from the card as it is now. If
    /// it was on already, its power is cut first.
    ///
    /// # Errors
    /// If the card cannot be started in this machine, QEMU is missing, or
    /// something cannot be read or written.
    pub fn switch_on(&mut self) -> Result<(), BootError> {
        self.cut_power();
        let plan = &self.plan;
        let scratch = Handover::new().map_err(BootError::io("making", "a directory"))?;
        let dir = scratch.path().to_owned();
        let payload = BootPartition::open(&plan.card, plan.model)?.extract(
            plan.machine,
            &plan.words,
            &dir,
        )?;
        let traits = plan.machine.traits();
        let hardware = Hardware {
            machine: plan.machine,
            model: plan.model,
            accel: plan.accel,
            memory_mib: traits.fixed_memory_mib.unwrap_or(plan.memory_mib),
            cpus: traits.fixed_cpus.unwrap_or(plan.cpus),
            payload: &payload,
            card: &absolute(&plan.card)?,
            console: &absolute(self.console.path())?,
            report: &dir.join("report"),
            monitor: &dir.join("monitor"),
            plug: plan.plug.as_ref(),
        };
        fs::create_dir_all(&plan.logs).map_err(BootError::io("making", &plan.logs))?;
        if self.started.is_none() {
            for log in [self.console.path(), &self.qemu_log()] {
                match fs::remove_file(log) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(BootError::io("removing", log)(error));
                    }
                    _ => {}
                }
            }
        }
        // An earlier start's last words would be taken for this one's.
        let mut console = self.console.clone();
        console.begin();
        let call = emulator(traits.arch).call()?.args(hardware.args());
        let running = call.start_logging(&self.qemu_log())?;
        self.reports = Some(ReportLog::at(hardware.report));
        self.console = console;
        self.running = Some(running);
        self.started = Some(Instant::now());
        self.scratch = Some(scratch);
        Ok(())
    }

    /// Cuts its power: nothing that the guest had not written yet reaches the
    /// card. Does nothing if it is off.
    pub fn cut_power(&mut self) {
        // Dropping kills it and waits for its end.
        self.running = None;
        self.reports = None;
        self.scratch = None;
    }

    /// Presses the power button and waits until the guest has shut down; cuts
    /// the power if there is no button or it takes longer than `limit`. True
    /// if the guest shut down by itself.
    pub fn shut_down(&mut self, limit: Duration) -> bool {
        let pressed = self.plan.machine.traits().power_button
            && self
                .scratch
                .as_ref()
                .is_some_and(|dir| press_power_button(&dir.path().join("monitor")).is_ok());
        let begun = Instant::now();
        while pressed && begun.elapsed() < limit {
            if self.ending().is_some() {
                return true;
            }
            thread::sleep(NAP);
        }
        self.cut_power();
        false
    }

    /// How it ended, if it has since it was switched on. It is off then.
    pub fn ending(&mut self) -> Option<Ending> {
        let status = match self.running.as_mut()?.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status,
            Err(error) => return Some(Ending::Broke(error.to_string())),
        };
        let ending = if !status.success() {
            let said = fs::read_to_string(self.qemu_log()).unwrap_or_default();
            let last = said.lines().last().unwrap_or("it said nothing").to_owned();
            Ending::Broke(format!("QEMU stopped with {status}: {last}"))
        } else if self.console.says_restart() {
            Ending::Restarted
        } else {
            Ending::SwitchedOff
        };
        self.running = None;
        Some(ending)
    }

    /// Whether it runs.
    pub fn is_on(&mut self) -> bool {
        self.running
            .as_mut()
            .is_some_and(|running| matches!(running.try_wait(), Ok(None)))
    }

    /// Reports that came since the last call.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn news(&mut self) -> Result<Vec<Report>, BootError> {
        self.reports
            .as_mut()
            .map_or(Ok(Vec::new()), ReportLog::news)
    }

    /// Waits until a report has `event`; a report that the node is up and well
    /// counts as [`Event::Up`] whatever it is. A guest that restarts is
    /// switched on again, as a board would be.
    ///
    /// # Errors
    /// [`BootError::TooSlow`] after `limit`; [`BootError::Ended`] if it
    /// switches itself off or QEMU fails; [`BootError::Failed`] if its console
    /// says that there is no hope.
    pub fn wait_for(&mut self, event: Event, limit: Duration) -> Result<Report, BootError> {
        let begun = Instant::now();
        loop {
            for report in self.news()? {
                if report.event == event || (event == Event::Up && report.is_up()) {
                    return Ok(report);
                }
            }
            match self.ending() {
                None if self.running.is_some() => {}
                Some(Ending::Restarted) => self.switch_on()?,
                Some(Ending::Broke(how)) => return Err(self.ended(how)),
                Some(Ending::SwitchedOff) | None => {
                    return Err(self.ended("it is switched off".to_owned()));
                }
            }
            if let Some(what) = self.console.hopeless() {
                return Err(self.failed(what.to_owned()));
            }
            if begun.elapsed() >= limit {
                return Err(BootError::TooSlow {
                    node: self.plan.name.clone(),
                    missing: format!("no report of {event:?}"),
                    limit,
                    trouble: self.console.trouble(),
                });
            }
            thread::sleep(NAP);
        }
    }

    /// The error for a machine that stands still.
    pub(super) fn ended(&self, how: String) -> BootError {
        BootError::Ended {
            node: self.plan.name.clone(),
            how,
            trouble: self.console.trouble(),
        }
    }

    /// The error for a machine that will not come up.
    pub(super) fn failed(&self, what: String) -> BootError {
        BootError::Failed {
            node: self.plan.name.clone(),
            what,
            trouble: self.console.trouble(),
        }
    }

    fn qemu_log(&self) -> Utf8PathBuf {
        self.plan.logs.join(format!("{}.qemu.log", self.plan.name))
    }
}

/// The fastest that carries out a machine's instructions on this computer.
pub fn best_accel(machine: Machine) -> Accel {
    let device = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(Path::new("/dev/kvm"))
        .is_ok();
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let host = std::env::consts::ARCH;
    machine.accel(host, device && is_for_guests(host, &cpuinfo))
}

/// Whether the processor itself can run guests. Some computers that are guests
/// themselves have a `/dev/kvm` that runs only kernels made for it; theirs has
/// neither extension.
fn is_for_guests(host: &str, cpuinfo: &str) -> bool {
    host != Arch::Amd64.kernel()
        || cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("flags"))
            .is_some_and(|flags| flags.split(' ').any(|flag| flag == "vmx" || flag == "svm"))
}

/// QEMU takes `name:` at the start of a path for a protocol.
fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, BootError> {
    let absolute = std::path::absolute(path).map_err(BootError::io("finding", path))?;
    Utf8PathBuf::from_path_buf(absolute).map_err(|path| {
        let shown = Utf8PathBuf::from(path.to_string_lossy().into_owned());
        BootError::io("reading the name of", shown)(std::io::ErrorKind::InvalidFilename.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_without_extensions_runs_no_guests() {
        let flags =
            |flags: &str| format!("processor\t: 0\nflags\t\t: fpu {flags}\nbugs\t\t: svm\n");
        assert!(is_for_guests("x86_64", &flags("vmx smx")));
        assert!(is_for_guests("x86_64", &flags("svm")));
        assert!(!is_for_guests("x86_64", &flags("svme hypervisor")));
        assert!(!is_for_guests("x86_64", ""));
        assert!(is_for_guests("aarch64", "Features : fp asimd\n"));
    }
}
