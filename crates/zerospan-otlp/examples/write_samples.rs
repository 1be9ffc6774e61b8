//! Writes a file with each message that this crate encodes, for other decoders to read.
//!
//! The argument is the folder to write to. Each file is one message, whose name its own begins with.

use opentelemetry::logs::{AnyValue, Severity};
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, Key, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{env, fs};
use zerospan_core::{Attribute, Reset};
use zerospan_otlp::{
    BatchEncoder, EncodedResource, EncodedScope, HashedKey, LogRecordLimits, LogRecordRecorder,
    SpanLimits, SpanRecorder, SpanStart, StaticKey, encode_request, encode_span_data,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os()
        .nth(1)
        .ok_or("name the folder to write into: write_samples FOLDER")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(format!("{name}.pb")), bytes);

    let mut out = Vec::new();
    for (index, span) in spans().iter().enumerate() {
        out.clear();
        encode_span_data(span, &mut out);
        write(&format!("ScopeSpans-span-data-{index}"), &out)?;
    }

    let mut recorder = SpanRecorder::new();
    out.clear();
    record(&mut recorder, &mut out);
    write("ScopeSpans-recorded", &out)?;
    let mut limits = SpanLimits::default();
    limits.max_attributes_per_span = 2;
    limits.max_events_per_span = 1;
    limits.max_links_per_span = 0;
    limits.max_attribute_value_length = Some(3);
    recorder.set_limits(limits);
    recorder.reset();
    let before = out.len();
    record(&mut recorder, &mut out);
    write("ScopeSpans-limited", &out[before..])?;

    let resource = EncodedResource::new(
        &[("service.name", "shop"), ("service.version", "2.31.0")],
        Some("https://opentelemetry.io/schemas/1.38.0"),
    );
    let (scope, other) = (scopes()[0].clone(), scopes()[1].clone());
    let (scope, other) = (EncodedScope::new(&scope), EncodedScope::new(&other));
    let mut request = Vec::new();
    let runs = [
        (&scope, vec![&out[..before], &out[before..]]),
        (&other, vec![&out[..before]]),
        (&other, vec![]),
    ];
    encode_request(&resource, runs, &mut request);
    write("ExportTraceServiceRequest-framed", &request)?;

    let batch: Vec<SpanData> = (0..300).flat_map(|_| spans()).collect();
    request.clear();
    BatchEncoder::new().encode(&resource, &batch, &mut request);
    write("ExportTraceServiceRequest-batch", &request)?;
    request.clear();
    BatchEncoder::new().encode(&EncodedResource::new(&[("", 0)], None), &[], &mut request);
    write("ExportTraceServiceRequest-empty", &request)?;

    out.clear();
    let mut recorder = LogRecordRecorder::new();
    record_log(&mut recorder, &mut out);
    write("ScopeLogs-recorded", &out)?;
    let before = out.len();
    let mut limits = LogRecordLimits::default();
    limits.max_attributes = 2;
    limits.max_attribute_value_length = Some(3);
    recorder.set_limits(limits);
    recorder.reset();
    record_log(&mut recorder, &mut out);
    write("ScopeLogs-limited", &out[before..])?;
    for (index, body) in bodies().iter().enumerate() {
        let start = out.len();
        recorder.reset();
        recorder.set_body_any(body);
        recorder.finish(&mut out);
        write(&format!("ScopeLogs-body-{index}"), &out[start..])?;
    }
    request.clear();
    let runs = [
        (&scope, vec![&out[..before], &out[before..]]),
        (&other, vec![&out[..before]]),
        (&other, vec![]),
    ];
    encode_request(&resource, runs, &mut request);
    write("ExportLogsServiceRequest-framed", &request)?;
    Ok(())
}

fn record_log(recorder: &mut LogRecordRecorder, out: &mut Vec<u8>) {
    const USER: StaticKey = StaticKey::new("user.id");
    recorder.set_time(1_780_000_000_000_000_000);
    recorder.set_observed_time(u64::MAX);
    recorder.set_severity_number(Severity::Fatal4 as u8);
    recorder.set_severity_text("FATAL");
    recorder.set_event_name("payment.refused");
    recorder.set_body_fmt(format_args!("the card of {} wäs refused", 42));
    recorder.set(&USER, 42);
    recorder.extend(&values());
    recorder.set_fmt(HashedKey::new("formatted"), format_args!("{:>8}", "right"));
    for (index, value) in bodies().iter().enumerate() {
        recorder.set_any(HashedKey::new(&format!("nested.{index}")), value);
    }
    recorder.set(&USER, 43);
    let span = context(3);
    recorder.set_trace_context(span.trace_id(), span.span_id(), span.trace_flags());
    recorder.finish(out);
}

