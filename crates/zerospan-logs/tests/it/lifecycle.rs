//! Flush, shutdown, threads, accounting, and the pipeline's metrics.

use crate::support::{Rig, body, decode, flatten, pipeline};
use opentelemetry::logs::Severity;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use std::collections::BTreeMap;
use std::time::Duration;
use zerospan_export::{BatchConfig, DropCause, InMemoryTransport, Pipeline, Signal};
use zerospan_logs::{LoggerProvider, ProviderError};

#[test]
fn a_record_after_the_shutdown_is_counted_as_dropped() {
    let rig = Rig::new();
    rig.logger.emit(rig.logger.record());
    rig.provider.shutdown().expect("delivered");
    assert!(rig.logger.event_enabled(Severity::Info, "target", None));
    for _ in 0..3 {
        rig.logger.emit(rig.logger.record());
    }
    let stats = rig.provider.stats();
    let export = &stats.exports[0];
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(
        (
            export.recorded,
            export.delivered,
            export.dropped.by(DropCause::AfterShutdown)
        ),
        (4, 1, 3)
    );
    let again = rig.provider.shutdown();
    assert!(matches!(again, Err(ProviderError::AlreadyShutDown)));
    let official: Result<(), OTelSdkError> = again.map_err(Into::into);
    assert!(matches!(official, Err(OTelSdkError::AlreadyShutdown)));
    assert!(rig.provider.force_flush().is_err());
}

#[test]
fn the_last_handle_delivers_whether_it_is_a_provider_or_a_logger() {
    let (pipeline, memory) = pipeline();
    let provider = LoggerProvider::builder().with_exporter(pipeline).build();
    let logger = provider.logger("last");
    drop(provider);
    logger.emit(logger.record());
    assert!(memory.is_empty());
    drop(logger);
    assert_eq!(flatten(decode(&memory)).len(), 1);
}

#[test]
fn records_of_many_threads_arrive_once_each_or_are_counted() {
    let memory = InMemoryTransport::new();
    let mut batch = BatchConfig::for_signal(Signal::Logs);
    (batch.max_queue_size, batch.max_export_batch_size) = (Some(256), Some(64));
    let pipeline = Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_batch(batch)
        .with_transport(memory.clone())
        .build()
        .expect("valid");
    let provider = LoggerProvider::builder().with_exporter(pipeline).build();
    let work = |thread| {
        let logger = provider.logger("test");
        std::thread::spawn(move || {
            for number in 0..1000 {
                let mut record = logger.record();
                record.set_body_fmt(format_args!("{thread} {number}"));
                logger.emit(record);
            }
        })
    };
    let threads: Vec<_> = (0..8).map(work).collect();
    for thread in threads {
        thread.join().expect("the thread ends");
    }
    provider.force_flush().expect("delivered");
    let records = flatten(decode(&memory));
    let mut bodies: Vec<_> = records.iter().map(|(_, record)| body(record)).collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), records.len(), "once each");
    let stats = provider.stats();
    let export = &stats.exports[0];
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((export.recorded, export.pending()), (8000, 0));
    assert_eq!(export.delivered, records.len() as u64);
    assert_eq!(export.lost(), export.dropped.by(DropCause::QueueFull));
    assert_eq!(export.threads, 0, "ended threads leave nothing behind");
}

#[test]
fn each_of_several_pipelines_gets_every_record() {
    let (other, memory) = pipeline();
    let rig = Rig::with(|builder| builder.with_exporter(other));
    rig.logger.emit(rig.logger.record());
    assert_eq!(rig.records().len(), 1);
    assert_eq!(flatten(decode(&memory)).len(), 1);
    assert_eq!(rig.provider.stats().exports.len(), 2);
}

#[test]
fn the_pipelines_metrics_count_log_records() {
    let rig = Rig::new();
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone())
        .with_interval(Duration::from_secs(3600))
        .build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    for pipeline in rig.provider.pipelines() {
        pipeline.observe(&meters.meter("test"));
    }
    for _ in 0..5 {
        rig.logger.emit(rig.logger.record());
    }
    rig.provider.shutdown().expect("delivered");
    rig.logger.emit(rig.logger.record());
    meters.force_flush().expect("collected");
    let mut sums = BTreeMap::new();
    for resource in exporter.get_finished_metrics().expect("kept") {
        for metric in resource.scope_metrics().flat_map(ScopeMetrics::metrics) {
            if let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() {
                for point in sum.data_points() {
                    let error = point
                        .attributes()
                        .find(|at| at.key.as_str() == "error.type");
                    let error = error.map(|error| error.value.as_str().into_owned());
                    let name = metric.name().to_owned();
                    sums.insert((name, error.unwrap_or_default()), point.value());
                }
            }
        }
    }
    let sum = |name: &str, error: &str| sums.get(&(name.to_owned(), error.to_owned())).copied();
    assert_eq!(
        sum("otel.sdk.exporter.log.exported", ""),
        Some(5),
        "{sums:?}"
    );
    let refused = sum("otel.sdk.processor.log.processed", "already_shutdown");
    assert_eq!(refused, Some(1), "{sums:?}");
}
