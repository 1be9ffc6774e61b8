use super::state::this_thread;
use super::{Entered, Span};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, Status, TraceContextExt};
use std::error::Error;
use std::fmt;
use std::time::SystemTime;
use zerospan_core::context;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, SinkError,
};
use zerospan_otlp::{
    AttributeValues, AttributeWriter, StaticKey, StaticKeySet, TextWriter, unix_nanos,
};

/// Methods beyond OpenTelemetry's trait. They do nothing to a span that is not recorded or has ended, and allocate only if the
/// span outgrows its slot.
impl Span {
    /// Sets the attribute `key`, in the fastest way. Replaces an earlier value of the key.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set(key, value);
        }
    }

    /// Sets each key of `keys` to its value, all in one step. Replaces earlier values of the keys.
    ///
    /// ```
    /// # fn example(span: &mut zerospan_trace::Span) {
    /// use zerospan_trace::StaticKeySet;
    ///
    /// const RESPONSE: StaticKeySet<2> = StaticKeySet::new(["http.route", "http.response.status_code"]);
    ///
    /// span.set_each(&RESPONSE, ("/users/{id}", 200));
    /// # }
    /// ```
    #[inline(always)]
    pub fn set_each<'v, const N: usize>(
        &mut self,
        keys: &StaticKeySet<N>,
        values: impl AttributeValues<'v, N>,
    ) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_each(keys, values);
        }
    }

    /// Sets the attribute `key`, which need not be a constant. Replaces an earlier value of the key.
    #[inline]
    pub fn set_dynamic<'v>(&mut self, key: &'v str, value: impl Into<AttributeValue<'v>>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_attribute(Attribute::new(key, value));
        }
    }

    /// Sets the attribute `key` to a text, which is formatted in place, and only if the span is recorded.
    ///
    /// Of a text that cannot be formatted to its end, the beginning is kept.
    ///
    /// # Panics
    ///
    /// Panics if formatting panics. The attribute is then dropped and counted.
    ///
    /// ```
    /// # fn example(span: &mut zerospan_trace::Span) {
    /// # const SIZE: zerospan_trace::StaticKey = zerospan_trace::StaticKey::new("image.size");
    /// span.set_fmt(&SIZE, format_args!("{}x{}", 640, 480));
    /// # }
    /// ```
    pub fn set_fmt(&mut self, key: &StaticKey, text: fmt::Arguments<'_>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_fmt(key, text);
        }
    }

    /// Sets the attribute `key` to the text that `write` writes, in place. Calls `write` only if the span is recorded.
    ///
    /// For text that is written without `core::fmt`, which takes several times as long for numbers and addresses: by `itoa` and the
    /// like, or in pieces by `Text` of `zerospan-stack`. If `write` returns an error, what it wrote before is kept.
    ///
    /// # Panics
    ///
    /// Panics if `write` does. The attribute is then dropped and counted.
    ///
    /// ```
    /// # fn example(span: &mut zerospan_trace::Span) {
    /// use std::fmt::Write;
    ///
    /// # const PATH: zerospan_trace::StaticKey = zerospan_trace::StaticKey::new("url.path");
    /// span.set_text_with(&PATH, |text| {
    ///     text.write_str("/users/")?;
    ///     text.write_str("42")
    /// });
    /// # }
    /// ```
    #[inline]
    pub fn set_text_with<E>(
        &mut self,
        key: &StaticKey,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<(), E>,
    ) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_text_with(key, write);
        }
    }

    /// Sets every attribute of a source: of a slice, an arena, a shared set or a set of fixed capacity.
    ///
    /// The first span encodes a shared set, which allocates; later spans copy the bytes.
    #[inline]
    pub fn set_all<S: AttributeSource + ?Sized>(&mut self, attributes: &S) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.extend(attributes);
        }
    }

    /// Adds an event with the current time.
    #[inline]
    pub fn event<S: AttributeSource + ?Sized>(&mut self, name: &str, attributes: &S) {
        self.event_with(name, |writer| writer.extend(attributes));
    }

    /// Adds an event with the time `time`.
    #[inline]
    pub fn event_at<S: AttributeSource + ?Sized>(
        &mut self,
        name: &str,
        time: SystemTime,
        attributes: &S,
    ) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_event(name, unix_nanos(time), attributes);
        }
    }

    /// Adds an event with the current time and the attributes that `write` sets. Calls `write` only if the span is recorded and
    /// its limit of events is not reached.
    #[inline]
    pub fn event_with(&mut self, name: &str, write: impl FnOnce(&mut AttributeWriter<'_>)) {
        let now = self.now();
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_event_with(name, now, write);
        }
    }

    /// Links this span to the span of `to`.
    #[inline]
    pub fn link<S: AttributeSource + ?Sized>(&mut self, to: &SpanContext, attributes: &S) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_link(to, attributes);
        }
    }

    /// Links this span to the span of `to`, with the attributes that `write` sets.
    #[inline]
    pub fn link_with(&mut self, to: &SpanContext, write: impl FnOnce(&mut AttributeWriter<'_>)) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_link_with(to, write);
        }
    }

    /// Sets the status `Ok`, which is final: later calls do not change it.
    #[inline]
    pub fn set_ok(&mut self) {
        if let Some(slot) = &mut self.slot {
            slot.set_status(Status::Ok);
        }
    }

    /// Sets the status `Error` with a description.
    pub fn set_error(&mut self, description: &str) {
        self.set_error_fmt(format_args!("{description}"));
    }

    /// Sets the status `Error` with a description. Formats it only if the span is recorded.
    pub fn set_error_fmt(&mut self, description: fmt::Arguments<'_>) {
        if let Some(slot) = &mut self.slot {
            let description = slot.format(description);
            slot.set_status(Status::Error { description });
        }
    }

    /// Renames the span. Formats the name only if the span is recorded.
    pub fn update_name_fmt(&mut self, name: fmt::Arguments<'_>) {
        if let Some(slot) = &mut self.slot {
            let name = slot.format(name);
            slot.recorder.rename(&name);
            slot.keep_spare(name);
        }
    }

    /// Makes this span the parent of spans that start on this thread until the guard is dropped, natively or through
    /// OpenTelemetry's traits.
    ///
    /// Unlike attaching a `Context`, this allocates nothing. Of an entered span and an attached context, the later one is
    /// current. [`Context::current`] does not include entered spans: see [`current_context`](crate::current_context).
    #[inline]
    pub fn enter(&self) -> Entered {
        Entered::new(&self.context)
    }

    /// Returns the current context with this span as its span, for propagators and for code that takes a `Context`.
    ///
    /// Holds a copy of the span's context: the span stays yours. Allocates once.
    pub fn to_context(&self) -> Context {
        context::current().with_remote_span_context(self.context.clone())
    }

    pub(super) fn record_error_text(&mut self, error: &dyn Error) {
        const MESSAGE: StaticKey = StaticKey::new("exception.message");
        let Some(slot) = &mut self.slot else { return };
        let text = slot.format(format_args!("{error}"));
        self.event_with("exception", |writer| writer.set(&MESSAGE, &*text));
        if let Some(slot) = &mut self.slot {
            slot.keep_spare(text);
        }
    }

    /// Returns the time by this span's clock, or 0 if the span is not recorded.
    #[inline]
    fn now(&self) -> u64 {
        let Some(slot) = &self.slot else { return 0 };
        let Some(tracer) = &slot.tracer else { return 0 };
        this_thread::with(|thread| {
            let state = thread.get_by_tracer(tracer)?;
            let binding = state.binding()?;
            Some(binding.provider.span_time(slot, &state.anchor))
        })
        .unwrap_or(slot.start.unix)
    }
}

/// Sets attributes. A span that is not recorded ignores them.
impl AttributeSink for Span {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        match &mut self.slot {
            Some(slot) => slot.recorder.push_attribute(attribute),
            None => Ok(()),
        }
    }

    #[inline]
    fn push_all<S: AttributeSource + ?Sized>(&mut self, source: &S) -> Result<(), ExtendError> {
        match &mut self.slot {
            Some(slot) => slot.recorder.push_all(source),
            None => Ok(()),
        }
    }
}
