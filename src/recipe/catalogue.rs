//! All recipes by name.

use std::collections::BTreeMap;
use std::fmt;

use rust_embed::Embed;
use thiserror::Error;

use crate::diagnostic::{Color, Problem, nearest, render};

use super::{BaseRecipe, ComponentKind, ComponentRecipe, Recipe, parse::parse_placed};

#[derive(Embed)]
#[folder = "recipes/"]
struct Embedded;

/// A recipe that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecipe {
    /// The file.
    pub file: String,
    /// Its text, which the problems point into.
    pub text: String,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Every recipe that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct BadRecipes(pub Vec<BadRecipe>);

impl BadRecipes {
    /// All problems of all of them, as people see them.
    pub fn render(&self, color: Color) -> String {
        let rendered: Vec<String> = self
            .0
            .iter()
            .map(|bad| render(&bad.file, &bad.text, &bad.problems, color))
            .collect();
        rendered.join("\n")
    }
}

impl fmt::Display for BadRecipes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Color::Off).trim_end())
    }
}

/// No recipe of a name, or none of the kind that is needed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct UnknownRecipe {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// All recipes by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipes {
    by_name: BTreeMap<String, Recipe>,
    /// Files with public keys that recipes name, by path beside the recipes.
    keys: BTreeMap<String, Vec<u8>>,
}

impl Recipes {
    /// The recipes that are part of the program.
    ///
    /// # Errors
    /// One of them is broken, which tests rule out.
    pub fn embedded() -> Result<Self, BadRecipes> {
        Self::with(std::iter::empty())
    }

    /// The recipes of the program and the user's own, given as file name and
    /// text; one of the same name takes the place of the program's.
    ///
    /// # Errors
    /// Everything wrong with any of them.
    pub fn with(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, BadRecipes> {
        let mut recipes = Self::default();
        let mut bad = Vec::new();
        for path in Embedded::iter().filter(|name| name.starts_with("keys/")) {
            if let Some(file) = Embedded::get(&path) {
                recipes.keys.insert(path.into(), file.data.into_owned());
            }
        }
        let embedded = Embedded::iter().filter_map(|name| {
            let file = Embedded::get(&name)?;
            let text = String::from_utf8(file.data.into_owned()).ok()?;
            Some((name.into_owned(), text))
        });
        for (file, text) in embedded.chain(files) {
            if !file.ends_with(".toml") {
                continue;
            }
            match recipe_of(&file, &text) {
                Ok(recipe) => {
                    recipes.by_name.insert(recipe.name().to_owned(), recipe);
                }
                Err(problems) => bad.push(BadRecipe {
                    file,
                    text,
                    problems,
                }),
            }
        }
        if bad.is_empty() {
            Ok(recipes)
        } else {
            Err(BadRecipes(bad))
        }
    }

    /// With files of public keys, given as path beside the recipes, such as
    /// `keys/thing.asc`, and bytes; one of the same path takes the place of the
    /// program's.
    #[must_use]
    pub fn and_keys(mut self, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        self.keys.extend(files);
        self
    }

    /// The bytes of a key file that a recipe names.
    ///
    /// # Errors
    /// There is no such file.
    pub fn key(&self, path: &str) -> Result<&[u8], UnknownRecipe> {
        self.keys
            .get(path)
            .map(Vec::as_slice)
            .ok_or_else(|| UnknownRecipe {
                message: format!("there is no recipes/{path}, which a recipe's signature needs"),
                help: "put the publisher's public key there, as you trust it".to_owned(),
            })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.by_name.values()
    }

    /// The recipe of this name.
    ///
    /// # Errors
    /// There is none; says which is meant, or which there are.
    pub fn find(&self, name: &str) -> Result<&Recipe, UnknownRecipe> {
        self.by_name
            .get(name)
            .ok_or_else(|| self.unknown(name, |_| true, "recipe"))
    }

    /// The base image of this name.
    ///
    /// # Errors
    /// There is none, or it is something else.
    pub fn base(&self, name: &str) -> Result<&BaseRecipe, UnknownRecipe> {
        match self.by_name.get(name) {
            Some(Recipe::Base(base)) => Ok(base),
            other => Err(self.wrong_kind(name, other, "base")),
        }
    }

    /// The component of this name and kind.
    ///
    /// # Errors
    /// There is none, or it is something else.
    pub fn component(
        &self,
        name: &str,
        kind: &ComponentKind,
    ) -> Result<&ComponentRecipe, UnknownRecipe> {
        match self.by_name.get(name) {
            Some(Recipe::Component(component)) if component.kind == *kind => Ok(component),
            other => Err(self.wrong_kind(name, other, kind.as_str())),
        }
    }

    fn wrong_kind(&self, name: &str, found: Option<&Recipe>, kind: &str) -> UnknownRecipe {
        let what = format!("{kind} recipe");
        let mut unknown = self.unknown(name, |recipe| recipe.kind() == kind, &what);
        if let Some(found) = found {
            unknown.message = format!("the recipe {name:?} is for {}, not {kind}", found.kind());
        }
        unknown
    }

    fn unknown(&self, name: &str, fits: impl Fn(&Recipe) -> bool, what: &str) -> UnknownRecipe {
        let names: Vec<&str> = self
            .by_name
            .values()
            .filter(|recipe| fits(recipe))
            .map(Recipe::name)
            .collect();
        let help = match nearest(name, names.iter().copied()) {
            Some(meant) if meant != name => format!("did you mean `{meant}`?"),
            _ if names.is_empty() => "there are none; write one in `recipes/`".to_owned(),
            _ => format!("there are {}", names.join(", ")),
        };
        UnknownRecipe {
            message: format!("there is no {what} {name:?}"),
            help,
        }
    }
}

/// The recipe, whose name must be the file's: two files cannot then bring the
/// same name.
fn recipe_of(file: &str, text: &str) -> Result<Recipe, Vec<Problem>> {
    let (recipe, at) = parse_placed(text)?;
    let base_name = file.rsplit('/').next().unwrap_or(file);
    let stem = base_name.strip_suffix(".toml").unwrap_or(base_name);
    if recipe.name() == stem {
        return Ok(recipe);
    }
    Err(vec![
        Problem::new(
            at,
            format!(
                "the recipe {:?} is in a file named {base_name:?}",
                recipe.name()
            ),
        )
        .help(format!(
            "rename the file to `{}.toml`, or the recipe to `{stem}`",
            recipe.name()
        )),
    ])
}
