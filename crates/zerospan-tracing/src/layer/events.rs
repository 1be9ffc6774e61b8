//! Events.

use super::start;
use crate::record::event::EventVisitor;
use crate::record::span_event::SpanEvent;
use crate::state::entry::Entry;
use crate::state::inner::LayerInner;
use crate::state::scratch::Scratch;
use tracing_core::Event;
use zerospan_trace::layer::last_of_owner;

/// Adds an event to its span, if that is recorded.
#[inline]
pub(super) fn record(inner: &LayerInner, event: &Event<'_>) {
    let Some(active) = inner.active() else { return };
    let Some(id) = event_span(inner, event) else {
        return;
    };
    if zerospan_trace::layer::is_suppressed() {
        return;
    }
    let Some(callsite) = inner.callsite(active, event.metadata()) else {
        return;
    };
    let now = active.tracer.moment();
    let mut scratch = Scratch::take();
    let Scratch {
        texts,
        event: parts,
        changes,
    } = &mut *scratch;
    let output = SpanEvent::new(parts, callsite, &active.limits);
    let mut visitor = EventVisitor {
        output,
        metadata: callsite.metadata,
        fields: &callsite.fields,
        texts,
        changes,
        limits: &active.limits,
        options: inner.options.load(),
        losses: &inner.losses,
        has_exception: false,
    };
    event.record(&mut visitor);
    visitor.finish();
    inner.table().with(id, |entry| {
        let time = entry.span.unix_nanos_at(&now);
        let span = &mut entry.span;
        span.add_event_from(&scratch.event.name, time, &scratch.event.attributes);
        scratch.changes.apply_status(span);
        scratch.changes.apply_attributes(span);
        entry.touch(&now);
    });
    scratch.put();
}

/// Returns the id of the recorded span that an event belongs to.
#[inline]
fn event_span(inner: &LayerInner, event: &Event<'_>) -> Option<u64> {
    if event.is_contextual() {
        start::forget_leaked(inner);
        let (id, is_recorded) = last_of_owner(inner.owner())?;
        return is_recorded.then_some(id);
    }
    let parent = event.parent()?;
    let is_recorded = |id: u64| {
        let is_recorded = |entry: &mut Entry| entry.span.is_recorded();
        inner.table().with(id, is_recorded)
    };
    match is_recorded(parent.into_u64()) {
        Some(is_recorded) => is_recorded.then_some(parent.into_u64()),
        None => {
            // Hidden from the layer: its nearest ancestor that is not.
            let id = start::nearest_open(inner, parent)?;
            is_recorded(id)?.then_some(id)
        }
    }
}
