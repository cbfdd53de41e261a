//! What several test modules need.

pub(crate) mod chance;
pub(crate) mod changes;
pub(crate) mod notes;
pub(crate) mod server;
pub(crate) mod signer;
pub(crate) mod stock;
pub(crate) mod tiny_image;
pub(crate) mod tools;
pub(crate) mod world;
