use super::error;
use super::value::{format, format_debug};
use crate::state::callsite::{Callsite, FieldKey, Role};
use crate::state::changes::{Changes, StatusChange};
use crate::state::options::{Options, Switch};
use crate::state::scratch::Scratch;
use crate::state::stats::Losses;
use opentelemetry::trace::SpanKind;
use std::error::Error;
use std::fmt;
use tracing_core::field::{Field, Visit};
use zerospan_core::{Attribute, AttributeValue, StrArray};
use zerospan_otlp::StaticKey;
use zerospan_trace::Span;
use zerospan_trace::layer::SpanLimits;

/// Takes the fields of a span.
pub(crate) trait Target {
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>);
    fn set_dynamic(&mut self, key: &str, value: AttributeValue<'_>);
    fn rename(&mut self, name: &str);
    fn set_kind(&mut self, kind: SpanKind);
    fn set_ok(&mut self);
    /// An empty description keeps that of an earlier error.
    fn set_error(&mut self, description: &str);
}

/// Visits the fields of a span.
pub(crate) struct SpanVisitor<'a, T> {
    pub(crate) target: T,
    pub(crate) callsite: &'a Callsite,
    pub(crate) options: Options,
    pub(crate) losses: &'a Losses,
    /// Taken when the first value is formatted.
    pub(crate) scratch: Option<Box<Scratch>>,
    /// An error has taken the exception's attributes.
    pub(crate) has_exception: bool,
}

impl<'a, T: Target> SpanVisitor<'a, T> {
    #[inline]
    pub(crate) fn new(
        target: T,
        callsite: &'a Callsite,
        options: Options,
        losses: &'a Losses,
    ) -> Self {
        Self {
            target,
            callsite,
            options,
            losses,
            scratch: None,
            has_exception: false,
        }
    }

    /// Keeps the memory.
    #[inline]
    pub(crate) fn finish(self) {
        if let Some(scratch) = self.scratch {
            scratch.put();
        }
    }

    #[inline]
    fn key(&self, field: &Field) -> Option<&'a FieldKey> {
        self.callsite.fields.get(field.index())
    }

    #[inline]
    fn set<'v>(&mut self, field: &Field, value: impl Into<AttributeValue<'v>>) {
        if let Some(field) = self.key(field) {
            self.target.set(&field.key, value.into());
        }
    }

    #[inline]
    fn set_text(&mut self, field: &FieldKey, text: &str) {
        let is_known = match field.role {
            Role::Name => {
                self.target.rename(text);
                true
            }
            Role::Kind => match kind(text) {
                Some(kind) => {
                    self.target.set_kind(kind);
                    true
                }
                None => false,
            },
            Role::StatusCode => self.set_status_code(text),
            Role::StatusDescription => {
                self.target.set_error(text);
                true
            }
            _ => false,
        };
        // A special field with a value that is not understood is kept as an attribute.
        if !is_known {
            self.target.set(&field.key, AttributeValue::Str(text));
        }
    }

    fn set_status_code(&mut self, code: &str) -> bool {
        if code.eq_ignore_ascii_case("ok") {
            self.target.set_ok();
        } else if code.eq_ignore_ascii_case("error") {
            self.target.set_error("");
        } else {
            return code.eq_ignore_ascii_case("unset");
        }
        true
    }

    /// Formats a value in the scratch's text, and sets it.
    #[inline]
    fn set_formatted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let Some(field) = self.key(field) else { return };
        let mut scratch = self.scratch.take().unwrap_or_else(Scratch::take);
        if format(self.losses, &mut scratch.text, value) {
            self.set_text(field, &scratch.text);
        }
        self.scratch = Some(scratch);
    }
}

impl<T: Target> Visit for SpanVisitor<'_, T> {
    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.set(field, value),
            Err(_) => self.set_formatted(field, format_args!("{value}")),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.set(field, value),
            Err(_) => self.set_formatted(field, format_args!("{value}")),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i64::try_from(value) {
            Ok(value) => self.set(field, value),
            Err(_) => self.set_formatted(field, format_args!("{value}")),
        }
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(field) = self.key(field) {
            self.set_text(field, value);
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.set(field, AttributeValue::Bytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Some(field) = self.key(field) else { return };
        let mut scratch = self.scratch.take().unwrap_or_else(Scratch::take);
        if error::read(self.losses, &mut scratch, value) {
            let as_exception =
                self.options.has(Switch::ErrorFieldsToExceptions) && !self.has_exception;
            if as_exception {
                self.has_exception = true;
                self.target
                    .set(&error::MESSAGE, AttributeValue::Str(&scratch.text));
                if let Some(name) = error::type_name(value) {
                    self.target.set(&error::TYPE, AttributeValue::Str(name));
                }
                if scratch.sources > 0 {
                    error::stacktrace(&mut scratch);
                    self.target
                        .set(&error::STACKTRACE, AttributeValue::Str(&scratch.text));
                }
            } else {
                self.target
                    .set(&field.key, AttributeValue::Str(&scratch.text));
                if let Some(sources) = scratch.chain.get(..scratch.sources)
                    && !sources.is_empty()
                {
                    let sources = AttributeValue::StrArray(StrArray::from(sources));
                    self.target.set_dynamic(&field.chain, sources);
                }
            }
        }
        self.scratch = Some(scratch);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let Some(field) = self.key(field) else { return };
        let mut scratch = self.scratch.take().unwrap_or_else(Scratch::take);
        if format_debug(self.losses, &mut scratch.text, value) {
            self.set_text(field, &scratch.text);
        }
        self.scratch = Some(scratch);
    }
}

/// A span that nobody else knows yet.
impl Target for &mut Span {
    #[inline]
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>) {
        Span::set(self, key, value);
    }

    fn set_dynamic(&mut self, key: &str, value: AttributeValue<'_>) {
        Span::set_dynamic(self, key, value);
    }

    fn rename(&mut self, name: &str) {
        Span::rename(self, name);
    }

    fn set_kind(&mut self, kind: SpanKind) {
        Span::set_kind(self, &kind);
    }

    fn set_ok(&mut self) {
        Span::set_ok(self);
    }

    fn set_error(&mut self, description: &str) {
        self.set_error_or_keep(description);
    }
}

/// Changes to a span that is in the table.
impl Target for (&mut Changes, &SpanLimits) {
    #[inline]
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>) {
        self.0.attributes.span_writer(self.1).set(key, value);
    }

    fn set_dynamic(&mut self, key: &str, value: AttributeValue<'_>) {
        let attribute = Attribute::new(key, value);
        self.0
            .attributes
            .span_writer(self.1)
            .set_attribute(attribute);
    }

    fn rename(&mut self, name: &str) {
        self.0.has_name = true;
        self.0.name.clear();
        self.0.name.push_str(name);
    }

    fn set_kind(&mut self, kind: SpanKind) {
        self.0.kind = Some(kind);
    }

    fn set_ok(&mut self) {
        self.0.status = StatusChange::Ok;
    }

    fn set_error(&mut self, description: &str) {
        if self.0.status == StatusChange::Ok {
            return;
        }
        self.0.status = StatusChange::Error;
        if !description.is_empty() {
            self.0.description.clear();
            self.0.description.push_str(description);
        }
    }
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
