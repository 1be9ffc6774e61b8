//! Log records, from the macros of `tracing` or a logger of OpenTelemetry's API to OTLP bytes: ours against the official
//! bridge and the official SDK with its batch processor and prost.
//!
//! Both sides have their default settings. Records are made within a span of the API, whose ids they carry.

use crate::clock::Clock;
use crate::comparison::{Budget, Comparison, Row};
use crate::pipelines::{OfficialLogs, QUEUE, Side, ZerospanLogs, agree_on_logs};
use crate::subscriber::TracingSide;
use opentelemetry::Context;
use opentelemetry::logs;
use opentelemetry::logs::{AnyValue, LogRecord as _, Severity};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use std::hint::black_box;
use std::time::{Duration, UNIX_EPOCH};
use tracing::{debug, info};
use zerospan_logs::{Logger, StaticKey};
use zerospan_tracing::TraceLayer;

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "logs.appender",
        peer: "opentelemetry-appender-tracing + SDK + batch + prost, 4 fields, all threads",
        ours: "the same events through our layer",
        budget: Budget::AtLeast(8.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, four, our_layer),
    },
    Row {
        id: "logs.appender_eight",
        peer: "the same with 8 fields",
        ours: "the same events through our layer",
        budget: Budget::AtLeast(8.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, eight, our_layer),
    },
    Row {
        id: "logs.caller",
        peer: "opentelemetry-appender-tracing + SDK + batch, 4 fields, caller's thread",
        ours: "the same events through our layer",
        budget: Budget::AtLeast(4.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Thread, four, our_layer),
    },
    Row {
        id: "logs.bridge",
        peer: "opentelemetry-appender-tracing + SDK + batch + prost, 4 fields, all threads",
        ours: "opentelemetry-appender-tracing over our provider",
        budget: Budget::AtLeast(4.0),
        allocations: None,
        prepare: || compare(Clock::Process, four, bridge_to_ours),
    },
    Row {
        id: "logs.disabled",
        peer: "an event below the level of the filter of a layer that does nothing",
        ours: "the same event, with our layer",
        budget: Budget::AtMost(1.05),
        allocations: Some(0.0),
        prepare: disabled,
    },
    Row {
        id: "logs.api",
        peer: "official SDK + batch + prost, 4 attributes, all threads",
        ours: "the same calls on our logger",
        budget: Budget::AtLeast(4.0),
        allocations: Some(0.0),
        prepare: || compare_loggers(emit),
    },
    Row {
        id: "logs.native",
        peer: "official SDK + batch + prost, 4 attributes, all threads",
        ours: "the same record through native calls",
        budget: Budget::AtLeast(8.0),
        allocations: Some(0.0),
        prepare: || compare_loggers(emit_native),
    },
];

const RECORDS: u64 = 2_000;
const _: () = assert!(RECORDS <= QUEUE);

/// Does `work` for each record on each side.
fn compare(
    clock: Clock,
    work: fn(),
    ours: fn(ZerospanLogs) -> Side<&'static TracingSide>,
) -> Comparison {
    let mut peer = official_bridge(OfficialLogs::with_queue(QUEUE));
    let mut ours = ours(ZerospanLogs::with_queue(QUEUE));
    let span = span();
    let repeat = move |side: &&'static TracingSide| {
        let _attached = span.clone().attach();
        side.take_turn(|| (0..RECORDS).for_each(|_| work()));
        RECORDS
    };
    let repeat_ours = repeat.clone();
    Comparison::new(
        RECORDS,
        move || peer.run(&repeat),
        move || ours.run(&repeat_ours),
        agree_on_logs(RECORDS, normalize),
    )
    .with_clock(clock)
}

/// Flushes only to check that nothing is recorded.
fn disabled() -> Comparison {
    let peer = TracingSide::no_op_at_info();
    let ours = ZerospanLogs::with_queue(QUEUE)
        .map(|provider| TracingSide::zerospan_at_info(TraceLayer::new().with_logs(&provider)));
    let mut end = ours.clone();
    let repeat = |side: &'static TracingSide| {
        side.take_turn(|| (0..RECORDS).for_each(|_| below_the_filter()));
    };
    Comparison::new(
        RECORDS,
        move || repeat(peer),
        move || repeat(ours.tracer()),
        move |(), ()| match end.run(|_| 0).delivered() {
            Ok(0) => Ok(()),
            delivered => Err(format!("ours delivered {delivered:?} records")),
        },
    )
    .with_clock(Clock::Thread)
}

