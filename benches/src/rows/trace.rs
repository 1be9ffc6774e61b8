//! A span from its start to OTLP bytes: our provider against the official SDK with its batch processor and prost.
//!
//! Each run ends with a flush, and its spans fit the queue, so that neither side drops any.

use crate::clock::Clock;
use crate::comparison::{Budget, Comparison, Row};
use crate::pipelines::{OfficialSdk, QUEUE, Zerospan, agree};
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{self as sdk, SdkTracer};
use std::hint::black_box;
use zerospan_trace::{StaticKey, StaticKeySet, Tracer as ZerospanTracer};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "trace.otel",
        peer: "official SDK + batch + prost, 8 attributes, all threads",
        ours: "the same calls on our concrete tracer",
        budget: Budget::AtLeast(16.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, SPANS, eight, eight),
    },
    Row {
        id: "trace.native",
        peer: "official SDK + batch + prost, 8 attributes, all threads",
        ours: "the same span through native calls",
        budget: Budget::AtLeast(20.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, SPANS, eight, eight_native),
    },
    Row {
        id: "trace.native_each",
        peer: "official SDK + batch + prost, 8 attributes, all threads",
        ours: "the same span through native calls, its attributes set in one",
        budget: Budget::AtLeast(20.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, SPANS, eight, eight_native_each),
    },
    Row {
        id: "trace.nested",
        peer: "official SDK: root and 9 children of 4 attributes, in_span",
        ours: "the same calls on our concrete tracer",
        budget: Budget::AtLeast(5.0),
        allocations: None,
        prepare: || compare(Clock::Process, TREES, tree, tree),
    },
    Row {
        id: "trace.nested_native",
        peer: "official SDK: root and 9 children of 4 attributes, in_span",
        ours: "the same tree through the native scope",
        budget: Budget::AtLeast(16.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Process, TREES, tree, tree_native),
    },
    Row {
        id: "trace.unsampled",
        peer: "official SDK, always off: start, 8 attributes, end",
        ours: "the same calls on our concrete tracer",
        budget: Budget::AtLeast(6.0),
        allocations: Some(0.0),
        prepare: unsampled,
    },
    Row {
        id: "trace.producer",
        peer: "official SDK + batch, 8 attributes, caller's thread",
        ours: "the same calls on our concrete tracer",
        budget: Budget::AtLeast(5.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Thread, SPANS, eight, eight),
    },
    Row {
        id: "trace.producer_native",
        peer: "official SDK + batch, 8 attributes, caller's thread",
        ours: "the same span through native calls",
        budget: Budget::AtLeast(8.0),
        allocations: Some(0.0),
        prepare: || compare(Clock::Thread, SPANS, eight, eight_native),
    },
];

const SPANS: u64 = 2_000;
const _: () = assert!(SPANS <= QUEUE);
const CHILDREN: u64 = 9;
const TREES: u64 = SPANS / (CHILDREN + 1);

/// Does the work `times` times on each side; it returns the number of recorded spans.
fn compare(
    clock: Clock,
    times: u64,
    official: fn(&SdkTracer) -> u64,
    native: fn(&ZerospanTracer) -> u64,
) -> Comparison {
    let (mut peer, mut ours) = (OfficialSdk::new(QUEUE), Zerospan::new(QUEUE));
    Comparison::new(
        SPANS,
        move || peer.run(|tracer| repeat(times, || official(tracer))),
        move || ours.run(|tracer| repeat(times, || native(tracer))),
        agree(SPANS),
    )
    .with_clock(clock)
}

fn unsampled() -> Comparison {
    let official = sdk::SdkTracerProvider::builder()
        .with_sampler(sdk::Sampler::AlwaysOff)
        .build();
    let ours = zerospan_trace::TracerProvider::builder()
        .with_sampler(zerospan_trace::Sampler::AlwaysOff)
        .build();
    let (peer, ours) = (official.tracer("bench"), ours.tracer("bench"));
    Comparison::new(
        SPANS,
        move || repeat(SPANS, || eight(&peer)),
        move || repeat(SPANS, || eight(&ours)),
        |peer: u64, ours: u64| {
            if (peer, ours) == (0, 0) {
                Ok(())
            } else {
                Err(format!("the peer records {peer} spans, ours {ours}"))
            }
        },
    )
    .with_clock(Clock::Thread)
}

fn repeat(times: u64, mut work: impl FnMut() -> u64) -> u64 {
    (0..times).map(|_| work()).sum()
}

