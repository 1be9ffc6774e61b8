//! Log records never touch the heap, and what does is listed: every path that allocates, and how often.

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, Severity};
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_appender_log::OpenTelemetryLogBridge;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};
use std::time::Duration;
use zerospan_core::dev::{self, Allocations, CountingAllocator};
use zerospan_export::{
    ExportResponse, InMemoryTransport, Pipeline, Request, SendError, Signal, Transport,
};
use zerospan_logs::{
    LogRecord, Logger, LoggerProvider, LoggerProviderBuilder, Processor, StaticKey,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// A collector that takes everything and keeps nothing.
struct Null;

impl Transport for Null {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Ok(ExportResponse::ALL)
    }
}

/// Sends on the thread that flushes: how many chunks are needed at once depends on no other thread.
fn provider(setup: impl FnOnce(LoggerProviderBuilder) -> LoggerProviderBuilder) -> LoggerProvider {
    let pipeline = Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_transport(|| Ok::<_, SendError>(Null))
        .without_worker()
        .build()
        .expect("the defaults are valid");
    setup(LoggerProvider::builder().with_exporter(pipeline)).build()
}

/// Counts the allocations of one run of `work` in steady state.
fn of(provider: &LoggerProvider, work: impl FnMut()) -> u64 {
    Allocations::per_run(|| provider.force_flush().expect("delivered"), work)
}

fn check(name: &str, work: impl Fn(&Logger)) {
    let provider = provider(|builder| builder);
    let logger = provider.logger("test");
    assert_eq!(of(&provider, || work(&logger)), 0, "{name}");
    let stats = provider.stats();
    assert!(stats.is_balanced(), "{name}: {stats:?}");
    assert!(stats.exports[0].recorded >= 21 * 64, "{name}: {stats:?}");
}

const KEYS: [StaticKey; 8] = [
    StaticKey::new("http.request.method"),
    StaticKey::new("url.scheme"),
    StaticKey::new("http.route"),
    StaticKey::new("server.address"),
    StaticKey::new("http.response.status_code"),
    StaticKey::new("server.port"),
    StaticKey::new("cache.hit"),
    StaticKey::new("queue.wait"),
];

fn native(logger: &Logger) {
    let mut record = logger.record();
    record.set_severity(Severity::Info);
    record.set_body_fmt(format_args!("request {} took {} ms", 7, 1.5));
    for (number, key) in KEYS.iter().enumerate() {
        record.set(key, number as i64);
    }
    record.set_fmt(&KEYS[0], format_args!("{}:{}", "host", 4317));
    record.set_all(&[("a", "b"), ("c", "d")]);
    logger.emit(record);
}

fn through_the_api(logger: &Logger) {
    let mut record = logger.create_log_record();
    record.set_event_name("request");
    record.set_target("app::web");
    record.set_severity_number(Severity::Info);
    record.set_severity_text("INFO");
    record.set_body(AnyValue::from("a constant"));
    record.add_attribute("key", 1);
    record.add_attributes([("other", AnyValue::from("text"))]);
    opentelemetry::logs::Logger::emit(logger, record);
}

#[test]
fn log_records_touch_no_heap() {
    check("native", native);
    check("API", through_the_api);
    check("two at a time", |logger| {
        let (first, second) = (logger.record(), logger.record());
        logger.emit(first);
        logger.emit(second);
    });
    check("dropped", |logger| {
        drop(logger.record());
        native(logger);
    });
    check("several targets in turn", |logger| {
        for target in ["app::db", "app::web", "app::cache"] {
            let mut record = logger.record();
            record.set_target(target);
            logger.emit(record);
        }
    });
}

#[test]
fn log_records_within_spans_touch_no_heap() {
    let pipeline = Pipeline::builder().with_transport(InMemoryTransport::new());
    let spans = zerospan_trace::TracerProvider::builder()
        .with_exporter(pipeline.build().expect("valid"))
        .build();
    let tracer = spans.tracer("test");
    let span = tracer.span("native").start();
    let _entered = span.enter();
    check("native span", native);
    let _attached = Context::current_with_span(tracer.start("API")).attach();
    check("span of the API", native);
}

#[test]
fn a_record_that_is_suppressed_refused_or_disabled_touches_no_heap() {
    let provider = provider(|builder| builder);
    let logger = provider.logger("test");
    assert_eq!(of(&provider, || native(&logger)), 0);
    let count = |work: &dyn Fn()| Allocations::measure(work).1.count;
    {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        assert_eq!(count(&|| native(&logger)), 0, "suppressed");
    }
    provider.shutdown().expect("delivered");
    native(&logger);
    assert_eq!(count(&|| native(&logger)), 0, "after the shutdown");
    let disabled = LoggerProvider::default().logger("disabled");
    assert_eq!(count(&|| native(&disabled)), 0, "disabled");
}

