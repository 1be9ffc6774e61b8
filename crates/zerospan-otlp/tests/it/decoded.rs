//! Converts views to the official messages, to compare them with those that prost decodes from the same bytes.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span, Status,
    span::{Event, Link},
};
use zerospan_otlp::{
    AttributeView, DecodeError, DecodeErrorKind, EntityRefView, EventView, LinkView, LogRecordView,
    LogsRequestView, Repeated, RequestView, ResourceLogsView, ResourceSpansView, ResourceView,
    ScopeLogsView, ScopeSpansView, ScopeView, SpanView, ValueView,
};

type Read<T> = Result<T, DecodeError>;

fn all<'a, V, T>(views: Repeated<'a, V>, read: impl Fn(V) -> Read<T>) -> Read<Vec<T>> {
    views.map(|view| read(view?)).collect()
}

pub(crate) fn request(view: &RequestView<'_>) -> Read<ExportTraceServiceRequest> {
    Ok(ExportTraceServiceRequest {
        resource_spans: all(view.resource_spans(), |view| resource_spans(&view))?,
    })
}

fn resource_spans(view: &ResourceSpansView<'_>) -> Read<ResourceSpans> {
    Ok(ResourceSpans {
        resource: view.resource().map(resource).transpose()?,
        scope_spans: all(view.scope_spans(), |view| scope_spans(&view))?,
        schema_url: view.schema_url().to_owned(),
    })
}

fn resource(view: &ResourceView<'_>) -> Read<Resource> {
    Ok(Resource {
        attributes: all(view.attributes(), attribute)?,
        dropped_attributes_count: view.dropped_attributes(),
        entity_refs: all(view.entity_refs(), |view| entity_ref(&view))?,
    })
}

fn entity_ref(view: &EntityRefView<'_>) -> Read<EntityRef> {
    let owned = |texts: zerospan_otlp::Texts<'_>| {
        texts
            .map(|text| text.map(str::to_owned))
            .collect::<Read<_>>()
    };
    Ok(EntityRef {
        schema_url: view.schema_url().to_owned(),
        r#type: view.entity_type().to_owned(),
        id_keys: owned(view.id_keys())?,
        description_keys: owned(view.description_keys())?,
    })
}

fn scope(view: &ScopeView<'_>) -> Read<InstrumentationScope> {
    Ok(InstrumentationScope {
        name: view.name().to_owned(),
        version: view.version().to_owned(),
        attributes: all(view.attributes(), attribute)?,
        dropped_attributes_count: view.dropped_attributes(),
    })
}

pub(crate) fn scope_spans(view: &ScopeSpansView<'_>) -> Read<ScopeSpans> {
    Ok(ScopeSpans {
        scope: view.scope().map(scope).transpose()?,
        spans: all(view.spans(), |view| span(&view))?,
        schema_url: view.schema_url().to_owned(),
    })
}

pub(crate) fn span(view: &SpanView<'_>) -> Read<Span> {
    Ok(Span {
        trace_id: view.trace_id().to_vec(),
        span_id: view.span_id().to_vec(),
        trace_state: view.trace_state().to_owned(),
        parent_span_id: view.parent_span_id().to_vec(),
        flags: view.flags(),
        name: view.name().to_owned(),
        kind: view.kind(),
        start_time_unix_nano: view.start_unix_nanos(),
        end_time_unix_nano: view.end_unix_nanos(),
        attributes: all(view.attributes(), attribute)?,
        dropped_attributes_count: view.dropped_attributes(),
        events: all(view.events(), |view| event(&view))?,
        dropped_events_count: view.dropped_events(),
        links: all(view.links(), |view| link(&view))?,
        dropped_links_count: view.dropped_links(),
        status: view.status().map(|status| Status {
            message: status.message().to_owned(),
            code: status.code(),
        }),
    })
}

pub(crate) fn logs_request(view: &LogsRequestView<'_>) -> Read<ExportLogsServiceRequest> {
    Ok(ExportLogsServiceRequest {
        resource_logs: all(view.resource_logs(), |view| resource_logs(&view))?,
    })
}

fn resource_logs(view: &ResourceLogsView<'_>) -> Read<ResourceLogs> {
    Ok(ResourceLogs {
        resource: view.resource().map(resource).transpose()?,
        scope_logs: all(view.scope_logs(), |view| scope_logs(&view))?,
        schema_url: view.schema_url().to_owned(),
    })
}