/// Makes a span of eight attributes through the traits; returns 1 if it was recorded.
pub(super) fn eight(tracer: &impl Tracer) -> u64 {
    let mut span = tracer.start("GET /users/{id}");
    span.set_attribute(KeyValue::new("http.request.method", "GET"));
    span.set_attribute(KeyValue::new("url.scheme", "https"));
    span.set_attribute(KeyValue::new("http.route", "/users/{id}"));
    span.set_attribute(KeyValue::new("server.address", "shop.example"));
    span.set_attribute(KeyValue::new(
        "http.response.status_code",
        black_box(200_i64),
    ));
    span.set_attribute(KeyValue::new("server.port", black_box(8443_i64)));
    span.set_attribute(KeyValue::new("cache.hit", black_box(true)));
    span.set_attribute(KeyValue::new("queue.wait", black_box(0.25_f64)));
    let recorded = span.is_recording();
    span.end();
    u64::from(recorded)
}

const METHOD: StaticKey = StaticKey::new("http.request.method");
const SCHEME: StaticKey = StaticKey::new("url.scheme");
const ROUTE: StaticKey = StaticKey::new("http.route");
const ADDRESS: StaticKey = StaticKey::new("server.address");
const STATUS: StaticKey = StaticKey::new("http.response.status_code");
const PORT: StaticKey = StaticKey::new("server.port");
const HIT: StaticKey = StaticKey::new("cache.hit");
const WAIT: StaticKey = StaticKey::new("queue.wait");

/// Makes the same span through native calls.
pub(super) fn eight_native(tracer: &ZerospanTracer) -> u64 {
    let mut span = tracer.span("GET /users/{id}").start();
    span.set(&METHOD, "GET");
    span.set(&SCHEME, "https");
    span.set(&ROUTE, "/users/{id}");
    span.set(&ADDRESS, "shop.example");
    span.set(&STATUS, black_box(200_i64));
    span.set(&PORT, black_box(8443_i64));
    span.set(&HIT, black_box(true));
    span.set(&WAIT, black_box(0.25_f64));
    let recorded = span.is_recording();
    span.end();
    u64::from(recorded)
}

const EIGHT: StaticKeySet<8> = StaticKeySet::new([
    "http.request.method",
    "url.scheme",
    "http.route",
    "server.address",
    "http.response.status_code",
    "server.port",
    "cache.hit",
    "queue.wait",
]);

/// Makes the same span through native calls, its attributes in one.
fn eight_native_each(tracer: &ZerospanTracer) -> u64 {
    let mut span = tracer.span("GET /users/{id}").start();
    span.set_each(
        &EIGHT,
        (
            "GET",
            "https",
            "/users/{id}",
            "shop.example",
            black_box(200_i64),
            black_box(8443_i64),
            black_box(true),
            black_box(0.25_f64),
        ),
    );
    let recorded = span.is_recording();
    span.end();
    u64::from(recorded)
}

fn tree<T: Tracer>(tracer: &T) -> u64
where
    T::Span: Send + Sync + 'static,
{
    let mut recorded = 0;
    let mut four = |context: &Context| {
        let span = context.span();
        span.set_attribute(KeyValue::new("http.request.method", "GET"));
        span.set_attribute(KeyValue::new("http.route", "/users/{id}"));
        span.set_attribute(KeyValue::new(
            "http.response.status_code",
            black_box(200_i64),
        ));
        span.set_attribute(KeyValue::new("cache.hit", black_box(true)));
        recorded += u64::from(span.is_recording());
    };
    tracer.in_span("root", |context| {
        four(&context);
        for _ in 0..CHILDREN {
            tracer.in_span("child", |context| four(&context));
        }
    });
    recorded
}

fn tree_native(tracer: &ZerospanTracer) -> u64 {
    let mut recorded = 0;
    let mut four = |span: &mut zerospan_trace::Span| {
        span.set(&METHOD, "GET");
        span.set(&ROUTE, "/users/{id}");
        span.set(&STATUS, black_box(200_i64));
        span.set(&HIT, black_box(true));
        recorded += u64::from(span.is_recording());
    };
    let mut root = tracer.span("root").start();
    let entered = root.enter();
    four(&mut root);
    for _ in 0..CHILDREN {
        let mut child = tracer.span("child").start();
        let entered = child.enter();
        four(&mut child);
        drop(entered);
    }
    drop(entered);
    recorded
}
