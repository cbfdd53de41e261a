//! Rehearsal: images are booted in QEMU before a card is written.
//!
//! A [`Card`] is a throw-away copy of an image, a [`Guest`] a machine with a
//! card in it, a [`Lan`] the private network between them. What is started is
//! what the firmware would start, read from the card's boot partition by
//! `config.txt`, and with the image's own command line, but for the consoles.
//! A guest tells how it is through [`Report`]s on a serial port of their own.

mod card;
mod cmdline;
mod console;
mod device_tree;
mod dhcp;
mod drivers;
mod error;
mod firmware;
mod guest;
mod hub;
mod lan;
mod machine;
mod monitor;
mod payload;
mod qemu;
mod rehearsal;
mod report;
mod switch;
mod verdict;
mod web;

pub use card::{Card, CardSize};
pub use console::{Console, Trouble};
pub use drivers::drives_virtio;
pub use error::BootError;
pub use guest::{Ending, Guest, GuestPlan, best_accel};
pub use lan::{Lan, LanPlan, Member};
pub use machine::{Accel, Machine, Model, Traits};
pub use payload::arch_of_card;
pub use qemu::{Plug, emulator};
pub use rehearsal::{Actor, Happening, Outcome, Rehearsal};
pub use report::{DaemonMemory, Event, MemoryUse, Report};
pub use verdict::{Part, Seen};
pub use web::{HdfsState, YarnState};