#[test]
fn a_processor_adds_no_allocation() {
    #[derive(Debug)]
    struct Adding;
    impl Processor for Adding {
        fn on_emit(&self, record: &mut LogRecord, _: &InstrumentationScope) {
            record.set(&KEYS[0], "added");
        }
    }
    let provider = provider(|builder| builder.with_processor(Adding));
    let logger = provider.logger("test");
    assert_eq!(of(&provider, || native(&logger)), 0);
}

#[derive(Debug)]
struct Ignoring;

impl LogProcessor for Ignoring {
    fn emit(&self, _: &mut SdkLogRecord, _: &InstrumentationScope) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn what_allocates_is_what_the_table_says() {
    let plain = provider(|builder| builder);
    let logger = plain.logger("test");
    let owned = of(&plain, || {
        let mut record = logger.record();
        record.set_body(AnyValue::from("x".repeat(10)));
        logger.emit(record);
    });
    assert_eq!(owned, 1, "the caller's text");
    let mut number = 0_u64;
    let target = of(&plain, || {
        let mut record = logger.record();
        number += 1;
        record.set_target(format!("app::{number:020}"));
        logger.emit(record);
    });
    assert!(target >= 6, "a target that was not used lately: {target}");
    let observed = provider(|builder| builder.with_log_processor(Ignoring));
    let logger = observed.logger("test");
    let converted = of(&observed, || {
        let mut record = logger.record();
        record.set_body_value("a text");
        record.set_dynamic("key", "text");
        logger.emit(record);
    });
    assert!(
        converted >= 4,
        "a processor of the official SDK: {converted}"
    );
}

/// All allocations are the bridge's: the text, the target and the list of the fields.
#[test]
fn the_bridge_from_log_allocates_what_it_builds_itself_and_nothing_more() {
    let provider = provider(|builder| builder);
    let bridge = OpenTelemetryLogBridge::new(&provider);
    let allocated = of(&provider, || {
        let record = log::Record::builder()
            .level(log::Level::Info)
            .target("app::web")
            .args(format_args!("constant"))
            .build();
        log::Log::log(&bridge, &record);
    });
    assert_eq!(allocated, 2);
}

/// A body of 2 MiB leaves no large buffer behind.
#[test]
fn a_large_record_gives_its_memory_back() {
    let provider = provider(|builder| builder);
    let logger = provider.logger("test");
    native(&logger);
    let held = || Allocations::this_thread();
    let body = "x".repeat(2 << 20);
    let before = held();
    let mut record = logger.record();
    record.set_body_value(body.as_str());
    drop(record);
    let large = held().since(before);
    assert!(large.bytes >= 2 << 20, "{large:?}");
    // Memory that was kept would be used again.
    let before = held();
    let mut record = logger.record();
    record.set_body_value(body.as_str());
    drop(record);
    assert!(held().since(before).bytes >= 2 << 20);
}

#[test]
fn bodies_of_sixty_thousand_bytes_touch_no_heap() {
    // The memory that is kept is that of the process.
    dev::in_own_process(&[], || {
        let body = "x".repeat(60_000);
        let large = |logger: &Logger| {
            let mut record = logger.record();
            record.set_body_value(body.as_str());
            logger.emit(record);
        };
        check("alone", large);
        check("among small ones", |logger| {
            native(logger);
            large(logger);
        });
    });
}

#[test]
fn ten_thousand_log_records_at_a_time_touch_no_heap() {
    // The memory that is kept is that of the process.
    dev::in_own_process(&[], || {
        Allocations::assert_counted();
        let provider = provider(|builder| builder);
        let logger = provider.logger("test");
        let mut records = Vec::with_capacity(10_000);
        let mut allocated = 0;
        for _ in 0..3 {
            let ((), made) = Allocations::measure(|| {
                records.extend((0..10_000).map(|number| {
                    let mut record = logger.record();
                    record.set(&KEYS[0], number);
                    record
                }));
            });
            allocated = made.count;
            while !records.is_empty() {
                let ((), emitted) = Allocations::measure(|| {
                    for record in records.drain(records.len().saturating_sub(1_000)..) {
                        logger.emit(record);
                    }
                });
                allocated += emitted.count;
                provider.force_flush().expect("delivered");
            }
        }
        assert_eq!(allocated, 0);
    });
}