/// Emits each record on each side.
fn compare_loggers(native: fn(&Logger) -> u64) -> Comparison {
    let mut peer = OfficialLogs::with_queue(QUEUE).logger();
    let mut ours = ZerospanLogs::with_queue(QUEUE).logger();
    let (peer_span, our_span) = (span(), span());
    Comparison::new(
        RECORDS,
        move || {
            peer.run(|logger| {
                let _attached = peer_span.clone().attach();
                (0..RECORDS).map(|_| emit(logger)).sum()
            })
        },
        move || {
            ours.run(|logger| {
                let _attached = our_span.clone().attach();
                (0..RECORDS).map(|_| native(logger)).sum()
            })
        },
        agree_on_logs(RECORDS, |_| ()),
    )
    .with_clock(Clock::Process)
}

/// Puts the official bridge over the official SDK.
fn official_bridge(logs: OfficialLogs) -> Side<&'static TracingSide> {
    logs.map(|provider| TracingSide::official_logs(OpenTelemetryTracingBridge::new(&provider)))
}

/// Puts the official bridge over our provider.
fn bridge_to_ours(logs: ZerospanLogs) -> Side<&'static TracingSide> {
    logs.map(|provider| TracingSide::bridge_to_ours(OpenTelemetryTracingBridge::new(&provider)))
}

/// Puts our layer, without a tracer, over our provider.
fn our_layer(logs: ZerospanLogs) -> Side<&'static TracingSide> {
    logs.map(|provider| TracingSide::zerospan(TraceLayer::new().with_logs(&provider)))
}

/// Removes what differs: the order of attributes, the official bridge's event name, which is a source line, and our
/// attributes of that line.
fn normalize(record: &mut LogRecord) {
    if record.event_name.starts_with("event ") {
        record.event_name.clear();
    }
    let attributes = &mut record.attributes;
    attributes.retain(|attribute| !attribute.key.starts_with("code."));
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
}

/// Returns a context with a span that another service started.
fn span() -> Context {
    let span = SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    Context::new().with_remote_span_context(span)
}

fn four() {
    info!(
        cache.key = "user:42",
        cache.entries = black_box(512_i64),
        cache.stale = black_box(false),
        queue.wait = black_box(0.25_f64),
        "cache miss",
    );
}

fn eight() {
    info!(
        http.request.method = "GET",
        url.scheme = "https",
        http.route = "/users/{id}",
        server.address = "shop.example",
        http.response.status_code = black_box(200_i64),
        server.port = black_box(8443_i64),
        cache.hit = black_box(true),
        queue.wait = black_box(0.25_f64),
        "request served",
    );
}

fn below_the_filter() {
    debug!(
        cache.key = "user:42",
        cache.entries = black_box(512_i64),
        cache.stale = black_box(false),
        queue.wait = black_box(0.25_f64),
        "cache miss",
    );
}

/// Emits a record of four attributes through the traits; returns 1 if it was recorded.
fn emit<L: logs::Logger>(logger: &L) -> u64 {
    if !logger.event_enabled(Severity::Info, "cache", None) {
        return 0;
    }
    let mut record = logger.create_log_record();
    record.set_timestamp(UNIX_EPOCH + Duration::from_nanos(now()));
    record.set_severity_number(Severity::Info);
    record.set_severity_text("INFO");
    record.set_body(AnyValue::from("cache miss"));
    record.add_attribute("cache.key", "user:42");
    record.add_attribute("cache.entries", black_box(512_i64));
    record.add_attribute("cache.stale", black_box(false));
    record.add_attribute("queue.wait", black_box(0.25_f64));
    logger.emit(record);
    1
}

const KEY: StaticKey = StaticKey::new("cache.key");
const ENTRIES: StaticKey = StaticKey::new("cache.entries");
const STALE: StaticKey = StaticKey::new("cache.stale");
const WAIT: StaticKey = StaticKey::new("queue.wait");

/// Emits the same record through native calls.
fn emit_native(logger: &Logger) -> u64 {
    if !logger.event_enabled(Severity::Info, "cache", None) {
        return 0;
    }
    let mut record = logger.record();
    record.set_unix_nanos(now());
    record.set_severity(Severity::Info);
    record.set_body_value("cache miss");
    record.set(&KEY, "user:42");
    record.set(&ENTRIES, black_box(512_i64));
    record.set(&STALE, black_box(false));
    record.set(&WAIT, black_box(0.25_f64));
    logger.emit(record);
    1
}

/// Returns the time of each record of the API, whose caller read the clock.
fn now() -> u64 {
    black_box(1_780_000_000_000_000_000)
}
