use insta::assert_snapshot;

use super::*;

#[test]
fn a_users_recipe_takes_the_place_of_ours() {
    let own = VALID
        .replace("kind = \"spark\"", "kind = \"java\"")
        .replace("spark-4", "temurin-17");
    let recipes = Recipes::with([
        ("mine/temurin-17.toml".to_owned(), own),
        ("mine/notes.txt".to_owned(), "not a recipe".to_owned()),
    ])
    .unwrap();
    assert_eq!(
        recipes.find("temurin-17").unwrap().description(),
        "Apache Spark"
    );
    assert!(recipes.find("hadoop-3.5.0").is_ok());
}

#[test]
fn broken_and_misnamed_recipes_are_shown_together() {
    let bad = Recipes::with([
        ("a.toml".to_owned(), VALID.to_owned()),
        ("b.toml".to_owned(), "schema = ".to_owned()),
    ])
    .unwrap_err();
    assert_snapshot!(bad, @r#"
    error: the recipe "spark-4" is in a file named "a.toml"
     --> a.toml:3:8
      |
    3 | name = "spark-4"
      |        ^^^^^^^^^
      |
      = help: rename the file to `spark-4.toml`, or the recipe to `a`

    error: this is not TOML: string values must be quoted, expected literal string
     --> b.toml:1:10
      |
    1 | schema = 
      |          ^
    "#);
}

#[test]
fn unknown_recipes_are_guessed() {
    let recipes = Recipes::embedded().unwrap();
    let said = [
        recipes.find("temurin-71").unwrap_err(),
        recipes.base("raspios-trixy-lite-arm64").unwrap_err(),
        recipes.base("temurin-17").unwrap_err(),
        recipes.component("zulu", &ComponentKind::Java).unwrap_err(),
        recipes
            .component("spark-4", &ComponentKind::Other("spark".to_owned()))
            .unwrap_err(),
    ]
    .map(|unknown| format!("{unknown}: {}", unknown.help))
    .join("\n");
    assert_snapshot!(said, @r#"
    there is no recipe "temurin-71": did you mean `temurin-11`?
    there is no base recipe "raspios-trixy-lite-arm64": did you mean `raspios-trixie-lite-arm64`?
    the recipe "temurin-17" is for java, not base: there are debian-13-pi, raspios-bookworm-lite-arm64, raspios-trixie-lite-arm64, raspios-trixie-lite-arm64-latest
    there is no java recipe "zulu": there are temurin-11, temurin-17
    there is no spark recipe "spark-4": there are none; write one in `recipes/`
    "#);
}
