//! Log records against the official transform's message, as prost encodes it, and the views against prost.

use crate::damage::damage;
use crate::log_model::{Call, Pieces, encode, field, model, official, record};
use crate::{decoded, spans, values};
use opentelemetry::Key;
use opentelemetry::logs::{AnyValue, Severity};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::logs::tonic::group_logs_by_resource_and_scope;
use opentelemetry_sdk::logs::LogBatch;
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use prost::Message;
use zerospan_core::Reset;
use zerospan_otlp::{
    EncodedResource, EncodedScope, LogRecordLimits, LogRecordRecorder, LogsRequestView,
    ScopeLogsView, encode_request,
};

fn any_value() -> impl Strategy<Value = AnyValue> {
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
    let pieces = || vec(spans::text(), 0..4).prop_map(Pieces);
    prop_oneof![
        1 => pieces().prop_map(Call::FormattedBody),
        3 => (spans::text(), pieces()).prop_map(|(key, value)| Call::Formatted(key, value)),
        1 => (0_usize..4, pieces()).prop_map(|(key, value)| Call::Formatted("k".repeat(key), value)),
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

/// A request with any values, as prost writes it.
fn request() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let numbers = (
        any::<u64>(),
        any::<u64>(),
        any::<i32>(),
        any::<u32>(),
        any::<u32>(),
    );
    let ids = (vec(any::<u8>(), 0..18), vec(any::<u8>(), 0..10));
    let texts = (spans::text(), spans::text());
    let record = (
        numbers,
        ids,
        texts,
        prop::option::of(values::any_value()),
        values::attributes(),
    );
    let record =
        record.prop_map(
            |(numbers, (trace_id, span_id), texts, body, attributes)| LogRecord {
                time_unix_nano: numbers.0,
                observed_time_unix_nano: numbers.1,
                severity_number: numbers.2,
                severity_text: texts.0,
                body,
                attributes,
                dropped_attributes_count: numbers.3,
                flags: numbers.4,
                trace_id,
                span_id,
                event_name: texts.1,
            },
        );
    let owners = (
        prop::option::of(values::resource()),
        prop::option::of(values::scope()),
    );
    let texts = (spans::text(), spans::text());
    (vec(record, 0..4), owners, texts).prop_map(
        |(log_records, (resource, scope), (of_resource, of_scope))| ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource,
                scope_logs: vec![ScopeLogs {
                    scope,
                    log_records,
                    schema_url: of_scope,
                }],
                schema_url: of_resource,
            }],
        },
    )
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
            let (ours, theirs) = (encode(&recorder), model(&calls, observed, &limits));
            let view = ScopeLogsView::new(&ours)?;
            view.validate()?;
            prop_assert_eq!(&decoded::scope_logs(&view)?.log_records, std::slice::from_ref(&theirs));
            for attribute in &theirs.attributes {
                prop_assert!(recorder.attribute(&attribute.key).is_some());
            }
            prop_assert_eq!(recorder.body().is_some(), theirs.body.is_some());
            prop_assert_eq!(ours, field(theirs));
        }
    }

    #[test]
    fn a_request_of_log_records_equals_the_official_one_byte_for_byte(
        records in vec((calls(), spans::time()), 1..4),
        scope in spans::scope(),
        resource in spans::resource(),
    ) {
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

proptest! {
    #[test]
    fn log_records_that_prost_writes_are_read_as_prost_reads_them(request in request()) {
        let bytes = request.encode_to_vec();
        let read = decoded::logs_request(&LogsRequestView::new(&bytes))?;
        // NaN is not equal to itself, its encoding is.
        prop_assert_eq!(read.encode_to_vec(), bytes);
    }

    #[test]
    fn changed_log_records_are_read_or_refused_as_prost_does(
        request in request(),
        damage in damage(),
    ) {
        decoded::same_as_prost(&damage.apply_to(request.encode_to_vec()));
    }
}

#[test]
fn a_recorder_tells_severity_and_name() {
    let mut record = LogRecordRecorder::new();
    assert_eq!(
        (
            record.severity_number(),
            record.severity_text(),
            record.event_name()
        ),
        (0, "", "")
    );
    record.set_severity_number(24);
    record.set_severity_text("FATAL4");
    record.set_event_name("event");
    assert_eq!(
        (
            record.severity_number(),
            record.severity_text(),
            record.event_name()
        ),
        (24, "FATAL4", "event")
    );
    record.set_severity_number(25);
    assert_eq!(record.severity_number(), 0, "there is no such severity");
}
