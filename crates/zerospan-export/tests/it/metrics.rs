//! The metrics of a pipeline.

use crate::collector::{Collector, Reply};
use crate::support::{batch, quick, record, scope};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use std::collections::BTreeMap;
use std::time::Duration;
use zerospan_export::{Pipeline, Protocol};

/// The sums by metric and error type.
fn sums(exporter: &InMemoryMetricExporter) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for resource in exporter.get_finished_metrics().unwrap() {
        for scope in resource.scope_metrics() {
            for metric in scope.metrics() {
                let mut put = |attributes: Vec<(String, String)>, value: i64| {
                    let error = attributes
                        .into_iter()
                        .find(|(key, _)| key == "error.type")
                        .map(|(_, value)| format!(" {value}"));
                    let name = metric.name().trim_start_matches("otel.sdk.");
                    sums.insert(format!("{name}{}", error.unwrap_or_default()), value);
                };
                match metric.data() {
                    AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                        for point in sum.data_points() {
                            put(texts(point.attributes()), point.value().try_into().unwrap());
                        }
                    }
                    AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                        for point in sum.data_points() {
                            put(texts(point.attributes()), point.value());
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    sums
}

fn texts<'a>(
    attributes: impl Iterator<Item = &'a opentelemetry::KeyValue>,
) -> Vec<(String, String)> {
    attributes
        .map(|attribute| (attribute.key.to_string(), attribute.value.to_string()))
        .collect()
}

/// Observes the pipeline with a meter, and exports into memory.
fn observe(pipeline: &Pipeline) -> (InMemoryMetricExporter, SdkMeterProvider) {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(exporter.clone()).build())
        .build();
    pipeline.observe(&provider.meter("zerospan"));
    (exporter, provider)
}

#[test]
fn the_figures_of_a_pipeline_are_metrics_with_the_names_of_the_conventions() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |call| match call {
        0 => Reply::Refuse,
        1 => Reply::TakeBut(2),
        _ => Reply::Take,
    });
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_batch(batch(|batch| batch.max_queue_size = Some(2048)))
        .build()
        .unwrap();
    let (exporter, provider) = observe(&pipeline);
    let scope = scope("metrics");
    for spans in [3, 5] {
        record(&pipeline, &scope, 0..spans);
        assert!(pipeline.force_flush(Duration::from_secs(5)).is_err());
    }
    assert!(pipeline.record_encoded(&scope, b"").is_err());
    record(&pipeline, &scope, 0..4);
    provider.force_flush().unwrap();
    let expected = [
        ("exporter.span.exported", 3),
        ("exporter.span.exported refused", 3),
        ("exporter.span.exported rejected", 2),
        ("exporter.span.inflight", 0),
        ("processor.span.processed", 8),
        ("processor.span.processed malformed", 1),
        ("processor.span.queue.capacity", 2048),
        ("processor.span.queue.size", 4),
        ("zerospan.processor.span.memory.limit", 449 << 16),
        ("zerospan.processor.span.memory.usage", 1 << 16),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(sums(&exporter), BTreeMap::from(expected));
}

#[test]
fn what_is_recorded_after_the_shutdown_is_already_shutdown() {
    let pipeline = quick()
        .with_transport(zerospan_export::InMemoryTransport::new())
        .build()
        .unwrap();
    let (exporter, provider) = observe(&pipeline);
    pipeline.shutdown(Duration::from_secs(5)).unwrap();
    record(&pipeline, &scope("late"), 0..3);
    provider.force_flush().unwrap();
    let sums = sums(&exporter);
    let late = sums.get("processor.span.processed already_shutdown");
    assert_eq!(late, Some(&3), "{sums:?}");
    // The memory alone limits the queue by default, which has no number of items then.
    assert_eq!(sums.get("processor.span.queue.size"), Some(&0));
    assert_eq!(sums.get("processor.span.queue.capacity"), None);
}

#[test]
fn what_waits_in_the_queue_is_not_yet_processed() {
    let pipeline = quick()
        .with_transport(zerospan_export::InMemoryTransport::new())
        .without_worker()
        .build()
        .unwrap();
    let (exporter, provider) = observe(&pipeline);
    let scope = scope("metrics");
    record(&pipeline, &scope, 0..2);
    pipeline.force_flush(Duration::from_secs(5)).unwrap();
    // A thread that ends hands over its spans. Joined, since a scope does not wait for the end itself.
    std::thread::scope(|threads| {
        let thread = threads.spawn(|| record(&pipeline, &scope, 2..5));
        thread.join().unwrap();
    });
    record(&pipeline, &scope, 5..9);
    let stats = pipeline.stats();
    assert_eq!((stats.open, stats.queued), (4, 3), "{stats:?}");
    provider.force_flush().unwrap();
    let sums = sums(&exporter);
    assert_eq!(sums.get("processor.span.processed"), Some(&2), "{sums:?}");
}
