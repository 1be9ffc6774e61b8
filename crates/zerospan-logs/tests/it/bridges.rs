//! The official bridges from `tracing` and `log` work on this provider unchanged, and export what they export with the official one.

use crate::differential::official_records;
use crate::support::{Rig, value};
use log::Log as _;
use opentelemetry::logs::{Logger, LoggerProvider};
use opentelemetry_appender_log::OpenTelemetryLogBridge;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use std::error::Error;
use std::fmt;
use tracing_subscriber::prelude::*;

#[derive(Debug)]
struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is full")
    }
}

impl Error for Failure {}

/// A program with the `tracing` crate.
fn with_tracing<P, L>(provider: &P)
where
    P: LoggerProvider<Logger = L> + Send + Sync + 'static,
    L: Logger + Send + Sync + 'static,
{
    let bridge = OpenTelemetryTracingBridge::new(provider);
    let _guard = tracing_subscriber::registry().with(bridge).set_default();
    tracing::info!("plain");
    tracing::warn!(target: "app::db", rows = 3, slow = true, ratio = 0.5, "query took {} ms", 12);
    tracing::error!(
        name: "write-failed",
        error = &Failure as &dyn Error,
        path = "/tmp/x",
        big = u64::MAX,
        huge = i128::MAX,
        bytes = &b"\x00\xff"[..],
        debug = ?vec![1, 2],
        "failed"
    );
    tracing::debug!(message = "as a field", none = tracing::field::Empty);
    tracing::trace!(only = "a field");
}

/// A program with the `log` crate.
fn with_log<P, L>(provider: &P)
where
    P: LoggerProvider<Logger = L> + Send + Sync,
    L: Logger + Send + Sync,
{
    let bridge = OpenTelemetryLogBridge::new(provider);
    let emit = |level, target: &str, text: fmt::Arguments<'_>| {
        let pairs = [("user", "u-42"), ("role", "admin")];
        let record = log::Record::builder()
            .level(level)
            .target(target)
            .args(text)
            .key_values(&pairs)
            .build();
        bridge.log(&record);
    };
    for (number, level) in log::Level::iter().enumerate() {
        emit(level, "app::web", format_args!("record {number}"));
        emit(level, "app::db", format_args!("constant"));
    }
}

type Scoped = (InstrumentationScope, LogRecord);

/// Compares what both providers export, but for the time of the observation.
fn compare(ours: Vec<Scoped>, official: Vec<Scoped>) {
    let prepare = |mut records: Vec<Scoped>| {
        for (_, record) in &mut records {
            assert_ne!(record.observed_time_unix_nano, 0);
            record.observed_time_unix_nano = 0;
        }
        records.sort_by_key(|scoped| format!("{scoped:?}"));
        records
    };
    assert_eq!(prepare(ours), prepare(official));
}

#[test]
fn events_of_tracing_arrive_as_with_the_official_provider() {
    let rig = Rig::new();
    with_tracing(&rig.provider);
    let exporter = InMemoryLogExporter::default();
    let official = SdkLoggerProvider::builder().with_simple_exporter(exporter.clone());
    let official = official.build();
    with_tracing(&official);
    let ours = rig.scoped_records();
    assert_eq!(ours.len(), 5);
    compare(ours, official_records(&exporter));
}

#[test]
fn records_of_log_arrive_as_with_the_official_provider() {
    let rig = Rig::new();
    with_log(&rig.provider);
    let exporter = InMemoryLogExporter::default();
    let official = SdkLoggerProvider::builder().with_simple_exporter(exporter.clone());
    let official = official.build();
    with_log(&official);
    let ours = rig.scoped_records();
    assert_eq!(ours.len(), 10);
    compare(ours, official_records(&exporter));
}

#[test]
fn a_debug_that_logs_through_a_bridge_returns_and_both_records_arrive() {
    struct Logging<'a>(&'a Rig);
    impl fmt::Debug for Logging<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            with_log(&self.0.provider);
            f.write_str("formatted")
        }
    }
    let rig = Rig::new();
    let bridge = OpenTelemetryTracingBridge::new(&rig.provider);
    let guard = tracing_subscriber::registry().with(bridge).set_default();
    tracing::info!(target: "outer", field = ?Logging(&rig), "outer");
    drop(guard);
    let scoped = rig.scoped_records();
    assert_eq!(scoped.len(), 11);
    let outer = scoped.iter().find(|(scope, _)| scope.name == "outer");
    let (_, record) = outer.expect("it arrives");
    assert_eq!(value(&record.attributes, "field"), "formatted");
}
