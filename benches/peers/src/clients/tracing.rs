//! The macros of `tracing`, over our layer or that of the official SDK: fields are passed at the start of a span.

use super::{Client, official, zerospan};
use crate::workload::{NUMBER, TEXT, Workload, dynamic};
use benches::pipelines::SCOPE;
use benches::sink::OfficialExporter;
use opentelemetry::trace::TracerProvider;
use std::hint::black_box;
use tracing::{Level, Span, event, info_span};
use tracing_subscriber::layer::SubscriberExt;
use zerospan_export::PipelineBuilder;

pub(super) struct Tracing {
    flush: Box<dyn Fn() -> anyhow::Result<()> + Send + Sync>,
}

impl Tracing {
    pub(super) fn official(workload: Workload, exporter: OfficialExporter) -> anyhow::Result<Self> {
        let provider = official::provider(workload, exporter);
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(SCOPE))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
        Ok(Self {
            flush: Box::new(move || Ok(provider.force_flush()?)),
        })
    }

    pub(super) fn ours(workload: Workload, pipeline: PipelineBuilder) -> anyhow::Result<Self> {
        let provider = zerospan::provider(workload, pipeline)?;
        let layer = zerospan_tracing::TraceLayer::new()
            .with_tracer(provider.tracer(SCOPE))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
        Ok(Self {
            flush: Box::new(move || Ok(provider.force_flush()?)),
        })
    }
}

impl Client for Tracing {
    fn record(&self, workload: Workload, times: u64) {
        for _ in 0..times {
            match workload {
                Workload::Root0 => drop(info_span!("GET /users/{id}")),
                Workload::Root32 => drop(thirty_two()),
                Workload::Tree => tree(),
                Workload::Events => events(),
                Workload::Dynamic => drop(formatted()),
                _ => drop(eight()),
            }
        }
    }

    fn flush(&self) -> anyhow::Result<()> {
        (self.flush)()
    }
}

/// A span whose fields are alternately a text and a number.
macro_rules! span {
    ($name:literal, $($text:literal $number:literal)+) => {
        info_span!($name, $($text = black_box(TEXT), $number = black_box(NUMBER)),+)
    };
}

fn eight() -> Span {
    span!(
        "GET /users/{id}",
        "attribute.00" "attribute.01" "attribute.02" "attribute.03" "attribute.04" "attribute.05" "attribute.06" "attribute.07"
    )
}

fn thirty_two() -> Span {
    span!(
        "GET /users/{id}",
        "attribute.00" "attribute.01" "attribute.02" "attribute.03" "attribute.04" "attribute.05" "attribute.06" "attribute.07"
        "attribute.08" "attribute.09" "attribute.10" "attribute.11" "attribute.12" "attribute.13" "attribute.14" "attribute.15"
        "attribute.16" "attribute.17" "attribute.18" "attribute.19" "attribute.20" "attribute.21" "attribute.22" "attribute.23"
        "attribute.24" "attribute.25" "attribute.26" "attribute.27" "attribute.28" "attribute.29" "attribute.30" "attribute.31"
    )
}

fn tree() {
    let root = span!(
        "GET /users/{id}",
        "attribute.00" "attribute.01" "attribute.02" "attribute.03"
    );
    let _entered = root.enter();
    for _ in 0..Workload::Tree.children() {
        let child = span!(
            "select user",
            "attribute.00" "attribute.01" "attribute.02" "attribute.03"
        );
        let _entered = child.enter();
    }
}

fn events() {
    let span = eight();
    for _ in 0..Workload::Events.events() {
        event!(
            name: "cache miss",
            target: SCOPE,
            parent: &span,
            Level::INFO,
            "attribute.00" = black_box(TEXT),
            "attribute.01" = black_box(NUMBER),
            "attribute.02" = black_box(TEXT),
        );
    }
}

fn formatted() -> Span {
    macro_rules! span {
        ($($key:literal $index:literal)+) => {
            info_span!("GET /users/{id}", $($key = %dynamic!($index)),+)
        };
    }
    span!(
        "attribute.00" 0 "attribute.01" 1 "attribute.02" 2 "attribute.03" 3
        "attribute.04" 4 "attribute.05" 5 "attribute.06" 6 "attribute.07" 7
    )
}
