//! Every path that allocates: how often, and why.

use super::{KEYS, of, provider};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::trace as sdk;
use std::fmt::Write as _;
use zerospan_trace::{
    FinishedSpan, Processor, TraceContextPropagator, TracerProvider, attach_entered_spans,
    current_context, remote_span_context,
};

#[derive(Debug)]
struct Watching;

impl Processor for Watching {
    fn on_end(&self, span: &FinishedSpan<'_>) {
        assert!(span.view().is_ok());
    }
}

/// Every path that allocates: how often, and why.
#[test]
fn the_table_of_what_allocates_is_complete() {
    let provider = provider(|builder| builder);
    let tracer = provider.tracer("test");
    let boxed = global::BoxedTracer::new(Box::new(tracer.clone()));
    let with_state = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("vendor", "state")]).expect("valid"),
    );
    let with_sampler = super::provider(|builder| {
        builder.with_sampler(sdk::Sampler::ParentBased(Box::new(sdk::Sampler::AlwaysOn)))
    });
    let foreign = with_sampler.tracer("test");
    let with_processor = super::provider(|builder| builder.with_processor(Watching));
    let watched = with_processor.tracer("test");
    let with_official = super::provider(|builder| builder.with_span_processor(Discard));
    let official = with_official.tracer("test");

    let propagator = TraceContextPropagator::new();
    let stateful = Context::new().with_remote_span_context(with_state.clone());

    type Case<'a> = (
        &'a str,
        &'a str,
        u64,
        &'a TracerProvider,
        Box<dyn Fn() + 'a>,
    );
    let cases: Vec<Case<'_>> = vec![
        (
            "in_span",
            "the API boxes the span and counts references to it",
            2,
            &provider,
            Box::new(|| {
                tracer.in_span("in span", |_| {});
            }),
        ),
        (
            "Context::current_with_span",
            "the same",
            2,
            &provider,
            Box::new(|| {
                drop(Context::current_with_span(tracer.start("in context")));
            }),
        ),
        (
            "BoxedTracer",
            "the API boxes the span",
            1,
            &provider,
            Box::new(|| drop(boxed.start("boxed"))),
        ),
        (
            "set_attribute, owned text",
            "the caller's own",
            1,
            &provider,
            Box::new(|| {
                tracer
                    .start("owned")
                    .set_attribute(KeyValue::new("key", String::from("owned")));
            }),
        ),
        (
            "add_event with attributes",
            "the caller's vector",
            1,
            &provider,
            Box::new(|| {
                tracer
                    .start("event")
                    .add_event("event", vec![KeyValue::new("k", "v")]);
            }),
        ),
        (
            "Span::to_context",
            "the API counts references to the span context",
            1,
            &provider,
            Box::new(|| {
                drop(tracer.span("to context").start().to_context());
            }),
        ),
        (
            "current_context, span entered",
            "the same",
            1,
            &provider,
            Box::new(|| {
                let span = tracer.span("entered").start();
                let _entered = span.enter();
                drop(current_context());
            }),
        ),
        (
            "Span::enter, attached",
            "the API counts references to the span context",
            1,
            &provider,
            Box::new(|| {
                attach_entered_spans(true);
                let span = tracer.span("entered").start();
                drop(span.enter());
                attach_entered_spans(false);
            }),
        ),
        (
            "TraceContextPropagator::inject",
            "the carrier takes a string",
            1,
            &provider,
            Box::new(|| {
                let span = tracer.span("client").start();
                let _entered = span.enter();
                propagator.inject(&mut Carrier(None));
            }),
        ),
        (
            "TraceContextPropagator::extract",
            "the carrier's list of values, and a context",
            2,
            &provider,
            Box::new(|| {
                let caller = propagator.extract(&Carrier(None));
                drop(tracer.start_with_context("server", &caller));
            }),
        ),
        (
            "inject_context, a state of one",
            "the carrier's two strings; the API writes a member, lists and joins them",
            5,
            &provider,
            Box::new(|| {
                propagator.inject_context(&stateful, &mut Carrier(Some("vendor=state")));
                drop(tracer.span("counted").start());
            }),
        ),
        (
            "extract, a state of one",
            "the carrier's two lists, a context, the state",
            8,
            &provider,
            Box::new(|| {
                let caller = propagator.extract(&Carrier(Some("vendor=state")));
                assert!(caller.has_active_span());
                drop(tracer.span("counted").start());
            }),
        ),
        (
            "remote_span_context, a state of one",
            "the state: its members, and the API's copy of them",
            5,
            &provider,
            Box::new(|| {
                let caller = remote_span_context([PARENT], ["vendor=state"]);
                assert!(caller.is_ok());
                drop(tracer.span("counted").start());
            }),
        ),
        (
            "child of a parent with trace state",
            "the state is copied: its box, list, key and value",
            4,
            &provider,
            Box::new(|| {
                drop(tracer.span("child").with_parent(&with_state).start());
            }),
        ),
        (
            "foreign sampler, native parent",
            "a context is made for the sampler",
            1,
            &with_sampler,
            Box::new(|| {
                let root = foreign.span("root").start();
                let _entered = root.enter();
                drop(foreign.span("child").start());
            }),
        ),
        (
            "processor, no native parent",
            "nothing",
            0,
            &with_processor,
            Box::new(|| drop(watched.span("root").start())),
        ),
        (
            "processor, native parent",
            "a context is made for the processor",
            1,
            &with_processor,
            Box::new(|| {
                let root = watched.span("root").start();
                let _entered = root.enter();
                drop(watched.span("child").start());
            }),
        ),
        (
            "SDK processor",
            "a SpanData is built: the name, the key, the value, the vector",
            4,
            &with_official,
            Box::new(|| {
                official.span("official").start().set(&KEYS[0], "GET");
            }),
        ),
    ];
    let mut table = String::new();
    let mut wrong = Vec::new();
    for (path, why, expected, provider, work) in &cases {
        let allocated = of(provider, work);
        writeln!(table, "{path:<36} {allocated:>2}  {why}").expect("a string takes it");
        if allocated != *expected {
            wrong.push(*path);
        }
    }
    #[allow(clippy::print_stdout)]
    {
        println!("{table}");
    }
    assert!(
        wrong.is_empty(),
        "not as the table says: {wrong:?}\n{table}"
    );
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Headers that are there without the heap, with a trace state or without.
struct Carrier(Option<&'static str>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        match key {
            "traceparent" => assert_eq!(value.len(), 55),
            _ => assert_eq!(Some(&*value), self.0),
        }
    }
}

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => Some(PARENT),
            "tracestate" => self.0,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

/// A processor of the official SDK that drops its spans.
#[derive(Debug)]
struct Discard;

impl sdk::SpanProcessor for Discard {
    fn on_start(&self, _: &mut sdk::Span, _: &Context) {}

    fn on_end(&self, span: sdk::SpanData) {
        drop(span);
    }

    fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(
        &self,
        _: std::time::Duration,
    ) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }
}
