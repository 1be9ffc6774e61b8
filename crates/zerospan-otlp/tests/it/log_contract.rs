//! Contract of the log record recorder beyond the encoding: reset, limits, panics, depth.

use crate::contract::to_value;
use crate::log_model::encode;
use opentelemetry::logs::AnyValue;
use opentelemetry::trace::TraceFlags;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use zerospan_core::dev::{Canary, conformance};
use zerospan_core::{Attribute, AttributeValue, Footprint, Reset, StrArray};
use zerospan_otlp::{
    AttributeBuffer, EncodedResource, LogRecordLimits, LogRecordRecorder, LogsRequestView,
    SpanLimits, SpanRecorder, StaticKey, TextWriter, ValueView, encode_request,
};

const KEY: StaticKey = StaticKey::new("key");

/// Reads everything from a recorder.
fn read(recorder: &LogRecordRecorder, out: &mut Vec<u8>) {
    recorder.finish(out);
    let texts = format!(
        "{:?} {:?} {:?} {:?} {} {} {:?} {:?} {} {} {} {}",
        recorder.attributes().collect::<Vec<_>>(),
        recorder.body(),
        recorder.span(),
        recorder.trace_flags(),
        recorder.time_unix_nanos(),
        recorder.observed_time_unix_nanos(),
        recorder.severity_text(),
        recorder.event_name(),
        recorder.severity_number(),
        recorder.attribute_count(),
        recorder.dropped_attributes(),
        recorder.encoded_len(),
    );
    out.extend_from_slice(texts.as_bytes());
}

fn fill(recorder: &mut LogRecordRecorder, canary: &mut Canary) {
    recorder.set_time(canary.integer() as u64);
    recorder.set_observed_time(canary.integer() as u64);
    recorder.set_severity_number(24);
    recorder.set_severity_text(canary.text(20));
    recorder.set_event_name(canary.text(20));
    recorder.set_body_fmt(format_args!("{} {}", canary.text(20), canary.text(20)));
    recorder.set_trace_context(canary.trace_id(), canary.span_id(), TraceFlags::SAMPLED);
    recorder.extend(&canary.attributes(100));
    recorder.set_fmt(
        &KEY,
        format_args!("{} {}", canary.text(20), canary.text(200)),
    );
    recorder.count_dropped_attributes(1);
}

#[test]
fn reset_leaves_no_trace_of_the_last_log_record() {
    conformance::ResetCheck::new(fill, read).check::<LogRecordRecorder>();
    let mut recorder = LogRecordRecorder::new();
    fill(&mut recorder, &mut Canary::new(9));
    assert!(recorder.attribute("key").is_some());
    recorder.reset();
    assert!(recorder.attribute("key").is_none());
    assert!(encode(&recorder).ends_with(&[0]), "an empty field");
    assert!(recorder.heap_bytes() > 0);
}

#[test]
fn the_recorder_of_log_records_is_a_sink() {
    conformance::check_sink(LogRecordRecorder::new, |recorder, visit| {
        for attribute in recorder.attributes() {
            if let Some(value) = &attribute.value {
                to_value(value, &mut |value| {
                    visit(Attribute::new(attribute.key, value));
                });
            }
        }
    });
}

#[test]
fn the_last_value_of_a_key_is_found_although_all_are_kept() {
    let mut limits = LogRecordLimits::default();
    limits.keep_repeated_keys = true;
    let mut record = LogRecordRecorder::with_limits(limits);
    let mut limits = SpanLimits::default();
    limits.keep_repeated_keys = true;
    let mut span = SpanRecorder::with_limits(limits);
    for value in [1, 2] {
        record.set(&KEY, value);
        span.set(&KEY, value);
    }
    for value in [record.attribute("key"), span.attribute("key")] {
        assert_eq!(value.and_then(|value| value.as_i64()), Some(2));
    }
    assert_eq!((record.attribute_count(), span.attribute_count()), (2, 2));
}

#[test]
fn a_severity_out_of_range_is_unspecified() {
    let mut recorder = LogRecordRecorder::new();
    for (number, expected) in [(0, 0), (1, 1), (24, 24), (25, 0), (255, 0)] {
        recorder.set_severity_number(number);
        assert_eq!(recorder.severity_number(), expected);
    }
}

#[test]
fn a_body_of_a_mebibyte_arrives_whole_and_its_memory_is_counted() {
    let text = "ü".repeat(512 * 1024);
    let mut recorder = LogRecordRecorder::new();
    for is_formatted in [false, true] {
        if is_formatted {
            recorder.set_body_fmt(format_args!("{text}"));
        } else {
            recorder.set_body(&text);
        }
        let body = recorder.body();
        assert_eq!(body.as_ref().and_then(ValueView::as_str), Some(&*text));
        assert!(recorder.heap_bytes() >= text.len());
        recorder.clear_body();
        assert!(recorder.body().is_none());
    }
}

