//! Log records against the official transform's message, as prost encodes it, and against a naive model of the recorder.

use crate::spans;
use opentelemetry::Key;
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ScopeLogs};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::logs::tonic::group_logs_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{LogBatch, SdkLogRecord, SdkLoggerProvider};
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use prost::Message;
use std::time::SystemTime;
use zerospan_core::Reset;
use zerospan_otlp::{
    EncodedResource, EncodedScope, HashedKey, LogRecordLimits, LogRecordRecorder, encode_request,
    unix_nanos,
};

/// What a program sets on a log record, in order.
#[derive(Clone, Debug)]
enum Call {
    Time(SystemTime),
    SeverityNumber(Severity),
    SeverityText(&'static str),
    EventName(&'static str),
    Body(AnyValue),
    TraceContext(u128, u64, Option<u8>),
    Attribute(String, AnyValue),
}

pub(crate) fn any_value() -> impl Strategy<Value = AnyValue> {
    let scalar = prop_oneof![
        any::<i64>().prop_map(AnyValue::Int),
        (0_i64..300).prop_map(AnyValue::Int),
        any::<f64>()
            .prop_filter("equal to itself", |number| !number.is_nan())
            .prop_map(AnyValue::Double),
        any::<bool>().prop_map(AnyValue::Boolean),
        spans::text().prop_map(|text| AnyValue::String(text.into())),
        vec(any::<u8>(), 0..200).prop_map(|bytes| AnyValue::Bytes(Box::new(bytes))),
    ];
    scalar.prop_recursive(4, 24, 6, |value| {
        let list = vec(value.clone(), 0..6).prop_map(|values| AnyValue::ListAny(Box::new(values)));
        let key = spans::text().prop_map(Key::from);
        let map = hash_map(key, value, 0..6).prop_map(|values| AnyValue::Map(Box::new(values)));
        prop_oneof![list, map]
    })
}

fn severity() -> impl Strategy<Value = Severity> {
    use Severity::{
        Debug, Debug2, Debug3, Debug4, Error, Error2, Error3, Error4, Fatal, Fatal2, Fatal3,
        Fatal4, Info, Info2, Info3, Info4, Trace, Trace2, Trace3, Trace4, Warn, Warn2, Warn3,
        Warn4,
    };
    prop::sample::select(vec![
        Trace, Trace2, Trace3, Trace4, Debug, Debug2, Debug3, Debug4, Info, Info2, Info3, Info4,
        Warn, Warn2, Warn3, Warn4, Error, Error2, Error3, Error4, Fatal, Fatal2, Fatal3, Fatal4,
    ])
}

fn static_text() -> impl Strategy<Value = &'static str> {
    const LONG: &str = "a.name.that.is.so.long.that.its.length.takes.more.than.one.byte.as.a.varint.which.is.the.case.\
        from.a.hundred.and.twenty.eight.bytes.on";
    prop::sample::select(vec!["", "INFO", "wärn", "checkout.order.placed", LONG])
}

fn call() -> impl Strategy<Value = Call> {
    let ids = (
        prop_oneof![9 => any::<u128>(), 1 => Just(0)],
        prop_oneof![9 => any::<u64>(), 1 => Just(0)],
        prop::option::of(any::<u8>()),
    );
    prop_oneof![
        1 => spans::time().prop_map(Call::Time),
        1 => severity().prop_map(Call::SeverityNumber),
        1 => static_text().prop_map(Call::SeverityText),
        1 => static_text().prop_map(Call::EventName),
        1 => any_value().prop_map(Call::Body),
        1 => ids.prop_map(|(trace, span, flags)| Call::TraceContext(trace, span, flags)),
        8 => (spans::text(), any_value()).prop_map(|(key, value)| Call::Attribute(key, value)),
        // Few keys, so that some come again.
        2 => (0_usize..4, any_value()).prop_map(|(key, value)| Call::Attribute("k".repeat(key), value)),
    ]
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    prop_oneof![9 => vec(call(), 0..14), 1 => vec(call(), 0..180)]
}

/// Makes the same calls on a record of the official SDK.
fn official(calls: &[Call], observed: SystemTime) -> SdkLogRecord {
    let mut record = SdkLoggerProvider::builder()
        .build()
        .logger("of no processor")
        .create_log_record();
    record.set_observed_timestamp(observed);
    for call in calls {
        match call.clone() {
            Call::Time(time) => record.set_timestamp(time),
            Call::SeverityNumber(severity) => record.set_severity_number(severity),
            Call::SeverityText(text) => record.set_severity_text(text),
            Call::EventName(name) => record.set_event_name(name),
            Call::Body(body) => record.set_body(body),
            Call::TraceContext(trace, span, flags) => record.set_trace_context(
                TraceId::from(trace),
                SpanId::from(span),
                flags.map(TraceFlags::new),
            ),
            Call::Attribute(key, value) => record.add_attribute(key, value),
        }
    }
    record
}

fn record(calls: &[Call], observed: SystemTime, recorder: &mut LogRecordRecorder) {
    recorder.set_observed_time(unix_nanos(observed));
    for call in calls {
        match call {
            Call::Time(time) => recorder.set_time(unix_nanos(*time)),
            Call::SeverityNumber(severity) => recorder.set_severity_number(*severity as u8),
            Call::SeverityText(text) => recorder.set_severity_text(*text),
            Call::EventName(name) => recorder.set_event_name(*name),
            Call::Body(body) => recorder.set_body_any(body),
            Call::TraceContext(trace, span, flags) => recorder.set_trace_context(
                TraceId::from(*trace),
                SpanId::from(*span),
                flags.map(TraceFlags::new).unwrap_or_default(),
            ),
            Call::Attribute(key, value) => recorder.set_any(HashedKey::new(key), value),
        }
    }
}

/// Returns the calls that count under `limits`, and the number of attributes that are dropped.
fn kept(calls: &[Call], limits: &LogRecordLimits) -> (Vec<Call>, u32) {
    let (mut kept, mut attributes, mut dropped) = (Vec::<Call>::new(), 0, 0);
    for call in calls {
        let Call::Attribute(key, value) = call else {
            kept.push(call.clone());
            continue;
        };
        let value = match limits.max_attribute_value_length {
            Some(max) => cut(value, max as usize),
            None => value.clone(),
        };
        let held = kept.iter_mut().find_map(|held| match held {
            Call::Attribute(held, value) if held == key => Some(value),
            _ => None,
        });
        match held {
            Some(held) if !limits.keep_repeated_keys => *held = value,
            _ if attributes < limits.max_attributes => {
                attributes += 1;
                kept.push(Call::Attribute(key.clone(), value));
            }
            _ => dropped += 1,
        }
    }
    (kept, dropped)
}

fn cut(value: &AnyValue, max: usize) -> AnyValue {
    match value {
        AnyValue::String(text) => {
            AnyValue::String(text.as_str().chars().take(max).collect::<String>().into())
        }
        AnyValue::Bytes(bytes) => {
            AnyValue::Bytes(Box::new(bytes.iter().copied().take(max).collect()))
        }
        AnyValue::ListAny(values) => AnyValue::ListAny(Box::new(
            values.iter().map(|value| cut(value, max)).collect(),
        )),
        AnyValue::Map(values) => {
            let mut values = values.clone();
            values
                .values_mut()
                .for_each(|value| *value = cut(value, max));
            AnyValue::Map(values)
        }
        other => other.clone(),
    }
}

/// The message of the official transform for `calls` under `limits`.
fn model(calls: &[Call], observed: SystemTime, limits: &LogRecordLimits) -> LogRecord {
    let (calls, dropped) = kept(calls, limits);
    let mut message = LogRecord::from(&official(&calls, observed));
    message.dropped_attributes_count = dropped;
    message
}

fn encode(recorder: &LogRecordRecorder) -> Vec<u8> {
    let mut out = b"before".to_vec();
    recorder.finish(&mut out);
    let out = out.split_off(6);
    assert_eq!(recorder.encoded_len(), out.len());
    out
}

fn field(record: LogRecord) -> Vec<u8> {
    let scope = ScopeLogs {
        log_records: vec![record],
        ..ScopeLogs::default()
    };
    scope.encode_to_vec()
}

fn limits() -> impl Strategy<Value = LogRecordLimits> {
    let few = prop_oneof![Just(128_u32), Just(u32::MAX), 0_u32..5];
    let length = prop_oneof![Just(None), (0_u32..40).prop_map(Some)];
    (few, length, any::<bool>()).prop_map(|(max_attributes, length, keep_repeated_keys)| {
        let mut limits = LogRecordLimits::default();
        limits.max_attributes = max_attributes;
        limits.max_attribute_value_length = length;
        limits.keep_repeated_keys = keep_repeated_keys;
        limits
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_log_record_equals_that_of_the_official_transform_byte_for_byte(
        uses in vec((calls(), spans::time(), limits()), 1..4),
    ) {
        let mut recorder = LogRecordRecorder::new();
        for (calls, observed, limits) in uses {
            recorder.reset();
            recorder.set_limits(limits);
            record(&calls, observed, &mut recorder);
            prop_assert_eq!(encode(&recorder), field(model(&calls, observed, &limits)));
        }
    }

    #[test]
    fn a_request_of_log_records_equals_the_official_one_byte_for_byte(
        records in vec((calls(), spans::time()), 1..4),
        scope in spans::scope(),
        attributes in spans::attributes(6),
        schema_url in prop::option::of(spans::text()),
    ) {
        let builder = Resource::builder_empty();
        let resource = match schema_url {
            Some(url) => builder.with_schema_url(attributes, url).build(),
            None => builder.with_attributes(attributes).build(),
        };
        let mut limits = LogRecordLimits::NONE;
        limits.keep_repeated_keys = true;
        let mut recorder = LogRecordRecorder::with_limits(limits);
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for (calls, observed) in &records {
            recorder.reset();
            record(calls, *observed, &mut recorder);
            recorder.finish(&mut ours);
            theirs.push(official(calls, *observed));
        }
        let mut request = Vec::new();
        let groups = [(&EncodedScope::new(&scope), [ours.as_slice()])];
        encode_request(&EncodedResource::from_sdk(&resource), groups, &mut request);

        let theirs: Vec<_> = theirs.iter().map(|record| (record, &scope)).collect();
        let expected = ExportLogsServiceRequest {
            resource_logs: group_logs_by_resource_and_scope(
                &LogBatch::new(&theirs),
                &ResourceAttributesWithSchema::from(&resource),
            ),
        };
        prop_assert_eq!(expected.encode_to_vec(), request);
    }
}
