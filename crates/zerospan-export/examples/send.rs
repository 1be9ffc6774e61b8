//! Sends spans, log records or both to a collector and prints the counts of each signal, as JSON.
//!
//! `cargo run -p zerospan-export --all-features --example send -- --signal both --items 1000 --endpoint http://127.0.0.1:4318`

#![allow(clippy::print_stdout)]

use opentelemetry::logs::Severity;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};
use zerospan_export::{
    BatchConfig, Compression, EncodedResource, ExportStats, OtlpConfig, Pipeline, Protocol, Scope,
    Signal,
};
use zerospan_otlp::{LogRecordRecorder, SpanRecorder, SpanStart, unix_nanos};

const USAGE: &str = "send --endpoint URL [--signal traces|logs|both] [--items N] [--threads N] [--protocol grpc|http/protobuf] \
[--compression none|gzip] [--ca FILE] [--cert FILE --key FILE] [--service NAME] [--timeout SECONDS]";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut config = OtlpConfig::new();
    let (mut items, mut threads, mut seconds) = (1000_u64, 1_u64, 10);
    let (mut certificate, mut key) = (None, None);
    let (mut endpoint, mut signals) = (String::new(), &[Signal::Traces][..]);
    let mut service = "zerospan-send".to_owned();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        config = match name.as_str() {
            "--protocol" if value == "grpc" => config.with_protocol(Protocol::Grpc),
            "--protocol" if value == "http/protobuf" => {
                config.with_protocol(Protocol::HttpProtobuf)
            }
            "--compression" if value == "none" => config.with_compression(Compression::None),
            "--compression" if value == "gzip" => config.with_compression(Compression::Gzip),
            "--ca" => config.with_certificate_file(value),
            _ => {
                match (name.as_str(), value.as_str()) {
                    ("--endpoint", _) => endpoint = value,
                    ("--signal", "traces") => signals = &[Signal::Traces],
                    ("--signal", "logs") => signals = &[Signal::Logs],
                    ("--signal", "both") => signals = &[Signal::Traces, Signal::Logs],
                    ("--cert", _) => certificate = Some(value),
                    ("--key", _) => key = Some(value),
                    ("--items", _) => items = value.parse()?,
                    ("--threads", _) => threads = value.parse()?,
                    ("--timeout", _) => seconds = value.parse()?,
                    ("--service", _) => service = value,
                    _ => return Err(format!("{name} {value}: {USAGE}").into()),
                }
                config
            }
        };
    }
    if let (Some(certificate), Some(key)) = (certificate, key) {
        config = config.with_client_identity_files(certificate, key);
    }
    let timeout = Duration::from_secs(seconds);
    let config = config.with_timeout(timeout);

    let mut pipelines = Vec::new();
    for signal in signals {
        // gRPC ignores the path.
        let url = format!("{}/{}", endpoint.trim_end_matches('/'), signal.path());
        pipelines.push(
            Pipeline::builder()
                .with_signal(*signal)
                .with_otlp(config.clone().with_endpoint(url))
                .with_batch(BatchConfig::from_env_for(*signal))
                .with_resource(EncodedResource::new(&[("service.name", &*service)], None))
                .build()?,
        );
    }
    let start = Instant::now();
    std::thread::scope(|scope| {
        for pipeline in &pipelines {
            for thread in 0..threads {
                // Items are numbered from 1 and split between the threads.
                let (first, last) = (items * thread / threads, items * (thread + 1) / threads);
                scope.spawn(move || produce(pipeline, first + 1..last + 1));
            }
        }
    });
    let mut report = Map::new();
    let mut whole = true;
    for pipeline in &pipelines {
        let outcome = pipeline.shutdown(timeout + Duration::from_secs(1));
        let stats = pipeline.stats();
        whole &= stats.is_balanced() && stats.delivered == items;
        let mut of_signal = counts(&stats);
        let elapsed = start.elapsed().as_millis() as u64;
        of_signal.insert("elapsed_ms".to_owned(), json!(elapsed));
        let outcome = outcome.map_or_else(|error| error.to_string(), |()| "ok".to_owned());
        of_signal.insert("outcome".to_owned(), json!(outcome));
        report.insert(pipeline.signal().name().to_owned(), of_signal.into());
    }
    println!("{}", Value::Object(report));
    Ok(ExitCode::from(u8::from(!whole)))
}

/// Records items with these numbers. The number is an attribute of the item, and the ids of its span.
fn produce(pipeline: &Pipeline, numbers: std::ops::Range<u64>) {
    let scope = Scope::new(
        &InstrumentationScope::builder("send")
            .with_version("1")
            .build(),
    );
    for number in numbers {
        // The statistics count losses.
        let _ = pipeline.record(&scope, |chunk| match pipeline.signal() {
            Signal::Logs => log_record(number, chunk),
            _ => span(number, chunk),
        });
        if number % 4096 == 0 {
            // The loop is faster than any collector.
            let _ = pipeline.force_flush(Duration::from_secs(10));
        }
    }
}

/// Returns the attributes of an item.
fn attributes(number: u64) -> [KeyValue; 5] {
    [
        KeyValue::new("number", i64::try_from(number).unwrap_or(i64::MAX)),
        KeyValue::new("http.request.method", "GET"),
        KeyValue::new("http.route", "/users/{id}"),
        KeyValue::new("url.scheme", "https"),
        KeyValue::new("server.address", "shop.example"),
    ]
}

/// Encodes a span as one field `ScopeSpans.spans`.
fn span(number: u64, out: &mut Vec<u8>) {
    let context = SpanContext::new(
        TraceId::from(u128::from(number)),
        SpanId::from(number),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let now = unix_nanos(SystemTime::now());
    let mut recorder = SpanRecorder::new();
    recorder.begin(&SpanStart::new(
        &context,
        "GET /users/{id}",
        now - 1_000_000,
    ));
    recorder.extend(&attributes(number));
    recorder.finish(now, &Status::Unset, out);
}

/// Encodes a log record as one field `ScopeLogs.log_records`.
fn log_record(number: u64, out: &mut Vec<u8>) {
    let now = unix_nanos(SystemTime::now());
    let mut recorder = LogRecordRecorder::new();
    recorder.set_time(now);
    recorder.set_observed_time(now);
    recorder.set_severity_number(Severity::Info as u8);
    recorder.set_severity_text("INFO");
    recorder.set_body_fmt(format_args!("answered request {number}"));
    recorder.extend(&attributes(number));
    recorder.set_trace_context(
        TraceId::from(u128::from(number)),
        SpanId::from(number),
        TraceFlags::SAMPLED,
    );
    recorder.finish(out);
}

fn counts(stats: &ExportStats) -> Map<String, Value> {
    let mut report = Map::new();
    let mut put = |name: &str, value: u64| report.insert(name.to_owned(), json!(value));
    put("recorded", stats.recorded);
    put("delivered", stats.delivered);
    put("rejected", stats.rejected);
    put("dropped", stats.dropped.total());
    put("pending", stats.pending());
    put("requests", stats.requests);
    put("attempts", stats.attempts);
    put("delivered_bytes", stats.delivered_bytes);
    for (cause, spans) in stats.dropped.iter() {
        report.insert(format!("dropped_{}", cause.name()), json!(spans));
    }
    report
}
