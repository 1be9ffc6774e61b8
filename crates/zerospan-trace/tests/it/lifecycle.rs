//! Threads, panics, flush, shutdown and drop.

use crate::support::{Rig, builder, pipeline, spans, value};
use opentelemetry::Context;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};
use zerospan_export::{DropCause, InMemoryTransport, PipelineBuilder, Protocol};
use zerospan_trace::{Clock, ProviderError, Span, StaticKey};

const TEXT: StaticKey = StaticKey::new("text");

#[test]
fn a_span_is_moved_to_and_ended_on_another_thread() {
    let rig = Rig::new();
    let mut span = rig.tracer.span("moved").start();
    span.set(&TEXT, "here");
    std::thread::spawn(move || {
        span.set_dynamic("there", 1);
        span.event("there too", &[("k", "v")]);
        span.end();
    })
    .join()
    .expect("the thread ends");
    let span = rig.only_span();
    assert_eq!(value(&span.attributes, "text"), "here");
    assert_eq!(value(&span.attributes, "there"), "1");
    assert_eq!(span.events.len(), 1);
}

#[test]
fn slots_stay_bounded_where_one_thread_starts_and_another_ends() {
    // Less than 1,600 bytes are allocated for none.
    let rig = Rig::with(|builder| builder.with_max_idle_bytes(16 * 1600));
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Span>(64);
    let ender = std::thread::spawn(move || receiver.into_iter().for_each(drop));
    for _ in 0..5_000 {
        sender
            .send(rig.tracer.span("passed on").start())
            .expect("the thread lives");
    }
    drop(sender);
    ender.join().expect("the thread ends");
    let stats = rig.provider.stats();
    assert_eq!((stats.sampled, stats.open), (5_000, 0));
    assert!(stats.is_balanced());
    assert!(stats.idle_slots <= 16 + stats.threads, "{stats:?}");
}

#[test]
fn ten_thousand_threads_leave_nothing_behind() {
    let rig = Rig::new();
    for _ in 0..200 {
        std::thread::scope(|scope| {
            let threads = [(); 50].map(|()| {
                scope.spawn(|| {
                    let mut span = rig.tracer.span("short").start();
                    let entered = span.enter();
                    span.set(&TEXT, "lived");
                    drop(rig.tracer.span("child").start());
                    drop(entered);
                })
            });
            // A scope does not wait for the end of a thread itself, at which it gives back its slots.
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
    assert_eq!(rig.spans().len(), 20_000);
    let stats = rig.provider.stats();
    assert_eq!((stats.sampled, stats.open, stats.threads), (20_000, 0, 0));
    assert_eq!(stats.exports[0].delivered, 20_000);
    assert_eq!(stats.exports[0].threads, 0);
    // Two spans of 50 threads are open at once, and a thread keeps a few slots for its next spans.
    assert!(stats.idle_slots <= 400, "{stats:?}");
}

#[test]
fn a_span_is_recorded_while_its_thread_is_ending() {
    thread_local! {
        static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    }
    struct Late(zerospan_trace::Tracer, Option<Span>);
    impl Drop for Late {
        fn drop(&mut self) {
            // The API crate's current context is gone, and would panic: a context has to be named.
            let context = Context::new();
            let mut span = self
                .0
                .span("by a destructor")
                .with_parent_context(&context)
                .start();
            span.event("late", &[("k", "v")]);
            drop(self.1.take());
        }
    }
    let rig = Rig::new();
    let tracer = rig.tracer.clone();
    std::thread::spawn(move || {
        // Registered first, so destroyed last: the tracer's own thread-locals are gone by then.
        LATE.with_borrow_mut(|late| *late = Some(Late(tracer.clone(), None)));
        let span = tracer.span("held by a thread-local").start();
        LATE.with_borrow_mut(|late| {
            if let Some(late) = late {
                late.1 = Some(span);
            }
        });
    })
    .join()
    .expect("the thread ends");
    let mut names: Vec<String> = rig.spans().into_iter().map(|span| span.name).collect();
    names.sort();
    assert_eq!(names, ["by a destructor", "held by a thread-local"]);
    assert!(rig.provider.stats().is_balanced());
}

#[test]
fn a_panic_in_a_closure_leaves_a_whole_span() {
    let rig = Rig::new();
    let mut span = rig.tracer.span("survives").start();
    span.set(&TEXT, "before");
    span.event("before", &[("k", "v")]);
    for _ in 0..2 {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            span.event_with("torn", |writer| {
                writer.set(&TEXT, "half");
                resume_unwind(Box::new("on purpose"));
            });
        }));
        assert!(outcome.is_err());
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            span.link_with(&SpanContext::NONE, |_| {
                resume_unwind(Box::new("on purpose"))
            });
        }));
        assert!(outcome.is_err());
    }
    span.event("after", &[("k", "v")]);
    span.end();
    let span = rig.only_span();
    let names: Vec<&str> = span.events.iter().map(|event| &*event.name).collect();
    assert_eq!(names, ["before", "after"]);
    assert_eq!(span.dropped_events_count, 2);
    assert_eq!(span.links, []);
    assert_eq!(span.dropped_links_count, 2);
}

