//! Writing into a buffer with room, recording into a used recorder, and reading do not allocate. If there is no room, the growth
//! is counted.

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::time::{Duration, SystemTime};
use zerospan_core::dev::{Allocations, Canary, CountingAllocator};
use zerospan_core::{Attribute, Reset};
use zerospan_otlp::{
    BatchEncoder, EncodedResource, EncodedScope, LogRecordRecorder, RequestView, SPARE_CAPACITY,
    ScopeLogsView, ScopeSpansView, SpanLimits, SpanRecorder, SpanStart, StaticKey, encode_request,
    encode_span_data,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

const NONE: Allocations = Allocations { count: 0, bytes: 0 };

/// A span with every kind of value, events, links and a trace state.
fn span(seed: u16) -> SpanData {
    let mut canary = Canary::new(seed);
    let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000);
    for _ in 0..3 {
        let attributes = canary.attributes(7);
        events
            .events
            .push(Event::new(canary.text(20), time, attributes, 2));
        let attributes = canary.attributes(3);
        links
            .links
            .push(Link::new(canary.span_context(), attributes, 1));
    }
    SpanData {
        span_context: canary.span_context(),
        parent_span_id: canary.span_id(),
        parent_span_is_remote: true,
        span_kind: SpanKind::Server,
        name: canary.text(30).into(),
        start_time: time,
        end_time: canary.time(),
        attributes: canary.attributes(40),
        dropped_attributes_count: 3,
        events,
        links,
        status: canary.status(),
        instrumentation_scope: InstrumentationScope::builder("scope")
            .with_attributes([KeyValue::new("of", "scope")])
            .build(),
    }
}

fn record(span: &SpanData, recorder: &mut SpanRecorder) {
    recorder.begin(&SpanStart::new(&span.span_context, &span.name, 1));
    recorder.extend(&span.attributes);
    for event in &span.events.events {
        recorder.add_event(&event.name, 1, &event.attributes);
    }
    for link in &span.links.links {
        recorder.add_link(&link.span_context, &link.attributes);
    }
}

#[test]
fn a_span_is_written_into_a_buffer_with_room_without_allocation() {
    Allocations::assert_counted();
    let span = span(1);
    let mut exact = Vec::new();
    encode_span_data(&span, &mut exact);
    let mut out = Vec::with_capacity(exact.len() + SPARE_CAPACITY);
    let ((), allocations) = Allocations::measure(|| encode_span_data(&span, &mut out));
    assert_eq!(allocations, NONE);
    assert_eq!(out, exact);
}

#[test]
fn a_buffer_without_room_grows_and_the_growth_is_counted() {
    Allocations::assert_counted();
    let span = span(2);
    let mut out = Vec::new();
    let ((), allocations) = Allocations::measure(|| encode_span_data(&span, &mut out));
    assert!(allocations.count > 0);

    // The length of a recorded span is computed first: one allocation is enough.
    let mut recorder = SpanRecorder::new();
    record(&span, &mut recorder);
    let mut out = Vec::new();
    let ((), allocations) = Allocations::measure(|| recorder.finish(2, &span.status, &mut out));
    assert_eq!(allocations.count, 1);
    assert_eq!(out.len(), recorder.encoded_len(2, &span.status));
    let mut room = Vec::with_capacity(out.len() + SPARE_CAPACITY);
    let ((), allocations) = Allocations::measure(|| recorder.finish(2, &span.status, &mut room));
    assert_eq!(allocations, NONE);
}

#[test]
fn a_used_recorder_holds_the_next_span_without_allocation() {
    Allocations::assert_counted();
    const METHOD: StaticKey = StaticKey::new("http.request.method");
    let (first, second) = (span(3), span(4));
    let mut recorder = SpanRecorder::new();
    record(&first, &mut recorder);
    recorder.set(&METHOD, "GET");
    recorder.set(&METHOD, "DELETE");
    let mut out = Vec::with_capacity(recorder.encoded_len(2, &first.status) + SPARE_CAPACITY);
    let (held, allocations) = Allocations::measure(|| {
        recorder.reset();
        record(&second, &mut recorder);
        recorder.set(&METHOD, "GET");
        recorder.set(&METHOD, "DELETE");
        recorder.set_attribute(Attribute::new("http.request.method", "PUT"));
        recorder.finish(2, &second.status, &mut out);
        let method = recorder.attribute("http.request.method");
        let put = method.is_some_and(|value| value.as_str() == Some("PUT"));
        (put, recorder.attributes().count())
    });
    assert_eq!(allocations, NONE);
    assert_eq!(held, (true, 41));
}

#[test]
fn data_beyond_the_limits_is_counted_without_allocation() {
    Allocations::assert_counted();
    let span = span(5);
    let mut limits = SpanLimits::default();
    limits.max_attributes_per_span = 10;
    limits.max_events_per_span = 1;
    limits.max_links_per_span = 1;
    limits.max_attribute_value_length = Some(5);
    let mut recorder = SpanRecorder::with_capacity(limits, 4096, 4096);
    let ((), allocations) = Allocations::measure(|| record(&span, &mut recorder));
    assert_eq!(allocations, NONE);
    assert_eq!(recorder.attribute_count(), 10);
    assert_eq!(recorder.dropped_attributes(), 30);
    assert_eq!(recorder.dropped_events(), 2);
    assert_eq!(recorder.dropped_links(), 2);
}

