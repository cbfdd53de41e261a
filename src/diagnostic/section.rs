//! Reading TOML by hand, so that every problem is found and placed.
//!
//! A derived deserialiser stops at the first thing it does not like. Here each
//! key is asked for by name; what is missing, misspelt or of the wrong type
//! becomes a [`Problem`] and reading goes on.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Fault, Problem, Problems, listed, nearest};

/// A string of the file, with its place.
pub type Text<'t> = Spanned<&'t str>;

/// A table being read, key by key.
///
/// Ask for every key the table may have, then [`finish`](Self::finish): keys
/// that were not asked for are unknown.
#[derive(Debug)]
pub struct Section<'t> {
    title: String,
    span: Range<usize>,
    table: &'t DeTable<'t>,
    problems: &'t Problems,
    known: Vec<&'static str>,
    missing: Vec<(&'static str, Problem)>,
}

impl<'t> Section<'t> {
    /// The top of a file.
    pub fn root(table: &'t Spanned<DeTable<'t>>, problems: &'t Problems) -> Self {
        Self::new(
            "the file".to_owned(),
            table.span(),
            table.get_ref(),
            problems,
        )
    }

    fn new(
        title: String,
        span: Range<usize>,
        table: &'t DeTable<'t>,
        problems: &'t Problems,
    ) -> Self {
        Self {
            title,
            span,
            table,
            problems,
            known: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Notes that `schema` must be there and be the one supported.
    ///
    /// # Errors
    /// It is another, in which case nothing else can be judged.
    pub fn schema(&mut self, supported: i64) -> Result<(), Problem> {
        self.require("schema", &supported.to_string());
        let Some(value) = self.value("schema") else {
            return Ok(());
        };
        let Some(found) = value.get_ref().as_integer() else {
            self.wrong_type("schema", value, "an integer", &supported.to_string());
            return Ok(());
        };
        if i64::from_str_radix(found.as_str(), found.radix()).is_ok_and(|n| n == supported) {
            return Ok(());
        }
        Err(Problem::new(
            value.span(),
            format!("schema {found} is not one this version reads"),
        )
        .label(format!("only {supported} is"))
        .help(format!(
            "write `schema = {supported}`, or use the version of pidoop this file is for"
        )))
    }

    /// Where the section's header is.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where problems go.
    pub fn problems(&self) -> &'t Problems {
        self.problems
    }

    /// The value of `key` as it stands.
    pub fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table.get(key)
    }

    /// Where `key` itself stands.
    pub fn key_span(&self, key: &str) -> Option<Range<usize>> {
        self.table.get_key_value(key).map(|(name, _)| name.span())
    }

    /// Notes that `key` must be there. `example` is a value in TOML.
    pub fn require(&mut self, key: &'static str, example: &str) {
        if self.value(key).is_some() {
            return;
        }
        let problem = Problem::new(self.span(), format!("{} has no `{key}`", self.title))
            .label(format!("`{key}` is missing"))
            .help(format!("add `{key} = {example}`"));
        self.missing.push((key, problem));
    }

    /// Notes that the section `key` must be there. `example` is a line of it.
    pub fn require_section(&mut self, key: &'static str, example: &str) {
        if self.value(key).is_some() {
            return;
        }
        let title = self.child_title(key);
        let problem = Problem::new(self.span(), format!("{} has no `[{title}]`", self.title))
            .label(format!("`[{title}]` is missing"))
            .help(format!(
                "add `[{title}]` with at least `{example}` below it"
            ));
        self.missing.push((key, problem));
    }

