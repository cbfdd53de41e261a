//! From the text of a recipe to a [`Recipe`], or to everything that is wrong
//! with it.

use std::ops::Range;

use toml::Spanned;

use crate::diagnostic::{Fault, Problem, Problems, Section, document};

use super::parse_source::source;
use super::{
    BaseRecipe, ComponentKind, ComponentRecipe, JavaRange, Recipe, RecipeSource, Service,
    UnpackOwner, UnpackRule, check,
};

/// The schema of recipes that this version reads.
pub const SCHEMA: i64 = 1;

/// Reads and checks a recipe.
///
/// # Errors
/// Every problem found, in the order of their places; one alone if the text is
/// not TOML or has another schema.
pub fn parse(text: &str) -> Result<Recipe, Vec<Problem>> {
    parse_placed(text).map(|(recipe, _)| recipe)
}

/// The recipe, and where its name stands.
pub(super) fn parse_placed(text: &str) -> Result<(Recipe, Range<usize>), Vec<Problem>> {
    let table = document(text)?;
    let problems = Problems::new();
    let mut root = Section::root(&table, &problems);
    root.schema(SCHEMA).map_err(|problem| vec![problem])?;
    let recipe = read(root);
    match recipe {
        Some(recipe) if problems.is_empty() => {
            let name = table.get_ref().get("name").map_or(0..0, Spanned::span);
            Ok((recipe, name))
        }
        _ => {
            let mut problems = problems.into_sorted();
            if problems.is_empty() {
                // Not reachable while every part that gives nothing says why.
                problems.push(Problem::new(0..0, "the recipe could not be understood"));
            }
            Err(problems)
        }
    }
}

/// What every recipe says.
struct Common {
    name: Option<String>,
    description: Option<String>,
    version: Option<String>,
    sources: Vec<RecipeSource>,
    supply: Option<String>,
}

fn read(mut root: Section<'_>) -> Option<Recipe> {
    root.require("kind", "\"base\"");
    let Some(kind) = root.parsed("kind", "\"base\"", check::name) else {
        // What else it may have depends on what it is.
        root.dismiss();
        return None;
    };
    let kind = kind.into_inner();
    let is_base = kind == "base";
    let common = read_common(&mut root, is_base);
    if is_base {
        base(root, common)
    } else {
        component(root, kind, common)
    }
}

fn read_common(root: &mut Section<'_>, is_base: bool) -> Common {
    for (key, example) in [
        ("name", "\"thing-1.0\""),
        ("description", "\"What it is\""),
        ("version", "\"1.0\""),
    ] {
        root.require(key, example);
    }
    let name = root.parsed("name", "\"thing-1.0\"", check::name);
    let description = root.parsed("description", "\"What it is\"", check::line);
    let version = root.parsed("version", "\"1.0\"", check::line);
    let supply = root.text("supply", "\"How to get the file\"");
    let sources: Vec<(Range<usize>, RecipeSource)> = root
        .sections("source")
        .into_iter()
        .filter_map(|section| Some((section.span(), source(section, is_base)?)))
        .collect();
    check::sources(&sources, root.problems());
    if root.value("source").is_none() && supply.is_none() {
        root.problems().add(
            Problem::new(
                root.span(),
                "the recipe does not say where the file comes from",
            )
            .help("add a `[[source]]`, or say in `supply` how to get it"),
        );
    }
    Common {
        name: name.map(Spanned::into_inner),
        description: description.map(Spanned::into_inner),
        version: version.map(Spanned::into_inner),
        sources: sources.into_iter().map(|(_, source)| source).collect(),
        supply: supply.map(|text| text.get_ref().trim().to_owned()),
    }
}

fn base(mut root: Section<'_>, common: Common) -> Option<Recipe> {
    root.require("release", "\"trixie\"");
    let release = root.parsed("release", "\"trixie\"", check::name);
    root.finish();
    Some(Recipe::Base(BaseRecipe {
        name: common.name?,
        description: common.description?,
        version: common.version?,
        release: release?.into_inner(),
        sources: common.sources,
        supply: common.supply,
    }))
}

fn component(mut root: Section<'_>, kind: String, common: Common) -> Option<Recipe> {
    root.require_section("unpack", "into = \"/opt/thing-1.0\"");
    let unpack = root.section("unpack").and_then(unpack);
    let java = root.section("requires").and_then(requires);
    let services = root
        .sections("service")
        .into_iter()
        .filter_map(service)
        .collect();
    let overlays = root.texts("overlays", "[\"thing\"]").unwrap_or_default();
    let overlays = overlays
        .iter()
        .filter_map(|overlay| root.accept(overlay, check::name(overlay.get_ref())))
        .map(Spanned::into_inner)
        .collect();
    root.finish();
    let kind = match kind.as_str() {
        "java" => ComponentKind::Java,
        "hadoop" => ComponentKind::Hadoop,
        _ => ComponentKind::Other(kind),
    };
    Some(Recipe::Component(ComponentRecipe {
        name: common.name?,
        kind,
        description: common.description?,
        version: common.version?,
        sources: common.sources,
        supply: common.supply,
        unpack: unpack?,
        java,
        services,
        overlays,
    }))
}