#[test]
fn arrays_of_the_borrowed_values_are_written_as_those_of_the_api() {
    let long_text = "long".repeat(100);
    let texts = ["a", "", &*long_text];
    let list = |values: Vec<AnyValue>| AnyValue::ListAny(Box::new(values));
    let long: Vec<i64> = (-100..100).collect();
    let arrays = [
        (
            AttributeValue::BoolArray(&[true, false]),
            list(vec![true.into(), false.into()]),
        ),
        (
            AttributeValue::I64Array(&long),
            list(long.iter().map(|number| AnyValue::Int(*number)).collect()),
        ),
        (
            AttributeValue::F64Array(&[0.5, -0.0]),
            list(vec![0.5.into(), (-0.0).into()]),
        ),
        (
            AttributeValue::StrArray(StrArray::from(&texts[..])),
            list(
                texts
                    .iter()
                    .map(|text| AnyValue::from((*text).to_owned()))
                    .collect(),
            ),
        ),
        (AttributeValue::I64Array(&[]), list(Vec::new())),
        (
            AttributeValue::Bytes(&[1, 2, 3]),
            AnyValue::from(&[1_u8, 2, 3][..]),
        ),
    ];
    let (mut ours, mut of_the_api) = (LogRecordRecorder::new(), LogRecordRecorder::new());
    for (ours_value, api_value) in arrays {
        ours.set_body(ours_value);
        ours.set(&KEY, ours_value);
        of_the_api.set_body_any(&api_value);
        of_the_api.set_any(&KEY, &api_value);
        assert_eq!(encode(&ours), encode(&of_the_api));
    }
    ours.set_body(AttributeValue::Unsupported);
    assert!(ours.body().is_none());
}

#[test]
fn attributes_of_a_span_are_copied_as_if_they_had_been_set() {
    let mut canary = Canary::new(4);
    let mut attributes = canary.attributes(20);
    attributes.push(attributes[3].clone());
    let mut limits = LogRecordLimits::default();
    for (max_attributes, max_length) in [(128, None), (7, None), (128, Some(4))] {
        limits.max_attributes = max_attributes;
        limits.max_attribute_value_length = max_length;
        let mut span = SpanRecorder::new();
        span.extend(&attributes);
        let mut direct = LogRecordRecorder::with_limits(limits);
        let mut copied = LogRecordRecorder::with_limits(limits);
        for attribute in span.attributes() {
            copied.set_view(&attribute);
            let value = attribute.value.as_ref().unwrap();
            // Within an array, the texts of a copy are not cut.
            if max_length.is_some() && matches!(value, ValueView::Array(_)) {
                direct.set_view(&attribute);
            } else {
                to_value(value, &mut |value| {
                    direct.set_attribute(Attribute::new(attribute.key, value));
                });
            }
        }
        assert_eq!(encode(&copied), encode(&direct));
        assert_eq!(copied.attribute_count(), max_attributes.min(20));
    }
}

#[test]
fn attributes_of_a_buffer_arrive_as_if_they_had_been_set_on_the_log_record() {
    let mut canary = Canary::new(12);
    let (constants, others) = (canary.attributes(5), canary.attributes(5));
    let limits = [
        (128, false),
        (128, true),
        (7, false),
        (6, false),
        (5, false),
        (3, false),
    ];
    for (max_attributes, keep_repeated_keys) in limits {
        let mut limits = LogRecordLimits::default();
        limits.max_attributes = max_attributes;
        limits.keep_repeated_keys = keep_repeated_keys;
        // The limits of the buffer are others than those of the record.
        for of_buffer in [LogRecordLimits::default(), limits] {
            let mut buffer = AttributeBuffer::new();
            buffer.log_writer(&of_buffer).extend(&constants);
            for before in [&[][..], &others, &others[..1], &constants[1..3]] {
                let mut direct = LogRecordRecorder::with_limits(limits);
                let mut appended = LogRecordRecorder::with_limits(limits);
                for recorder in [&mut direct, &mut appended] {
                    recorder.extend(before);
                }
                direct.extend(&constants);
                appended.append(&buffer);
                let is_cut = buffer.log_writer(&of_buffer).dropped() > 0;
                for recorder in [&mut direct, &mut appended] {
                    recorder.extend(&constants[2..4]);
                    recorder.set(&KEY, 1);
                }
                if !is_cut {
                    assert_eq!(encode(&appended), encode(&direct));
                }
            }
        }
    }
}