    /// A string. `example` is a value in TOML, for whoever wrote another type.
    pub fn text(&mut self, key: &'static str, example: &str) -> Option<Text<'t>> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, "a string", example);
        }
        text.map(|text| Spanned::new(value.span(), text))
    }

    /// A string that `check` turns into something better.
    pub fn parsed<T, F: Into<Fault>>(
        &mut self,
        key: &'static str,
        example: &str,
        check: impl FnOnce(&str) -> Result<T, F>,
    ) -> Option<Spanned<T>> {
        let text = self.text(key, example)?;
        self.accept(&text, check(text.get_ref()))
    }

    /// The checked value of `text`, or its fault reported.
    pub fn accept<T, F: Into<Fault>>(
        &self,
        text: &Text<'_>,
        checked: Result<T, F>,
    ) -> Option<Spanned<T>> {
        match checked {
            Ok(value) => Some(Spanned::new(text.span(), value)),
            Err(fault) => {
                self.problems.add(fault.into().at(text.span()));
                None
            }
        }
    }

    /// A boolean.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type(key, value, "true or false", "true");
        }
        boolean
    }

    /// An integer within `range`.
    pub fn integer(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
        example: &str,
    ) -> Option<Spanned<i64>> {
        let value = self.value(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, "an integer", example);
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(Spanned::new(value.span(), number)),
            None => {
                let message = if *range.end() == i64::MAX {
                    format!("`{key}` is at least {}", range.start())
                } else {
                    format!("`{key}` is between {} and {}", range.start(), range.end())
                };
                self.problems.add(Problem::new(value.span(), message));
                None
            }
        }
    }

    /// A list of strings.
    pub fn texts(&mut self, key: &'static str, example: &str) -> Option<Vec<Text<'t>>> {
        let value = self.value(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of strings", example);
            return None;
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Spanned::new(item.span(), text)),
                None => self.wrong_type(key, item, "a list of strings", example),
            }
        }
        Some(texts)
    }

    /// A table, written `[key]` or `key = { … }`.
    pub fn section(&mut self, key: &'static str) -> Option<Self> {
        let title = self.child_title(key);
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(
                format!("[{title}]"),
                value.span(),
                table,
                self.problems,
            )),
            other => {
                let problem = Problem::new(
                    value.span(),
                    format!("`{key}` is {}, expected a section", kind_of(other)),
                );
                self.problems
                    .add(problem.help(format!("write `[{title}]` once")));
                None
            }
        }
    }

    /// Tables written `[[key]]`, in order.
    pub fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let title = self.child_title(key);
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let wrong = |span: Range<usize>, other: &DeValue<'_>| {
            let message = format!("`{key}` is {}, expected `[[{title}]]`", kind_of(other));
            let help = format!("write `[[{title}]]`, with two brackets, before each");
            self.problems.add(Problem::new(span, message).help(help));
        };
        let Some(array) = value.get_ref().as_array() else {
            wrong(value.span(), value.get_ref());
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in array.iter() {
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Self::new(
                    format!("[[{title}]]"),
                    item.span(),
                    table,
                    self.problems,
                )),
                other => wrong(item.span(), other),
            }
        }
        sections
    }

    /// Every key with its value, for sections whose keys are names of their
    /// own. Use [`dismiss`](Self::dismiss) instead of `finish` afterwards.
    pub fn entries(&self) -> Vec<(Text<'t>, &'t Spanned<DeValue<'t>>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| (Spanned::new(key.span(), key.get_ref().as_ref()), value))
            .collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    /// A section made of the table that `value` is, if it is one.
    pub fn within(&self, key: &str, value: &'t Spanned<DeValue<'t>>) -> Option<Self> {
        let table = value.get_ref().as_table()?;
        let title = format!("[{}]", self.child_title(key));
        Some(Self::new(title, value.span(), table, self.problems))
    }

    /// Reports a value of the wrong type.
    pub fn wrong_type(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
        example: &str,
    ) {
        let found = kind_of(value.get_ref());
        self.problems.add(
            Problem::new(
                value.span(),
                format!("`{key}` is {found}, expected {expected}"),
            )
            .label(found)
            .help(format!("write it like `{key} = {example}`")),
        );
    }

    /// Reports what is missing and what was not asked for.
    pub fn finish(mut self) {
        for (key, value) in self.entries() {
            let name = *key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let is_section = matches!(value.get_ref(), DeValue::Table(_))
                || value
                    .get_ref()
                    .as_array()
                    .is_some_and(|array| array.iter().any(|item| item.get_ref().is_table()));
            let what = if is_section { "section" } else { "key" };
            let problem = Problem::new(
                key.span(),
                format!("unknown {what} `{}` in {}", name.escape_debug(), self.title),
            );
            let help = match nearest(name, self.known.iter().copied()) {
                Some(meant) => {
                    // One misspelt key is one problem, not also a missing one.
                    self.missing.retain(|(missing, _)| *missing != meant);
                    format!("did you mean `{meant}`?")
                }
                None if self.known.is_empty() => format!("{} has no keys", self.title),
                None => {
                    format!(
                        "{} may have {}",
                        self.title,
                        listed(self.known.iter().copied())
                    )
                }
            };
            self.problems.add(problem.help(help));
        }
        self.dismiss();
    }

    /// Reports what is missing, whatever else is there.
    pub fn dismiss(self) {
        for (_, problem) in self.missing {
            self.problems.add(problem);
        }
    }

    fn child_title(&self, key: &str) -> String {
        let parent = self.title.trim_matches(['[', ']']);
        if parent == "the file" {
            key.to_owned()
        } else {
            format!("{parent}.{key}")
        }
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}
