//! Sends many spans of the official SDK through `OtlpSpanProcessor` to a collector, and prints the resident memory.
//!
//! `cargo xtask soak` starts a collector and runs this. With another collector:
//! `cargo run --release -p zerospan-sdk --example soak -- http://127.0.0.1:4318/v1/traces 20000000`

#![allow(clippy::print_stdout)]

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use zerospan_sdk::export::{BatchConfig, OtlpConfig, Pipeline};
use zerospan_sdk::{OtlpSpanProcessor, RecycledBuilder};

/// The number of spans after which a thread waits for their delivery: a collector is slower than this program.
const STRIDE: u64 = 8192;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("soak URL [SPANS [THREADS]]")?;
    let spans: u64 = arguments.next().as_deref().unwrap_or("1000000").parse()?;
    let threads: u64 = arguments.next().as_deref().unwrap_or("2").parse()?;

    let mut batch = BatchConfig::default();
    batch.max_queue_size = Some(usize::try_from(2 * STRIDE * threads)?);
    batch.max_export_batch_size = Some(2048);
    let pipeline = Pipeline::builder()
        .with_otlp(OtlpConfig::from_env().with_endpoint(url))
        .with_batch(batch)
        .build()?;
    let watch = pipeline.watch();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(OtlpSpanProcessor::new(pipeline.clone()))
        .build();
    let start = Instant::now();
    println!("{:>12} {:>9} {:>12}", "spans", "seconds", "resident KiB");
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (provider, pipeline) = (&provider, &pipeline);
            scope.spawn(move || {
                let tracer = provider.tracer("soak");
                let share = spans * (thread + 1) / threads - spans * thread / threads;
                for number in 0..share {
                    one_span(&tracer, number);
                    if number % STRIDE == STRIDE - 1 {
                        // The counts include undelivered spans.
                        let _ = pipeline.force_flush(Duration::from_secs(60));
                    }
                    let tenth = (share / 10).max(1);
                    if thread == 0 && number % tenth == tenth - 1 {
                        println!(
                            "{:>12} {:>9.1} {:>12}",
                            pipeline.stats().recorded,
                            start.elapsed().as_secs_f64(),
                            resident().unwrap_or_default(),
                        );
                    }
                }
            });
        }
    });
    drop(pipeline);
    let result = provider.shutdown();
    let stats = watch.stats();
    println!("{result:?} {stats:?}");
    let exact = stats.is_balanced() && stats.recorded == spans && stats.delivered == spans;
    println!(
        "{:.0} spans a second; accounting {}",
        spans as f64 / start.elapsed().as_secs_f64(),
        if exact {
            "exact, nothing lost"
        } else {
            "NOT EXACT"
        },
    );
    Ok(ExitCode::from(u8::from(!exact)))
}

fn one_span(tracer: &impl Tracer, number: u64) {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    tracer
        .span_builder("GET /users/{id}")
        .with_recycled_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("url.scheme", "https"),
            KeyValue::new("http.route", "/users/{id}"),
            KeyValue::new("server.address", "shop.example"),
            KeyValue::new("http.response.status_code", 200),
            KeyValue::new("server.port", 8443),
            KeyValue::new("network.protocol.version", "1.1"),
            KeyValue::new("number", number),
        ])
        .start(tracer)
        .end();
}

/// Returns the resident memory of this process in KiB, on Linux.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