/// Values of the kinds that only log records have, and nested ones.
fn bodies() -> Vec<AnyValue> {
    let map: HashMap<Key, AnyValue> = [
        (
            "list".into(),
            AnyValue::ListAny(Box::new(vec![1.into(), "two".into(), 3.5.into()])),
        ),
        ("raw".into(), AnyValue::Bytes(Box::new(vec![0, 255, 128]))),
        ("".into(), true.into()),
    ]
    .into();
    vec![
        AnyValue::String("".into()),
        AnyValue::String("x".repeat(1 << 20).into()),
        AnyValue::Bytes(Box::default()),
        AnyValue::ListAny(Box::default()),
        AnyValue::Map(Box::default()),
        AnyValue::Map(Box::new(
            [("inner".into(), AnyValue::Map(Box::new(map)))].into(),
        )),
        AnyValue::Double(f64::NAN),
        AnyValue::Int(i64::MIN),
    ]
}

fn record(recorder: &mut SpanRecorder, out: &mut Vec<u8>) {
    const METHOD: StaticKey = StaticKey::new("http.request.method");
    const LONG: StaticKey = StaticKey::new(
        "a.key.that.is.too.long.for.the.ready.form.of.a.constant.key.and.so.is.written.as.a.string",
    );
    recorder.set(&METHOD, "POST");
    recorder.set(&LONG, i64::MIN);
    recorder.set_attribute(Attribute::new("url.path", "/ünïcödé/42"));
    recorder.set(&METHOD, "GET");
    recorder.add_event("cache.miss", 1_780_000_000_000_000_000, &values());
    recorder.add_event("", 0, &[("", 0); 0]);
    recorder.add_link(&context(9), &values());
    let (context, status) = (context(3), Status::error("timed out"));
    let mut start = SpanStart::new(&context, "GET /{path}", 1_780_000_000_000_000_000);
    start.kind = SpanKind::Client;
    recorder.begin(&start);
    recorder.finish(u64::MAX, &status, out);
}

fn context(seed: u64) -> SpanContext {
    let state = [("vendor", "value"), ("a@b", "c:d")];
    SpanContext::new(
        TraceId::from(u128::from(seed) << 64 | 0x5eed),
        SpanId::from(seed),
        TraceFlags::SAMPLED,
        seed % 2 == 1,
        TraceState::from_key_value(state).unwrap_or_default(),
    )
}

/// Attributes with every kind of value, and with lengths that take one, two and three bytes.
fn values() -> Vec<KeyValue> {
    vec![
        KeyValue::new("bool", true),
        KeyValue::new("i64", -1),
        KeyValue::new("f64", -0.0),
        KeyValue::new("text", "välue"),
        KeyValue::new("empty", ""),
        KeyValue::new("", "no key"),
        KeyValue::new("long", "x".repeat(200)),
        KeyValue::new("longer", "y".repeat(20_000)),
        KeyValue::new("bools", Value::Array(Array::Bool(vec![true, false]))),
        KeyValue::new("i64s", Value::Array(Array::I64(vec![0, 1 << 40, i64::MIN]))),
        KeyValue::new("f64s", Value::Array(Array::F64(vec![0.5, f64::INFINITY]))),
        KeyValue::new(
            "texts",
            Value::Array(Array::String(vec!["a".into(), "".into()])),
        ),
        KeyValue::new("none", Value::Array(Array::String(vec![]))),
    ]
}

fn scopes() -> [InstrumentationScope; 2] {
    [
        InstrumentationScope::builder("http-server")
            .with_version("1.4.0")
            .with_schema_url("https://opentelemetry.io/schemas/1.37.0")
            .with_attributes(values())
            .build(),
        InstrumentationScope::builder("").build(),
    ]
}

fn spans() -> Vec<SpanData> {
    let start = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_780_000_000_123_456_789);
    let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
    events
        .events
        .push(Event::new("cache.miss", start, values(), 3));
    events.dropped_count = 300;
    links.links.push(Link::new(context(5), values(), 4));
    links.dropped_count = u32::MAX;
    let [of, other] = scopes();
    let full = SpanData {
        span_context: context(1),
        parent_span_id: SpanId::from(7),
        parent_span_is_remote: true,
        span_kind: SpanKind::Server,
        name: "GET /users/{id}".into(),
        start_time: start,
        end_time: start + Duration::from_millis(3),
        attributes: values(),
        dropped_attributes_count: 1,
        events,
        links,
        status: Status::error("no such user"),
        instrumentation_scope: of,
    };
    let bare = SpanData {
        span_context: SpanContext::NONE,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "".into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: other,
    };
    vec![full, bare]
}
