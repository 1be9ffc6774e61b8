//! Every operation works wherever a program may call it: in destructors of thread-locals, while the API lends its context, during a
//! panic, and within a subscriber. A program on its own, since it watches every panic of the process.

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    Span as _, SpanBuilder, TraceContextExt, Tracer as _, TracerProvider as _, get_active_span,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{BatchSpanProcessor, InMemorySpanExporter};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Waker};
use std::time::Duration;
use zerospan_core::dev::anywhere::{self, Operation, Place};
use zerospan_export::{
    BatchConfig, ExportResponse, InMemoryTransport, Pipeline, Request, Scope, SendError, Transport,
};
use zerospan_trace::{
    FinishedSpan, FutureExt, Processor, Span, TraceContextPropagator, Tracer, TracerProvider,
    TracerProviderBuilder, current_context, current_span_context,
};

/// The provider, spans and handles on which operations are called.
struct World {
    provider: TracerProvider,
    tracer: Tracer,
    pipeline: Pipeline,
    /// Started on another thread.
    open: Mutex<Vec<Span>>,
}

fn scope() -> Scope {
    Scope::new(&opentelemetry::InstrumentationScope::builder("test").build())
}

const OPERATIONS: &[Operation<World>] = &[
    ("native span", |world| {
        let mut span = world.tracer.span("native").start();
        span.set_dynamic("key", 1);
        span.event("event", &[("k", "v")]);
        let entered = span.enter();
        drop(world.tracer.span("child").start());
        drop(entered);
    }),
    ("API span", |world| {
        let mut span = world.tracer.start("API");
        span.set_attribute(KeyValue::new("key", 1));
        span.end();
        drop(world.tracer.build(SpanBuilder::from_name("built")));
        let parent = Context::new();
        drop(world.tracer.start_with_context("child", &parent));
    }),
    ("span of another thread", |world| {
        drop(world.open.lock().expect("no panic").pop());
    }),
    ("span beyond its limits", |world| {
        let mut span = world.tracer.span("large").start();
        for key in ["a", "b", "c", "d", "e"] {
            span.set_dynamic(key, "x".repeat(10).as_str());
        }
    }),
    ("span too large", |world| {
        let mut span = world.tracer.span("too large").start();
        span.set_dynamic("a", "x".repeat(2 << 20).as_str());
    }),
    ("many spans, beyond the queue", |world| {
        for _ in 0..200 {
            drop(world.tracer.span("one of many").start());
        }
    }),
    ("current context", |world| {
        drop((current_context(), current_span_context()));
        drop(world.tracer.span("one").start().to_context());
    }),
    ("propagator", |_| {
        let mut headers = HashMap::new();
        TraceContextPropagator::new().inject(&mut headers);
        drop(TraceContextPropagator::new().extract(&headers));
    }),
    ("future", |world| {
        let span = world.tracer.span("future").start();
        let mut future = Box::pin(std::future::ready(1).in_span(&span));
        let mut task = TaskContext::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut task).is_ready());
    }),
    ("record", |world| {
        let _ = world.pipeline.record_encoded(&scope(), b"no span");
        let _ = world.pipeline.record(&scope(), |item| {
            item.extend_from_slice(b"no span");
            assert!(world.pipeline.stats().is_balanced());
        });
        let producer = world.pipeline.producer();
        drop(producer);
    }),
    ("statistics", |world| {
        assert!(world.provider.stats().is_balanced());
        assert!(world.pipeline.stats().is_balanced());
        assert!(world.pipeline.watch().stats().is_balanced());
    }),
    ("flush", |world| {
        let _ = world.provider.force_flush_with_timeout(SHORT);
        let _ = world.pipeline.force_flush(SHORT);
    }),
    ("provider of its own", |_| {
        let (builder, pipeline) = failing(false);
        let provider = builder.build();
        drop(provider.tracer("own").span("pending").start());
        assert_eq!(pipeline.stats().recorded, 1);
        drop(pipeline);
        drop(provider);
    }),
    ("pipeline of its own, without a worker", |_| {
        let (builder, pipeline) = failing(true);
        let provider = builder.build();
        drop(provider.tracer("own").span("pending").start());
        let _ = pipeline.force_flush(SHORT);
        let _ = provider.shutdown_with_timeout(SHORT);
        drop(provider);
        drop(pipeline);
    }),
    ("environment", |_| {
        drop(TracerProviderBuilder::from_env().build());
        drop(
            Pipeline::builder()
                .with_transport(InMemoryTransport::new())
                .build(),
        );
    }),
];