/// Writes a part, then does what its content says.
#[derive(Clone, Copy)]
enum Odd {
    Panics,
    Fails,
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part")?;
        match self {
            Self::Panics => panic!("while formatting"),
            Self::Fails => Err(fmt::Error),
        }
    }
}

#[test]
fn a_value_that_panics_is_dropped_and_counted_and_the_rest_stays() {
    let mut recorder = LogRecordRecorder::new();
    let mut expected = LogRecordRecorder::new();
    recorder.set(&KEY, "before");
    for key in ["key", "other"] {
        let set = AssertUnwindSafe(|| recorder.set_fmt(key, format_args!("{}", Odd::Panics)));
        assert!(catch_unwind(set).is_err());
    }
    let set = AssertUnwindSafe(|| recorder.set_body_fmt(format_args!("{}", Odd::Panics)));
    assert!(catch_unwind(set).is_err());
    recorder.set_fmt("after", format_args!("{} {}", 1, 2));
    expected.set(&KEY, "before");
    expected.set_fmt("after", format_args!("{} {}", 1, 2));
    expected.count_dropped_attributes(2);
    assert_eq!(encode(&recorder), encode(&expected));
}

#[test]
fn of_a_value_that_fails_the_beginning_is_kept() {
    let mut recorder = LogRecordRecorder::new();
    recorder.set_body_fmt(format_args!("{} and more", Odd::Fails));
    recorder.set_fmt(&KEY, format_args!("{} and more", Odd::Fails));
    let (body, value) = (recorder.body(), recorder.attribute("key"));
    assert_eq!(body.and_then(|body| body.as_str()), Some("a part"));
    assert_eq!(value.and_then(|value| value.as_str()), Some("a part"));
}

#[test]
fn a_body_that_is_written_in_pieces_is_the_whole_text() {
    let text = "a text of ünïcödé pieces ".repeat(30);
    let (mut written, mut whole) = (LogRecordRecorder::new(), LogRecordRecorder::new());
    for length in [0, 1, 26, 400, text.len()] {
        let text = &text[..text.floor_char_boundary(length)];
        let write = |into: &mut TextWriter<'_>| text.chars().try_for_each(|c| into.write_char(c));
        written.set_body_with(write);
        written.set_text_with(&KEY, write);
        whole.set_body(text);
        whole.set(&KEY, text);
        assert_eq!(encode(&written), encode(&whole));
    }
    let set = AssertUnwindSafe(|| written.set_body_with(|_| -> fmt::Result { panic!("at once") }));
    assert!(catch_unwind(set).is_err());
    assert!(written.body().is_none());
}

#[test]
fn a_value_beyond_the_limit_is_not_formatted() {
    let mut limits = LogRecordLimits::default();
    limits.max_attributes = 1;
    let mut recorder = LogRecordRecorder::with_limits(limits);
    recorder.set(&KEY, 1);
    recorder.set_fmt("other", format_args!("{}", Odd::Panics));
    assert_eq!(recorder.dropped_attributes(), 1);
}

/// A value within `levels` arrays or maps.
fn nested(levels: usize, in_maps: bool) -> AnyValue {
    let mut value = AnyValue::Int(7);
    for _ in 0..levels {
        value = if in_maps {
            AnyValue::Map(Box::new(HashMap::from([("key".into(), value)])))
        } else {
            AnyValue::ListAny(Box::new(vec![value]))
        };
    }
    value
}

#[test]
fn a_value_nested_deeper_than_decoders_read_is_left_empty_there() {
    let scope = zerospan_otlp::EncodedScope::new(&Default::default());
    let resource = EncodedResource::new(&[("service.name", "shop")], None);
    for (in_maps, deepest) in [(false, 45), (true, 30)] {
        for levels in [1, deepest, deepest + 1, 100, 2_000] {
            let value = nested(levels, in_maps);
            let mut recorder = LogRecordRecorder::new();
            recorder.set_body_any(&value);
            recorder.set_any(&KEY, &value);
            let (record, mut request) = (encode(&recorder), Vec::new());
            encode_request(&resource, [(&scope, [record.as_slice()])], &mut request);
            let theirs = ExportLogsServiceRequest::decode(request.as_slice());
            assert_eq!(LogsRequestView::new(&request).validate(), Ok(()));
            let whole = format!("{:?}", theirs.unwrap())
                .matches("IntValue(7)")
                .count();
            assert_eq!(whole, if levels <= deepest { 2 } else { 0 }, "{levels}");
        }
    }
}
