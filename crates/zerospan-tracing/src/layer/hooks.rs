//! The hooks.
//!
//! Every hook tolerates ids that it does not know. None holds a lock while foreign code runs: values are formatted, clocks
//! read, and spans started and ended outside of the table.

use super::{events, kept, start};
use crate::record::set_constants;
use crate::record::span::SpanVisitor;
use crate::state::callsite::Callsite;
use crate::state::entry::{Closing, Entry, Extra, Timing};
use crate::state::inner::{Active, LayerInner};
use crate::state::options::{Options, Switch};
use crate::state::scratch::Scratch;
use crate::state::stats::Losses;
use crate::state::table::Locked;
use crate::state::trace_layer::TraceLayer;
use crate::state::{activation, dispatch};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use zerospan_otlp::StaticKey;
use zerospan_trace::Span;

use zerospan_trace::layer::{LayerThread, Moment, exit_all, with_thread};

const BUSY: StaticKey = StaticKey::new("busy_ns");
const IDLE: StaticKey = StaticKey::new("idle_ns");

impl<S> Layer<S> for TraceLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        dispatch::attach(&self.inner, dispatch);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let inner = &*self.inner;
        let Some(active) = inner.active() else { return };
        // Used last some spans ago; there once the span is started.
        inner.table().fetch_ahead(id.into_u64());
        start::forget_leaked(inner);
        let metadata = attributes.metadata();
        let mut span = start::span(inner, active, attributes, id, &context);
        if !span.context_ref().is_valid() {
            // Telemetry is suppressed, or the provider is shut down.
            return;
        }
        let (mut timing, mut pending) = (Timing::default(), None);
        if span.is_recorded() {
            if !active.has_custom_sampler
                && let Some(callsite) = inner.callsite(active, metadata)
            {
                set_constants(inner, callsite, &mut span);
                set_fields(inner, callsite, &mut span, attributes);
            }
            timing = Timing::new(&span.start_moment());
        } else if inner.has_late_parents() {
            pending = start::pending(inner, active, attributes);
        }
        let Some(mut inserted) = inner.table().insert(id.into_u64()) else {
            reject(inner, span);
            return;
        };
        if inserted.is_replaced {
            let lost = replace(&mut inserted.value);
            inserted.value.open(span, metadata, timing, pending);
            drop(inserted);
            end_replaced(inner, lost);
        } else {
            inserted.value.open(span, metadata, timing, pending);
            drop(inserted);
        }
        if inner.kept_fields.names().is_some() {
            kept::keep(inner, id.into_u64(), metadata, |visitor| {
                attributes.record(visitor);
            });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let inner = &*self.inner;
        let Some(active) = inner.active() else { return };
        if inner.kept_fields.names().is_some() {
            keep_late(inner, id, values);
        }
        let recorded = |entry: &mut Entry| entry.metadata.filter(|_| entry.span.is_recorded());
        let Some(metadata) = inner.table().with(id.into_u64(), recorded).flatten() else {
            return;
        };
        let Some(callsite) = inner.callsite(active, metadata) else {
            return;
        };
        let now = active.tracer.moment();
        let mut scratch = Scratch::take();
        let writer = scratch.changes.attributes.span_writer(&active.limits);
        let mut visitor = SpanVisitor::new(writer, callsite, inner.options.load(), &inner.losses);
        values.record(&mut visitor);
        let special = visitor.finish();
        inner.table().with(id.into_u64(), |entry| {
            if let Some(special) = &special {
                special.changes.apply(&mut entry.span);
            }
            scratch.changes.apply_attributes(&mut entry.span);
            entry.touch(&now);
        });
        scratch.put();
        if let Some(special) = special {
            special.put();
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: Context<'_, S>) {
        let inner = &*self.inner;
        let Some(active) = inner.active() else { return };
        let followed = inner.use_context(follows).or_else(|| {
            let context = |entry: &Entry| entry.span.context_ref().clone();
            inner.table().removed(follows.into_u64(), context)
        });
        let Some(followed) = followed else { return };
        let now = active.tracer.moment();
        inner.table().with(id.into_u64(), |entry| {
            let none: &[(&str, &str)] = &[];
            entry.span.link(&followed, none);
            entry.touch(&now);
        });
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        events::record(&self.inner, event, &context);
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        let inner = &*self.inner;
        let Some(active) = inner.active() else { return };
        let options = inner.options.load();
        let id = id.into_u64();
        // A span that waited may be out of the caches.
        inner.table().fetch_ahead(id);
        if options.has(Switch::ContextActivation) {
            activation::enter(inner, id);
        }
        let is_entered = with_thread(|thread| {
            let now = now_if_tracked(options, active, thread);
            let Some(mut entry) = inner.table().lock(id) else {
                return true;
            };
            entry.timing.enter(&now);
            let (span, is_recorded) = (entry.span.context_ref(), entry.span.is_recorded());
            thread.enter_as(inner.key(id), span, is_recorded)
        });
        if !is_entered {
            Losses::count(&inner.losses.rejected_enters, 1);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        let inner = &*self.inner;
        let Some(active) = inner.active() else { return };
        let id = id.into_u64();
        let (exited, now) = with_thread(|thread| {
            let exited = thread.exit_as(inner.key(id));
            // A span that is not recorded has no times.
            let now = match exited {
                Some(exited) if !exited.is_recorded => Moment::default(),
                _ => active.tracer.moment_on(thread),
            };
            (exited, now)
        });
        if inner.options.load().has(Switch::ContextActivation) {
            activation::exit(inner.key(id));
        }
        if let Some(mut entry) = inner.table().lock(id) {
            entry.is_used |= exited.is_some_and(|exited| exited.is_used);
            entry.timing.exit(&now);
            entry.touch(&now);
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let inner = &*self.inner;
        let id = id.into_u64();
        let Some(mut entry) = inner.table().lock(id) else {
            return;
        };
        if entry.timing.entered > 0 || entry.extra.is_any() {
            close_slow(inner, id, entry);
        } else if entry.span.is_recorded() {
            let closing = entry.close();
            entry.remove();
            end(inner, closing);
        } else {
            entry.remove();
        }
    }
}

/// Sets the fields of a new span, which nobody else knows yet.
#[inline]
fn set_fields(
    inner: &LayerInner,
    callsite: &Callsite,
    span: &mut Span,
    attributes: &Attributes<'_>,
) {
    let mut special = None;
    span.write_attributes(|writer| {
        let options = inner.options.load();
        let mut visitor = SpanVisitor::new(writer, callsite, options, &inner.losses);
        attributes.record(&mut visitor);
        special = visitor.finish();
    });
    if let Some(mut special) = special {
        // There is no earlier one.
        special.changes.has_exception = false;
        special.changes.apply(span);
        special.put();
    }
}

/// Keeps fields that are recorded later, for log records.
#[cold]
fn keep_late(inner: &LayerInner, id: &Id, values: &Record<'_>) {
    let metadata = |entry: &mut Entry| entry.metadata;
    if let Some(metadata) = inner.table().with(id.into_u64(), metadata).flatten() {
        kept::keep(inner, id.into_u64(), metadata, |visitor| {
            values.record(visitor);
        });
    }
}

/// Discards a span for which the table has no room.
#[cold]
#[inline(never)]
fn reject(inner: &LayerInner, span: Span) {
    span.discard();
    inner.reject_span();
}

/// Closes a span that some thread has entered, or that has parts which few spans have.
#[cold]
#[inline(never)]
fn close_slow(inner: &LayerInner, id: u64, mut entry: Locked<'_, Entry>) {
    let (closing, extra) = (entry.close(), entry.take_extra());
    entry.remove();
    extra.put();
    if closing.timing.entered > 0 {
        // Guards were leaked, here or on another thread.
        exit_all(inner.key(id));
        inner.count_leak();
    }
    end(inner, closing);
}

/// Takes a span out of its entry, whose id another one has.
#[cold]
#[inline(never)]
fn replace(entry: &mut Entry) -> (Closing, Extra) {
    (entry.close(), entry.take_extra())
}

#[cold]
#[inline(never)]
fn end_replaced(inner: &LayerInner, (closing, extra): (Closing, Extra)) {
    Losses::count(&inner.losses.replaced_spans, 1);
    extra.put();
    end(inner, closing);
}

/// Ends a span that is out of the table.
#[inline(always)]
fn end(inner: &LayerInner, closing: Closing) {
    let Closing { mut span, timing } = closing;
    if !span.is_recorded() {
        return;
    }
    if inner.options.load().has(Switch::TrackedInactivity) {
        span.set(&BUSY, as_i64(timing.busy));
        span.set(&IDLE, as_i64(timing.idle));
    }
    if timing.end != 0 {
        span.end_at_unix_nanos(timing.end);
    }
}

fn as_i64(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

/// Reads the clock, if the layer needs it when a span is entered.
#[inline]
fn now_if_tracked(options: Options, active: &Active, thread: &LayerThread<'_>) -> Moment {
    if options.has(Switch::TrackedInactivity) {
        active.tracer.moment_on(thread)
    } else {
        Moment::default()
    }
}
