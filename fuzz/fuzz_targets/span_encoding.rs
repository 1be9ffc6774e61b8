//! Checks that any span is encoded as prost encodes the official transform's message.
//!
//! In one go, and recorded piece by piece into a recorder that has held another span before.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use prost::Message;
use std::time::{Duration, SystemTime};
use zerospan_core::Reset;
use zerospan_otlp::{SpanLimits, ScopeSpansView, SpanRecorder, encode_span_data};

#[path = "../../crates/zerospan-otlp/tests/it/model.rs"]
mod model;

/// A span from arbitrary bytes.
#[derive(Debug)]
struct AnySpan(SpanData);

impl<'a> Arbitrary<'a> for AnySpan {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
        for _ in 0..u.int_in_range(0..=4)? {
            events.events.push(Event::new(text(u)?, time(u)?, attributes(u)?, 0));
        }
        for _ in 0..u.int_in_range(0..=4)? {
            links.links.push(Link::new(context(u)?, attributes(u)?, 0));
        }
        Ok(Self(SpanData {
            span_context: context(u)?,
            parent_span_id: SpanId::from(u.arbitrary::<u64>()?),
            parent_span_is_remote: u.arbitrary()?,
            span_kind: u
                .choose(&[SpanKind::Internal, SpanKind::Server, SpanKind::Client])?
                .clone(),
            name: text(u)?.into(),
            start_time: time(u)?,
            end_time: time(u)?,
            attributes: attributes(u)?,
            dropped_attributes_count: 0,
            events,
            links,
            status: match u.int_in_range(0..=2)? {
                0 => Status::Unset,
                1 => Status::Ok,
                _ => Status::error(text(u)?),
            },
            instrumentation_scope: InstrumentationScope::builder("scope").build(),
        }))
    }
}

/// Takes a text from the input, or one of a length around which a varint grows.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let around = *u.choose(&[0, 0, 0, 0, 32, 64, 121, 127, 16_384])?;
    if around == 0 {
        return u.arbitrary();
    }
    let length = (around + u.int_in_range(0..=8)?) as usize - 4;
    Ok("t".repeat(length))
}

fn time(u: &mut Unstructured<'_>) -> Result<SystemTime> {
    // Up to the year 2554: beyond it, ours differs from the official one, on purpose.
    Ok(SystemTime::UNIX_EPOCH + Duration::from_nanos(u.arbitrary()?))
}

fn context(u: &mut Unstructured<'_>) -> Result<SpanContext> {
    let state: Vec<(String, String)> = u.arbitrary()?;
    Ok(SpanContext::new(
        TraceId::from(u.arbitrary::<u128>()?),
        SpanId::from(u.arbitrary::<u64>()?),
        TraceFlags::new(u.arbitrary()?),
        u.arbitrary()?,
        TraceState::from_key_value(state).unwrap_or_default(),
    ))
}

fn attributes(u: &mut Unstructured<'_>) -> Result<Vec<KeyValue>> {
    let mut attributes = Vec::new();
    for _ in 0..u.int_in_range(0..=40)? {
        if u.is_empty() {
            break;
        }
        // Few keys, so that some come again.
        let key = match u.arbitrary::<bool>()? {
            true => "k".repeat(u.int_in_range(0..=70)?),
            false => text(u)?,
        };
        attributes.push(KeyValue::new(key, value(u)?));
    }
    Ok(attributes)
}

fn value(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=7)? {
        0 => Value::Bool(u.arbitrary()?),
        1 => Value::I64(u.arbitrary()?),
        2 => Value::F64(u.arbitrary()?),
        3 => Value::Array(Array::Bool(u.arbitrary()?)),
        4 => Value::Array(Array::I64(u.arbitrary()?)),
        5 => Value::Array(Array::F64(u.arbitrary()?)),
        6 => {
            let texts: Vec<String> = u.arbitrary()?;
            Value::Array(Array::String(texts.into_iter().map(Into::into).collect()))
        }
        _ => Value::String(text(u)?.into()),
    })
}

fuzz_target!(|input: (Vec<AnySpan>, [u8; 6])| {
    let (spans, limits) = input;
    let mut recorder = SpanRecorder::with_limits(limits_of(limits));
    for AnySpan(span) in spans.into_iter().take(3) {
        let theirs = field(Span::from(span.clone()));
        let mut ours = Vec::new();
        encode_span_data(&span, &mut ours);
        assert_eq!(ours, theirs);

        recorder.reset();
        recorder.begin(&model::start(&span));
        model::record(&span, &mut recorder);
        ours.clear();
        model::finish(&span, &recorder, &mut ours);
        let expected = model::model(&span, recorder.limits());
        assert_eq!(ours, field(Span::from(expected)));
        assert!(ScopeSpansView::new(&ours).is_ok_and(|view| view.validate().is_ok()));
    }
});

fn field(span: Span) -> Vec<u8> {
    let spans = vec![span];
    ScopeSpans {
        spans,
        ..ScopeSpans::default()
    }
    .encode_to_vec()
}

/// None, or few of each.
fn limits_of([attributes, events, links, of_event, of_link, length]: [u8; 6]) -> SpanLimits {
    let few = |most: u8| if most < 128 { u32::MAX } else { u32::from(most) % 8 };
    let mut limits = SpanLimits::default();
    limits.max_attributes_per_span = few(attributes);
    limits.max_events_per_span = few(events);
    limits.max_links_per_span = few(links);
    limits.max_attributes_per_event = few(of_event);
    limits.max_attributes_per_link = few(of_link);
    limits.max_attribute_value_length = length.checked_sub(128).map(u32::from);
    limits
}
