//! Runs random programs on this provider and on the official one. The exports are equal, after a naive model has corrected
//! the official one where it departs from the specification.

use crate::program::{ByName, Counting, Statuses, Step, run, steps, steps_with_shutdown};
use crate::support::Rig;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData, SpanLimits};
use proptest::prelude::*;
use std::cell::RefCell;

fn limits(max: u32) -> SpanLimits {
    SpanLimits {
        max_attributes_per_span: max,
        max_events_per_span: max,
        max_links_per_span: max,
        max_attributes_per_event: max,
        max_attributes_per_link: max,
    }
}

/// Runs `program` on the official provider, without limits, and returns what it should have exported.
fn expected(program: &[Step], max: u32) -> Vec<Span> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .with_id_generator(Counting::default())
        .with_sampler(ByName)
        .with_span_limits(limits(u32::MAX))
        .build();
    // The exporter forgets what it holds when it is shut down.
    let finished = RefCell::new(Vec::new());
    let collect = || {
        let spans = exporter
            .get_finished_spans()
            .expect("the exporter keeps them");
        finished.borrow_mut().extend(spans);
    };
    let statuses = run(program, &provider.tracer("test"), || {
        collect();
        let _ = provider.shutdown();
    });
    collect();
    let mut spans: Vec<Span> = finished
        .into_inner()
        .into_iter()
        .map(|span| Span::from(by_the_specification(span, max as usize, &statuses)))
        .collect();
    spans.iter_mut().for_each(forget_the_clock);
    spans.sort_by_key(|span| span.span_id.clone());
    spans
}

fn by_the_specification(mut span: SpanData, max: usize, statuses: &Statuses) -> SpanData {
    span.dropped_attributes_count = limit(&mut span.attributes, max);
    for event in &mut span.events.events {
        event.dropped_attributes_count = limit(&mut event.attributes, max);
    }
    for link in &mut span.links.links {
        link.dropped_attributes_count = limit(&mut link.attributes, max);
    }
    let dropped = span.events.events.len().saturating_sub(max);
    span.events.dropped_count = dropped as u32;
    span.events.events.truncate(max);
    let dropped = span.links.links.len().saturating_sub(max);
    span.links.dropped_count = dropped as u32;
    span.links.links.truncate(max);
    span.status = statuses
        .get(&span.span_context.span_id())
        .cloned()
        .unwrap_or_default();
    span
}

/// Keeps the last value of each key, in the place of the first, and `max` of them; says how many did not fit.
fn limit(attributes: &mut Vec<KeyValue>, max: usize) -> u32 {
    let mut kept: Vec<KeyValue> = Vec::new();
    let mut dropped = 0;
    for attribute in attributes.drain(..) {
        match kept.iter().position(|held| held.key == attribute.key) {
            Some(at) => kept[at] = attribute,
            None if kept.len() < max => kept.push(attribute),
            None => dropped += 1,
        }
    }
    *attributes = kept;
    dropped
}

/// Clears the times that come from the clock.
fn forget_the_clock(span: &mut Span) {
    const THIS_CENTURY: u64 = 1_000_000_000_000_000_000;
    for time in [&mut span.start_time_unix_nano, &mut span.end_time_unix_nano] {
        if *time > THIS_CENTURY {
            *time = 0;
        }
    }
    for event in &mut span.events {
        if event.time_unix_nano > THIS_CENTURY {
            event.time_unix_nano = 0;
        }
    }
}

fn exported(rig: &Rig) -> Vec<Span> {
    let mut spans = rig.spans();
    spans.iter_mut().for_each(forget_the_clock);
    spans.sort_by_key(|span| span.span_id.clone());
    spans
}

fn rig(max: u32) -> Rig {
    Rig::with(|builder| {
        builder
            .with_id_generator(Counting::default())
            .with_sampler(ByName)
            .with_span_limits(limits(max))
    })
}

fn run_on(rig: &Rig, program: &[Step]) {
    run(program, &rig.tracer, || {
        let _ = rig.provider.shutdown();
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_program_exports_what_the_official_provider_should_have(
        program in steps(),
        max in prop_oneof![Just(128_u32), 0_u32..6],
    ) {
        let rig = rig(max);
        run_on(&rig, &program);
        prop_assert_eq!(exported(&rig), expected(&program, max));
        let stats = rig.provider.stats();
        prop_assert!(stats.is_balanced(), "{:?}", stats);
        prop_assert_eq!((stats.open, stats.record_only_open), (0, 0), "{:?}", stats);
    }

    #[test]
    fn a_shutdown_in_the_middle_exports_what_ended_before_and_counts_the_rest(
        program in steps_with_shutdown(),
    ) {
        let rig = rig(128);
        run_on(&rig, &program);
        prop_assert_eq!(exported(&rig), expected(&program, 128));
        let stats = rig.provider.stats();
        prop_assert!(stats.is_balanced(), "{:?}", stats);
        let export = &stats.exports[0];
        prop_assert_eq!(export.delivered + export.dropped.total(), stats.sampled);
    }
}

/// Slots are used again from program to program: what is exported is equal to what a provider exports that never ran another.
#[test]
fn no_byte_of_an_earlier_span_appears_in_a_later_one() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    // One slot, so that each span gets what the one before it left.
    let reused = Rig::with(|builder| {
        builder
            .with_sampler(ByName)
            .with_span_limits(limits(128))
            .with_max_idle_bytes(256 << 20)
    });
    let strip = |mut spans: Vec<Span>| {
        for span in &mut spans {
            span.trace_id.clear();
            span.span_id.clear();
            span.parent_span_id.clear();
        }
        spans.sort_by_key(|span| format!("{span:?}"));
        spans
    };
    for _ in 0..150 {
        let program = steps().new_tree(&mut runner).expect("a program").current();
        run_on(&reused, &program);
        assert_eq!(strip(exported(&reused)), strip(expected(&program, 128)));
    }
    let fresh = reused.provider.stats();
    assert!(fresh.is_balanced(), "{fresh:?}");
}
