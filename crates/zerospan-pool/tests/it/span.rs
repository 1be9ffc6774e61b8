//! Pooled spans of the official SDK.

use crate::backends::{on_another_thread, panics};
use opentelemetry::trace::{Event, Link, SpanKind};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;
use zerospan_core::Recycle;
use zerospan_core::dev::{Canary, conformance};
use zerospan_pool::{GLOBAL_SPAN_POOL, SpanPool, SpanRecycle};

/// Writes marked content into every field.
fn fill(span: &mut SpanData, canary: &mut Canary) {
    span.span_context = canary.span_context();
    span.parent_span_id = canary.span_id();
    span.parent_span_is_remote = true;
    span.span_kind = SpanKind::Consumer;
    span.name = canary.text(40).into();
    span.start_time = canary.time();
    span.end_time = canary.time();
    span.attributes.extend(canary.attributes(12));
    span.dropped_attributes_count = 7;
    for _ in 0..3 {
        let mut event = Event::new(canary.text(16), canary.time(), canary.attributes(4), 5);
        event.dropped_attributes_count = 6;
        span.events.events.push(event);
        let context = canary.span_context();
        span.links
            .links
            .push(Link::new(context, canary.attributes(3), 4));
    }
    span.events.dropped_count = 8;
    span.links.dropped_count = 9;
    span.status = canary.status();
    span.instrumentation_scope = InstrumentationScope::builder(canary.text(12))
        .with_version(canary.text(8))
        .with_schema_url(canary.text(30))
        .with_attributes(canary.attributes(2))
        .build();
}

/// Appends everything readable: the `Debug` text of each field, and what that omits.
fn read(span: &SpanData, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{span:?}").as_bytes());
    out.extend_from_slice(&span.span_context.trace_id().to_bytes());
    out.extend_from_slice(&span.span_context.span_id().to_bytes());
    out.extend_from_slice(&span.parent_span_id.to_bytes());
    for time in [span.start_time, span.end_time] {
        let since = time.duration_since(std::time::UNIX_EPOCH);
        out.extend_from_slice(&since.map_or(0, |since| since.as_nanos()).to_be_bytes());
    }
    let scope = &span.instrumentation_scope;
    out.extend_from_slice(scope.name().as_bytes());
    out.extend_from_slice(scope.version().unwrap_or_default().as_bytes());
    out.extend_from_slice(scope.schema_url().unwrap_or_default().as_bytes());
    for attribute in scope.attributes() {
        out.extend_from_slice(format!("{attribute:?}").as_bytes());
    }
}

// The kit passes the pooled type, which is the box.
#[allow(clippy::borrowed_box)]
fn read_boxed(span: &Box<SpanData>, out: &mut Vec<u8>) {
    read(span, out);
}

#[test]
fn reset_leaves_no_trace_of_the_last_span_and_keeps_its_capacity() {
    conformance::ResetCheck::new(
        |span: &mut Box<SpanData>, canary: &mut Canary| fill(span, canary),
        read_boxed,
    )
    .check_recycle(&SpanRecycle::default());
}

#[test]
fn a_reset_span_equals_a_created_one_in_every_field() {
    let recycle = SpanRecycle::default();
    let mut span = recycle.create();
    fill(&mut span, &mut Canary::new(3));
    recycle.reset(&mut span);
    assert_eq!(*span, *recycle.create());
}

#[test]
fn no_way_of_returning_a_span_leaves_content_readable() {
    let pool = SpanPool::new(20);
    let (mut canary, marks) = (Canary::new(9), Canary::new(9));
    let mut marked = || {
        let mut span = pool.acquire();
        fill(span.get_mut(), &mut canary);
        span
    };
    let assert_clean = |way: &str| {
        let spans: Vec<_> = (0..pool.len() + 2).map(|_| pool.acquire()).collect();
        for span in &spans {
            let mut bytes = Vec::new();
            read(span, &mut bytes);
            assert!(!marks.is_in(&bytes), "{way}");
            assert_eq!(**span, *SpanRecycle::default().create(), "{way}");
        }
    };
    drop(marked());
    assert_clean("drop");
    marked().release();
    assert_clean("release");
    let span = marked();
    assert!(panics(move || {
        let _span = span;
        panic!("in user code");
    }));
    assert_clean("panic");
    assert_eq!(marked().detach().attributes.len(), 12);
    assert_clean("detach");
    drop((0..50).map(|_| marked()).collect::<Vec<_>>());
    assert!(pool.stats().discards.full > 0);
    assert_clean("overflow");
    let span = marked();
    on_another_thread(move || drop(span));
    assert_clean("thread exit");
}

#[test]
fn a_span_pool_is_built_full() {
    let pool = SpanPool::new(40);
    assert_eq!((pool.len(), pool.capacity()), (40, 40));
    let spans: Vec<_> = (0..40).map(|_| pool.acquire()).collect();
    assert!(pool.is_empty());
    assert_eq!((pool.stats().hits, pool.stats().misses), (40, 0));
    let extra = pool.acquire();
    assert_eq!(pool.stats().misses, 1, "an empty pool creates a span");
    for span in spans.iter().chain([&extra]) {
        assert!(span.attributes.capacity() >= 16);
        assert!(span.events.events.capacity() >= 8);
        assert!(span.links.links.capacity() >= 4);
    }
    drop((spans, extra));
    assert_eq!(pool.len(), 40, "a full pool drops the return");
    assert_eq!(pool.stats().discards.full, 1);
}

#[test]
fn a_span_above_the_retention_limit_is_freed() {
    let pool = SpanPool::new(4).with_retention_limit(16 * 1024);
    let mut span = pool.acquire();
    span.attributes.reserve(1_000);
    drop(span);
    assert_eq!((pool.len(), pool.stats().discards.too_large), (3, 1));
}

#[test]
fn a_span_has_the_capacities_that_its_recycler_sets_and_is_measured_by_them() {
    let recycle = SpanRecycle::default()
        .with_attribute_capacity(3)
        .with_event_capacity(5)
        .with_link_capacity(7);
    let span = recycle.create();
    assert_eq!(span.attributes.capacity(), 3);
    assert_eq!(span.events.events.capacity(), 5);
    assert_eq!(span.links.links.capacity(), 7);
    let lists = 3 * size_of::<KeyValue>() + 5 * size_of::<Event>() + 7 * size_of::<Link>();
    assert_eq!(recycle.heap_bytes(&span), size_of::<SpanData>() + lists);
}

#[test]
fn pools_of_capacity_0_and_max_work() {
    let none = SpanPool::new(0);
    none.acquire().name = "x".into();
    assert_eq!(none.acquire().name, "");
    assert_eq!((none.len(), none.capacity()), (0, 0));

    let unlimited = SpanPool::new(usize::MAX);
    assert_eq!(unlimited.capacity(), usize::MAX);
    assert_eq!(
        unlimited.len(),
        16_384,
        "the pool preallocates at most 16,384 spans"
    );
}

#[test]
fn the_global_pool_has_1024_spans_for_all_threads() {
    assert_eq!(GLOBAL_SPAN_POOL.capacity(), 1024);
    assert_eq!(GLOBAL_SPAN_POOL.len(), 1024);
    let mut span = GLOBAL_SPAN_POOL.acquire();
    span.name = "here".into();
    let span = on_another_thread(move || {
        assert_eq!(span.name, "here");
        assert_eq!(GLOBAL_SPAN_POOL.acquire().name, "");
        span
    });
    drop(span);
    assert_eq!(GLOBAL_SPAN_POOL.len(), 1024);
}
