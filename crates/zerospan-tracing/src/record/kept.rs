use super::value::{format, visit_plain_values};
use crate::state::stats::Losses;
use std::error::Error;
use std::fmt;
use std::mem;
use tracing_core::field::{Field, Visit};
use zerospan_core::{Attribute, AttributeValue};
use zerospan_otlp::AttributeWriter;

/// Visits the fields of a span: writes those that log records get too.
pub(crate) struct KeptVisitor<'a> {
    pub(crate) names: &'a [String],
    pub(crate) writer: AttributeWriter<'a>,
    pub(crate) text: &'a mut String,
    pub(crate) losses: &'a Losses,
}

impl KeptVisitor<'_> {
    fn key(&self, field: &Field) -> Option<&'static str> {
        let name = field.name();
        self.names.iter().any(|kept| kept == name).then_some(name)
    }

    fn set<'v>(&mut self, field: &Field, value: impl Into<AttributeValue<'v>>) {
        if let Some(key) = self.key(field) {
            self.writer.set_attribute(Attribute::new(key, value));
        }
    }

    fn set_text(&mut self, key: &'static str, text: &str) {
        self.writer.set_attribute(Attribute::new(key, text));
    }

    fn set_formatted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let Some(key) = self.key(field) else { return };
        let mut text = mem::take(self.text);
        if format(self.losses, &mut text, value) {
            self.set_text(key, &text);
        }
        *self.text = text;
    }
}

impl Visit for KeptVisitor<'_> {
    visit_plain_values!();

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set_formatted(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set_formatted(field, format_args!("{value:?}"));
    }
}