#[test]
fn a_value_larger_than_a_slot_keeps_is_freed_with_its_span() {
    let rig = Rig::with(|builder| builder.with_max_idle_bytes(1 << 20));
    let large = "x".repeat(100_000);
    for _ in 0..2 {
        let mut span = rig.tracer.span("large").start();
        span.set(&TEXT, &large);
        span.end();
        drop(rig.tracer.span("small").start());
    }
    let spans = rig.spans();
    assert_eq!(spans.len(), 4);
    assert_eq!(value(&spans[0].attributes, "text").len(), 100_000);
    assert_eq!(spans[1].attributes, []);
    assert!(rig.provider.stats().idle_slots <= 1);
}

#[test]
fn shutdown_delivers_then_refuses_and_counts() {
    let rig = Rig::new();
    let open = rig.tracer.span("open").start();
    drop(rig.tracer.span("ended").start());
    rig.provider
        .shutdown_with_timeout(Duration::from_secs(5))
        .expect("delivered");
    assert_eq!(rig.only_span().name, "ended");

    let mut refused = rig.tracer.start("refused");
    assert!(!refused.is_recording());
    assert_eq!(*refused.span_context(), SpanContext::NONE);
    refused.end();
    drop(rig.provider.tracer("another").start("refused"));
    assert!(open.is_recording());
    drop(open);

    let stats = rig.provider.stats();
    assert_eq!(
        (stats.started, stats.sampled, stats.refused, stats.open),
        (4, 2, 2, 0)
    );
    assert_eq!(stats.exports[0].delivered, 1);
    assert_eq!(stats.exports[0].dropped.by(DropCause::AfterShutdown), 1);
    assert!(stats.is_balanced());

    assert!(matches!(
        rig.provider.shutdown(),
        Err(ProviderError::AlreadyShutDown)
    ));
    assert!(rig.provider.force_flush().is_err());
}

#[test]
fn the_drop_of_the_last_handle_delivers_what_ended() {
    let (pipeline, memory) = pipeline();
    let watch = pipeline.clone();
    let provider = builder().with_exporter(pipeline).build();
    let tracer = provider.tracer("test");
    drop(tracer.span("ended").start());
    let open = tracer.span("open").start();
    drop(provider);
    assert!(memory.is_empty(), "the tracer still holds the provider");
    drop(tracer);
    assert_eq!(spans(&memory).len(), 1);
    drop(open);
    assert_eq!(watch.stats().dropped.by(DropCause::AfterShutdown), 1);
}

#[test]
fn providers_come_and_go_on_one_thread() {
    let started = Instant::now();
    for round in 0..300_usize {
        let rig = Rig::new();
        let other = Rig::new();
        for _ in 0..3 {
            drop(rig.tracer.span("one").start());
            drop(other.tracer.span("other").start());
        }
        assert_eq!(rig.spans().len(), 3, "round {round}");
        assert_eq!(other.spans().len(), 3, "round {round}");
        assert!(rig.provider.stats().is_balanced());
    }
    // Nothing waits for a timeout, of which the shortest is 100 ms.
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_disabled_provider_records_nothing_and_shuts_down_once() {
    let rig = Rig::from_vars(|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned()));
    let span = rig.tracer.start("disabled");
    assert!(!span.is_recording());
    assert!(!span.span_context().is_valid());
    drop(span);
    assert_eq!(rig.spans(), []);
    rig.provider.shutdown().expect("the first");
    assert!(matches!(
        rig.provider.shutdown(),
        Err(ProviderError::AlreadyShutDown)
    ));
}

