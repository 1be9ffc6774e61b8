//! Log records: through a logger of OpenTelemetry's API, natively, or by the macros of `tracing`.

use super::Client;
use crate::workload::{KEYS, LOG, NUMBER, STATIC_KEYS, TEXT, Workload};
use benches::pipelines::{SCOPE, resource};
use benches::sink::OfficialExporter;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::logs::{LogExporter, SdkLogger, SdkLoggerProvider};
use std::hint::black_box;
use tracing::{Level, event};
use tracing_subscriber::layer::SubscriberExt;
use zerospan_export::{PipelineBuilder, Signal};

/// Records with a function, and flushes a provider.
pub(super) struct Logs<R> {
    record: R,
    flush: Box<dyn Fn() -> anyhow::Result<()> + Send + Sync>,
}

impl<R: Fn() + Send + Sync> Client for Logs<R> {
    fn record(&self, _: Workload, times: u64) {
        (0..times).for_each(|_| (self.record)());
    }

    fn flush(&self) -> anyhow::Result<()> {
        (self.flush)()
    }
}

/// The official SDK with its batch processor in its default settings.
pub(super) fn official(exporter: impl LogExporter + 'static) -> impl Client {
    let provider = official_provider(exporter);
    let logger: SdkLogger = provider.logger(SCOPE);
    Logs {
        record: move || emit(&logger),
        flush: Box::new(move || Ok(provider.force_flush()?)),
    }
}

/// The same, with its exporter over HTTP.
pub(super) fn official_over_http(url: &str) -> anyhow::Result<impl Client + use<>> {
    let exporter = opentelemetry_otlp::LogExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url)
        .build()?;
    Ok(official(exporter))
}

/// The macros of `tracing` over the official bridge.
pub(super) fn official_bridge(exporter: OfficialExporter) -> anyhow::Result<impl Client> {
    let provider = official_provider(exporter);
    let layer = OpenTelemetryTracingBridge::new(&provider);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    Ok(Logs {
        record: emit_event,
        flush: Box::new(move || Ok(provider.force_flush()?)),
    })
}

/// Ours, through the traits of the API.
pub(super) fn ours(pipeline: PipelineBuilder) -> anyhow::Result<impl Client> {
    let provider = our_provider(pipeline)?;
    let logger = provider.logger(SCOPE);
    Ok(Logs {
        record: move || emit(&logger),
        flush: Box::new(move || Ok(provider.force_flush()?)),
    })
}

/// Ours, through native calls.
pub(super) fn native(pipeline: PipelineBuilder) -> anyhow::Result<impl Client> {
    let provider = our_provider(pipeline)?;
    let logger = provider.logger(SCOPE);
    Ok(Logs {
        record: move || emit_native(&logger),
        flush: Box::new(move || Ok(provider.force_flush()?)),
    })
}

/// The macros of `tracing` over our layer.
pub(super) fn layer(pipeline: PipelineBuilder) -> anyhow::Result<impl Client> {
    let provider = our_provider(pipeline)?;
    let layer = zerospan_tracing::TraceLayer::new()
        .with_location(false)
        .with_logs(&provider);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    Ok(Logs {
        record: emit_event,
        flush: Box::new(move || Ok(provider.force_flush()?)),
    })
}

fn official_provider(exporter: impl LogExporter + 'static) -> SdkLoggerProvider {
    SdkLoggerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build()
}

fn our_provider(pipeline: PipelineBuilder) -> anyhow::Result<zerospan_logs::LoggerProvider> {
    let pipeline = pipeline.with_signal(Signal::Logs).build()?;
    Ok(zerospan_logs::LoggerProvider::builder()
        .with_resource(resource())
        .with_exporter(pipeline)
        .build())
}

fn emit(logger: &impl Logger) {
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Info);
    record.set_severity_text("INFO");
    record.set_body(AnyValue::from(LOG));
    for (index, key) in KEYS[..Workload::Logs.attributes()].iter().enumerate() {
        if index.is_multiple_of(2) {
            record.add_attribute(*key, black_box(TEXT));
        } else {
            record.add_attribute(*key, black_box(NUMBER));
        }
    }
    logger.emit(record);
}

fn emit_native(logger: &zerospan_logs::Logger) {
    let mut record = logger.record();
    record.set_severity(Severity::Info);
    record.set_body_value(LOG);
    for (index, key) in STATIC_KEYS[..Workload::Logs.attributes()]
        .iter()
        .enumerate()
    {
        if index.is_multiple_of(2) {
            record.set(key, black_box(TEXT));
        } else {
            record.set(key, black_box(NUMBER));
        }
    }
    logger.emit(record);
}

fn emit_event() {
    event!(
        target: SCOPE,
        Level::INFO,
        {
        "attribute.00" = black_box(TEXT),
        "attribute.01" = black_box(NUMBER),
        "attribute.02" = black_box(TEXT),
        "attribute.03" = black_box(NUMBER),
        "attribute.04" = black_box(TEXT),
        "attribute.05" = black_box(NUMBER),
        "attribute.06" = black_box(TEXT),
        "attribute.07" = black_box(NUMBER)
        },
        "user not found",
    );
}
