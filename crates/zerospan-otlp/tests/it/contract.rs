//! The contracts of core, checked by its conformance kit.

use crate::log_model;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, Status};
use std::cell::{Cell, OnceCell};
use zerospan_core::dev::{Canary, conformance};
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, EncodingCache, EncodingFormat,
    Footprint, Reset, SinkError,
};
use zerospan_otlp::{
    LogRecordLimits, LogRecordRecorder, SpanLimits, SpanRecorder, SpanStart, StaticKey, ValueView,
};

/// Reads everything from a recorder.
fn read(recorder: &SpanRecorder, out: &mut Vec<u8>) {
    recorder.finish(1, &Status::Unset, out);
    recorder.finish(0, &Status::Ok, out);
    out.extend_from_slice(recorder.name().as_bytes());
    out.extend_from_slice(format!("{:?}", recorder.attributes().collect::<Vec<_>>()).as_bytes());
    for count in [
        recorder.attribute_count(),
        recorder.event_count(),
        recorder.link_count(),
        recorder.dropped_attributes(),
        recorder.dropped_events(),
        recorder.dropped_links(),
    ] {
        out.extend_from_slice(&count.to_le_bytes());
    }
}

pub(crate) fn fill(recorder: &mut SpanRecorder, canary: &mut Canary) {
    let (context, name) = (canary.span_context(), canary.text(30));
    recorder.begin(&SpanStart::new(&context, &name, 9));
    recorder.extend(&canary.attributes(100));
    for _ in 0..3 {
        recorder.add_event(&canary.text(30), 7, &canary.attributes(20));
        recorder.add_link(&canary.span_context(), &canary.attributes(20));
    }
    recorder.count_dropped_attributes(1);
    recorder.count_dropped_events(2);
    recorder.count_dropped_links(3);
}

#[test]
fn reset_leaves_no_trace_of_the_last_span() {
    conformance::ResetCheck::new(fill, read).check::<SpanRecorder>();
    let mut recorder = SpanRecorder::new();
    let mut canary = Canary::new(9);
    fill(&mut recorder, &mut canary);
    let key = canary.attributes(1)[0].key.clone();
    assert!(recorder.attribute(key.as_str()).is_some());
    recorder.reset();
    assert!(recorder.attribute(key.as_str()).is_none());
    assert!(recorder.heap_bytes() > 0);
}

/// Passes on the value that a view was written from.
pub(crate) fn to_value(view: &ValueView<'_>, then: &mut dyn FnMut(AttributeValue<'_>)) {
    let ValueView::Array(values) = view else {
        return then(match view {
            ValueView::Str(text) => AttributeValue::Str(text),
            ValueView::Bool(flag) => AttributeValue::Bool(*flag),
            ValueView::I64(number) => AttributeValue::I64(*number),
            ValueView::F64(number) => AttributeValue::F64(*number),
            _ => AttributeValue::Unsupported,
        });
    };
    let values: Vec<ValueView<'_>> = values.clone().flatten().collect();
    let bools: Vec<bool> = values.iter().filter_map(ValueView::as_bool).collect();
    let integers: Vec<i64> = values.iter().filter_map(ValueView::as_i64).collect();
    let floats: Vec<f64> = values.iter().filter_map(ValueView::as_f64).collect();
    let texts: Vec<&str> = values.iter().filter_map(ValueView::as_str).collect();
    if !bools.is_empty() {
        then(bools.as_slice().into());
    } else if !integers.is_empty() {
        then(integers.as_slice().into());
    } else if !floats.is_empty() {
        then(floats.as_slice().into());
    } else {
        then(texts.as_slice().into());
    }
}