/// Attaches a context, which the API cannot do while it lends one.
const IN_SPAN: Operation<World> = ("in_span", |world| {
    let done = world.tracer.in_span("outer", |context| {
        drop(world.tracer.start_with_context("inner", &context));
        1
    });
    assert_eq!(done, 1);
});

const SHORT: Duration = Duration::from_millis(20);

/// A collector that is never there, so that each loss has a cause to log.
struct Failing;

impl Transport for Failing {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Err(SendError::unreachable("nobody there"))
    }
}

fn failing(is_inline: bool) -> (TracerProviderBuilder, Pipeline) {
    let mut batch = BatchConfig::default();
    (batch.max_queue_size, batch.max_export_batch_size) = (Some(64), Some(64));
    batch.max_request_bytes = 1 << 20;
    let mut pipeline = Pipeline::builder()
        .with_transport(|| Ok(Failing))
        .with_batch(batch)
        .with_timeout(SHORT)
        .with_drop_timeout(SHORT);
    if is_inline {
        pipeline = pipeline.without_worker();
    }
    let pipeline = pipeline.build().expect("valid");
    let builder = TracerProvider::builder()
        .with_max_attributes_per_span(2)
        .with_exporter(pipeline.clone());
    (builder, pipeline)
}

#[derive(Debug)]
struct Looking;

impl Processor for Looking {
    fn on_start(&self, _: &mut Span, parent: &Context) {
        assert!(!parent.is_telemetry_suppressed());
    }

    fn on_end(&self, span: &FinishedSpan<'_>) {
        assert!(span.view().is_ok());
    }
}

/// Adds what makes a kind of provider.
type Setting = fn(TracerProviderBuilder) -> TracerProviderBuilder;

/// Providers of each kind.
fn worlds() -> Vec<World> {
    let kinds: [(bool, Setting); 4] = [
        (false, |builder| builder),
        (true, |builder| builder),
        (false, |builder| builder.with_processor(Looking)),
        (false, |builder| {
            let exporter = InMemorySpanExporter::default();
            // The simple one itself panics in the destructor of a thread-local.
            builder.with_span_processor(BatchSpanProcessor::builder(exporter).build())
        }),
    ];
    let world = |(is_inline, kind): (bool, Setting)| {
        let (builder, pipeline) = failing(is_inline);
        let provider = kind(builder).build();
        let tracer = provider.tracer("test");
        let open = (0..8).map(|_| tracer.span("open").start()).collect();
        World {
            tracer,
            provider,
            pipeline,
            open: Mutex::new(open),
        }
    };
    kinds.into_iter().map(world).collect()
}

/// Places beside those of every crate.
const PLACES: &[Place<World>] = &[
    ("a native entry that is leaked", |call| {
        std::mem::forget(call.world.tracer.span("entered").start().enter());
        call.make_at_exit();
    }),
    ("get_active_span", |call| {
        let span = call.world.tracer.start("current");
        let _attached = Context::current_with_span(span).attach();
        get_active_span(|_| call.make());
    }),
    ("get_active_span that ends the span", |call| {
        call.make();
        let span = call.world.tracer.start("current");
        let _attached = Context::current_with_span(span).attach();
        get_active_span(|span| {
            for key in ["a", "b", "c"] {
                span.set_attribute(KeyValue::new(key, "x".repeat(1 << 20)));
            }
            span.end();
        });
    }),
];

#[test]
fn every_operation_works_in_every_place_without_a_panic() {
    for world in worlds().into_iter().map(Arc::new) {
        anywhere::check(&world, OPERATIONS, PLACES);
        let stats = world.provider.stats();
        assert!(stats.is_balanced(), "{stats:?}");
    }
}

/// The API panics where a context is attached while it lends one: the panic is caught, and the span is entered natively.
#[test]
fn in_span_runs_its_closure_in_every_place() {
    for world in worlds().into_iter().map(Arc::new) {
        anywhere::check_return(&world, IN_SPAN, OPERATIONS, PLACES);
        assert!(world.provider.stats().is_balanced());
    }
}

#[test]
fn in_span_is_the_parent_of_what_starts_within_where_the_api_lends_its_context() {
    let world = &worlds()[0];
    anywhere::with_panics(|| {
        Context::map_current(|_| {
            world.tracer.in_span("outer", |context| {
                let inner = world.tracer.start("inner");
                let outer = context.span().span_context().trace_id();
                assert_eq!(inner.span_context().trace_id(), outer);
            });
        });
    });
    assert!(!current_span_context().is_valid());
}
