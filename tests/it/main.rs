//! Tests over the code's structure and over real images, the latter judged by
//! other people's tools.

// A test says what went wrong by panicking.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod architecture;
mod bench;
mod boot;
mod build;
mod cli;
mod diff;
mod ext4;
mod ext4_care;
mod ext4_growth;
mod ext4_listed;
mod ext4_placed;
mod ext4_refilled;
mod ext4_rehearsed;
mod fat;
mod fetch;
mod hazards;
mod inputs;
mod overlays;
mod readme;
mod support;
mod table;
mod verify;
