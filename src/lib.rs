//! pidoop: `cluster.toml` in, SD card images of a Hadoop cluster out.
//!
//! A pure zone ([`edit`], [`cluster`], [`recipe`], [`overlay`], [`hadoop`],
//! [`node`], [`lock`], [`plan`]) knows no files, clock, environment or processes. Above
//! it lies the effects zone ([`source`], [`disk`], [`tool`], [`bake`],
//! [`artefact`], [`boot`]), and above that the commands. `docs/design/architecture.md`
//! shows who may import whom; a test keeps it true.

pub mod artefact;
pub mod bake;
pub mod boot;
pub mod cli;
pub mod cluster;
pub mod command;
pub mod diagnostic;
pub mod disk;
pub mod edit;
pub mod hadoop;
pub mod lock;
pub mod node;
pub mod overlay;
pub mod plan;
pub mod progress;
pub mod recipe;
pub mod source;
pub mod tool;