/// The specification asks this of the API without an SDK, and of tracers after the shutdown.
#[test]
fn a_refused_span_carries_its_parents_context_on() {
    let disabled = Rig::from_vars(|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned()));
    let shut_down = Rig::new();
    let local = shut_down.tracer.span("before").start();
    shut_down.provider.shutdown().expect("nothing to deliver");
    let of = |state: TraceState, is_remote| {
        let (trace, span) = (TraceId::from(0xfeed), SpanId::from(0xbeef));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, is_remote, state)
    };
    let state = TraceState::from_key_value([("vendor", "state")]).expect("valid");
    let parents = [
        of(state, true),
        of(TraceState::NONE, false),
        local.span_context().clone(),
    ];
    for tracer in [&disabled.tracer, &shut_down.tracer] {
        for parent in &parents {
            let context = Context::new().with_remote_span_context(parent.clone());
            assert_is(&tracer.start_with_context("of a context", &context), parent);
            assert_is(&tracer.span("named").with_parent(parent).start(), parent);
            let attached = context.attach();
            let child = tracer.span("current").start();
            assert_is(&child, parent);
            tracer.in_span("within", |context| {
                assert_eq!(context.span().span_context(), parent);
            });
            drop(attached);
            let entered = child.enter();
            assert_is(&tracer.span("native").start(), parent);
            drop(entered);
        }
        assert_is(&tracer.span("no parent").start(), &SpanContext::NONE);
        let half = SpanContext::new(
            TraceId::from(1),
            SpanId::INVALID,
            TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        );
        let orphan = tracer.span("invalid parent").with_parent(&half).start();
        assert_is(&orphan, &SpanContext::NONE);
    }
    assert_eq!(disabled.provider.stats().refused, 17);
    assert_eq!(disabled.spans(), []);

    fn assert_is(span: &Span, context: &SpanContext) {
        assert!(!span.is_recording());
        assert_eq!(span.span_context(), context);
        assert_eq!(span.span_context().is_remote(), context.is_remote());
    }
}

#[test]
fn ids_are_unique_over_threads_and_never_invalid() {
    let rig = Rig::new();
    let mut handles = Vec::new();
    for _ in 0..4 {
        let tracer = rig.tracer.clone();
        handles.push(std::thread::spawn(move || {
            (0..5_000)
                .map(|_| {
                    let span = tracer.span("id").start();
                    let context = span.span_context();
                    assert!(context.is_valid());
                    (context.trace_id(), context.span_id())
                })
                .collect::<Vec<_>>()
        }));
    }
    let (mut traces, mut spans) = (
        std::collections::HashSet::new(),
        std::collections::HashSet::new(),
    );
    for handle in handles {
        for (trace, span) in handle.join().expect("the thread ends") {
            assert!(traces.insert(trace));
            assert!(spans.insert(span));
        }
    }
}

#[test]
fn every_clock_times_spans() {
    for clock in [Clock::counter(), Clock::system()] {
        let before = unix_now();
        let rig = Rig::with(|builder| builder.with_clock(clock.clone()));
        let mut span = rig.tracer.span("timed").start();
        std::thread::sleep(Duration::from_millis(3));
        span.event("later", &[("k", "v")]);
        span.end();
        let after = unix_now();
        let span = rig.only_span();
        let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
        let slack = 1_000_000;
        assert!(before <= start + slack && end <= after + slack, "{clock:?}");
        assert!(end - start >= 3_000_000, "{clock:?}: {}", end - start);
        assert!((start..=end).contains(&span.events[0].time_unix_nano));
    }
}

fn unix_now() -> u64 {
    zerospan_otlp::unix_nanos(std::time::SystemTime::now())
}

/// `cargo xtask features` runs it in a build without any protocol, where the environment's settings have none to be for.
#[test]
fn a_pipeline_with_a_transport_needs_no_protocol() {
    let memory = InMemoryTransport::new();
    let (builder, ignored) = PipelineBuilder::from_vars(|_| None);
    assert!(ignored.is_empty(), "{ignored:?}");
    let pipeline = builder.with_transport(memory.clone()).build();
    let provider = crate::support::builder().with_exporter(pipeline.expect("a transport suffices"));
    let provider = provider.build();
    drop(provider.tracer("test").start("sent"));
    provider.shutdown().expect("the span is delivered");
    assert_eq!(spans(&memory).len(), 1);
    // Without one there is nothing to send with.
    let has_protocol = Protocol::HttpProtobuf.is_built() || Protocol::Grpc.is_built();
    let (builder, _) = PipelineBuilder::from_vars(|_| None);
    assert_eq!(builder.build().is_ok(), has_protocol);
}
