//! Recipes: where inputs come from and how they unpack.
//!
//! A recipe is a TOML file. Those in `recipes/` are part of the program; a
//! user's own stand beside the cluster file and take the place of one of the
//! same name. [`Recipes`] holds them all.

mod arch;
mod catalogue;
mod check;
mod image_list;
mod parse;
mod parse_source;
#[allow(clippy::module_inception)]
mod recipe;
mod source;
#[cfg(test)]
mod tests;

pub use arch::Arch;
pub use catalogue::{BadRecipe, BadRecipes, Recipes, UnknownRecipe};
pub use image_list::{ImageList, ListedImage, OsList};
pub use parse::{SCHEMA, parse};
pub use recipe::{
    BaseRecipe, ComponentKind, ComponentRecipe, JavaRange, Recipe, Service, UnpackOwner, UnpackRule,
};
pub use source::{RecipeSource, Sidecar, SidecarKind, SignatureRule, SigningKey};
