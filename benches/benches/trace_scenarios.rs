//! The scenarios of the official SDK's own trace benchmark and of its stress test, on both providers: one span with none, four
//! or eight attributes, or with each kind of attribute once or twice, always and never sampled; then as many spans as one
//! and two threads can make.
//!
//! The official side has a simple processor with an exporter that drops what it gets, as the official benchmark has it; ours
//! encodes each span and hands it to a pipeline whose transport drops the bytes. So ours does more.

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Tracer, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace as sdk;
use std::time::{Duration, Instant};
use zerospan_export::{BatchConfig, ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_trace::{Sampler, StaticKey};

/// An exporter of the official kind, and a transport of ours: both drop everything.
#[derive(Debug)]
struct Void;

impl sdk::SpanExporter for Void {
    async fn export(&self, _: Vec<sdk::SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

impl Transport for Void {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Ok(ExportResponse::ALL)
    }
}

fn official(sampler: sdk::Sampler) -> sdk::SdkTracerProvider {
    sdk::SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_simple_exporter(Void)
        .build()
}

/// How many spans a thread makes before it waits for their delivery: a span that is dropped would be cheap.
const BLOCK: u64 = 8_192;

/// With a queue that the blocks of two threads fit into.
fn ours(sampler: Sampler) -> zerospan_trace::TracerProvider {
    let mut batch = BatchConfig::default();
    batch.max_queue_size = 4 * BLOCK as usize;
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok::<_, SendError>(Void))
        .with_batch(batch)
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    zerospan_trace::TracerProvider::builder()
        .with_sampler(sampler)
        .with_exporter(pipeline)
        .build()
}

/// Sets up to eight attributes: the kinds in turn.
fn kinds<T: Tracer>(tracer: &T, count: usize) {
    let mut span = tracer.start("span");
    let all = [
        KeyValue::new("boolean", false),
        KeyValue::new("text", "hello"),
        KeyValue::new("integer", 123),
        KeyValue::new("float", 123.456),
        KeyValue::new("second.boolean", false),
        KeyValue::new("second.text", "hello"),
        KeyValue::new("second.integer", 123),
        KeyValue::new("second.float", 123.456),
    ];
    span.set_attributes(all.into_iter().take(count));
    span.end();
}

/// Sets as many texts.
fn texts<T: Tracer>(tracer: &T, count: usize) {
    const KEYS: [&str; 8] = [
        "key.1", "key.2", "key.3", "key.4", "key.5", "key.6", "key.7", "key.8",
    ];
    let mut span = tracer.start("span");
    for key in KEYS.iter().take(count) {
        span.set_attribute(KeyValue::new(*key, "hello"));
    }
    span.end();
}

fn native(tracer: &zerospan_trace::Tracer, count: usize) {
    const KEYS: [StaticKey; 8] = [
        StaticKey::new("key.1"),
        StaticKey::new("key.2"),
        StaticKey::new("key.3"),
        StaticKey::new("key.4"),
        StaticKey::new("key.5"),
        StaticKey::new("key.6"),
        StaticKey::new("key.7"),
        StaticKey::new("key.8"),
    ];
    let mut span = tracer.span("span").start();
    for key in KEYS.iter().take(count) {
        span.set(key, "hello");
    }
    span.end();
}

fn scenarios(criterion: &mut Criterion) {
    for (name, count) in [
        ("no_attributes", 0),
        ("4_attributes", 4),
        ("8_attributes", 8),
    ] {
        let mut group = criterion.benchmark_group(format!("span/{name}"));
        both(
            &mut group,
            |tracer| texts(tracer, count),
            |tracer| texts(tracer, count),
        );
        let provider = ours(Sampler::AlwaysOn);
        let tracer = provider.tracer("bench");
        group.bench_function("ours_native/always", |bencher| {
            bencher.iter_custom(|spans| delivered(&provider, spans, || native(&tracer, count)));
        });
        assert_none_dropped(&provider);
        group.finish();
    }
    for (name, count) in [("every_kind", 4), ("every_kind_twice", 8)] {
        let mut group = criterion.benchmark_group(format!("span/{name}"));
        both(
            &mut group,
            |tracer| kinds(tracer, count),
            |tracer| kinds(tracer, count),
        );
        group.finish();
    }
}

fn both(
    group: &mut BenchmarkGroup<'_, WallTime>,
    on_official: impl Fn(&sdk::SdkTracer),
    on_ours: impl Fn(&zerospan_trace::Tracer),
) {
    for (sampling, theirs, own) in [
        ("always", sdk::Sampler::AlwaysOn, Sampler::AlwaysOn),
        ("never", sdk::Sampler::AlwaysOff, Sampler::AlwaysOff),
    ] {
        let provider = official(theirs);
        let tracer = provider.tracer("bench");
        group.bench_function(format!("official/{sampling}"), |bencher| {
            bencher.iter(|| on_official(&tracer));
        });
        let provider = ours(own);
        let tracer = provider.tracer("bench");
        group.bench_function(format!("ours/{sampling}"), |bencher| {
            bencher.iter_custom(|spans| delivered(&provider, spans, || on_ours(&tracer)));
        });
        assert_none_dropped(&provider);
    }
}

fn assert_none_dropped(provider: &zerospan_trace::TracerProvider) {
    for export in provider.stats().exports {
        assert_eq!(
            export.lost(),
            0,
            "spans were dropped, which is cheap: {export:?}"
        );
    }
}

/// As many spans as `threads` threads make at once.
fn stress(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("stress/{threads}_threads"));
        group.throughput(Throughput::Elements(threads));
        let provider = official(sdk::Sampler::AlwaysOn);
        let tracer = provider.tracer("stress");
        group.bench_function("official", |bencher| {
            bencher.iter_custom(|spans| {
                at_once(threads, || (0..spans).for_each(|_| texts(&tracer, 4)))
            });
        });
        let provider = ours(Sampler::AlwaysOn);
        let tracer = provider.tracer("stress");
        group.bench_function("ours", |bencher| {
            bencher.iter_custom(|spans| {
                at_once(threads, || {
                    let _ = delivered(&provider, spans, || texts(&tracer, 4));
                })
            });
        });
        group.bench_function("ours_native", |bencher| {
            bencher.iter_custom(|spans| {
                at_once(threads, || {
                    let _ = delivered(&provider, spans, || native(&tracer, 4));
                })
            });
        });
        assert_none_dropped(&provider);
        group.finish();
    }
}

fn at_once(threads: u64, work: impl Fn() + Sync) -> Duration {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(&work);
        }
    });
    began.elapsed()
}

/// Makes `spans` spans, block by block, each delivered before the next.
fn delivered(
    provider: &zerospan_trace::TracerProvider,
    spans: u64,
    mut work: impl FnMut(),
) -> Duration {
    let began = Instant::now();
    let mut left = spans;
    while left > 0 {
        let block = left.min(BLOCK);
        (0..block).for_each(|_| work());
        left -= block;
        if let Err(error) = provider.force_flush() {
            panic!("{error}");
        }
    }
    began.elapsed()
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = scenarios, stress
}
criterion_main!(benches);
