//! Sends many spans, each with a log record, to one collector, and prints the resident memory.
//!
//! `cargo xtask soak` starts a collector and runs this. With another collector:
//! `cargo run --release -p zerospan-logs --example soak_both_signals -- http://127.0.0.1:4318 10000000`

#![allow(clippy::print_stdout)]

use opentelemetry::logs::Severity;
use opentelemetry::trace::{Span, TracerProvider as _};
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use zerospan_export::{BatchConfig, ExportStats, OtlpConfig, Signal};
use zerospan_logs::{Logger, LoggerProvider, Pipeline, StaticKey};
use zerospan_trace::{Tracer, TracerProvider};

/// The number of spans after which a thread waits for the delivery of both signals: a collector is slower than this program.
const STRIDE: u64 = 8192;

const LONG: Duration = Duration::from_secs(60);

const METHOD: StaticKey = StaticKey::new("http.request.method");
const ROUTE: StaticKey = StaticKey::new("http.route");
const STATUS: StaticKey = StaticKey::new("http.response.status_code");
const ADDRESS: StaticKey = StaticKey::new("server.address");
const NUMBER: StaticKey = StaticKey::new("number");

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("soak URL [SPANS [THREADS]]")?;
    let spans: u64 = arguments.next().as_deref().unwrap_or("1000000").parse()?;
    let threads: u64 = arguments.next().as_deref().unwrap_or("2").parse()?;

    let queue = usize::try_from(2 * STRIDE * threads)?;
    let pipeline = |signal: Signal| {
        let mut batch = BatchConfig::for_signal(signal);
        batch.max_queue_size = Some(queue);
        batch.max_export_batch_size = Some(2048);
        let config = OtlpConfig::from_env_for(signal);
        Pipeline::builder()
            .with_signal(signal)
            .with_otlp(config.with_endpoint(format!("{url}/{}", signal.path())))
            .with_batch(batch)
            .build()
    };
    let (of_spans, of_records) = (pipeline(Signal::Traces)?, pipeline(Signal::Logs)?);
    let traces = TracerProvider::builder()
        .with_exporter(of_spans.clone())
        .build();
    let logs = LoggerProvider::builder()
        .with_exporter(of_records.clone())
        .build();
    let start = Instant::now();
    println!(
        "{:>12} {:>12} {:>9} {:>12}",
        "spans", "records", "seconds", "resident KiB"
    );
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (traces, logs, of_spans, of_records) = (&traces, &logs, &of_spans, &of_records);
            scope.spawn(move || {
                let (tracer, logger) = (traces.tracer("soak"), logs.logger("soak"));
                let share = spans * (thread + 1) / threads - spans * thread / threads;
                for number in 0..share {
                    one_request(&tracer, &logger, number);
                    if number % STRIDE == STRIDE - 1 {
                        // The counts include undelivered items.
                        let _ = of_spans.force_flush(LONG);
                        let _ = of_records.force_flush(LONG);
                    }
                    let tenth = (share / 10).max(1);
                    if thread == 0 && number % tenth == tenth - 1 {
                        println!(
                            "{:>12} {:>12} {:>9.1} {:>12}",
                            of_spans.stats().recorded,
                            of_records.stats().recorded,
                            start.elapsed().as_secs_f64(),
                            resident().unwrap_or_default(),
                        );
                    }
                }
            });
        }
    });
    let results = (traces.shutdown(), logs.shutdown());
    let elapsed = start.elapsed().as_secs_f64();
    let is_exact = |stats: &ExportStats| {
        stats.is_balanced() && stats.recorded == spans && stats.delivered == spans
    };
    let stats = [of_spans.stats(), of_records.stats()];
    println!("{results:?} {stats:?}");
    let exact = stats.iter().all(is_exact);
    println!(
        "{:.0} spans and as many log records a second; accounting {}",
        spans as f64 / elapsed,
        if exact {
            "of both exact, nothing lost"
        } else {
            "NOT EXACT"
        },
    );
    Ok(ExitCode::from(u8::from(!exact)))
}

/// Records a span, and a log record within it.
fn one_request(tracer: &Tracer, logger: &Logger, number: u64) {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let mut span = tracer.span("GET /users/{id}").start();
    span.set(&METHOD, "GET");
    span.set(&ROUTE, "/users/{id}");
    span.set(&ADDRESS, "shop.example");
    span.set(&NUMBER, number);
    {
        let _entered = span.enter();
        let mut record = logger.record();
        record.set_severity(Severity::Info);
        record.set_body_fmt(format_args!("answered request {number}"));
        record.set(&METHOD, "GET");
        record.set(&STATUS, 200);
        record.set(&NUMBER, number);
        logger.emit(record);
    }
    span.set(&STATUS, 200);
    span.end();
}

/// Returns the resident memory of this process in KiB, on Linux.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
