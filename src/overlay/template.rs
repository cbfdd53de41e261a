//! Templates of an overlay.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value};
use serde::Serialize;

use crate::edit::ImagePath;

use super::OverlayError;
use super::manifest::Condition;

/// What templates of one overlay are rendered with.
pub(super) struct Templates<'a> {
    overlay: &'a str,
    environment: Environment<'a>,
    context: Value,
}

impl<'a> Templates<'a> {
    /// Templates by path in the image. A name that is not defined is an error
    /// rather than nothing, nothing is escaped, and a file ends as it was
    /// written: what comes out is configuration, not HTML.
    pub(super) fn new<C: Serialize>(
        overlay: &'a str,
        templates: &'a BTreeMap<ImagePath, String>,
        context: &C,
    ) -> Result<Self, OverlayError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .map_err(|error| failed(overlay, None, &error))?;
        environment.set_syntax(syntax);
        for (path, text) in templates {
            let name = path.as_str().trim_start_matches('/');
            environment
                .add_template(name, text)
                .map_err(|error| failed(overlay, Some(name), &error))?;
        }
        Ok(Self {
            overlay,
            environment,
            context: Value::from(Serde(context)),
        })
    }

    /// The file that the template for `path` becomes.
    pub(super) fn render(&self, path: &ImagePath) -> Result<String, OverlayError> {
        let name = path.as_str().trim_start_matches('/');
        self.environment
            .get_template(name)
            .and_then(|template| template.render(self.context.clone()))
            .map_err(|error| failed(self.overlay, Some(name), &error))
    }

    /// Whether a condition holds; none always does.
    pub(super) fn holds(&self, when: Option<&Condition>) -> Result<bool, OverlayError> {
        let Some(when) = when else { return Ok(true) };
        self.environment
            .compile_expression(&when.expression)
            .and_then(|expression| expression.eval(self.context.clone()))
            .and_then(|value| {
                if value.is_undefined() {
                    return Err(Error::new(
                        minijinja::ErrorKind::UndefinedError,
                        format!("`{}` has no value", when.expression),
                    ));
                }
                Ok(value.is_true())
            })
            .map_err(|error| OverlayError::Template {
                file: format!("{}/overlay.toml", self.overlay),
                line: when.line,
                reason: reason(&error),
            })
    }
}

fn failed(overlay: &str, name: Option<&str>, error: &Error) -> OverlayError {
    // An error in an included template names that one.
    let name = error.name().or(name).unwrap_or("overlay.toml");
    let ending = if name == "overlay.toml" { "" } else { ".j2" };
    OverlayError::Template {
        file: format!("{overlay}/{name}{ending}"),
        line: error.line().unwrap_or(0),
        reason: reason(error),
    }
}

/// The error in one line, with what caused it.
fn reason(error: &Error) -> String {
    let mut words = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        words.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    words
}
