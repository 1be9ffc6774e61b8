use super::error;
use super::value::{catch, format, visit_plain_values};
use crate::state::callsite::{Callsite, FieldKey, Role};
use crate::state::changes::{Changes, StatusChange};
use crate::state::options::{Options, Switch};
use crate::state::scratch::Scratch;
use crate::state::stats::Losses;
use opentelemetry::trace::SpanKind;
use std::error::Error;
use std::fmt;
use std::mem;
use tracing_core::field::{Field, Visit};
use zerospan_core::{Attribute, AttributeValue, StrArray};
use zerospan_otlp::AttributeWriter;

/// Visits the fields of a span: writes attributes, and keeps what the special fields change.
pub(crate) struct SpanVisitor<'a> {
    writer: AttributeWriter<'a>,
    callsite: &'a Callsite,
    options: Options,
    losses: &'a Losses,
    /// Taken for the first special field or value that is formatted.
    scratch: Option<Box<Scratch>>,
    /// An error has taken the exception's attributes.
    has_exception: bool,
}

impl<'a> SpanVisitor<'a> {
    #[inline]
    pub(crate) fn new(
        writer: AttributeWriter<'a>,
        callsite: &'a Callsite,
        options: Options,
        losses: &'a Losses,
    ) -> Self {
        Self {
            writer,
            callsite,
            options,
            losses,
            scratch: None,
            has_exception: false,
        }
    }

    /// Returns what the special fields change, to be applied and put back.
    #[inline]
    pub(crate) fn finish(self) -> Option<Box<Scratch>> {
        self.scratch
    }

    #[inline]
    fn key(&self, field: &Field) -> Option<&'a FieldKey> {
        self.callsite.fields.get(field.index())
    }

    #[inline(always)]
    fn set<'v>(&mut self, field: &Field, value: impl Into<AttributeValue<'v>>) {
        if let Some(field) = self.callsite.fields.get(field.index()) {
            self.writer.set(&field.key, value);
        }
    }

    #[inline(always)]
    fn set_text(&mut self, field: &FieldKey, text: &str) {
        if field.role == Role::Plain || !self.set_special(field.role, text) {
            self.writer.set(&field.key, text);
        }
    }

    /// Takes the text of a special field. Returns `false` if it is not understood: it is then kept as an attribute.
    #[inline(never)]
    fn set_special(&mut self, role: Role, text: &str) -> bool {
        let mut scratch = self.scratch.take().unwrap_or_else(Scratch::take);
        let changes = &mut scratch.changes;
        let is_known = match role {
            Role::Name => {
                changes.rename(text);
                true
            }
            Role::Kind => {
                let kind = kind(text);
                let is_known = kind.is_some();
                changes.kind = kind.or_else(|| changes.kind.take());
                is_known
            }
            Role::StatusCode => set_status_code(changes, text),
            Role::StatusDescription => {
                changes.set_error(text);
                true
            }
            _ => false,
        };
        self.scratch = Some(scratch);
        is_known
    }

    /// Formats a value in its place, or that of a special field in the scratch's text.
    #[inline]
    fn set_formatted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let Some(field) = self.key(field) else { return };
        if field.role == Role::Plain {
            catch(self.losses, || self.writer.set_fmt(&field.key, value));
            return;
        }
        let mut scratch = self.scratch.take().unwrap_or_else(Scratch::take);
        let mut text = mem::take(&mut scratch.texts.text);
        self.scratch = Some(scratch);
        if format(self.losses, &mut text, value) {
            self.set_text(field, &text);
        }
        self.keep(text);
    }

    fn keep(&mut self, text: String) {
        if let Some(scratch) = &mut self.scratch {
            scratch.texts.text = text;
        }
    }
}

impl Visit for SpanVisitor<'_> {
    visit_plain_values!();

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Some(field) = self.key(field) else { return };
        let mut scratch = self.scratch.take().unwrap_or_else(Scratch::take);
        if error::read(self.losses, &mut scratch.texts, value) {
            let as_exception =
                self.options.has(Switch::ErrorFieldsToExceptions) && !self.has_exception;
            if as_exception {
                self.has_exception = true;
                scratch.changes.has_exception = true;
                self.writer
                    .set(&error::MESSAGE, scratch.texts.text.as_str());
                if let Some(name) = error::type_name(value) {
                    self.writer.set(&error::TYPE, name);
                }
                if scratch.texts.sources > 0 {
                    error::stacktrace(&mut scratch.texts);
                    self.writer
                        .set(&error::STACKTRACE, scratch.texts.text.as_str());
                }
            } else {
                self.writer.set(&field.key, scratch.texts.text.as_str());
                if let Some(sources) = scratch.texts.chain.get(..scratch.texts.sources)
                    && !sources.is_empty()
                {
                    let sources = AttributeValue::StrArray(StrArray::from(sources));
                    let attribute = Attribute::new(&field.chain, sources);
                    self.writer.set_attribute(attribute);
                }
            }
        }
        self.scratch = Some(scratch);
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set_formatted(field, format_args!("{value:?}"));
    }
}

fn set_status_code(changes: &mut Changes, code: &str) -> bool {
    if code.eq_ignore_ascii_case("ok") {
        changes.status = StatusChange::Ok;
    } else if code.eq_ignore_ascii_case("error") {
        changes.set_error("");
    } else {
        return code.eq_ignore_ascii_case("unset");
    }
    true
}

fn kind(text: &str) -> Option<SpanKind> {
    const KINDS: [(&str, SpanKind); 5] = [
        ("internal", SpanKind::Internal),
        ("server", SpanKind::Server),
        ("client", SpanKind::Client),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
    ];
    let is_match = |(name, _): &&(&str, SpanKind)| text.eq_ignore_ascii_case(name);
    KINDS.iter().find(is_match).map(|(_, kind)| kind.clone())
}
