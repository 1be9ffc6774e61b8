//! The parent of a span: by natively entered spans, by the API's context, and by both.

use crate::support::{Rig, builder};
use opentelemetry::propagation::{Injector, TextMapPropagator};
use opentelemetry::trace::{
    FutureExt, Span as _, SpanContext, TraceContextExt, Tracer as _, TracerProvider as _,
    mark_span_as_active,
};
use opentelemetry::{Context, propagation::Extractor};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Poll, Waker};
use zerospan_trace::shared::current_ids;
use zerospan_trace::{FutureExt as _, Sampler, current_context, current_span_context};

fn parents(spans: &[Span]) -> HashMap<String, String> {
    let name_of = |id: &[u8]| {
        let found = spans.iter().find(|span| span.span_id == id);
        found.map_or_else(|| format!("{id:02x?}"), |span| span.name.clone())
    };
    spans
        .iter()
        .map(|span| {
            let parent = if span.parent_span_id.is_empty() {
                "none".to_owned()
            } else {
                name_of(&span.parent_span_id)
            };
            (span.name.clone(), parent)
        })
        .collect()
}

fn expect(rig: &Rig, expected: &[(&str, &str)]) {
    let spans = rig.spans();
    let found = parents(&spans);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (child, parent) in expected {
        assert_eq!(found[*child], *parent, "the parent of {child}");
    }
}

#[test]
fn an_entered_span_is_the_parent_of_spans_started_natively_and_through_the_traits() {
    let rig = Rig::new();
    let mut outer = rig.tracer.span("outer").start();
    {
        let _entered = outer.enter();
        drop(rig.tracer.span("native").start());
        drop(rig.tracer.start("trait"));
        drop(rig.tracer.span_builder("builder").start(&rig.tracer));
        drop(rig.tracer.build(rig.tracer.span_builder("build")));
        rig.tracer.in_span("in_span", |_| {
            drop(rig.tracer.span("within in_span").start());
        });
        drop(rig.tracer.span("root").as_root().start());
        drop(rig.tracer.start_with_context("explicit", &Context::new()));
        outer.set_dynamic("written", "while entered");
    }
    drop(rig.tracer.span("after").start());
    drop(outer);
    expect(
        &rig,
        &[
            ("outer", "none"),
            ("native", "outer"),
            ("trait", "outer"),
            ("builder", "outer"),
            ("build", "outer"),
            ("in_span", "outer"),
            ("within in_span", "in_span"),
            ("root", "none"),
            ("explicit", "none"),
            ("after", "none"),
        ],
    );
}

#[test]
fn the_later_of_entered_span_and_attached_context_is_current() {
    let rig = Rig::new();
    let first = mark_span_as_active(rig.tracer.start("context 1"));
    let native = rig.tracer.span("native 1").start();
    let entered = native.enter();
    drop(rig.tracer.start("a"));
    let second = mark_span_as_active(rig.tracer.start("context 2"));
    drop(rig.tracer.start("b"));
    let inner = rig.tracer.span("native 2").start();
    let inner_entered = inner.enter();
    drop(rig.tracer.start("c"));
    drop(inner_entered);
    drop(rig.tracer.start("d"));
    drop(second);
    drop(rig.tracer.start("e"));
    drop(entered);
    drop(rig.tracer.start("f"));
    drop(first);
    drop(rig.tracer.start("g"));
    drop((native, inner));
    expect(
        &rig,
        &[
            ("context 1", "none"),
            ("native 1", "context 1"),
            ("a", "native 1"),
            ("context 2", "native 1"),
            ("b", "context 2"),
            ("native 2", "context 2"),
            ("c", "native 2"),
            ("d", "context 2"),
            ("e", "native 1"),
            ("f", "context 1"),
            ("g", "none"),
        ],
    );
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let rig = Rig::new();
    let (one, two, three) = (
        rig.tracer.span("one").as_root().start(),
        rig.tracer.span("two").as_root().start(),
        rig.tracer.span("three").as_root().start(),
    );
    let (first, second, third) = (one.enter(), two.enter(), three.enter());
    drop(second);
    drop(rig.tracer.start("in three"));
    drop(third);
    drop(rig.tracer.start("in one"));
    drop(first);
    assert!(!current_span_context().is_valid());
    drop((one, two, three));
    expect(
        &rig,
        &[
            ("one", "none"),
            ("two", "none"),
            ("three", "none"),
            ("in three", "three"),
            ("in one", "one"),
        ],
    );
}

#[test]
fn a_panic_exits_the_entered_span() {
    let rig = Rig::new();
    let span = rig.tracer.span("panics").start();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _entered = span.enter();
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(outcome.is_err());
    assert!(!current_span_context().is_valid());
}

#[test]
fn an_unsampled_span_can_be_entered_and_its_children_are_unsampled() {
    let provider = builder()
        .with_sampler(Sampler::parent_based(Sampler::AlwaysOff))
        .build();
    let tracer = provider.tracer("test");
    let root = tracer.span("root").start();
    let _entered = root.enter();
    let child = tracer.span("child").start();
    assert!(!child.is_recording());
    assert!(child.span_context().is_valid());
    assert_eq!(
        child.span_context().trace_id(),
        root.span_context().trace_id()
    );
}