#[test]
fn requests_and_batches_are_encoded_without_allocation() {
    Allocations::assert_counted();
    let mut batch: Vec<SpanData> = (6..12).map(span).collect();
    batch[3].instrumentation_scope = InstrumentationScope::builder("other").build();
    let resource = EncodedResource::new(&[("service.name", "shop")], Some("schema"));
    let scope = EncodedScope::new(&batch[0].instrumentation_scope);

    let mut spans = Vec::new();
    batch
        .iter()
        .for_each(|span| encode_span_data(span, &mut spans));
    let mut out = Vec::with_capacity(2 * spans.len());
    let ((), allocations) = Allocations::measure(|| {
        let groups = [(&scope, [spans.as_slice(), spans.as_slice()])];
        encode_request(&resource, groups, &mut out);
    });
    assert_eq!(
        allocations.count, 1,
        "there is no room, and the length is known"
    );
    out.clear();
    let ((), allocations) = Allocations::measure(|| {
        let groups = [(&scope, [spans.as_slice(), spans.as_slice()])];
        encode_request(&resource, groups, &mut out);
    });
    assert_eq!(allocations, NONE);

    let mut encoder = BatchEncoder::new();
    out.clear();
    encoder.encode(&resource, &batch, &mut out);
    out.clear();
    let ((), allocations) = Allocations::measure(|| encoder.encode(&resource, &batch, &mut out));
    assert_eq!(allocations, NONE);
}

#[test]
fn reading_allocates_nothing() {
    Allocations::assert_counted();
    let batch: Vec<SpanData> = (12..16).map(span).collect();
    let resource = EncodedResource::new(&[("service.name", "shop")], None);
    let mut out = Vec::new();
    BatchEncoder::new().encode(&resource, &batch, &mut out);
    let (attributes, allocations) = Allocations::measure(|| {
        let view = RequestView::new(&out);
        view.validate()?;
        let mut attributes = 0;
        for resource in view.resource_spans() {
            for scope in resource?.scope_spans() {
                for span in scope?.spans() {
                    attributes += span?.attributes().count();
                }
            }
        }
        Ok::<_, zerospan_otlp::DecodeError>(attributes)
    });
    assert_eq!(attributes, Ok(160));
    let (refused, allocations_of_refusal) = Allocations::measure(|| {
        let cut = out.split_at(out.len() / 2).0;
        ScopeSpansView::new(cut).and_then(|view| view.validate())
    });
    assert!(refused.is_err());
    assert_eq!((allocations, allocations_of_refusal), (NONE, NONE));
}

#[test]
fn a_status_and_an_invalid_context_need_no_heap() {
    Allocations::assert_counted();
    let context = SpanContext::new(
        TraceId::INVALID,
        SpanId::INVALID,
        TraceFlags::default(),
        false,
        TraceState::default(),
    );
    let status = Status::error("went wrong");
    let mut recorder = SpanRecorder::with_capacity(SpanLimits::default(), 256, 0);
    let mut out = Vec::with_capacity(1024);
    let ((), allocations) = Allocations::measure(|| {
        recorder.begin(&SpanStart::new(&context, "", 0));
        recorder.finish(0, &status, &mut out);
    });
    assert_eq!(allocations, NONE);
}

/// Records a log record with every kind of value, set, formatted and copied.
fn record_log(recorder: &mut LogRecordRecorder, nested: &AnyValue, span: &SpanRecorder, n: u64) {
    const USER: StaticKey = StaticKey::new("enduser.id");
    recorder.set_time(n);
    recorder.set_observed_time(n);
    recorder.set_severity_number(9);
    recorder.set_severity_text("INFO");
    recorder.set_event_name("checkout.order.placed");
    recorder.set_trace_context(TraceId::from(1), SpanId::from(2), TraceFlags::SAMPLED);
    recorder.set_body_any(nested);
    recorder.set_body_fmt(format_args!("order {n} of {:?}", "a user"));
    recorder.set(&USER, "u-42");
    recorder.set_fmt(&USER, format_args!("u-{n}"));
    recorder.set_fmt("long", format_args!("{n:>300}"));
    recorder.set_any("nested", nested);
    for attribute in span.attributes() {
        recorder.set_view(&attribute);
    }
}

#[test]
fn a_used_recorder_holds_the_next_log_record_without_allocation() {
    Allocations::assert_counted();
    let nested: AnyValue = [("key", AnyValue::from_iter([1, 2, 3]))]
        .into_iter()
        .collect();
    let mut span = SpanRecorder::new();
    span.extend(&Canary::new(17).attributes(30));
    let (mut recorder, mut out) = (LogRecordRecorder::new(), Vec::new());
    let ((), allocations) = Allocations::measure(|| {
        record_log(&mut recorder, &nested, &span, u64::MAX);
    });
    assert!(allocations.count > 0, "the control");
    let ((), allocations) = Allocations::measure(|| recorder.finish(&mut out));
    assert_eq!(allocations.count, 1, "the length is known");
    out.clear();
    let (read, allocations) = Allocations::measure(|| {
        recorder.reset();
        record_log(&mut recorder, &nested, &span, 7);
        recorder.finish(&mut out);
        let mut attributes = 0;
        for record in ScopeLogsView::new(&out)?.log_records() {
            let record = record?;
            record.validate()?;
            attributes += record.attributes().count();
        }
        let user = recorder.attribute("enduser.id");
        let is_formatted = user.is_some_and(|value| value.as_str() == Some("u-7"));
        Ok::<_, zerospan_otlp::DecodeError>((attributes, is_formatted))
    });
    assert_eq!(allocations, NONE);
    assert_eq!(read, Ok((33, true)));
}
