//! The tracing of a process by zerospan.

use super::{Counts, Telemetry};
use zerospan_export::{PipelineBuilder, Signal};
use zerospan_logs::{LoggerProvider, LoggerProviderBuilder};
use zerospan_trace::{TracerProvider, TracerProviderBuilder};
use zerospan_tracing::{EventsTo, Guard};

/// Returns a provider for services that trace through OpenTelemetry's API.
pub(crate) fn provider() -> anyhow::Result<TracerProvider> {
    let pipeline = PipelineBuilder::from_env().build()?;
    Ok(TracerProviderBuilder::from_env()
        .with_exporter(pipeline)
        .build())
}

impl Telemetry for TracerProvider {
    fn flush(&self) {
        // Spans that could not be delivered are in the counts.
        let _ = self.force_flush();
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for pipeline in self.pipelines() {
            let stats = pipeline.stats();
            counts.delivered += stats.delivered;
            for (cause, spans) in stats.dropped.iter() {
                *counts.dropped.entry(cause.to_string()).or_default() += spans;
            }
            if stats.rejected > 0 {
                let rejected = counts.dropped.entry("the collector rejected it".to_owned());
                *rejected.or_default() += stats.rejected;
            }
        }
        counts
    }
}

/// A process that traces through the `tracing` crate.
pub(crate) struct Subscribed {
    guard: Guard,
    logs: Option<LoggerProvider>,
}

/// Sets tracing up from the environment, for services that trace through the `tracing` crate.
///
/// With `logs`, events become log records as well as span events, as they do on the official side.
pub(crate) fn subscribe(logs: bool) -> anyhow::Result<Subscribed> {
    if !logs {
        let guard = zerospan_tracing::init()?;
        return Ok(Subscribed { guard, logs: None });
    }
    let logs = LoggerProviderBuilder::from_env()
        .with_exporter(PipelineBuilder::from_env_for(Signal::Logs).build()?)
        .build();
    let provider = logs.clone();
    let guard = zerospan_tracing::builder()
        .map_layer(move |layer| layer.with_logs(&provider).with_events(EventsTo::Both))
        .init()?;
    Ok(Subscribed {
        guard,
        logs: Some(logs),
    })
}

impl Telemetry for Subscribed {
    fn flush(&self) {
        Telemetry::flush(self.guard.provider());
        if let Some(logs) = &self.logs {
            // The receiver's log records are counted.
            let _ = logs.force_flush();
        }
    }

    fn counts(&self) -> Counts {
        Telemetry::counts(self.guard.provider())
    }
}
