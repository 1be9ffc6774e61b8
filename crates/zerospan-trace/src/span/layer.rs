//! The parts of spans that a layer of the `tracing` crate needs. Hidden, and not covered by semantic versioning.
//!
//! A layer keeps its spans under locks, so whatever may run foreign code is a step of its own that needs no span: reading the
//! clock, and starting and ending a span.

use super::Span;
use super::state::{ThisThread, this_thread};
use crate::base::clock::Reading;
use crate::context::active_spans::{EntryKey, Exited};
use crate::context::parent::ParentContext;
use opentelemetry::trace::{SpanContext, SpanKind, Status};
use std::borrow::Cow;
use std::fmt;
use std::mem;
use zerospan_core::AttributeSource;
use zerospan_otlp::{AttributeBuffer, AttributeWriter};

/// A reading of a tracer's clock. Created by [`Tracer::moment`](crate::Tracer::moment).
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment(pub(crate) Reading);

impl Moment {
    /// Returns nanoseconds on a time line that nobody sets.
    #[inline]
    pub fn steady_nanos(&self) -> u64 {
        self.0.steady()
    }
}

impl Span {
    /// Returns the time of `moment` by this span's clock, in nanoseconds since 1970. Runs no foreign code.
    #[inline]
    pub fn unix_nanos_at(&self, moment: &Moment) -> u64 {
        match &self.slot {
            Some(slot) if !slot.start_is_given => slot.start.unix_at(moment.0),
            _ => moment.0.unix,
        }
    }

    /// Returns the moment at which the span started.
    #[inline]
    pub fn start_moment(&self) -> Moment {
        let start = self.slot.as_ref().map(|slot| slot.start);
        Moment(start.unwrap_or_default())
    }

    /// Ends the span at a time in nanoseconds since 1970.
    #[inline]
    pub fn end_at_unix_nanos(&mut self, unix_nanos: u64) {
        self.end_at(Some(unix_nanos));
    }

    /// Returns `true` if the span is recorded and has not ended.
    #[inline(always)]
    pub fn is_recorded(&self) -> bool {
        self.slot.is_some()
    }

    /// Returns the span, and leaves an ended span with the same context.
    #[inline]
    pub fn take(&mut self) -> Self {
        Self {
            context: self.context.clone(),
            slot: self.slot.take(),
        }
    }

    /// Returns the context.
    #[inline(always)]
    pub fn context_ref(&self) -> &SpanContext {
        &self.context
    }

    /// Renames the span.
    pub fn rename(&mut self, name: &str) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.rename(name);
        }
    }

    /// Replaces the kind.
    pub fn set_kind(&mut self, kind: &SpanKind) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_kind(kind);
        }
    }

    /// Returns `true` if the span has an attribute `key`.
    pub fn has_attribute(&self, key: &str) -> bool {
        let slot = self.slot.as_ref();
        slot.is_some_and(|slot| slot.recorder.attribute(key).is_some())
    }

    /// Sets attributes with a writer.
    #[inline]
    pub fn write_attributes(&mut self, write: impl FnOnce(AttributeWriter<'_>)) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.write_attributes(write);
        }
    }

    /// Sets the attributes of a buffer.
    #[inline]
    pub fn append(&mut self, attributes: &AttributeBuffer) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.append(attributes);
        }
    }

    /// Adds an event with the attributes of a buffer.
    #[inline]
    pub fn add_event_from(&mut self, name: &str, unix_nanos: u64, attributes: &AttributeBuffer) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_event_from(name, unix_nanos, attributes);
        }
    }

    /// Adds an event at a time in nanoseconds since 1970.
    pub fn add_event_at<S: AttributeSource + ?Sized>(
        &mut self,
        name: &str,
        unix_nanos: u64,
        attributes: &S,
    ) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.add_event(name, unix_nanos, attributes);
        }
    }

    /// Sets the status `Error`. An empty description keeps that of an earlier error.
    pub fn set_error_or_keep(&mut self, description: &str) {
        let Some(slot) = &mut self.slot else { return };
        if description.is_empty() {
            if !matches!(slot.status, Status::Error { .. }) {
                let description = Cow::Borrowed("");
                slot.set_status(Status::Error { description });
            }
        } else {
            let description = slot.format(format_args!("{description}"));
            slot.set_status(Status::Error { description });
        }
    }

    /// Takes the identity of `other`, which started later: its ids, its parent, and the sampler's decision on it. Keeps its own
    /// name, kind, start and data, if both are recorded. Returns the span that is left over, to be [discarded](Self::discard).
    #[must_use]
    pub fn take_identity_of(&mut self, mut other: Self) -> Self {
        if let (Some(slot), Some(others)) = (&mut self.slot, &mut other.slot) {
            slot.recorder.take_identity_of(&others.recorder);
            mem::swap(&mut slot.is_exported, &mut others.is_exported);
            mem::swap(&mut self.context, &mut other.context);
        } else {
            mem::swap(self, &mut other);
        }
        other
    }

    /// Drops a span as if it had not started.
    pub fn discard(mut self) {
        let Some(slot) = self.slot.take() else {
            return;
        };
        let mut slot = Some(slot);
        this_thread::with(|thread| {
            let state = thread.get_by_tracer(slot.as_ref()?.tracer.as_ref()?)?;
            let (slot, binding) = (slot.take()?, state.binding()?);
            state.counters().forget_start(slot.is_exported);
            state.put_slot(&binding.provider, slot);
            Some(())
        });
    }
}