pub(crate) fn scope_logs(view: &ScopeLogsView<'_>) -> Read<ScopeLogs> {
    Ok(ScopeLogs {
        scope: view.scope().map(scope).transpose()?,
        log_records: all(view.log_records(), |view| log_record(&view))?,
        schema_url: view.schema_url().to_owned(),
    })
}

fn log_record(view: &LogRecordView<'_>) -> Read<LogRecord> {
    Ok(LogRecord {
        time_unix_nano: view.time_unix_nanos(),
        observed_time_unix_nano: view.observed_time_unix_nanos(),
        severity_number: view.severity_number(),
        severity_text: view.severity_text().to_owned(),
        body: view.body().cloned().map(value).transpose()?,
        attributes: all(view.attributes(), attribute)?,
        dropped_attributes_count: view.dropped_attributes(),
        flags: view.flags(),
        trace_id: view.trace_id().to_vec(),
        span_id: view.span_id().to_vec(),
        event_name: view.event_name().to_owned(),
    })
}

fn event(view: &EventView<'_>) -> Read<Event> {
    Ok(Event {
        time_unix_nano: view.time_unix_nanos(),
        name: view.name().to_owned(),
        attributes: all(view.attributes(), attribute)?,
        dropped_attributes_count: view.dropped_attributes(),
    })
}

fn link(view: &LinkView<'_>) -> Read<Link> {
    Ok(Link {
        trace_id: view.trace_id().to_vec(),
        span_id: view.span_id().to_vec(),
        trace_state: view.trace_state().to_owned(),
        attributes: all(view.attributes(), attribute)?,
        dropped_attributes_count: view.dropped_attributes(),
        flags: view.flags(),
    })
}

pub(crate) fn attribute(view: AttributeView<'_>) -> Read<KeyValue> {
    Ok(KeyValue {
        key: view.key.to_owned(),
        value: view.value.map(value).transpose()?,
        key_strindex: view.key_index,
    })
}

fn value(view: ValueView<'_>) -> Read<AnyValue> {
    let value = match view {
        ValueView::Empty => None,
        ValueView::Str(text) => Some(Value::StringValue(text.to_owned())),
        ValueView::Bool(flag) => Some(Value::BoolValue(flag)),
        ValueView::I64(number) => Some(Value::IntValue(number)),
        ValueView::F64(number) => Some(Value::DoubleValue(number)),
        ValueView::Array(values) => Some(Value::ArrayValue(ArrayValue {
            values: all(values, value)?,
        })),
        ValueView::KvList(attributes) => Some(Value::KvlistValue(KeyValueList {
            values: all(attributes, attribute)?,
        })),
        ValueView::Bytes(bytes) => Some(Value::BytesValue(bytes.to_vec())),
        ValueView::StrIndex(index) => Some(Value::StringValueStrindex(index)),
        other => panic!("a kind of value that prost does not know: {other:?}"),
    };
    Ok(AnyValue { value })
}

/// Asserts that the views and prost read the same from `bytes`, or that both refuse them: as a request with spans, and as one with
/// log records.
///
/// There is one exception: the view refuses a repeated message in a field that holds at most one, and prost merges it.
///
/// # Panics
///
/// Panics if the two differ.
pub(crate) fn same_as_prost(bytes: &[u8]) {
    let view = RequestView::new(bytes);
    same(bytes, request(&view), view.validate());
    let view = LogsRequestView::new(bytes);
    same(bytes, logs_request(&view), view.validate());
}

fn same<T>(bytes: &[u8], read: Read<T>, valid: Read<()>)
where
    T: prost::Message + Default + std::fmt::Debug,
{
    match (&read, valid) {
        (Ok(_), Ok(())) => {}
        (Err(_), Err(error)) => assert!(error.offset <= bytes.len(), "{error}"),
        (read, valid) => panic!("reading says {read:?}, validating {valid:?}"),
    }
    match (T::decode(bytes), read) {
        // NaN is not equal to itself, its encoding is.
        (Ok(theirs), Ok(ours)) => assert_eq!(theirs.encode_to_vec(), ours.encode_to_vec()),
        (Err(_), Err(_)) => {}
        (Ok(theirs), Err(error)) => assert!(
            matches!(error.kind, DecodeErrorKind::RepeatedMessage { .. }),
            "we refuse with {error:?} what prost reads as {theirs:?}"
        ),
        (Err(error), Ok(ours)) => panic!("prost refuses with {error} what we read as {ours:?}"),
    }
}
