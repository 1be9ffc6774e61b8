use super::Span;
use crate::Entered;
use crate::local;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, Status, TraceContextExt};
use std::error::Error;
use std::fmt;
use std::time::SystemTime;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, SinkError,
};
use zerospan_otlp::{AttributeWriter, StaticKey, unix_nanos};

/// Calls of our own. They do nothing to a span that is not recorded or has ended, and allocate only where the span grows
/// beyond what its slot has held before.
impl Span {
    /// Sets the attribute `key`: the fastest way. A key that was set before gets the new value.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set(key, value);
        }
    }

    /// Sets an attribute whose key is known only at run time.
    #[inline]
    pub fn set_dynamic<'v>(&mut self, key: &'v str, value: impl Into<AttributeValue<'v>>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_attribute(Attribute::new(key, value));
        }
    }

    /// Sets the attribute `key` to a formatted text, formatted only if the span is recorded.
    ///
    /// ```
    /// # fn example(span: &mut zerospan_trace::Span) {
    /// # const SIZE: zerospan_trace::StaticKey = zerospan_trace::StaticKey::new("image.size");
    /// span.set_fmt(&SIZE, format_args!("{}x{}", 640, 480));
    /// # }
    /// ```
    pub fn set_fmt(&mut self, key: &StaticKey, text: fmt::Arguments<'_>) {
        if let Some(slot) = &mut self.slot {
            let text = slot.format(text);
            slot.recorder.set(key, &*text);
            slot.keep_spare(text);
        }
    }

    /// Sets every attribute of a slice, an arena's set, a shared set or one of fixed capacity.
    ///
    /// A shared set is encoded once in its life, which allocates; each later span copies those bytes.
    #[inline]
    pub fn set_all<S: AttributeSource + ?Sized>(&mut self, attributes: &S) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.extend(attributes);
        }
    }

    /// Adds an event that happens now.
    #[inline]
    pub fn event<S: AttributeSource + ?Sized>(&mut self, name: &str, attributes: &S) {
        self.event_with(name, |writer| writer.extend(attributes));
    }

    /// Adds an event that happened at `time`.
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

    /// Adds an event that happens now, whose attributes `write` sets. `write` is not called if the span is not recorded, or
    /// has as many events as it may.
    #[inline]
    pub fn event_with(&mut self, name: &str, write: impl FnOnce(&mut AttributeWriter<'_>)) {
        let now = self.now();
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_event_with(name, now, write);
        }
    }

    /// Links this span to another.
    #[inline]
    pub fn link<S: AttributeSource + ?Sized>(&mut self, to: &SpanContext, attributes: &S) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_link(to, attributes);
        }
    }

    /// Links this span to another, with attributes that `write` sets.
    #[inline]
    pub fn link_with(&mut self, to: &SpanContext, write: impl FnOnce(&mut AttributeWriter<'_>)) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_link_with(to, write);
        }
    }

    /// Says that the operation succeeded. Final: a later status is ignored.
    #[inline]
    pub fn set_ok(&mut self) {
        if let Some(slot) = &mut self.slot {
            slot.set_status(Status::Ok);
        }
    }

    /// Says that the operation failed, and why.
    pub fn set_error(&mut self, description: &str) {
        self.set_error_fmt(format_args!("{description}"));
    }

    /// Says that the operation failed, and why, formatted only if the span is recorded.
    pub fn set_error_fmt(&mut self, description: fmt::Arguments<'_>) {
        if let Some(slot) = &mut self.slot {
            let description = slot.format(description);
            slot.set_status(Status::Error { description });
        }
    }

    /// Renames the span, formatting the name only if it is recorded.
    pub fn update_name_fmt(&mut self, name: fmt::Arguments<'_>) {
        if let Some(slot) = &mut self.slot {
            let name = slot.format(name);
            slot.recorder.rename(&name);
            slot.keep_spare(name);
        }
    }

    /// Makes this span the parent of what starts on this thread until the guard is dropped, natively or through
    /// OpenTelemetry's traits.
    ///
    /// Unlike a `Context`, this allocates nothing. Where both are in force, the one that came last counts.
    /// [`Context::current`] does not know of it: see [`current_context`](crate::current_context).
    #[inline]
    pub fn enter(&self) -> Entered {
        Entered::new(&self.context)
    }

    /// The current context with this span as its span, for propagators and for code that starts its spans by a `Context`.
    ///
    /// It holds the span's context, not the span itself, which stays yours. Allocates once.
    pub fn to_context(&self) -> Context {
        Context::map_current(|current| current.with_remote_span_context(self.context.clone()))
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

    /// The time by this span's clock; 0 if it is not recorded.
    #[inline]
    fn now(&self) -> u64 {
        let Some(slot) = &self.slot else { return 0 };
        let Some(parts) = &slot.parts else { return 0 };
        local::with(|local| {
            let seat = local.seat_of(parts.core)?;
            seat.with(|to| to.core.now_of(slot, seat))
        })
        .unwrap_or(slot.start.unix)
    }
}

/// Sets attributes. A span that is not recorded takes and forgets them.
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
