use crate::{DropCause, ExportStats, Pipeline, StatsWatch};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

/// The attribute that says why, in the conventions for the SDK's own metrics.
const ERROR_TYPE: &str = "error.type";
const COMPONENT_TYPE: &str = "otel.component.type";

impl Pipeline {
    /// Has `meter` observe the pipeline, as the semantic conventions for an SDK's own metrics name things:
    ///
    /// - `otel.sdk.processor.span.queue.size` and `otel.sdk.processor.span.queue.capacity`;
    /// - `otel.sdk.processor.span.processed`: spans handed to the exporter, and by `error.type` those that were dropped before;
    /// - `otel.sdk.exporter.span.inflight`;
    /// - `otel.sdk.exporter.span.exported`: spans delivered, and by `error.type` those that were not.
    ///
    /// The figures are read whenever the meter's provider collects, from the same statistics as [`stats`](Self::stats): a
    /// span costs nothing more. The pipeline is not kept open by it.
    pub fn observe(&self, meter: &Meter) {
        let gauge = |name: &'static str, unit: &'static str, read: fn(&ExportStats) -> u64| {
            let watch = self.watch();
            let component = [KeyValue::new(COMPONENT_TYPE, "zerospan_pipeline")];
            meter
                .i64_observable_up_down_counter(name)
                .with_unit(unit)
                .with_callback(move |observer| {
                    let value = i64::try_from(read(&watch.stats())).unwrap_or(i64::MAX);
                    observer.observe(value, &component);
                })
                .build();
        };
        gauge("otel.sdk.processor.span.queue.size", "{span}", |stats| {
            stats.open + stats.queued
        });
        gauge(
            "otel.sdk.processor.span.queue.capacity",
            "{span}",
            |stats| stats.queue_capacity,
        );
        gauge("otel.sdk.exporter.span.inflight", "{span}", |stats| {
            stats.in_flight
        });
        counter(
            meter,
            "otel.sdk.processor.span.processed",
            self.watch(),
            |stats| stats.recorded - stats.open - stats.queued - before_export(stats).sum::<u64>(),
            |stats, tell| {
                for cause in DropCause::ALL.into_iter().filter(|&cause| is_before(cause)) {
                    tell(cause.name(), stats.dropped.by(cause));
                }
            },
        );
        counter(
            meter,
            "otel.sdk.exporter.span.exported",
            self.watch(),
            |stats| stats.delivered,
            |stats, tell| {
                tell("rejected", stats.rejected);
                for cause in DropCause::ALL
                    .into_iter()
                    .filter(|&cause| !is_before(cause))
                {
                    tell(cause.name(), stats.dropped.by(cause));
                }
            },
        );
    }
}

/// Whether a span dropped for `cause` never got to the exporter.
fn is_before(cause: DropCause) -> bool {
    matches!(
        cause,
        DropCause::QueueFull
            | DropCause::TooLarge
            | DropCause::Malformed
            | DropCause::AfterShutdown
            | DropCause::ShutdownTimeout
    )
}

fn before_export(stats: &ExportStats) -> impl Iterator<Item = u64> + '_ {
    stats
        .dropped
        .iter()
        .filter(|&(cause, _)| is_before(cause))
        .map(|(_, spans)| spans)
}

type Tell<'a> = &'a mut dyn FnMut(&'static str, u64);

fn counter(
    meter: &Meter,
    name: &'static str,
    watch: StatsWatch,
    fine: fn(&ExportStats) -> u64,
    errors: fn(&ExportStats, Tell<'_>),
) {
    meter
        .u64_observable_counter(name)
        .with_unit("{span}")
        .with_callback(move |observer| {
            let stats = watch.stats();
            let component = KeyValue::new(COMPONENT_TYPE, "zerospan_pipeline");
            observer.observe(fine(&stats), std::slice::from_ref(&component));
            errors(&stats, &mut |error, spans| {
                if spans > 0 {
                    let error = KeyValue::new(ERROR_TYPE, error);
                    observer.observe(spans, &[component.clone(), error]);
                }
            });
        })
        .build();
}
