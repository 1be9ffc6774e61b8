//! Every operation works wherever a program may call it: in destructors of thread-locals, while the API lends its context, during a
//! panic, and within a subscriber. A program on its own, since it watches every panic of the process.

use opentelemetry::logs::{AnyValue, LogRecord as _, Severity};
use opentelemetry::trace::{TraceContextExt, Tracer as _, TracerProvider as _, get_active_span};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::logs::{BatchLogProcessor, InMemoryLogExporter};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zerospan_core::dev::anywhere::{self, Operation, Place};
use zerospan_export::{
    BatchConfig, ExportResponse, InMemoryTransport, Pipeline, Request, SendError, Signal, Transport,
};
use zerospan_logs::{LogRecord, Logger, LoggerProvider, LoggerProviderBuilder, Processor};
use zerospan_trace::TracerProvider;

/// The provider, records and handles on which operations are called.
struct World {
    provider: LoggerProvider,
    logger: Logger,
    pipeline: Pipeline,
    tracer: zerospan_trace::Tracer,
    /// Made on another thread.
    open: Mutex<Vec<LogRecord>>,
}

const OPERATIONS: &[Operation<World>] = &[
    ("native record", |world| {
        let mut record = world.logger.record();
        record.set_severity(Severity::Warn);
        record.set_body_fmt(format_args!("{} of {}", 1, 2));
        record.set_dynamic("key", 1);
        world.logger.emit(record);
        drop(world.logger.record());
    }),
    ("API record", |world| {
        let mut record = opentelemetry::logs::Logger::create_log_record(&world.logger);
        record.set_target("app::web");
        record.set_body(AnyValue::from("text"));
        record.add_attribute("key", "value");
        opentelemetry::logs::Logger::emit(&world.logger, record);
    }),
    ("enabled", |world| {
        let is_enabled = world.logger.event_enabled(Severity::Info, "target", None);
        assert!(is_enabled);
    }),
    ("record of another thread", |world| {
        let record = world.open.lock().expect("no panic").pop();
        world.logger.emit(record.unwrap_or_default());
    }),
    ("within a native span", |world| {
        let span = world.tracer.span("span").start();
        let _entered = span.enter();
        world.logger.emit(world.logger.record());
    }),
    ("beyond the limits", |world| {
        let mut record = world.logger.record();
        for key in ["a", "b", "c", "d"] {
            record.set_dynamic(key, "x".repeat(10).as_str());
        }
        world.logger.emit(record);
    }),
    ("too large", |world| {
        let mut record = world.logger.record();
        record.set_body_value("x".repeat(2 << 20).as_str());
        world.logger.emit(record);
    }),
    ("many, beyond the queue", |world| {
        for _ in 0..200 {
            world.logger.emit(world.logger.record());
        }
    }),
    ("statistics", |world| {
        assert!(world.provider.stats().is_balanced());
        assert!(world.pipeline.stats().is_balanced());
    }),
    ("flush", |world| {
        let _ = world.provider.force_flush_with_timeout(SHORT);
    }),
    ("provider of its own", |_| {
        let (builder, pipeline) = failing(false);
        let provider = builder.build();
        let logger = provider.logger("own");
        logger.emit(logger.record());
        assert_eq!(pipeline.stats().recorded, 1);
        drop((pipeline, provider, logger));
    }),
    ("provider of its own, without a worker", |_| {
        let (builder, _) = failing(true);
        let provider = builder.build();
        let logger = provider.logger("own");
        logger.emit(logger.record());
        let _ = provider.shutdown_with_timeout(SHORT);
        logger.emit(logger.record());
    }),
    ("environment", |_| {
        drop(LoggerProviderBuilder::from_env().build());
    }),
];

const SHORT: Duration = Duration::from_millis(20);

/// A collector that is never there, so that each loss has a cause to log.
struct Failing;

impl Transport for Failing {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Err(SendError::unreachable("nobody there"))
    }
}

fn failing(is_inline: bool) -> (LoggerProviderBuilder, Pipeline) {
    let mut batch = BatchConfig::for_signal(Signal::Logs);
    (batch.max_queue_size, batch.max_export_batch_size) = (Some(64), Some(64));
    batch.max_request_bytes = 1 << 20;
    let mut pipeline = Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_transport(|| Ok(Failing))
        .with_batch(batch)
        .with_timeout(SHORT)
        .with_drop_timeout(SHORT);
    if is_inline {
        pipeline = pipeline.without_worker();
    }
    let pipeline = pipeline.build().expect("valid");
    let builder = LoggerProvider::builder()
        .with_max_attributes_per_record(2)
        .with_exporter(pipeline.clone());
    (builder, pipeline)
}

#[derive(Debug)]
struct Looking;

impl Processor for Looking {
    fn on_emit(&self, record: &mut LogRecord, scope: &InstrumentationScope) {
        assert!(!scope.name().is_empty());
        record.set_dynamic("looked", true);
    }
}

/// Adds what makes a kind of provider.
type Setting = fn(LoggerProviderBuilder) -> LoggerProviderBuilder;

/// Providers of each kind.
fn worlds() -> Vec<World> {
    let kinds: [(bool, Setting); 4] = [
        (false, |builder| builder),
        (true, |builder| builder),
        (false, |builder| builder.with_processor(Looking)),
        (false, |builder| {
            let exporter = InMemoryLogExporter::default();
            // The simple one itself panics in the destructor of a thread-local.
            builder.with_log_processor(BatchLogProcessor::builder(exporter).build())
        }),
    ];
    let spans = Pipeline::builder().with_transport(InMemoryTransport::new());
    let spans = spans.build().expect("valid");
    let spans = TracerProvider::builder().with_exporter(spans).build();
    let world = |(is_inline, kind): (bool, Setting)| {
        let (builder, pipeline) = failing(is_inline);
        let provider = kind(builder).build();
        let logger = provider.logger("test");
        let open = (0..8).map(|_| logger.record()).collect();
        World {
            tracer: spans.tracer("test"),
            logger,
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
];

#[test]
fn every_operation_on_logs_works_in_every_place_without_a_panic() {
    for world in worlds().into_iter().map(Arc::new) {
        anywhere::check(&world, OPERATIONS, PLACES);
        let stats = world.provider.stats();
        assert!(stats.is_balanced(), "{stats:?}");
    }
}