#[test]
fn the_recorder_is_a_sink() {
    conformance::check_sink(SpanRecorder::new, |recorder, visit| {
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
fn a_refused_attribute_is_counted_as_dropped() {
    let mut limits = SpanLimits::default();
    limits.max_attributes_per_span = 1;
    let mut recorder = SpanRecorder::with_limits(limits);
    let unsupported = Attribute::new("key", AttributeValue::Unsupported);
    assert_eq!(
        recorder.push_attribute(unsupported),
        Err(SinkError::Unsupported)
    );
    assert_eq!(recorder.push_attribute(Attribute::new("key", 1)), Ok(()));
    assert_eq!(
        recorder.push_attribute(unsupported),
        Err(SinkError::Unsupported)
    );
    let full = SinkError::Full { capacity: 1 };
    assert_eq!(
        recorder.push_attribute(Attribute::new("other", 1)),
        Err(full)
    );
    assert_eq!(recorder.push_attribute(Attribute::new("key", 2)), Ok(()));
    let rejected = recorder.push_all(&[("a", 1), ("key", 3), ("b", 2)]);
    assert_eq!(rejected.map_err(|error| error.rejected), Err(2));
    assert_eq!(recorder.dropped_attributes(), 5);
    let value = recorder.attribute("key").and_then(|value| value.as_i64());
    assert_eq!(value, Some(3));
}

/// A set that is encoded once.
#[derive(Default)]
struct Shared {
    attributes: Vec<KeyValue>,
    encoding: OnceCell<(EncodingFormat, Vec<u8>)>,
    /// The number of times that the attributes were read.
    reads: Cell<u32>,
}

impl Shared {
    fn new(attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        Self {
            attributes: attributes.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl EncodingCache for Shared {
    fn encoding(
        &self,
        format: EncodingFormat,
        encode: &mut dyn FnMut(&mut Vec<u8>),
    ) -> Option<&[u8]> {
        let (held, bytes) = self.encoding.get_or_init(|| {
            let mut bytes = Vec::new();
            encode(&mut bytes);
            (format, bytes)
        });
        (*held == format).then_some(bytes)
    }
}

impl AttributeSource for Shared {
    fn len(&self) -> usize {
        self.attributes.len()
    }

    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>)) {
        self.reads.set(self.reads.get() + 1);
        AttributeSource::for_each(&self.attributes, visit);
    }

    fn encoding_cache(&self) -> Option<&dyn EncodingCache> {
        Some(self)
    }
}

fn written(recorder: &SpanRecorder) -> Vec<u8> {
    let mut out = Vec::new();
    read(recorder, &mut out);
    out
}

#[test]
fn a_shared_set_is_copied_as_if_set_one_by_one() {
    let mut canary = Canary::new(77);
    let mut twice = canary.attributes(6);
    twice.push(KeyValue::new(twice[1].key.clone(), "again"));
    let before = [KeyValue::new("before", 1)];
    let clash = [KeyValue::new(twice[2].key.clone(), "clash")];
    let limits = [
        SpanLimits::default(),
        {
            let mut limits = SpanLimits::default();
            limits.max_attributes_per_span = 4;
            limits
        },
        {
            let mut limits = SpanLimits::default();
            limits.max_attribute_value_length = Some(3);
            limits
        },
        {
            let mut limits = SpanLimits::default();
            limits.keep_repeated_keys = true;
            limits
        },
    ];
    for attributes in [Vec::new(), canary.attributes(6), twice] {
        let shared = Shared::new(attributes.clone());
        for limits in limits {
            for first in [&[][..], &before, &clash] {
                // Three spans: the first encodes the set, the others copy.
                for _ in 0..3 {
                    let mut ours = SpanRecorder::with_limits(limits);
                    let mut plain = SpanRecorder::with_limits(limits);
                    ours.extend(first);
                    ours.extend(&shared);
                    plain.extend(first);
                    plain.extend(&attributes);
                    for recorder in [&mut ours, &mut plain] {
                        recorder.set_attribute(Attribute::new("behind", "set"));
                        for attribute in attributes.iter().take(1) {
                            recorder.set_attribute(Attribute::new(attribute.key.as_str(), 5));
                        }
                        recorder.add_event("event", 1, &shared);
                    }
                    assert_eq!(written(&ours), written(&plain));
                    let mut log_limits = LogRecordLimits::default();
                    log_limits.max_attributes = limits.max_attributes_per_span;
                    log_limits.max_attribute_value_length = limits.max_attribute_value_length;
                    log_limits.keep_repeated_keys = limits.keep_repeated_keys;
                    let logs = [false, true].map(|is_shared| {
                        let mut log = LogRecordRecorder::with_limits(log_limits);
                        log.extend(first);
                        if is_shared {
                            log.extend(&shared);
                        } else {
                            log.extend(&attributes);
                        }
                        log.set_attribute(Attribute::new("behind", "set"));
                        log_model::encode(&log)
                    });
                    assert_eq!(logs[0], logs[1]);
                }
            }
        }
    }
}

#[test]
fn a_shared_set_is_read_once_and_then_copied_wherever_it_fits() {
    let five = Canary::new(5).attributes(5);
    let mut repeated = five.clone();
    repeated.push(five[1].clone());
    let mut limits = SpanLimits::default();
    limits.max_attributes_per_span = 6;
    limits.max_attributes_per_event = 5;
    for (attributes, keep_repeated_keys) in [(&five, false), (&five, true), (&repeated, false)] {
        let shared = Shared::new(attributes.clone());
        limits.keep_repeated_keys = keep_repeated_keys;
        for _ in 0..3 {
            let mut recorder = SpanRecorder::with_limits(limits);
            recorder.set_attribute(Attribute::new("before", 1));
            recorder.extend(&shared);
            recorder.add_event("event", 1, &shared);
            recorder.add_link(&SpanContext::NONE, &shared);
            let mut log = LogRecordRecorder::new();
            assert_eq!(log.push_all(&shared), Ok(()));
            assert_eq!((recorder.attribute_count(), log.attribute_count()), (6, 5));
        }
        assert_eq!(shared.reads.get(), 1);
        // One that does not fit is set one by one.
        let mut recorder = SpanRecorder::with_limits(limits);
        recorder.extend(&[("before", 1), ("too", 2)]);
        recorder.extend(&shared);
        assert_eq!(shared.reads.get(), 2);
        assert!(recorder.dropped_attributes() > 0);
    }
}

/// A shared set with an attribute of an unsupported kind.
#[derive(Default)]
struct Odd(Shared);

impl AttributeSource for Odd {
    fn len(&self) -> usize {
        2
    }

    fn for_each<'a>(&'a self, mut visit: impl FnMut(Attribute<'a>)) {
        visit(Attribute::new("key", 1));
        visit(Attribute::new("other", AttributeValue::Unsupported));
    }

    fn encoding_cache(&self) -> Option<&dyn EncodingCache> {
        Some(&self.0)
    }
}

#[test]
fn an_unsupported_attribute_of_a_shared_set_is_counted_by_each_span() {
    let odd = Odd::default();
    for _ in 0..3 {
        let mut recorder = SpanRecorder::new();
        recorder.extend(&odd);
        let counts = (recorder.attribute_count(), recorder.dropped_attributes());
        assert_eq!(counts, (1, 1));
    }
}

#[test]
fn the_encoding_of_a_shared_set_takes_no_more_memory_than_its_bytes() {
    for count in [0, 1, 5, 40] {
        let shared = Shared::new(Canary::new(5).attributes(count));
        SpanRecorder::new().extend(&shared);
        let (_, encoding) = shared.encoding.get().unwrap();
        assert_eq!(encoding.capacity(), encoding.len(), "{count} attributes");
    }
}

#[test]
fn a_cache_with_wrong_content_does_no_harm() {
    for garbage in [
        &[][..],
        &[1],
        &[0xff; 4],
        &[0xff; 64],
        &[9, 9, 9, 0, 0, 0, 0, 200, 0, 0, 0, 1, 0, 0, 0],
        &[
            1, 2, 3, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0,
        ],
    ] {
        let probe = Shared::new([KeyValue::new("key", "value")]);
        SpanRecorder::new().extend(&probe);
        let shared = Shared::new([KeyValue::new("key", "value")]);
        let format = probe.encoding.get().map(|(format, _)| *format);
        if let Some(format) = format {
            let _ = shared.encoding.set((format, garbage.to_vec()));
        }
        let mut recorder = SpanRecorder::new();
        recorder.extend(&shared);
        recorder.set_attribute(Attribute::new("key", "longer than before"));
        recorder.set_attribute(Attribute::new("key", 1));
        assert!(recorder.attribute_count() > 0);
    }
}

#[test]
fn a_constant_key_of_any_length_writes_what_its_text_writes() {
    const KEYS: [StaticKey; 8] = [
        StaticKey::new(""),
        StaticKey::new("k"),
        StaticKey::new("http.request.method"),
        StaticKey::new("a.key.of.twenty.eight.bytes."),
        StaticKey::new("a.key.of.twenty.nine.bytes..."),
        StaticKey::new("a.key.that.has.exactly.as.much.as.sixty.bytes.in.it.........."),
        StaticKey::new("a.key.that.is.longer.than.what.the.ready.form.has.room.for....."),
        StaticKey::new(
            "a.key.so.long.that.its.own.length.takes.more.than.one.byte.as.a.varint.which.is.to.say.\
             more.than.a.hundred.and.twenty.seven.bytes.and.then.some",
        ),
    ];
    let long = "v".repeat(300);
    for key in &KEYS {
        for length in [
            0, 1, 57, 58, 59, 60, 61, 92, 93, 94, 120, 121, 122, 127, 128, 300,
        ] {
            let texts = [&long[..length], "x"];
            let mut by_key = SpanRecorder::new();
            let mut by_text = SpanRecorder::new();
            let values: [AttributeValue<'_>; 6] = [
                texts[0].into(),
                i64::MIN.into(),
                i64::from(length as u32).into(),
                0.5.into(),
                true.into(),
                (&texts[..]).into(),
            ];
            for value in values {
                by_key.reset();
                by_text.reset();
                by_key.set(key, value);
                by_text.set_attribute(Attribute::new(key.as_str(), value));
                assert_eq!(written(&by_key), written(&by_text));
                // Set again, by the other kind of key.
                by_key.set_attribute(Attribute::new(key.as_str(), 1));
                by_text.set(key, 1);
                assert_eq!(by_key.attribute_count(), 1);
                assert_eq!(written(&by_key), written(&by_text));
            }
        }
    }
}

#[test]
fn hundreds_of_keys_are_each_found_again() {
    let mut recorder = SpanRecorder::with_limits(SpanLimits::NONE);
    for round in 0..3_i64 {
        for number in 0..700_i64 {
            recorder.set_attribute(Attribute::new(&format!("key.{number}"), number << round));
        }
    }
    assert_eq!(recorder.attribute_count(), 700);
    for number in 0..700_i64 {
        let value = recorder.attribute(&format!("key.{number}"));
        assert_eq!(value.and_then(|value| value.as_i64()), Some(number << 2));
    }
}
