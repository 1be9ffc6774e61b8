//! The views compared with prost on requests that have every field, with one byte changed.

use crate::decoded;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use zerospan_otlp::{LogsRequestView, RequestView};

fn value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

/// An attribute with a value in an array in a list.
fn nested() -> KeyValue {
    let array = Value::ArrayValue(ArrayValue {
        values: vec![value(Value::StringValue("é".to_owned()))],
    });
    let list = Value::KvlistValue(KeyValueList {
        values: vec![KeyValue {
            key: "in".to_owned(),
            value: Some(value(array)),
            key_strindex: 0,
        }],
    });
    KeyValue {
        key: "list".to_owned(),
        value: Some(value(list)),
        key_strindex: 3,
    }
}

/// An attribute with a value of each kind that nests nothing.
fn attributes() -> Vec<KeyValue> {
    let values = [
        Value::StringValue("text".to_owned()),
        Value::BoolValue(true),
        Value::IntValue(300),
        Value::DoubleValue(0.5),
        Value::BytesValue(vec![0, 0xff]),
        Value::StringValueStrindex(5),
    ];
    let attribute = |kind: Value| KeyValue {
        key: "k".to_owned(),
        value: Some(value(kind)),
        key_strindex: 0,
    };
    values.into_iter().map(attribute).collect()
}

fn resource() -> Resource {
    Resource {
        attributes: vec![nested()],
        dropped_attributes_count: 1,
        entity_refs: vec![EntityRef {
            schema_url: "url of the entity".to_owned(),
            r#type: "host".to_owned(),
            id_keys: vec!["host.id".to_owned()],
            description_keys: vec!["host.name".to_owned(), "é".to_owned()],
        }],
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "scope".to_owned(),
        version: "1.2".to_owned(),
        attributes: vec![nested()],
        dropped_attributes_count: 2,
    }
}

fn spans() -> ExportTraceServiceRequest {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        trace_state: "a=b".to_owned(),
        parent_span_id: vec![3; 8],
        flags: 0x301,
        name: "GET é".to_owned(),
        kind: 2,
        start_time_unix_nano: 11,
        end_time_unix_nano: 12,
        attributes: attributes(),
        dropped_attributes_count: 3,
        events: vec![Event {
            time_unix_nano: 13,
            name: "event".to_owned(),
            attributes: vec![nested()],
            dropped_attributes_count: 4,
        }],
        dropped_events_count: 5,
        links: vec![Link {
            trace_id: vec![4; 16],
            span_id: vec![5; 8],
            trace_state: "c=d".to_owned(),
            attributes: vec![nested()],
            dropped_attributes_count: 6,
            flags: 0x100,
        }],
        dropped_links_count: 7,
        status: Some(Status {
            message: "failed".to_owned(),
            code: 2,
        }),
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource()),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans: vec![span],
                schema_url: "url of the scope".to_owned(),
            }],
            schema_url: "url of the resource".to_owned(),
        }],
    }
}

fn log_records() -> ExportLogsServiceRequest {
    let log_record = LogRecord {
        time_unix_nano: 11,
        observed_time_unix_nano: 12,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: nested().value,
        attributes: vec![nested()],
        dropped_attributes_count: 3,
        flags: 1,
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        event_name: "event".to_owned(),
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource()),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope()),
                log_records: vec![log_record],
                schema_url: "url of the scope".to_owned(),
            }],
            schema_url: "url of the resource".to_owned(),
        }],
    }
}

#[test]
fn a_request_that_has_every_field_is_read_as_prost_reads_it() {
    let (spans, log_records) = (spans(), log_records());
    let bytes = spans.encode_to_vec();
    assert_eq!(decoded::request(&RequestView::new(&bytes)), Ok(spans));
    let bytes = log_records.encode_to_vec();
    let read = decoded::logs_request(&LogsRequestView::new(&bytes));
    assert_eq!(read, Ok(log_records));
}

#[test]
fn a_request_in_which_any_byte_is_changed_is_read_or_refused_as_prost_does() {
    for mut bytes in [spans().encode_to_vec(), log_records().encode_to_vec()] {
        for at in 0..bytes.len() {
            let byte = bytes[at];
            // Other lengths, numbers, wire types and field numbers, and what is no UTF-8.
            let flipped = [0, 1, 3, 7].map(|bit| byte ^ (1 << bit));
            for changed in flipped.into_iter().chain([0xff]) {
                bytes[at] = changed;
                decoded::same_as_prost(&bytes);
            }
            bytes[at] = byte;
        }
    }
}
