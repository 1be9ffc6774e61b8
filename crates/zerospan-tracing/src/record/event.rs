use super::error;
use super::value::{format, visit_plain_values};
use crate::state::callsite::{self, FieldKey, LogField, Role};
use crate::state::changes::{Changes, StatusChange};
use crate::state::options::{Options, Switch};
use crate::state::scratch::Texts;
use crate::state::stats::Losses;
use std::error::Error;
use std::fmt;
use std::mem;
use tracing_core::field::{Field, Visit};
use tracing_core::{Level, Metadata};
use zerospan_core::{Attribute, AttributeValue, StrArray};
use zerospan_otlp::StaticKey;
use zerospan_trace::layer::SpanLimits;

/// The destination of the parts of an event.
pub(crate) trait EventOutput {
    /// Sets an attribute.
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>);

    /// Sets an attribute whose key is not known to the callsite.
    fn set_attribute(&mut self, attribute: Attribute<'_>);

    /// Takes the message.
    fn set_message(&mut self, message: &str);

    /// Notes that the event is an exception, and has no message.
    fn set_exception(&mut self);

    /// Takes the target of a record of the `log` crate.
    fn set_target(&mut self, target: &str);

    /// Takes the name of the callsite, after everything else.
    fn complete(&mut self, name: &'static str);

    /// Takes a message that is to be formatted, by way of `text` if need be.
    #[inline]
    fn format_message(&mut self, losses: &Losses, text: &mut String, message: fmt::Arguments<'_>) {
        if format(losses, text, message) {
            self.set_message(text);
        }
    }

    /// Sets an attribute whose value is to be formatted, by way of `text` if need be.
    #[inline]
    fn format(
        &mut self,
        losses: &Losses,
        text: &mut String,
        key: &StaticKey,
        value: fmt::Arguments<'_>,
    ) {
        if format(losses, text, value) {
            self.set(key, AttributeValue::Str(text));
        }
    }
}

/// Writes to both.
impl<A: EventOutput, B: EventOutput> EventOutput for (A, B) {
    #[inline]
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>) {
        self.0.set(key, value);
        self.1.set(key, value);
    }

    fn set_attribute(&mut self, attribute: Attribute<'_>) {
        self.0.set_attribute(attribute);
        self.1.set_attribute(attribute);
    }

    fn set_message(&mut self, message: &str) {
        self.0.set_message(message);
        self.1.set_message(message);
    }

    fn set_exception(&mut self) {
        self.0.set_exception();
        self.1.set_exception();
    }

    fn set_target(&mut self, target: &str) {
        self.0.set_target(target);
        self.1.set_target(target);
    }

    fn complete(&mut self, name: &'static str) {
        self.0.complete(name);
        self.1.complete(name);
    }
}

/// Visits the fields of an event. Writes them to an output, and what the event changes of its span to the changes.
pub(crate) struct EventVisitor<'a, O> {
    pub(crate) output: O,
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) fields: &'a [FieldKey],
    pub(crate) texts: &'a mut Texts,
    pub(crate) changes: &'a mut Changes,
    /// The limits of the span that the event changes, if there is one.
    pub(crate) limits: Option<&'a SpanLimits>,
    pub(crate) options: Options,
    pub(crate) losses: &'a Losses,
    /// An error has taken the exception's attributes.
    pub(crate) has_exception: bool,
}

impl<'a, O: EventOutput> EventVisitor<'a, O> {
    /// Completes the name and the status. Returns the output.
    #[inline]
    pub(crate) fn finish(mut self) -> O {
        self.output.complete(self.metadata.name());
        if *self.metadata.level() == Level::ERROR && self.changes.status == StatusChange::None {
            self.changes.status = StatusChange::Error;
        }
        self.output
    }

