//! The spans and events of `tracing`, from the macro to OTLP bytes: our layer against `tracing-opentelemetry` over the
//! official SDK with its batch processor and prost.
//!
//! Both layers have their default settings. Each span is entered once, as services do.

use crate::clock::Clock;
use crate::comparison::{Budget, Comparison, Row};
use crate::pipelines::{OfficialSdk, QUEUE, Side, Zerospan, agree_but_for};
use crate::subscriber::TracingSide;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use std::hint::black_box;
use tracing::{info, info_span};
use zerospan_tracing::TraceLayer;

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "tracing.layer",
        peer: "tracing-opentelemetry + SDK + batch + prost, 8 fields, all threads",
        ours: "the same spans through our layer",
        budget: Budget::AtLeast(9.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, SPANS, eight),
    },
    Row {
        id: "tracing.caller",
        peer: "tracing-opentelemetry + SDK + batch, 8 fields, caller's thread",
        ours: "the same spans through our layer",
        budget: Budget::AtLeast(5.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Thread, SPANS, eight),
    },
    Row {
        id: "tracing.events",
        peer: "the same with 2 events of 3 fields a span, all threads",
        ours: "the same spans through our layer",
        budget: Budget::AtLeast(9.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, SPANS, events),
    },
    Row {
        id: "tracing.unsampled",
        peer: "tracing-opentelemetry + SDK, always off: 8 fields",
        ours: "the same spans through our layer",
        budget: Budget::AtLeast(5.0),
        allocations: Some(0.0),
        prepare: unsampled,
    },
    Row {
        id: "tracing.formatted",
        peer: "tracing-opentelemetry + SDK + batch + prost, 8 formatted fields",
        ours: "the same spans through our layer",
        budget: Budget::AtLeast(6.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, SPANS, formatted),
    },
    Row {
        id: "tracing.nested",
        peer: "tracing-opentelemetry + SDK: root and 9 children of 4 fields",
        ours: "the same spans through our layer",
        budget: Budget::AtLeast(8.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, TREES, tree),
    },
];

const SPANS: u64 = 2_000;
const _: () = assert!(SPANS <= QUEUE);
const CHILDREN: u64 = 9;
const TREES: u64 = SPANS / (CHILDREN + 1);

/// Does the work `times` times on each side.
fn compare(clock: Clock, times: u64, work: fn()) -> Comparison {
    let mut peer = official_layer(OfficialSdk::new(QUEUE));
    let mut ours = our_layer(Zerospan::new(QUEUE));
    let repeat = move |side: &&'static TracingSide| {
        side.take_turn(|| (0..times).for_each(|_| work()));
        SPANS
    };
    Comparison::new(
        SPANS,
        move || peer.run(repeat),
        move || ours.run(repeat),
        agree_but_for(SPANS, normalize),
    )
    .with_clock(clock)
}

/// Puts the predecessor's layer over the official SDK.
pub(crate) fn official_layer(sdk: OfficialSdk) -> Side<&'static TracingSide> {
    sdk.map(|tracer| TracingSide::official(tracing_opentelemetry::layer().with_tracer(tracer)))
}

/// Puts our layer over our provider.
pub(crate) fn our_layer(zerospan: Zerospan) -> Side<&'static TracingSide> {
    zerospan.map(|tracer| TracingSide::zerospan(TraceLayer::new().with_tracer(tracer)))
}

/// Puts our layer over our provider, without the attributes that it adds by default.
pub(super) fn bare_layer(zerospan: Zerospan) -> Side<&'static TracingSide> {
    zerospan.map(|tracer| {
        let layer = TraceLayer::new()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        TracingSide::zerospan(layer)
    })
}

/// Removes what differs: the order of attributes, and the times in which a span was busy and idle.
pub(crate) fn normalize(span: &mut Span) {
    for attribute in &mut span.attributes {
        if matches!(&*attribute.key, "busy_ns" | "idle_ns")
            && let Some(AnyValue { value: Some(value) }) = &mut attribute.value
            && let Value::IntValue(nanos) = value
        {
            *nanos = 0;
        }
    }
    let sort = |attributes: &mut Vec<KeyValue>| attributes.sort_by(|a, b| a.key.cmp(&b.key));
    sort(&mut span.attributes);
    for event in &mut span.events {
        sort(&mut event.attributes);
    }
}

/// Flushes only to check that nothing is recorded.
fn unsampled() -> Comparison {
    let peer = official_layer(OfficialSdk::unsampled());
    let ours = our_layer(Zerospan::unsampled());
    let (mut peer_end, mut our_end) = (peer.clone(), ours.clone());
    let repeat = |side: &Side<&'static TracingSide>| {
        side.tracer().take_turn(|| (0..SPANS).for_each(|_| eight()));
    };
    Comparison::new(
        SPANS,
        move || repeat(&peer),
        move || repeat(&ours),
        move |(), ()| {
            let delivered = [&mut peer_end, &mut our_end].map(|side| side.run(|_| 0).delivered());
            match delivered {
                [Ok(0), Ok(0)] => Ok(()),
                delivered => Err(format!("peer and ours delivered {delivered:?} spans")),
            }
        },
    )
    .with_clock(Clock::Thread)
}

/// Starts a span of eight fields.
#[inline]
pub(crate) fn start_eight() -> tracing::Span {
    info_span!(
        "GET /users/{id}",
        http.request.method = "GET",
        url.scheme = "https",
        http.route = "/users/{id}",
        server.address = "shop.example",
        http.response.status_code = black_box(200_i64),
        server.port = black_box(8443_i64),
        cache.hit = black_box(true),
        queue.wait = black_box(0.25_f64),
    )
}

/// Makes a span of eight fields and enters it.
pub(super) fn eight() {
    let span = start_eight();
    let _entered = span.enter();
}

fn events() {
    let span = start_eight();
    let _entered = span.enter();
    for _ in 0..2 {
        info!(
            cache.key = "user:42",
            cache.entries = black_box(512_i64),
            cache.stale = black_box(false),
            "cache miss",
        );
    }
}

fn formatted() {
    macro_rules! span {
        ($($index:literal: $name:ident)+) => {
            info_span!(
                "GET /users/{id}",
                $(item.$name = %format_args!("item {} of {}", $index, black_box(200_i64))),+
            )
        };
    }
    let span = span!(0: a 1: b 2: c 3: d 4: e 5: f 6: g 7: h);
    let _entered = span.enter();
}

fn tree() {
    macro_rules! span_of_four {
        ($name:literal) => {
            info_span!(
                $name,
                http.request.method = "GET",
                http.route = "/users/{id}",
                http.response.status_code = black_box(200_i64),
                cache.hit = black_box(true),
            )
        };
    }
    let root = span_of_four!("root");
    let _entered = root.enter();
    for _ in 0..CHILDREN {
        let child = span_of_four!("child");
        let _entered = child.enter();
    }
}
