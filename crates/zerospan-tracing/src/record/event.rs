use super::error;
use super::value::{format, format_debug, visit_plain_values};
use crate::state::callsite::{self, Callsite, FieldKey, LogField, Role};
use crate::state::changes::StatusChange;
use crate::state::options::{Options, Switch};
use crate::state::scratch::Scratch;
use crate::state::stats::Losses;
use std::error::Error;
use std::fmt;
use std::mem;
use tracing_core::Level;
use tracing_core::field::{Field, Visit};
use zerospan_core::{Attribute, AttributeValue, StrArray};
use zerospan_otlp::StaticKey;
use zerospan_trace::layer::SpanLimits;

/// The name of an event that is an exception.
const EXCEPTION: &str = "exception";

/// Visits the fields of an event. Writes its attributes to the scratch's `event`, its name to the `name` of the changes, and
/// what the event changes of its span to the rest of the changes.
pub(crate) struct EventVisitor<'a> {
    scratch: &'a mut Scratch,
    callsite: &'a Callsite,
    options: Options,
    limits: &'a SpanLimits,
    losses: &'a Losses,
    has_exception: bool,
    /// An error has taken the exception's attributes of the span.
    has_span_exception: bool,
}

impl<'a> EventVisitor<'a> {
    #[inline]
    pub(crate) fn new(
        scratch: &'a mut Scratch,
        callsite: &'a Callsite,
        options: Options,
        limits: &'a SpanLimits,
        losses: &'a Losses,
    ) -> Self {
        scratch.event.copy_from(&callsite.constants);
        Self {
            scratch,
            callsite,
            options,
            limits,
            losses,
            has_exception: false,
            has_span_exception: false,
        }
    }

    /// Completes the name and the status.
    #[inline]
    pub(crate) fn finish(self) {
        let changes = &mut self.scratch.changes;
        if changes.name.is_empty() {
            changes.name.push_str(self.callsite.metadata.name());
        }
        if *self.callsite.metadata.level() == Level::ERROR && changes.status == StatusChange::None {
            changes.status = StatusChange::Error;
        }
    }

    #[inline]
    fn key(&self, field: &Field) -> Option<&'a FieldKey> {
        self.callsite.fields.get(field.index())
    }

    #[inline]
    fn write(&mut self, key: &StaticKey, value: AttributeValue<'_>) {
        self.scratch.event.event_writer(self.limits).set(key, value);
    }

    #[inline]
    fn set<'v>(&mut self, field: &Field, value: impl Into<AttributeValue<'v>>) {
        let Some(field) = self.key(field) else { return };
        match field.role {
            Role::Plain | Role::Error => self.write(&field.key, value.into()),
            role => self.set_special(role, value.into()),
        }
    }

    #[cold]
    fn set_special(&mut self, role: Role, value: AttributeValue<'_>) {
        match (role, value) {
            (Role::Message, value) => {
                let mut text = mem::take(&mut self.scratch.text);
                let is_done = match value {
                    AttributeValue::Bool(flag) => {
                        format(self.losses, &mut text, format_args!("{flag}"))
                    }
                    AttributeValue::I64(number) => {
                        format(self.losses, &mut text, format_args!("{number}"))
                    }
                    AttributeValue::F64(number) => {
                        format(self.losses, &mut text, format_args!("{number}"))
                    }
                    _ => false,
                };
                if is_done {
                    self.set_name(&text);
                }
                self.scratch.text = text;
            }
            (Role::Log(LogField::Line), AttributeValue::I64(line))
                if self.options.has(Switch::Location) =>
            {
                self.write(&callsite::LINE, AttributeValue::I64(line));
            }
            _ => {}
        }
    }

    fn set_name(&mut self, name: &str) {
        let changes = &mut self.scratch.changes;
        changes.has_name = true;
        changes.name.clear();
        changes.name.push_str(name);
    }

    #[inline]
    fn set_text(&mut self, field: &FieldKey, text: &str) {
        match field.role {
            Role::Message => self.set_name(text),
            Role::Error => self.set_error_text(field, text),
            Role::Log(log) => self.set_log_text(log, text),
            _ => self.write(&field.key, AttributeValue::Str(text)),
        }
    }

    /// An event without a message that has an error as text, as `#[instrument(err)]` emits it.
    fn set_error_text(&mut self, field: &FieldKey, text: &str) {
        self.set_error_status(text);
        if self.options.has(Switch::ErrorEventsToExceptions) && !self.has_exception {
            self.has_exception = true;
            self.set_name(EXCEPTION);
            self.write(&error::MESSAGE, AttributeValue::Str(text));
        } else {
            self.write(&field.key, AttributeValue::Str(text));
        }
    }

    fn set_error_status(&mut self, description: &str) {
        if self.options.has(Switch::ErrorEventsToStatus) {
            let changes = &mut self.scratch.changes;
            changes.status = StatusChange::Error;
            changes.description.clear();
            changes.description.push_str(description);
        }
    }

    fn set_log_text(&mut self, log: LogField, text: &str) {
        let has_location = self.options.has(Switch::Location);
        match log {
            LogField::Target => self.write(&callsite::TARGET, AttributeValue::Str(text)),
            LogField::Module if has_location => {
                self.write(&callsite::MODULE, AttributeValue::Str(text));
            }
            LogField::File if has_location => {
                self.write(&callsite::FILE, AttributeValue::Str(text));
            }
            _ => {}
        }
    }

    fn set_formatted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let Some(field) = self.key(field) else { return };
        let mut text = mem::take(&mut self.scratch.text);
        if format(self.losses, &mut text, value) {
            self.set_text(field, &text);
        }
        self.scratch.text = text;
    }
}

