//! The tracing of a process by the official SDK, its batch processor and `opentelemetry-otlp`.

use super::{Counts, Telemetry};
use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) struct Provider {
    pub(crate) sdk: SdkTracerProvider,
    logs: Option<SdkLoggerProvider>,
    sent: Arc<ExportCounts>,
}

/// Spans by outcome of their export. The SDK exposes no count of what its processors drop before.
#[derive(Debug, Default)]
struct ExportCounts {
    delivered: AtomicU64,
    failed: AtomicU64,
}

/// Returns a provider for services that trace through OpenTelemetry's API.
pub(crate) fn provider() -> anyhow::Result<Provider> {
    let exporter = SpanExporter::builder()
        .build()
        .context("cannot build the official exporter")?;
    let sent = Arc::new(ExportCounts::default());
    let exporter = CountingExporter {
        exporter,
        sent: Arc::clone(&sent),
    };
    let sdk = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .build();
    let logs = None;
    Ok(Provider { sdk, logs, sent })
}

/// Installs a subscriber for services that trace through the `tracing` crate.
///
/// With `logs`, events become log records as well as span events.
pub(crate) fn subscribe(logs: bool) -> anyhow::Result<Provider> {
    let mut provider = provider()?;
    if logs {
        let exporter = LogExporter::builder().build()?;
        let logs = SdkLoggerProvider::builder().with_batch_exporter(exporter);
        provider.logs = Some(logs.build());
    }
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    // The filter of zerospan's side. `EnvFilter` does the same for these directives, and takes longer to build.
    let directives = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
    tracing_subscriber::registry()
        .with(directives.parse::<Targets>()?)
        .with(tracing_opentelemetry::layer().with_tracer(provider.sdk.tracer("demo")))
        .with(provider.logs.as_ref().map(OpenTelemetryTracingBridge::new))
        .try_init()?;
    Ok(provider)
}

impl Telemetry for Provider {
    fn flush(&self) {
        // Spans that could not be delivered are in the counts.
        let _ = self.sdk.force_flush();
        if let Some(logs) = &self.logs {
            // The receiver's log records are counted.
            let _ = logs.force_flush();
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts {
            delivered: self.sent.delivered.load(Ordering::Relaxed),
            ..Counts::default()
        };
        let failed = self.sent.failed.load(Ordering::Relaxed);
        if failed > 0 {
            counts
                .dropped
                .insert("the export failed".to_owned(), failed);
        }
        counts
    }
}

/// Counts the spans that pass to an exporter: one addition for each batch.
#[derive(Debug)]
struct CountingExporter<E> {
    exporter: E,
    sent: Arc<ExportCounts>,
}

impl<E: opentelemetry_sdk::trace::SpanExporter> opentelemetry_sdk::trace::SpanExporter
    for CountingExporter<E>
{
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let outcome = self.exporter.export(batch).await;
        let count = match &outcome {
            Ok(()) => &self.sent.delivered,
            Err(_) => &self.sent.failed,
        };
        count.fetch_add(spans, Ordering::Relaxed);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
