//! The macros of `tracing`, over the stock SDK: fields are given where the span is made.

use super::crew::Pipeline;
use super::sink::{Exporter, Memory, SCOPE};
use super::work::{CHILDREN, EVENTS, NUMBER, TEXT, dynamic};
use super::{Work, sdk};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::hint::black_box;
use tracing::{Level, Span, event, info_span};
use tracing_subscriber::layer::SubscriberExt;

pub(super) struct Macros(SdkTracerProvider);

impl Macros {
    /// # Errors
    ///
    /// If this process has a subscriber already.
    pub(super) fn new(work: Work, memory: &Memory) -> Result<Self, String> {
        let provider = sdk::provider(work, Exporter::new(memory));
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(SCOPE))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
            .map_err(|error| error.to_string())?;
        Ok(Self(provider))
    }
}

impl Pipeline for Macros {
    fn record(&self, work: Work, times: u64) {
        for _ in 0..times {
            match work {
                Work::Root0 => drop(info_span!("GET /users/{id}")),
                Work::Root8 | Work::Unsampled | Work::Threads | Work::Burst => drop(eight()),
                Work::Root32 => drop(thirty_two()),
                Work::Tree => tree(),
                Work::Events => events(),
                Work::Dynamic => drop(formatted()),
            }
        }
    }

    fn flush(&self) -> Result<(), String> {
        self.0.force_flush().map_err(|error| error.to_string())
    }
}

/// A span whose fields are a text and a number, in turn.
macro_rules! span {
    ($name:literal, $($text:literal $number:literal)+) => {
        info_span!($name, $($text = black_box(TEXT), $number = black_box(NUMBER)),+)
    };
}

fn eight() -> Span {
    span!(
        "GET /users/{id}",
        "attribute.00" "attribute.01" "attribute.02" "attribute.03"
        "attribute.04" "attribute.05" "attribute.06" "attribute.07"
    )
}

fn thirty_two() -> Span {
    span!(
        "GET /users/{id}",
        "attribute.00" "attribute.01" "attribute.02" "attribute.03"
        "attribute.04" "attribute.05" "attribute.06" "attribute.07"
        "attribute.08" "attribute.09" "attribute.10" "attribute.11"
        "attribute.12" "attribute.13" "attribute.14" "attribute.15"
        "attribute.16" "attribute.17" "attribute.18" "attribute.19"
        "attribute.20" "attribute.21" "attribute.22" "attribute.23"
        "attribute.24" "attribute.25" "attribute.26" "attribute.27"
        "attribute.28" "attribute.29" "attribute.30" "attribute.31"
    )
}

fn tree() {
    let root = span!(
        "GET /users/{id}",
        "attribute.00" "attribute.01" "attribute.02" "attribute.03"
    );
    let _entered = root.enter();
    for _ in 0..CHILDREN {
        let child = span!(
            "select user",
            "attribute.00" "attribute.01" "attribute.02" "attribute.03"
        );
        let _entered = child.enter();
    }
}

fn events() {
    let span = eight();
    for _ in 0..EVENTS {
        event!(
            name: "cache miss",
            target: "http-server",
            parent: &span,
            Level::INFO,
            "attribute.00" = black_box(TEXT),
            "attribute.01" = black_box(NUMBER),
            "attribute.02" = black_box(TEXT),
        );
    }
}

fn formatted() -> Span {
    info_span!(
        "GET /users/{id}",
        "attribute.00" = %dynamic!(0),
        "attribute.01" = %dynamic!(1),
        "attribute.02" = %dynamic!(2),
        "attribute.03" = %dynamic!(3),
        "attribute.04" = %dynamic!(4),
        "attribute.05" = %dynamic!(5),
        "attribute.06" = %dynamic!(6),
        "attribute.07" = %dynamic!(7),
    )
}