    #[inline]
    fn key(&self, field: &Field) -> Option<&'a FieldKey> {
        self.fields.get(field.index())
    }

    #[inline]
    fn set<'v>(&mut self, field: &Field, value: impl Into<AttributeValue<'v>>) {
        let Some(field) = self.key(field) else { return };
        match field.role {
            Role::Plain | Role::Error => self.output.set(&field.key, value.into()),
            role => self.set_special(role, value.into()),
        }
    }

    #[cold]
    fn set_special(&mut self, role: Role, value: AttributeValue<'_>) {
        match (role, value) {
            (Role::Message, value) => {
                self.texts.is_used = true;
                let mut text = mem::take(&mut self.texts.text);
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
                    self.output.set_message(&text);
                }
                self.texts.text = text;
            }
            (Role::Log(LogField::Line), AttributeValue::I64(line))
                if self.options.has(Switch::Location) =>
            {
                self.output.set(&callsite::LINE, AttributeValue::I64(line));
            }
            _ => {}
        }
    }

    #[inline]
    fn set_text(&mut self, field: &FieldKey, text: &str) {
        match field.role {
            Role::Message => self.output.set_message(text),
            Role::Error => self.set_error_text(field, text),
            Role::Log(log) => self.set_log_text(log, text),
            _ => self.output.set(&field.key, AttributeValue::Str(text)),
        }
    }

    /// An event without a message that has an error as text, as `#[instrument(err)]` emits it.
    fn set_error_text(&mut self, field: &FieldKey, text: &str) {
        self.set_error_status(text);
        if self.options.has(Switch::ErrorEventsToExceptions) && !self.has_exception {
            self.has_exception = true;
            self.output.set_exception();
            self.output.set(&error::MESSAGE, AttributeValue::Str(text));
        } else {
            self.output.set(&field.key, AttributeValue::Str(text));
        }
    }

    fn set_error_status(&mut self, description: &str) {
        if self.options.has(Switch::ErrorEventsToStatus) {
            self.texts.is_used = true;
            let changes = &mut *self.changes;
            changes.status = StatusChange::Error;
            changes.description.clear();
            changes.description.push_str(description);
        }
    }

    fn set_log_text(&mut self, log: LogField, text: &str) {
        let has_location = self.options.has(Switch::Location);
        match log {
            LogField::Target => self.output.set_target(text),
            LogField::Module if has_location => {
                self.output
                    .set(&callsite::MODULE, AttributeValue::Str(text));
            }
            LogField::File if has_location => {
                self.output.set(&callsite::FILE, AttributeValue::Str(text));
            }
            _ => {}
        }
    }

    #[inline]
    fn set_formatted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let Some(field) = self.key(field) else { return };
        let (losses, text) = (self.losses, &mut self.texts.text);
        match field.role {
            Role::Message => self.output.format_message(losses, text, value),
            Role::Plain => self.output.format(losses, text, &field.key, value),
            _ => {
                self.texts.is_used = true;
                let mut text = mem::take(text);
                if format(losses, &mut text, value) {
                    self.set_text(field, &text);
                }
                self.texts.text = text;
            }
        }
    }
}

impl<O: EventOutput> Visit for EventVisitor<'_, O> {
    visit_plain_values!();

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Some(field) = self.key(field) else { return };
        self.texts.is_used = true;
        if !error::read(self.losses, self.texts, value) {
            return;
        }
        let (text, chain) = (
            mem::take(&mut self.texts.text),
            mem::take(&mut self.texts.chain),
        );
        let sources = chain.get(..self.texts.sources).unwrap_or_default();
        let as_exception = self.options.has(Switch::ErrorFieldsToExceptions) && !self.has_exception;
        if field.role == Role::Error {
            self.set_error_status(&text);
            if self.options.has(Switch::ErrorEventsToExceptions) && as_exception {
                self.output.set_exception();
            }
        } else if field.role == Role::Message {
            self.output.set_message(&text);
        }
        if as_exception {
            self.output.set(&error::MESSAGE, AttributeValue::Str(&text));
        } else {
            self.output.set(&field.key, AttributeValue::Str(&text));
            if !sources.is_empty() {
                let sources = AttributeValue::StrArray(StrArray::from(sources));
                let attribute = Attribute::new(&field.chain, sources);
                self.output.set_attribute(attribute);
            }
        }
        let to_span =
            self.options.has(Switch::ErrorRecordsToExceptions) && !self.changes.has_exception;
        if to_span {
            self.changes.has_exception = true;
            self.write_to_span(&error::MESSAGE, &text);
        }
        let has_sources = !sources.is_empty();
        self.texts.text = text;
        self.texts.chain = chain;
        if let Some(name) = error::type_name(value) {
            if as_exception {
                self.output.set(&error::TYPE, AttributeValue::Str(name));
            }
            if to_span {
                self.write_to_span(&error::TYPE, name);
            }
        }
        if has_sources && (as_exception || to_span) {
            error::stacktrace(self.texts);
            let text = mem::take(&mut self.texts.text);
            if as_exception {
                self.output
                    .set(&error::STACKTRACE, AttributeValue::Str(&text));
            }
            if to_span {
                self.write_to_span(&error::STACKTRACE, &text);
            }
            self.texts.text = text;
        }
        self.has_exception |= as_exception;
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set_formatted(field, format_args!("{value:?}"));
    }
}

impl<O> EventVisitor<'_, O> {
    fn write_to_span(&mut self, key: &StaticKey, text: &str) {
        if let Some(limits) = self.limits {
            self.changes.attributes.span_writer(limits).set(key, text);
        }
    }
}
