//! The end of a span.

use super::processor::{FinishedSpan, catch_panic};
use super::state::{Binding, ProviderInner, SpanSink, ThisThread, ThreadState, this_thread};
use super::{Caller, Span};
use crate::slot::{SMALL_BYTES, Slot};
use std::cell::Cell;
use std::ptr;
use zerospan_core::log;
use zerospan_export::Producer;

/// Ends `span`, whose slot was taken out of it, at `time` in nanoseconds since 1970, or now.
#[inline]
pub(super) fn end(span: &mut Span, slot: Box<Slot>, time: Option<u64>, caller: Caller) {
    let mut slot = Some(slot);
    if this_thread::try_with(|thread| end_fast(thread, &mut slot, time)) {
        return;
    }
    if let Some(slot) = slot {
        end_slow(span, slot, time, caller);
    }
}

/// Ends a span that started in this process, on a thread that is registered, with no processor.
///
/// Returns `false`, and does nothing, for any other span.
#[inline(always)]
fn end_fast(thread: &ThisThread, slot: &mut Option<Box<Slot>>, time: Option<u64>) -> bool {
    let origin = |slot: &Slot| Some((slot.tracer.as_ref()?.provider, slot.generation));
    let Some((provider, generation)) = slot.as_deref().and_then(origin) else {
        return false;
    };
    let Some(state) = thread.get(provider) else {
        return false;
    };
    if generation != state.generation() {
        return false;
    }
    let Some(binding) = state.binding() else {
        return false;
    };
    if binding.provider.has_processors {
        return false;
    }
    let Some(slot) = slot.take() else {
        return false;
    };
    let end = match time {
        None => binding.provider.span_time(&slot, &state.anchor),
        Some(time) => time,
    };
    finish(state, &binding, slot, end, None);
    true
}

#[inline(never)]
fn end_slow(span: &mut Span, slot: Box<Slot>, time: Option<u64>, caller: Caller) {
    end_with_state(span, slot, time);
    if caller == Caller::Drop
        && let Some(mut other) = span.slot.take()
    {
        // A processor replaced the dropped span by another. That one ends without a further look: its processors may replace it too.
        other.is_ending = true;
        end_with_state(span, other, None);
    }
}

fn end_with_state(span: &mut Span, slot: Box<Slot>, time: Option<u64>) {
    let mut slot = Some(slot);
    this_thread::with(|thread| {
        if let Some(slot) = slot.take() {
            end_on(thread, span, slot, time);
        }
    });
}

/// Ends any span on `thread`.
fn end_on(thread: &ThisThread, span: &mut Span, slot: Box<Slot>, time: Option<u64>) {
    // Once the last handle of its provider is dropped, nothing receives the span and nothing reports its counts.
    let Some(tracer) = &slot.tracer else { return };
    let Some(state) = thread.get_by_tracer(tracer) else {
        return;
    };
    let Some(binding) = state.binding() else {
        return;
    };
    if slot.generation != state.generation() {
        // The parent process has this span too, and exports it.
        state.counters().inherited.increment();
        state.put_slot(&binding.provider, slot);
        return;
    }
    let end = match time {
        None => binding.provider.span_time(&slot, &state.anchor),
        Some(time) => time,
    };
    let observed = binding.provider.has_processors.then_some(span);
    finish(state, &binding, slot, end, observed);
}

/// Counts the span, passes it on and keeps its slot: the last step of every end. `observed` is the span, if there are
/// processors.
#[inline(always)]
fn finish(
    state: &ThreadState,
    binding: &Binding,
    slot: Box<Slot>,
    end: u64,
    observed: Option<&mut Span>,
) {
    let provider = &*binding.provider;
    let slot = match observed {
        None => {
            state.counters().count_end(slot.is_exported);
            if slot.is_exported {
                export(&binding.producers, &slot, end);
            }
            slot
        }
        Some(span) => match pass_to_sinks(state, provider, span, slot, end) {
            Some(slot) => slot,
            None => return,
        },
    };
    let dropped = slot.recorder.dropped_attributes()
        | slot.recorder.dropped_events()
        | slot.recorder.dropped_links();
    if dropped != 0 {
        warn_dropped(provider, &slot);
    }
    state.put_slot(provider, slot);
}

#[inline(always)]
fn export(producers: &[Producer], slot: &Slot, end: u64) {
    let Some(tracer) = &slot.tracer else { return };
    for producer in producers {
        // The pipeline counts what it does not accept.
        let _ = producer.record_span(&tracer.encoded_scope, &slot.recorder, end, &slot.status);
    }
}

/// Calls `on_ending` while the span can be written to, and then passes the finished span to processors and exporters, in
/// order. Returns the slot.
///
/// Returns `None`, and does not count the span, if a processor took it away: it ends when that drops it.
#[cold]
#[inline(never)]
fn pass_to_sinks(
    state: &ThreadState,
    provider: &ProviderInner,
    span: &mut Span,
    mut slot: Box<Slot>,
    end: u64,
) -> Option<Box<Slot>> {
    // A span that was taken away has been shown to the processors before.
    if !slot.is_ending {
        slot.is_ending = true;
        let address = &raw const *slot;
        let is_same = |slot: &mut Box<Slot>| slot.is_ending && ptr::eq(&raw const **slot, address);
        span.slot = Some(slot);
        for processor in provider.processors() {
            catch_panic(|| processor.on_ending(span));
            if !span.slot.as_mut().is_some_and(is_same) {
                return None;
            }
        }
        slot = span.slot.take()?;
    }
    state.counters().count_end(slot.is_exported);
    let tracer = slot.tracer.as_ref()?;
    // The buffer is taken out, since a processor may end spans itself.
    let mut encoded = ENCODED.try_with(Cell::take).unwrap_or_default();
    encoded.clear();
    slot.recorder.finish(end, &slot.status, &mut encoded);
    let finished = FinishedSpan::new(
        &encoded,
        &span.context,
        slot.is_exported,
        &tracer.scope,
        &provider.resource,
    );
    for sink in provider.sinks.iter() {
        match sink {
            SpanSink::Processor(processor) => catch_panic(|| processor.on_end(&finished)),
            SpanSink::Pipeline(pipeline) if slot.is_exported => {
                let _ = pipeline.record_encoded(&tracer.encoded_scope, &encoded);
            }
            SpanSink::Pipeline(_) => {}
        }
    }
    if encoded.capacity() <= SMALL_BYTES {
        let _ = ENCODED.try_with(|buffer| buffer.set(encoded));
    }
    Some(slot)
}

thread_local! {
    /// The encoded span that processors read, reused from span to span.
    static ENCODED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[cold]
#[inline(never)]
fn warn_dropped(provider: &ProviderInner, slot: &Slot) {
    let Some(skipped) = provider.limit_warning.admit() else {
        return;
    };
    let recorder = &slot.recorder;
    let span = recorder.name().to_owned();
    let dropped_attributes = recorder.dropped_attributes();
    let (dropped_events, dropped_links) = (recorder.dropped_events(), recorder.dropped_links());
    log::suppressed(move || {
        tracing::warn!(
            name: "SpanLimitExceeded",
            skipped,
            span,
            dropped_attributes,
            dropped_events,
            dropped_links,
            "a span exceeded its limits or got a value of an unsupported kind, and lost data: raise the \
             OTEL_SPAN_*_COUNT_LIMIT that applies, or record less; logged once a minute, with the number of spans skipped"
        );
    });
}