/// A span that has ended, with an invalid context.
impl Default for Span {
    fn default() -> Self {
        Self {
            context: SpanContext::NONE,
            slot: None,
        }
    }
}

/// This thread's part of tracing, for several steps after one look-up.
#[derive(Clone, Copy)]
pub struct LayerThread<'a>(pub(crate) &'a ThisThread);

/// Calls `work` with this thread's part: an empty one if the thread is exiting.
#[inline(always)]
pub fn with_thread<O>(mut work: impl FnMut(&LayerThread<'_>) -> O) -> O {
    this_thread::with(|thread| work(&LayerThread(thread)))
}

impl LayerThread<'_> {
    /// Enters a span under a key, instead of a guard. Returns `false` if this thread has too many entered spans.
    #[inline(always)]
    pub fn enter_as(&self, key: EntryKey, span: &SpanContext, is_recorded: bool) -> bool {
        let api_span_id = self.0.api_span_id();
        let parent = ParentContext::new(span);
        let stack = &self.0.active_spans;
        let position = stack.enter_as(key, parent, api_span_id, is_recorded);
        position.is_some()
    }

    /// Exits the span that was entered last under `key`. Returns `None` if there is no such entry.
    #[inline(always)]
    pub fn exit_as(&self, key: EntryKey) -> Option<Exited> {
        self.0.active_spans.exit_as(key)
    }
}

impl fmt::Debug for LayerThread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerThread").finish_non_exhaustive()
    }
}

/// Returns `true` if telemetry is suppressed on this thread.
#[inline]
pub fn is_suppressed() -> bool {
    this_thread::with(ThisThread::is_suppressed)
}

/// Exits every entry under `key` of this thread.
#[inline]
pub fn exit_all(key: EntryKey) {
    this_thread::with(|thread| thread.active_spans.exit_all(key));
}

/// Returns the id of the span that `owner` entered last on this thread, and whether it is recorded.
#[inline]
pub fn last_of_owner(owner: u64) -> Option<(u64, bool)> {
    this_thread::with(|thread| thread.active_spans.last_of_owner(owner))
}

/// Calls `work`, for which the spans that other owners entered on this thread do not exist.
pub fn with_owner<O>(owner: u64, mut work: impl FnMut() -> O) -> O {
    this_thread::with(|thread| thread.active_spans.with_owner(owner, &mut work))
}

/// Exits the entries of `owner` on this thread whose ids `is_open` does not know. `is_open` must not enter or exit spans.
pub fn retain(owner: u64, is_open: impl Fn(u64) -> bool) {
    this_thread::with(|thread| thread.active_spans.retain(owner, &is_open));
}

/// Returns the number of entries under `key` on this thread, or `None` if the context of one of them was used.
pub fn count_unused(key: EntryKey) -> Option<usize> {
    this_thread::with(|thread| thread.active_spans.count_unused(key))
}

/// Replaces the context of the entries under `key` on this thread. Returns `false` if the context of one of them was used.
pub fn replace_entries(key: EntryKey, span: &SpanContext, is_recorded: bool) -> bool {
    this_thread::with(|thread| {
        let span = ParentContext::new(span);
        let stack = &thread.active_spans;
        stack.replace(key, &span, is_recorded).is_some()
    })
}
