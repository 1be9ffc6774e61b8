//! Sequences of hooks with stale, wrong and repeated ids, from bytes: for a property test, and for the fuzz target.

use crate::dynamic::Dynamic;
use crate::hostile::Hostile;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use std::sync::OnceLock;
use tracing::field::debug;
use tracing::{Dispatch, Id, Span, Value};
use tracing_subscriber::layer::SubscriberExt;
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_trace::TracerProvider;
use zerospan_tracing::OpenTelemetrySpanExt;

/// A collector that takes everything and keeps nothing.
struct Null;

impl Transport for Null {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Ok(ExportResponse::ALL)
    }
}

/// The callsites, which live for ever: two of spans, two of events.
fn callsites() -> &'static [&'static Dynamic; 4] {
    static CALLSITES: OnceLock<[&'static Dynamic; 4]> = OnceLock::new();
    CALLSITES.get_or_init(|| {
        [
            Dynamic::span("one", &["a", "otel.name"]),
            Dynamic::span("two", &["otel.kind", "b"]),
            Dynamic::event("event", &["message", "a"]),
            Dynamic::event("error", &["error", "b"]),
        ]
    })
}

/// Calls the hooks that `bytes` name, three bytes for each, and asserts that every span is accounted for.
pub(crate) fn run(bytes: &[u8]) {
    let connect = || Ok::<_, SendError>(Null);
    let pipeline = Pipeline::builder().with_transport(connect).build();
    let provider = TracerProvider::builder()
        .with_exporter(pipeline.expect("the defaults are valid"))
        .build();
    let layer = zerospan_tracing::layer(&provider)
        .with_max_spans(5)
        .with_context_activation(bytes.first().is_some_and(|first| first % 2 == 1));
    let handle = layer.handle();
    let dispatch = Dispatch::new(Hostile::default().with(layer));
    let mut spans = Vec::new();
    tracing::dispatcher::with_default(&dispatch, || {
        for step in bytes.chunks_exact(3) {
            take(step[0], step[1], step[2], &dispatch, &mut spans);
        }
        // Closes them, even if other spans have their ids by now.
        spans.clear();
        for id in 1..=8 {
            dispatch.try_close(id_of(id));
        }
    });
    drop(dispatch);
    let layer = handle.stats();
    assert_eq!(layer.open, 0, "{layer:?}");
    let stats = provider.stats();
    assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
    assert_eq!(stats.exports[0].recorded, stats.sampled, "{stats:?}");
    drop(provider);
}

/// Few ids, some of which differ in the registry's generation alone.
fn id_of(number: u8) -> Id {
    let number = u64::from(number % 8);
    Id::from_u64((number / 2 + 1) | (number % 2) << 51)
}

fn take(action: u8, first: u8, second: u8, dispatch: &Dispatch, spans: &mut Vec<Span>) {
    let id = id_of(first);
    let [one, two, event, error] = *callsites();
    let (number, text) = (i64::from(second), debug(second));
    let values: [Option<&dyn Value>; 2] = if second.is_multiple_of(3) {
        [Some(&number), Some(&text)]
    } else {
        [Some(&"server"), None]
    };
    let remote = || {
        let span = SpanContext::new(
            TraceId::from(u128::from(second)),
            SpanId::from(7),
            TraceFlags::new(second % 2),
            true,
            TraceState::NONE,
        );
        Context::new().with_remote_span_context(span)
    };
    let handle = spans.get(usize::from(second) % spans.len().max(1));
    match action % 12 {
        0 | 1 => {
            let hostile: &Hostile = dispatch.downcast_ref().expect("below");
            hostile.set_next(id.into_u64());
            let callsite = if action.is_multiple_of(2) { one } else { two };
            spans.push(callsite.start(&values));
        }
        2 => dispatch.enter(&id),
        3 => dispatch.exit(&id),
        4 => drop(dispatch.try_close(id)),
        5 => one.record_on(dispatch, &id, &values),
        6 => two.record_on(dispatch, &id, &values),
        7 => dispatch.record_follows_from(&id, &id_of(second)),
        8 => event.send(id, &values),
        9 => error.send(id, &values),
        10 => {
            if let Some(span) = handle {
                let _ = span.set_parent(remote());
            }
        }
        _ => {
            if let Some(span) = handle {
                span.set_attribute("late", number);
                drop(span.context());
            }
        }
    }
}
