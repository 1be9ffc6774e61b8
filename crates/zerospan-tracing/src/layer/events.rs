//! Events: to their span, to the logs, or to both.

use super::{kept, start};
use crate::record::event::{EventOutput, EventVisitor};
use crate::record::log_event::LogEvent;
use crate::record::span_event::SpanEvent;
use crate::state::callsite::FieldKey;
use crate::state::changes::Changes;
use crate::state::entry::Entry;
use crate::state::inner::{Active, LayerInner};
use crate::state::logs::Logs;
use crate::state::options::Switch;
use crate::state::scratch::{Scratch, Texts};
use opentelemetry::logs::LogRecord as _;
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use zerospan_trace::layer::{is_suppressed, last_of_owner, with_owner};
use zerospan_trace::shared::{ParentIds, current_ids};

/// Records an event.
#[inline]
pub(super) fn record<S>(inner: &LayerInner, event: &Event<'_>, context: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    match inner.logs() {
        None => record_in_span(inner, event),
        Some(logs) => record_with_logs(inner, logs, event, context),
    }
}

/// Adds an event to its span, if that is recorded.
#[inline]
fn record_in_span(inner: &LayerInner, event: &Event<'_>) {
    let Some(active) = inner.active() else { return };
    let Some((id, true)) = event_span(inner, event) else {
        return;
    };
    if !is_suppressed() {
        add_to_span(inner, active, id, event);
    }
}

fn add_to_span(inner: &LayerInner, active: &Active, id: u64, event: &Event<'_>) {
    let Some(callsite) = inner.callsite(active, event.metadata()) else {
        return;
    };
    let mut scratch = Scratch::take();
    let (texts, parts, changes) = scratch.split();
    let output = SpanEvent::new(parts, callsite, &active.limits);
    visit(
        inner,
        event,
        &callsite.fields,
        Some(active),
        texts,
        changes,
        output,
    );
    change_span(inner, active, id, &scratch, true);
    scratch.put();
}

fn record_with_logs<S>(inner: &LayerInner, logs: &Logs, event: &Event<'_>, context: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let options = inner.options.load();
    let active = inner.active();
    let span = active.and_then(|_| event_span(inner, event));
    let recorded = match (active, span) {
        (Some(active), Some((id, true))) => Some((active, id)),
        _ => None,
    };
    if span.is_some() && !options.has(Switch::EventsToLogs) {
        if let Some((active, id)) = recorded
            && !is_suppressed()
        {
            add_to_span(inner, active, id, event);
        }
        return;
    }
    let Some(ids) = event_ids(inner, event) else {
        return;
    };
    let metadata = event.metadata();
    let Some(callsite) = logs.callsite(metadata, options) else {
        return;
    };
    let Some(mut log) = LogEvent::new(callsite, &logs.loggers, event) else {
        if let Some((active, id)) = recorded
            && options.has(Switch::EventsToSpans)
        {
            add_to_span(inner, active, id, event);
        }
        return;
    };
    if let Some((trace_id, span_id, flags)) = ids {
        log.record.set_trace_context(trace_id, span_id, Some(flags));
    }
    let mut scratch = Scratch::take();
    let (texts, parts, changes) = scratch.split();
    let fields = &callsite.fields;
    let limited = recorded.map(|(active, _)| active);
    let span_callsite = recorded.and_then(|(active, _)| {
        let callsite = options
            .has(Switch::EventsToSpans)
            .then(|| inner.callsite(active, metadata));
        Some((active, callsite??))
    });
    let is_span_event = span_callsite.is_some();
    log = match span_callsite {
        Some((active, callsite)) => {
            let event_of_span = SpanEvent::new(parts, callsite, &active.limits);
            let outputs = (event_of_span, log);
            visit(inner, event, fields, limited, texts, changes, outputs).1
        }
        None => visit(inner, event, fields, limited, texts, changes, log),
    };
    if inner.kept_fields.names().is_some() {
        kept::add(inner, &mut log.record, event, context);
    }
    if let Some((active, id)) = recorded
        && (is_span_event || scratch.changes.has_status_or_attributes())
    {
        change_span(inner, active, id, &scratch, is_span_event);
    }
    if is_span_event || scratch.has_texts_or_changes() {
        scratch.put();
    } else {
        scratch.put_unused();
    }
    log.emit();
}

/// Visits the fields of an event. Returns the output.
#[inline]
fn visit<O: EventOutput>(
    inner: &LayerInner,
    event: &Event<'_>,
    fields: &[FieldKey],
    active: Option<&Active>,
    texts: &mut Texts,
    changes: &mut Changes,
    output: O,
) -> O {
    let mut visitor = EventVisitor {
        output,
        metadata: event.metadata(),
        fields,
        texts,
        changes,
        limits: active.map(|active| &active.limits),
        options: inner.options.load(),
        losses: &inner.losses,
        has_exception: false,
    };
    event.record(&mut visitor);
    visitor.finish()
}

/// Changes a span as an event says, and adds the event to it.
#[inline]
fn change_span(inner: &LayerInner, active: &Active, id: u64, scratch: &Scratch, with_event: bool) {
    let now = active.tracer.moment();
    inner.table().with(id, |entry| {
        let span = &mut entry.span;
        if with_event {
            let time = span.unix_nanos_at(&now);
            span.add_event_from(&scratch.event.name, time, &scratch.event.attributes);
        }
        scratch.changes.apply_status(span);
        scratch.changes.apply_attributes(span);
        entry.touch(&now);
    });
}

/// The ids of a span, and the flags of its trace.
type Ids = (TraceId, SpanId, TraceFlags);

/// Returns the ids of the span that an event belongs to, which do not change from now on: `Some(None)` if there is none, and
/// `None` if telemetry is suppressed.
#[inline]
fn event_ids(inner: &LayerInner, event: &Event<'_>) -> Option<Option<Ids>> {
    if !event.is_contextual() {
        if is_suppressed() {
            return None;
        }
        let Some(parent) = event.parent() else {
            return Some(None);
        };
        let ids = |entry: &mut Entry| {
            entry.is_used = true;
            let span = entry.span.context_ref();
            (span.trace_id(), span.span_id(), span.trace_flags())
        };
        let of = |id: u64| inner.table().with(id, ids);
        let nearest = || start::nearest_open(inner, parent).and_then(of);
        if let Some(ids) = of(parent.into_u64()).or_else(nearest) {
            return Some(Some(ids));
        }
    }
    let current = if inner.attachment.is_shared() {
        with_owner(inner.owner(), current_ids)
    } else {
        current_ids()
    };
    let ids = |span: ParentIds| (span.trace_id, span.span_id, span.flags);
    current.map(|span| span.is_valid().then(|| ids(span)))
}

/// Returns the id of the span that an event belongs to, and whether it is recorded.
#[inline]
fn event_span(inner: &LayerInner, event: &Event<'_>) -> Option<(u64, bool)> {
    if event.is_contextual() {
        start::forget_leaked(inner);
        return last_of_owner(inner.owner());
    }
    let parent = event.parent()?;
    let with_state = |id: u64| {
        let is_recorded = |entry: &mut Entry| entry.span.is_recorded();
        Some((id, inner.table().with(id, is_recorded)?))
    };
    with_state(parent.into_u64()).or_else(|| {
        // Hidden from the layer: its nearest ancestor that is not.
        with_state(start::nearest_open(inner, parent)?)
    })
}
