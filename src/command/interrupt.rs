//! What happens on Ctrl-C.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::ExitStatus;
use crate::{bake, tool};

static RECEIVED: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT, SIGTERM and SIGHUP stop the programs at work, remove
/// files under construction and end the process, with these words.
pub(super) fn clean_up_on_signals(words: &'static str) -> io::Result<()> {
    let mut received = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if received.forever().next().is_some() {
                RECEIVED.store(true, Ordering::SeqCst);
                tool::kill_children();
                // The line that bars were drawn on is not theirs any more.
                let _ = writeln!(io::stderr(), "\ninterrupted; {words}");
                // Last, so that nothing comes up behind it.
                bake::abandon_all();
                std::process::exit(i32::from(ExitStatus::Interrupted as u8));
            }
        })?;
    Ok(())
}

/// Waits for the end of the process if a signal has been received: work that
/// fails because its programs were killed has nothing to say, and must not end
/// the process while files are being removed.
pub(super) fn leave_if_interrupted() {
    while RECEIVED.load(Ordering::SeqCst) {
        std::thread::park();
    }
}
