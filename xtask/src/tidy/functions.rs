//! The functions of the project, by which pages name tests.

use super::file::File;
use std::collections::BTreeSet;

/// The names of all functions.
pub(super) struct Functions<'a>(BTreeSet<&'a str>);

impl<'a> Functions<'a> {
    pub(super) fn of(files: &'a [File]) -> Self {
        let is_code = |file: &&File| file.path.extension().is_some_and(|name| name == "rs");
        let definitions = files
            .iter()
            .filter(is_code)
            .flat_map(|file| file.text.split("fn ").skip(1));
        Self(definitions.map(name).collect())
    }

    /// Returns the texts between backticks that are names of tests, and are not the name of any function.
    pub(super) fn missing<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        tests(text).filter(|name| !self.0.contains(name))
    }
}

/// Returns the names of tests between backticks, without their paths: at least three words in snake case.
pub(super) fn tests(text: &str) -> impl Iterator<Item = &str> {
    quoted(text).filter_map(|quoted| {
        let last = quoted.rsplit("::").next()?;
        let is_sentence = last.matches('_').count() >= 2 && name(last).len() == last.len();
        is_sentence.then_some(last)
    })
}

/// Returns the texts between backticks.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns the identifier in lower case at the start of `text`.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}
