//! `pidoop build` from outside: the real program on a tiny world.

mod bad_inputs;
mod bad_machine;
mod bases;
mod images;
mod interrupted;
mod ordinary_user;
mod output;
mod patched;
mod patched_in_doubt;
mod patched_in_vain;
mod patched_interrupted;
mod refilled;
mod same_bytes;
mod secrets;
mod shared_blocks;
mod unpacked;
