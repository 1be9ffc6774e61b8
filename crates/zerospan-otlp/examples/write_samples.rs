//! Writes a file with each message that this crate encodes, for other decoders to read.
//!
//! The argument is the folder to write to. Each file is one message, whose name its own begins with.

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{env, fs};
use zerospan_core::{Attribute, Reset};
use zerospan_otlp::{
    BatchEncoder, EncodedResource, EncodedScope, SpanLimits, SpanRecorder, SpanStart, StaticKey,
    encode_request, encode_span_data,
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
    Ok(())
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