fn unpack(mut section: Section<'_>) -> Option<UnpackRule> {
    section.require("into", "\"/opt/thing-1.0\"");
    let strip = section.integer("strip", 0..=16, "1");
    let into = section.parsed("into", "\"/opt/thing-1.0\"", check::directory);
    let link = section.parsed("link", "\"/opt/thing\"", check::directory);
    let drop = section.texts("drop", "[\"share/doc\"]").unwrap_or_default();
    let owner = section.parsed("owner", "\"root\"", |text| match text {
        "root" => Ok(UnpackOwner::Root),
        "hadoop" => Ok(UnpackOwner::Hadoop),
        _ => Err(Fault::new(
            format!("the owner is \"root\" or \"hadoop\", not {text:?}"),
            "programs belong to root unless they change themselves",
        )),
    });
    let drop = drop
        .iter()
        .filter_map(|glob| section.accept(glob, check::glob(glob.get_ref())))
        .map(Spanned::into_inner)
        .collect();
    if let (Some(into), Some(link)) = (&into, &link)
        && (link.get_ref().is_within(into.get_ref()) || into.get_ref().is_within(link.get_ref()))
    {
        section.problems().add(
            Problem::new(
                link.span(),
                "the link and the directory lie within each other",
            )
            .related(into.span(), "the directory"),
        );
    }
    section.finish();
    Some(UnpackRule {
        strip: strip
            .and_then(|strip| usize::try_from(strip.into_inner()).ok())
            .unwrap_or(0),
        into: into?.into_inner(),
        link: link.map(Spanned::into_inner),
        drop,
        owner: owner.map_or(UnpackOwner::Root, Spanned::into_inner),
    })
}

fn requires(mut section: Section<'_>) -> Option<JavaRange> {
    let java = section.section("java").and_then(java);
    section.finish();
    java
}

fn java(mut section: Section<'_>) -> Option<JavaRange> {
    section.require("min", "17");
    // Java 8 is the oldest any Hadoop 3 runs on.
    let min = section.integer("min", 8..=99, "17");
    let max = section.integer("max", 8..=99, "21");
    let supported = section.value("supported").and_then(|value| {
        let versions = value.get_ref().as_array().and_then(|array| {
            let number = |item: &Spanned<toml::de::DeValue<'_>>| {
                item.get_ref()
                    .as_integer()
                    .and_then(|n| n.as_str().parse::<u32>().ok())
            };
            array.iter().map(number).collect::<Option<Vec<u32>>>()
        });
        if versions.is_none() {
            section.wrong_type("supported", value, "a list of major versions", "[8, 11]");
        }
        versions
    });
    let note = section.text("note", "\"What to know\"");
    if let (Some(min), Some(max)) = (&min, &max)
        && min.get_ref() > max.get_ref()
    {
        section.problems().add(
            Problem::new(max.span(), "no version is in this range")
                .related(min.span(), "the least"),
        );
    }
    section.finish();
    let major = |number: Spanned<i64>| u32::try_from(number.into_inner()).ok();
    Some(JavaRange {
        min: min.and_then(major)?,
        max: max.and_then(major),
        supported: supported.unwrap_or_default(),
        note: note.map(|text| (*text.get_ref()).to_owned()),
    })
}

fn service(mut section: Section<'_>) -> Option<Service> {
    for (key, example) in [
        ("name", "\"thing\""),
        ("description", "\"What it does\""),
        ("roles", "[\"worker\"]"),
        ("unit", "\"thing.service\""),
    ] {
        section.require(key, example);
    }
    let name = section.parsed("name", "\"thing\"", check::name);
    let description = section.parsed("description", "\"What it does\"", check::line);
    let unit = section.parsed("unit", "\"thing.service\"", check::unit);
    let roles = section.texts("roles", "[\"worker\"]");
    let roles: Option<Vec<String>> = roles.map(|roles| {
        roles
            .iter()
            .filter_map(|role| section.accept(role, check::name(role.get_ref())))
            .map(Spanned::into_inner)
            .collect()
    });
    section.finish();
    Some(Service {
        name: name?.into_inner(),
        description: description?.into_inner(),
        roles: roles?,
        unit: unit?.into_inner(),
    })
}
