//! `pidoop boot`.

mod played;
mod real_qemu;
mod refused;
mod theatre;