#[test]
fn contexts_include_the_entered_span() {
    let rig = Rig::new();
    let outer = rig.tracer.span("outer").start();
    let entered = outer.enter();
    let context = current_context();
    drop(entered);
    assert_eq!(context.span().span_context(), outer.span_context());
    drop(rig.tracer.start_with_context("by context", &context));
    let attached = outer.to_context().attach();
    drop(rig.tracer.span("by attached").start());
    drop(attached);
    drop(
        rig.tracer
            .span("by parent")
            .with_parent(outer.span_context())
            .start(),
    );
    drop(
        rig.tracer
            .span("by parent context")
            .with_parent_context(&context)
            .start(),
    );
    drop(outer);
    expect(
        &rig,
        &[
            ("outer", "none"),
            ("by context", "outer"),
            ("by attached", "outer"),
            ("by parent", "outer"),
            ("by parent context", "outer"),
        ],
    );
}

#[derive(Default)]
struct Headers(HashMap<String, String>);

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

#[test]
fn a_trace_crosses_processes_by_w3c_headers() {
    let (client, server) = (Rig::new(), Rig::new());
    let propagator = TraceContextPropagator::new();
    let span = client.tracer.span("client").start();
    let entered = span.enter();
    let mut headers = Headers::default();
    propagator.inject_context(&current_context(), &mut headers);
    headers
        .0
        .insert("tracestate".to_owned(), "vendor=state".to_owned());
    drop(entered);

    let extracted = propagator.extract(&headers);
    drop(
        server
            .tracer
            .span("native")
            .with_parent_context(&extracted)
            .start(),
    );
    drop(server.tracer.start_with_context("trait", &extracted));
    for child in server.spans() {
        assert_eq!(child.trace_id, span.span_context().trace_id().to_bytes());
        assert_eq!(
            child.parent_span_id,
            span.span_context().span_id().to_bytes()
        );
        assert_eq!(child.trace_state, "vendor=state");
        assert_eq!(child.flags, 0x301, "sampled, and the parent is remote");
    }
}

/// Polls a future until it is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut task = std::task::Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut task) {
            return output;
        }
    }
}

/// Returns `Pending` once.
async fn turn() {
    let mut polled = false;
    std::future::poll_fn(move |_| {
        if std::mem::replace(&mut polled, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn a_future_runs_in_its_span_at_every_poll_and_nowhere_else() {
    let rig = Rig::new();
    let mut span = rig.tracer.span("request").start();
    let work = async {
        drop(rig.tracer.span("before").start());
        turn().await;
        drop(rig.tracer.start("after"));
    };
    {
        let mut future = pin!(work.in_span(&span));
        let mut task = std::task::Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut task).is_pending());
        drop(rig.tracer.span("outside").start());
        assert!(future.as_mut().poll(&mut task).is_ready());
    }
    block_on(async { drop(rig.tracer.span("in context").start()) }.with_context(span.to_context()));
    span.set_dynamic("done", true);
    drop(span);
    expect(
        &rig,
        &[
            ("request", "none"),
            ("before", "request"),
            ("after", "request"),
            ("outside", "none"),
            ("in context", "request"),
        ],
    );
}

#[test]
fn nothing_is_traced_where_telemetry_is_suppressed() {
    let rig = Rig::new();
    let outer = rig.tracer.span("outer").start();
    let entered = outer.enter();
    let suppressed = Context::enter_telemetry_suppressed_scope();
    for span in [
        rig.tracer.span("native").start(),
        rig.tracer.span("root").as_root().start(),
        rig.tracer
            .span("of")
            .with_parent(outer.span_context())
            .start(),
        rig.tracer.start("trait"),
    ] {
        assert!(!span.is_recording());
        assert_eq!(*span.span_context(), SpanContext::NONE);
    }
    drop(suppressed);
    drop(entered);
    drop(outer);
    assert_eq!(rig.only_span().name, "outer");
    assert_eq!(rig.provider.stats().started, 1);
}

#[test]
fn the_current_ids_are_those_of_the_span_that_a_child_would_have_as_its_parent() {
    let rig = Rig::new();
    let current = || current_ids().map(|ids| (ids.trace_id, ids.span_id));
    let of = |span: &SpanContext| Some((span.trace_id(), span.span_id()));
    assert_eq!(current(), of(&SpanContext::NONE));
    let native = rig.tracer.span("native").start();
    {
        let _entered = native.enter();
        assert_eq!(current(), of(native.span_context()));
        let attached = Context::current_with_span(rig.tracer.start("attached"));
        let span = attached.span().span_context().clone();
        let _attached = attached.attach();
        assert_eq!(current(), of(&span));
        {
            let _entered = native.enter();
            assert_eq!(current(), of(native.span_context()));
        }
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        assert_eq!(current(), None);
    }
    assert_eq!(current(), of(&SpanContext::NONE));
}
