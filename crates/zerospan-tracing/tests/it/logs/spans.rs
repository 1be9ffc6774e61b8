//! The span that a log record belongs to.

use super::support::{Log, LogRig, of, only};
use crate::support::{Rig, Spans};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use tracing::{Dispatch, Span, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use zerospan_trace::Sampler;
use zerospan_tracing::OpenTelemetrySpanExt;

#[track_caller]
fn assert_in(logs: &[Log], body: &str, spans: &Spans, span: &str) {
    let (log, span) = (of(logs, body), spans.named(span));
    assert_eq!(log.ids(), (&*span.trace_id, &*span.span_id), "{body}");
    assert_eq!(log.record.flags, 1, "{body}");
}

#[track_caller]
fn assert_outside(logs: &[Log], body: &str) {
    let log = of(logs, body);
    assert_eq!(log.ids(), (&[][..], &[][..]), "{body}");
    assert_eq!(log.record.flags, 0, "{body}");
}

#[test]
fn a_record_has_the_ids_of_the_current_span_of_any_origin() {
    let rig = LogRig::new();
    let tracer = rig.traces.provider.tracer("api");
    let logs = rig.run(|| {
        info!("before");
        info_span!("outer").in_scope(|| {
            info!("in outer");
            tracer.in_span("of the API", |_| {
                info!("in the span of the API");
                let native = tracer.span("native").start();
                let _entered = native.enter();
                info!("in the native span");
                info_span!("inner").in_scope(|| info!("in inner"));
            });
            info!("in outer again");
        });
        info!("after");
    });
    let spans = rig.spans();
    assert_outside(&logs, "before");
    assert_in(&logs, "in outer", &spans, "outer");
    assert_in(&logs, "in the span of the API", &spans, "of the API");
    assert_in(&logs, "in the native span", &spans, "native");
    assert_in(&logs, "in inner", &spans, "inner");
    assert_in(&logs, "in outer again", &spans, "outer");
    assert_outside(&logs, "after");
}

#[test]
fn an_explicit_parent_is_the_span_and_none_is_none() {
    let rig = LogRig::new();
    let logs = rig.run(|| {
        let other = info_span!("other");
        let outer = info_span!("outer").entered();
        info!(parent: &other, "of other");
        info!(parent: None, "of none");
        info!(parent: &Span::none(), "of no span");
        info!(parent: &outer, "of outer");
    });
    let spans = rig.spans();
    assert_in(&logs, "of other", &spans, "other");
    assert_in(&logs, "of outer", &spans, "outer");
    assert_outside(&logs, "of none");
    assert_outside(&logs, "of no span");
}

#[test]
fn a_record_in_a_span_that_is_not_sampled_has_its_ids() {
    let traces = Rig::with(|builder| builder.with_sampler(Sampler::AlwaysOff));
    let rig = LogRig::with(traces, |builder| builder);
    let mut ids = SpanContext::NONE;
    let logs = rig.run(|| {
        let span = info_span!("unsampled");
        span.in_scope(|| info!("inside"));
        ids = span.span_context();
    });
    let log = only(&logs);
    let (trace, span) = (ids.trace_id().to_bytes(), ids.span_id().to_bytes());
    assert_eq!(log.ids(), (&trace[..], &span[..]));
    assert_eq!(log.record.flags, 0);
    assert_eq!(rig.spans().0.len(), 0);
}

#[test]
fn a_record_in_a_span_that_a_filter_hides_belongs_to_the_nearest_that_is_seen() {
    let rig = LogRig::new();
    let layer = rig
        .layer()
        .with_filter(filter_fn(|metadata| metadata.name() != "hidden"));
    // Sees everything, so that the hidden span exists.
    let all = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let dispatch = Dispatch::new(Registry::default().with(layer).with(all));
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("outer").in_scope(|| {
            let hidden = info_span!("hidden");
            hidden.in_scope(|| info!("inside"));
            info!(parent: &hidden, "explicit");
        });
    });
    let (logs, spans) = (rig.logs(), rig.spans());
    assert_in(&logs, "inside", &spans, "outer");
    assert_in(&logs, "explicit", &spans, "outer");
}

#[test]
fn the_ids_of_a_record_are_those_of_the_exported_span_whatever_follows() {
    let rig = LogRig::new();
    let remote = || {
        let (trace, span) = (TraceId::from(0x0af7 << 112), SpanId::from(7));
        let span = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE);
        Context::new().with_remote_span_context(span)
    };
    let logs = rig.run(|| {
        let late = info_span!("late").entered();
        info!("too early");
        let refused = late.set_parent(remote());
        assert!(refused.is_err(), "the ids are out");
        drop(late);
        let early = info_span!("early").entered();
        early.set_parent(remote()).expect("nobody knows the ids");
        info!("in time");
    });
    let spans = rig.spans();
    assert_in(&logs, "too early", &spans, "late");
    assert_in(&logs, "in time", &spans, "early");
    assert_eq!(of(&logs, "in time").record.trace_id[..2], [0x0a, 0xf7]);
}

#[test]
fn of_two_layers_each_has_its_own_spans_ids_in_its_records() {
    let (first, second) = (LogRig::new(), LogRig::new());
    let subscriber = Registry::default().with(first.layer()).with(second.layer());
    tracing::dispatcher::with_default(&Dispatch::new(subscriber), || {
        info_span!("span").in_scope(|| info!("inside"));
    });
    for rig in [first, second] {
        assert_in(&rig.logs(), "inside", &rig.spans(), "span");
    }
}