impl Visit for EventVisitor<'_> {
    visit_plain_values!();

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Some(field) = self.key(field) else { return };
        if !error::read(self.losses, self.scratch, value) {
            return;
        }
        let (text, chain) = (
            mem::take(&mut self.scratch.text),
            mem::take(&mut self.scratch.chain),
        );
        let sources = chain.get(..self.scratch.sources).unwrap_or_default();
        let as_exception = self.options.has(Switch::ErrorFieldsToExceptions) && !self.has_exception;
        if field.role == Role::Error {
            self.set_error_status(&text);
            if self.options.has(Switch::ErrorEventsToExceptions) && as_exception {
                self.set_name(EXCEPTION);
            }
        } else if field.role == Role::Message {
            self.set_name(&text);
        }
        if as_exception {
            self.write(&error::MESSAGE, AttributeValue::Str(&text));
        } else {
            self.write(&field.key, AttributeValue::Str(&text));
            if !sources.is_empty() {
                let sources = AttributeValue::StrArray(StrArray::from(sources));
                let attribute = Attribute::new(&field.chain, sources);
                let mut writer = self.scratch.event.event_writer(self.limits);
                writer.set_attribute(attribute);
            }
        }
        let to_span =
            self.options.has(Switch::ErrorRecordsToExceptions) && !self.has_span_exception;
        if to_span {
            self.has_span_exception = true;
            self.scratch.changes.has_exception = true;
            self.write_to_span(&error::MESSAGE, &text);
        }
        let has_sources = !sources.is_empty();
        self.scratch.text = text;
        self.scratch.chain = chain;
        if let Some(name) = error::type_name(value) {
            if as_exception {
                self.write(&error::TYPE, AttributeValue::Str(name));
            }
            if to_span {
                self.write_to_span(&error::TYPE, name);
            }
        }
        if has_sources && (as_exception || to_span) {
            error::stacktrace(self.scratch);
            let text = mem::take(&mut self.scratch.text);
            if as_exception {
                self.write(&error::STACKTRACE, AttributeValue::Str(&text));
            }
            if to_span {
                self.write_to_span(&error::STACKTRACE, &text);
            }
            self.scratch.text = text;
        }
        self.has_exception |= as_exception;
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let Some(field) = self.key(field) else { return };
        let mut text = mem::take(&mut self.scratch.text);
        if format_debug(self.losses, &mut text, value) {
            self.set_text(field, &text);
        }
        self.scratch.text = text;
    }
}

impl EventVisitor<'_> {
    fn write_to_span(&mut self, key: &StaticKey, text: &str) {
        let mut writer = self.scratch.changes.attributes.span_writer(self.limits);
        writer.set(key, text);
    }
}
