use super::{Pipeline, StatsWatch};
use crate::base::stats::{DropCause, ExportStats};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use zerospan_transport::Signal;

/// The attribute for the cause of a loss, in the semantic conventions for the metrics of an SDK.
const ERROR_TYPE: &str = "error.type";

/// Returns the value of [`ERROR_TYPE`] for a cause: as the semantic conventions define it, or else the name of the cause.
fn error_type(cause: DropCause) -> &'static str {
    match cause {
        DropCause::AfterShutdown => "already_shutdown",
        other => other.name(),
    }
}

const COMPONENT_TYPE: &str = "otel.component.type";

impl Pipeline {
    /// Lets `meter` observe the pipeline, with the names of the semantic conventions for the metrics of an SDK:
    ///
    /// - `otel.sdk.processor.span.queue.size`, and `otel.sdk.processor.span.queue.capacity` if a number of items is its limit;
    /// - `otel.sdk.processor.span.processed`: items handed to the exporter, and by `error.type` those dropped before;
    /// - `otel.sdk.exporter.span.inflight`;
    /// - `otel.sdk.exporter.span.exported`: items delivered, and by `error.type` those that were not.
    ///
    /// For logs the names have `log` in the place of `span`. The conventions have no names for memory, which limits the queue
    /// by default: `zerospan.processor.span.memory.usage` and `zerospan.processor.span.memory.limit` are the bytes of the chunks
    /// that hold items, and their maximum.
    ///
    /// The meter's provider reads them from [`stats`](Self::stats) when it collects, so an item costs nothing more. This does
    /// not keep the pipeline open.
    pub fn observe(&self, meter: &Meter) {
        gauge(meter, "processor", "queue.size", self.watch(), |stats| {
            Some(stats.open + stats.queued)
        });
        gauge(
            meter,
            "processor",
            "queue.capacity",
            self.watch(),
            |stats| stats.queue_capacity,
        );
        gauge(meter, "exporter", "inflight", self.watch(), |stats| {
            Some(stats.in_flight)
        });
        memory(meter, "usage", self.watch(), |stats| {
            stats.chunk_bytes_in_use
        });
        memory(meter, "limit", self.watch(), |stats| stats.max_chunk_bytes);
        counter(
            meter,
            "processor",
            "processed",
            self.watch(),
            |stats| {
                stats.recorded
                    - stats.open
                    - stats.queued
                    - dropped(stats, Stage::Processor)
                        .map(|(_, items)| items)
                        .sum::<u64>()
            },
            |stats, report| {
                dropped(stats, Stage::Processor).for_each(|(cause, items)| report(cause, items));
            },
        );
        counter(
            meter,
            "exporter",
            "exported",
            self.watch(),
            |stats| stats.delivered,
            |stats, report| {
                report("rejected", stats.rejected);
                dropped(stats, Stage::Exporter).for_each(|(cause, items)| report(cause, items));
            },
        );
    }
}

/// The part of an SDK that the conventions count a loss for.
#[derive(PartialEq)]
enum Stage {
    Processor,
    Exporter,
}

/// Returns the names of the causes that dropped items in `stage`, with their numbers.
fn dropped(stats: &ExportStats, stage: Stage) -> impl Iterator<Item = (&'static str, u64)> + '_ {
    stats
        .dropped
        .iter()
        .filter(move |&(cause, _)| stage_of(cause) == stage)
        .map(|(cause, items)| (error_type(cause), items))
}

fn stage_of(cause: DropCause) -> Stage {
    match cause {
        DropCause::QueueFull
        | DropCause::TooLarge
        | DropCause::Malformed
        | DropCause::AfterShutdown
        | DropCause::ShutdownTimeout => Stage::Processor,
        DropCause::Unreachable
        | DropCause::TimedOut
        | DropCause::Unavailable
        | DropCause::Refused
        | DropCause::TransportPanic => Stage::Exporter,
    }
}

/// Returns the signal's part of a metric's name, and the unit.
fn name_and_unit(signal: Signal) -> (&'static str, &'static str) {
    match signal {
        Signal::Logs => ("log", "{log_record}"),
        _ => ("span", "{span}"),
    }
}

fn gauge(
    meter: &Meter,
    component: &str,
    metric: &str,
    watch: StatsWatch,
    read: fn(&ExportStats) -> Option<u64>,
) {
    let (item, unit) = name_and_unit(watch.signal());
    let name = format!("otel.sdk.{component}.{item}.{metric}");
    observe_level(meter, name, unit, move || read(&watch.stats()));
}

fn memory(meter: &Meter, metric: &str, watch: StatsWatch, read: fn(&ExportStats) -> u64) {
    let (item, _) = name_and_unit(watch.signal());
    let name = format!("zerospan.processor.{item}.memory.{metric}");
    observe_level(meter, name, "By", move || Some(read(&watch.stats())));
}

/// Lets `meter` observe a value that rises and falls, whenever there is one.
fn observe_level(
    meter: &Meter,
    name: String,
    unit: &'static str,
    read: impl Fn() -> Option<u64> + Send + Sync + 'static,
) {
    let attributes = [KeyValue::new(COMPONENT_TYPE, "zerospan_pipeline")];
    meter
        .i64_observable_up_down_counter(name)
        .with_unit(unit)
        .with_callback(move |observer| {
            if let Some(value) = read() {
                observer.observe(i64::try_from(value).unwrap_or(i64::MAX), &attributes);
            }
        })
        .build();
}

type Report<'a> = &'a mut dyn FnMut(&'static str, u64);

fn counter(
    meter: &Meter,
    component: &str,
    metric: &str,
    watch: StatsWatch,
    successes: fn(&ExportStats) -> u64,
    errors: fn(&ExportStats, Report<'_>),
) {
    let (item, unit) = name_and_unit(watch.signal());
    meter
        .u64_observable_counter(format!("otel.sdk.{component}.{item}.{metric}"))
        .with_unit(unit)
        .with_callback(move |observer| {
            let stats = watch.stats();
            let component = KeyValue::new(COMPONENT_TYPE, "zerospan_pipeline");
            observer.observe(successes(&stats), std::slice::from_ref(&component));
            errors(&stats, &mut |error, items| {
                if items > 0 {
                    let error = KeyValue::new(ERROR_TYPE, error);
                    observer.observe(items, &[component.clone(), error]);
                }
            });
        })
        .build();
}
