//! Sends spans to a collector and prints the counts, as JSON.
//!
//! `cargo run -p zerospan-export --all-features --example send -- --spans 1000 --endpoint http://127.0.0.1:4318/v1/traces`

#![allow(clippy::print_stdout)]

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};
use zerospan_core::Attribute;
use zerospan_export::{
    BatchConfig, Compression, EncodedResource, ExportStats, OtlpConfig, Pipeline, Protocol, Scope,
};
use zerospan_otlp::{SpanRecorder, SpanStart, unix_nanos};

const USAGE: &str = "send --endpoint URL [--spans N] [--threads N] [--protocol grpc|http/protobuf] \
[--compression none|gzip] [--ca FILE] [--cert FILE --key FILE] [--service NAME] [--timeout SECONDS]";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut config = OtlpConfig::new();
    let (mut spans, mut threads, mut seconds) = (1000_u64, 1_u64, 10);
    let (mut certificate, mut key) = (None, None);
    let mut service = "zerospan-send".to_owned();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        config = match name.as_str() {
            "--endpoint" => config.with_endpoint(value),
            "--protocol" if value == "grpc" => config.with_protocol(Protocol::Grpc),
            "--protocol" if value == "http/protobuf" => {
                config.with_protocol(Protocol::HttpProtobuf)
            }
            "--compression" if value == "none" => config.with_compression(Compression::None),
            "--compression" if value == "gzip" => config.with_compression(Compression::Gzip),
            "--ca" => config.with_certificate_file(value),
            _ => {
                match name.as_str() {
                    "--cert" => certificate = Some(value),
                    "--key" => key = Some(value),
                    "--spans" => spans = value.parse()?,
                    "--threads" => threads = value.parse()?,
                    "--timeout" => seconds = value.parse()?,
                    "--service" => service = value,
                    _ => return Err(format!("{name} {value}: {USAGE}").into()),
                }
                config
            }
        };
    }
    if let (Some(certificate), Some(key)) = (certificate, key) {
        config = config.with_client_identity_files(certificate, key);
    }

    let mut batch = BatchConfig::from_env();
    batch.max_queue_size = batch.max_queue_size.max(16_384);
    let pipeline = Pipeline::builder()
        .with_otlp(config.with_timeout(Duration::from_secs(seconds)))
        .with_batch(batch)
        .with_resource(EncodedResource::new(&[("service.name", &*service)], None))
        .build()?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let pipeline = &pipeline;
            // Spans are numbered from 1 and split between the threads.
            let (first, last) = (spans * thread / threads, spans * (thread + 1) / threads);
            scope.spawn(move || produce(pipeline, first + 1..last + 1));
        }
    });
    let outcome = pipeline.shutdown(Duration::from_secs(seconds + 1));
    let stats = pipeline.stats();
    let mut report = report(&stats);
    report.insert(
        "elapsed_ms".to_owned(),
        json!(start.elapsed().as_millis() as u64),
    );
    report.insert(
        "outcome".to_owned(),
        match outcome {
            Ok(()) => json!("ok"),
            Err(error) => json!(error.to_string()),
        },
    );
    println!("{}", Value::Object(report));
    let whole = stats.delivered == spans && stats.is_balanced();
    Ok(ExitCode::from(u8::from(!whole)))
}

/// Records spans with these numbers. The number is the span's id, its trace's id, and an attribute.
fn produce(pipeline: &Pipeline, numbers: std::ops::Range<u64>) {
    let scope = Scope::new(
        &InstrumentationScope::builder("send")
            .with_version("1")
            .build(),
    );
    let mut recorder = SpanRecorder::new();
    for number in numbers {
        let context = SpanContext::new(
            TraceId::from(u128::from(number)),
            SpanId::from(number),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        let now = unix_nanos(SystemTime::now());
        recorder = SpanRecorder::with_limits(*recorder.limits());
        recorder.begin(&SpanStart::new(
            &context,
            "GET /users/{id}",
            now - 1_000_000,
        ));
        let number_of_span = i64::try_from(number).unwrap_or(i64::MAX);
        recorder.set_attribute(Attribute::new("number", number_of_span));
        for (name, value) in [
            ("http.request.method", "GET"),
            ("http.route", "/users/{id}"),
            ("url.scheme", "https"),
            ("server.address", "shop.example"),
        ] {
            recorder.set_attribute(Attribute::new(name, value));
        }
        // The statistics count losses.
        let _ = pipeline.record(&scope, |chunk| recorder.finish(now, &Status::Unset, chunk));
        if number % 4096 == 0 {
            // The loop is faster than any collector.
            let _ = pipeline.force_flush(Duration::from_secs(10));
        }
    }
}

fn report(stats: &ExportStats) -> Map<String, Value> {
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
