//! Every operation works wherever a program may call it: in destructors of thread-locals, while the API lends its context, during a
//! panic, and within a subscriber. A program on its own, since it watches every panic of the process.

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    Span as _, SpanBuilder, TraceContextExt, Tracer as _, TracerProvider as _, get_active_span,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{BatchSpanProcessor, InMemorySpanExporter};
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, Once, PoisonError, mpsc};
use std::task::{Context as TaskContext, Waker};
use std::time::Duration;
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

type Operation = (&'static str, fn(&World));

fn scope() -> Scope {
    Scope::new(&opentelemetry::InstrumentationScope::builder("test").build())
}

const OPERATIONS: &[Operation] = &[
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
const IN_SPAN: Operation = ("in_span", |world| {
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

/// Held by each test: the panics of a whole process are counted.
static ALONE: Mutex<()> = Mutex::new(());

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

/// A place in a program: calls the operation there.
type Place = (&'static str, fn(Operation, Arc<World>));

struct AtExit(Option<Box<dyn FnOnce()>>);

impl Drop for AtExit {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}

thread_local! {
    static FIRST: RefCell<Vec<AtExit>> = const { RefCell::new(Vec::new()) };
    static LAST: RefCell<Vec<AtExit>> = const { RefCell::new(Vec::new()) };
}

/// Calls the operation in the destructor of a thread-local.
fn at_exit(
    list: &'static std::thread::LocalKey<RefCell<Vec<AtExit>>>,
    operation: Operation,
    world: Arc<World>,
) {
    let work = Box::new(move || operation.1(&world));
    list.with_borrow_mut(|list| list.push(AtExit(Some(work))));
}

fn use_everything(world: &World) {
    for operation in OPERATIONS {
        operation.1(world);
    }
    tracing::info!("a thread-local of the tracing crate's");
}

const PLACES: &[Place] = &[
    ("a thread", |operation, world| operation.1(&world)),
    ("a destructor that runs after ours", |operation, world| {
        at_exit(&FIRST, operation, Arc::clone(&world));
        use_everything(&world);
    }),
    ("a destructor that runs before ours", |operation, world| {
        use_everything(&world);
        at_exit(&LAST, operation, world);
    }),
    (
        "a destructor on a thread that used nothing",
        |operation, world| {
            at_exit(&LAST, operation, world);
        },
    ),
    ("the destructor of the API's context", |operation, world| {
        struct Value(Operation, Arc<World>);
        impl Drop for Value {
            fn drop(&mut self) {
                self.0.1(&self.1);
            }
        }
        // A context that is never detached.
        let value = Value(operation, Arc::clone(&world));
        std::mem::forget(Context::current_with_value(value).attach());
        use_everything(&world);
    }),
    ("a native entry that is leaked", |operation, world| {
        std::mem::forget(world.tracer.span("entered").start().enter());
        at_exit(&LAST, operation, world);
    }),
    ("get_active_span", |operation, world| {
        let span = world.tracer.start("current");
        let _attached = Context::current_with_span(span).attach();
        get_active_span(|_| operation.1(&world));
    }),
    ("get_active_span that ends the span", |operation, world| {
        operation.1(&world);
        let span = world.tracer.start("current");
        let _attached = Context::current_with_span(span).attach();
        get_active_span(|span| {
            for key in ["a", "b", "c"] {
                span.set_attribute(KeyValue::new(key, "x".repeat(1 << 20)));
            }
            span.end();
        });
    }),
    ("map_current", |operation, world| {
        Context::map_current(|_| operation.1(&world));
    }),
    ("the drop of a panic", |operation, world| {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let _work = AtExit(Some(Box::new(move || operation.1(&world))));
            resume_unwind(Box::new("on purpose"));
        }));
        assert!(outcome.is_err());
    }),
    ("a subscriber", |operation, world| {
        let subscriber = Calling(Mutex::new(Some(Box::new(move || operation.1(&world)))));
        tracing::subscriber::with_default(subscriber, || tracing::error!("an event"));
    }),
];

/// A subscriber that calls an operation for its first event, and traces each.
struct Calling(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl tracing::Subscriber for Calling {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        // Not under the lock, since the operation may log.
        let work = self.0.lock().expect("no panic").take();
        if let Some(work) = work {
            work();
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the message of each panic, caught or not: with `panic = "abort"` each of them ends the process.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.lock().expect("no panic").push(panic.to_string());
            before(panic);
        }));
    });
}

/// Runs `place` on a thread of its own, and waits for its end.
fn run(place: &Place, operation: Operation, world: &Arc<World>) {
    let (sender, receiver) = mpsc::channel();
    let (call, world) = (place.1, Arc::clone(world));
    std::thread::spawn(move || {
        let thread = std::thread::spawn(move || call(operation, world));
        let _ = sender.send(thread.join().is_ok());
    });
    let ended = receiver.recv_timeout(Duration::from_secs(30));
    assert_eq!(ended, Ok(true), "{} in {}", operation.0, place.0);
}

#[test]
fn every_operation_works_in_every_place_without_a_panic() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    watch_panics();
    for world in worlds().into_iter().map(Arc::new) {
        for place in PLACES {
            for operation in OPERATIONS {
                run(place, *operation, &world);
                let panics = std::mem::take(&mut *PANICS.lock().expect("no panic"));
                assert_eq!(panics, [""; 0], "{} in {}", operation.0, place.0);
            }
        }
        let stats = world.provider.stats();
        assert!(stats.is_balanced(), "{stats:?}");
    }
}

/// The API panics where a context is attached while it lends one: the panic is caught, and the span is entered natively.
#[test]
fn in_span_runs_its_closure_in_every_place() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    watch_panics();
    for world in worlds().into_iter().map(Arc::new) {
        for place in PLACES {
            run(place, IN_SPAN, &world);
        }
        assert!(world.provider.stats().is_balanced());
    }
    PANICS.lock().expect("no panic").clear();
}

#[test]
fn in_span_is_the_parent_of_what_starts_within_where_the_api_lends_its_context() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let world = &worlds()[0];
    Context::map_current(|_| {
        world.tracer.in_span("outer", |context| {
            let inner = world.tracer.start("inner");
            let outer = context.span().span_context().trace_id();
            assert_eq!(inner.span_context().trace_id(), outer);
        });
    });
    assert!(!current_span_context().is_valid());
    PANICS.lock().expect("no panic").clear();
}
