//! The tracing of a process by zerospan.

use super::{Counts, Telemetry};
use zerospan_export::PipelineBuilder;
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

/// Sets tracing up from the environment, for services that trace through the `tracing` crate.
///
/// With `logs`, events become log records as well as span events, as they do on the official side.
pub(crate) fn subscribe(logs: bool) -> anyhow::Result<Guard> {
    let mut builder = zerospan_tracing::builder();
    if logs {
        builder = builder.with_events(EventsTo::Both);
    }
    Ok(builder.init()?)
}

impl Telemetry for Guard {
    fn flush(&self) {
        // Spans that could not be delivered are in the counts; the receiver's log records are counted.
        let _ = Guard::flush(self);
    }

    fn counts(&self) -> Counts {
        Telemetry::counts(self.provider())
    }
}
