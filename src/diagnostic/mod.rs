//! Problems in files people write, each with its place in the text.
//!
//! [`Section`] reads TOML by hand, so that one run reports every problem of a
//! file with its exact place; [`render`] shows them. [`nearest`] knows what a
//! misspelt name was meant to be.

mod document;
mod nearest;
mod problem;
mod render;
mod secret;
mod section;
pub mod shape;

pub use document::document;
pub use nearest::{listed, nearest};
pub use problem::{Fault, Problem, Problems};
pub use render::{Color, render};
pub use section::{Section, Text};
