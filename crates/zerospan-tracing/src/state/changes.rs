use opentelemetry::trace::SpanKind;
use zerospan_core::Reset;
use zerospan_otlp::StaticKey;
use zerospan_trace::Span;
use zerospan_trace::layer::AttributeBuffer;

/// The attributes of an exception that not every error has.
pub(crate) const STACKTRACE: StaticKey = StaticKey::new("exception.stacktrace");
pub(crate) const TYPE: StaticKey = StaticKey::new("exception.type");

/// Changes to a span.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) attributes: AttributeBuffer,
    /// The attributes are those of an exception too.
    pub(crate) has_exception: bool,
    /// The new name of the span.
    pub(crate) name: String,
    pub(crate) has_name: bool,
    pub(crate) kind: Option<SpanKind>,
    pub(crate) status: StatusChange,
    /// The description of an error.
    pub(crate) description: String,
}

/// A change of a span's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StatusChange {
    #[default]
    None,
    Ok,
    Error,
}

impl Changes {
    #[inline]
    pub(crate) fn reset(&mut self) {
        self.attributes.reset();
        self.has_exception = false;
        self.name.clear();
        self.has_name = false;
        self.kind = None;
        self.status = StatusChange::None;
        self.description.clear();
    }

    pub(crate) fn rename(&mut self, name: &str) {
        self.has_name = true;
        self.name.clear();
        self.name.push_str(name);
    }

    /// Sets the status `Error`. An empty description keeps that of an earlier error.
    pub(crate) fn set_error(&mut self, description: &str) {
        if self.status == StatusChange::Ok {
            return;
        }
        self.status = StatusChange::Error;
        if !description.is_empty() {
            self.description.clear();
            self.description.push_str(description);
        }
    }

    /// Returns `true` if there are changes of the status or the attributes.
    #[inline]
    pub(crate) fn has_status_or_attributes(&self) -> bool {
        self.status != StatusChange::None || !self.attributes.is_empty()
    }

    /// Applies the changes to a span.
    pub(crate) fn apply(&self, span: &mut Span) {
        if self.has_name {
            span.rename(&self.name);
        }
        if let Some(kind) = &self.kind {
            span.set_kind(kind);
        }
        self.apply_status(span);
        self.apply_attributes(span);
    }

    #[inline]
    pub(crate) fn apply_attributes(&self, span: &mut Span) {
        if self.has_exception {
            forget_exception(span);
        }
        if !self.attributes.is_empty() {
            span.append(&self.attributes);
        }
    }

    #[inline]
    pub(crate) fn apply_status(&self, span: &mut Span) {
        match self.status {
            StatusChange::None => {}
            StatusChange::Ok => span.set_ok(),
            StatusChange::Error => span.set_error_or_keep(&self.description),
        }
    }
}

/// Empties what an earlier exception has left, of which the next one may have nothing.
#[cold]
fn forget_exception(span: &mut Span) {
    for key in [STACKTRACE, TYPE] {
        if span.has_attribute(key.as_str()) {
            span.set(&key, "");
        }
    }
}
