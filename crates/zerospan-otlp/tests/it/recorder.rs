//! The recorder against a naive model of it, and against the official messages.

use crate::model::{finish, model, record, start};
use crate::spans;
use opentelemetry::KeyValue;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
use opentelemetry_sdk::trace::SpanData;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use zerospan_core::{Attribute, Reset};
use zerospan_otlp::{SpanLimits, SpanRecorder, SpanStart, unix_nanos};

fn limits() -> impl Strategy<Value = SpanLimits> {
    let few = || prop_oneof![Just(128_u32), Just(u32::MAX), 0_u32..5];
    let length = prop_oneof![3 => Just(None), 1 => (0_u32..40).prop_map(Some)];
    (vec(few(), 5), length).prop_map(|(few, length)| {
        let mut limits = SpanLimits::default();
        limits.max_attributes_per_span = few[0];
        limits.max_events_per_span = few[1];
        limits.max_links_per_span = few[2];
        limits.max_attributes_per_event = few[3];
        limits.max_attributes_per_link = few[4];
        limits.max_attribute_value_length = length;
        limits
    })
}

/// Attributes with few different keys, so that many are set again.
fn repeating() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((0_usize..60, spans::value()), 0..150).prop_map(|attributes| {
        let pairs = attributes.into_iter();
        pairs
            .map(|(key, value)| KeyValue::new("k".repeat(key), value))
            .collect()
    })
}

/// The time at which the start and the name of the span are set.
#[derive(Clone, Debug)]
enum Named {
    First,
    Last,
    Twice(Box<SpanData>),
    Renamed(String),
}

fn named() -> impl Strategy<Value = Named> {
    prop_oneof![
        2 => Just(Named::First),
        1 => Just(Named::Last),
        1 => spans::span().prop_map(|span| Named::Twice(Box::new(span))),
        2 => ".{0,200}".prop_map(Named::Renamed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn a_recorded_span_equals_the_model_byte_for_byte(
        uses in vec((spans::span(), repeating(), any::<bool>(), named()), 1..4),
        limits in limits(),
    ) {
        let mut recorder = SpanRecorder::with_limits(limits);
        for (mut span, repeating, repeats, named) in uses {
            if repeats {
                span.attributes = repeating;
            }
            recorder.reset();
            match named {
                Named::First => {
                    recorder.begin(&start(&span));
                    record(&span, &mut recorder);
                }
                Named::Last => {
                    record(&span, &mut recorder);
                    recorder.begin(&start(&span));
                }
                Named::Twice(other) => {
                    recorder.begin(&start(&other));
                    record(&span, &mut recorder);
                    recorder.begin(&start(&span));
                }
                Named::Renamed(name) => {
                    let mut start = start(&span);
                    start.name = &name;
                    recorder.begin(&start);
                    prop_assert_eq!(recorder.name(), name);
                    record(&span, &mut recorder);
                    recorder.rename(&span.name);
                }
            }
            prop_assert_eq!(recorder.name(), &*span.name);
            let mut ours = b"before".to_vec();
            finish(&span, &recorder, &mut ours);
            let ours = &ours[6..];
            let end = unix_nanos(span.end_time);
            prop_assert_eq!(recorder.encoded_len(end, &span.status), ours.len());
            for attribute in &span.attributes {
                let held = model(&span, &limits).attributes.iter().any(|held| held.key == attribute.key);
                prop_assert_eq!(recorder.attribute(attribute.key.as_str()).is_some(), held);
            }

            let expected = ScopeSpans {
                spans: vec![Span::from(model(&span, &limits))],
                ..ScopeSpans::default()
            };
            prop_assert_eq!(&ScopeSpans::decode(ours)?, &expected);
            prop_assert_eq!(expected.encode_to_vec(), ours);
        }
    }
}

#[test]
fn a_span_takes_ids_state_and_parent_of_another_and_keeps_the_rest() {
    let state = TraceState::from_key_value([("key", "value")]).unwrap();
    for (ours, others) in [(TraceState::NONE, state.clone()), (state, TraceState::NONE)] {
        let context = |id: u64, flags, state: &TraceState| {
            let (trace, span) = (TraceId::from(u128::from(id)), SpanId::from(id));
            SpanContext::new(trace, span, flags, false, state.clone())
        };
        let begin = |name: &str, context: &SpanContext| {
            let mut span = SpanRecorder::new();
            span.begin(&SpanStart::new(context, name, 1));
            span.set_attribute(Attribute::new("name", name));
            span
        };
        let mine = context(1, TraceFlags::default(), &ours);
        let theirs = context(2, TraceFlags::SAMPLED, &others);
        let (mut span, other) = (begin("mine", &mine), begin("other's", &theirs));
        span.take_identity_of(&other);
        // Both what is found again and what moves is where it should be.
        span.set_attribute(Attribute::new("name", "set again"));
        span.set_kind(&SpanKind::Client);
        span.rename("renamed");
        let mut bytes = Vec::new();
        span.finish(2, &Status::Unset, &mut bytes);
        let spans = ScopeSpans::decode(&*bytes).unwrap().spans;
        assert_eq!(spans[0].name, "renamed");
        assert_eq!(spans[0].kind, 3);
        assert_eq!(spans[0].trace_id, theirs.trace_id().to_bytes());
        assert_eq!(spans[0].span_id, theirs.span_id().to_bytes());
        assert_eq!(spans[0].trace_state, others.header());
        assert_eq!(spans[0].flags & 1, 1);
        assert_eq!(spans[0].attributes.len(), 1);

        let mut empty = SpanRecorder::new();
        empty.take_identity_of(&other);
        assert_eq!(empty.name(), "");
    }
}
