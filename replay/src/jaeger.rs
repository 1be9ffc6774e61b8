//! Reads the JSON of Jaeger's query service and user interface.

use crate::zipkin_values::{Micros, SpanIdText, TraceIdText};
use crate::{Event, Link, OtlpSpan, Value};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// A file: an answer of `/api/traces`, or what the user interface saves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) data: Vec<Trace>,
    #[serde(rename = "total")]
    _total: Option<IgnoredAny>,
    #[serde(rename = "limit")]
    _limit: Option<IgnoredAny>,
    #[serde(rename = "offset")]
    _offset: Option<IgnoredAny>,
    #[serde(rename = "errors")]
    _errors: Option<IgnoredAny>,
}

/// The spans of a trace, converted.
#[derive(Deserialize)]
#[serde(try_from = "WrittenTrace")]
pub(crate) struct Trace(pub(crate) Vec<OtlpSpan>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenTrace {
    #[serde(rename = "traceID")]
    _trace_id: Option<IgnoredAny>,
    spans: Vec<WrittenSpan>,
    processes: BTreeMap<String, Process>,
    #[serde(rename = "warnings")]
    _warnings: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenSpan {
    #[serde(rename = "traceID")]
    trace_id: TraceIdText,
    #[serde(rename = "spanID")]
    span_id: SpanIdText,
    #[serde(rename = "parentSpanID")]
    parent_span_id: Option<SpanIdText>,
    #[serde(rename = "flags")]
    _flags: Option<IgnoredAny>,
    operation_name: String,
    #[serde(default)]
    references: Vec<Reference>,
    start_time: Micros,
    duration: Micros,
    #[serde(default)]
    tags: Vec<Tag>,
    logs: Option<Vec<Log>>,
    #[serde(rename = "processID")]
    process_id: Option<String>,
    process: Option<Process>,
    #[serde(rename = "warnings")]
    _warnings: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Reference {
    ref_type: RefType,
    #[serde(rename = "traceID")]
    trace_id: TraceIdText,
    #[serde(rename = "spanID")]
    span_id: SpanIdText,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RefType {
    ChildOf,
    FollowsFrom,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Process {
    service_name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    timestamp: Micros,
    fields: Vec<Tag>,
}

/// A key and a value, converted.
#[derive(Clone, Deserialize)]
#[serde(try_from = "WrittenTag")]
struct Tag(String, Value);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTag {
    key: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    value: serde_json::Value,
}

impl TryFrom<WrittenTag> for Tag {
    type Error = String;

    fn try_from(tag: WrittenTag) -> Result<Self, String> {
        use serde_json::Value as Json;
        let value = match (tag.kind.as_deref(), tag.value) {
            (Some("float64"), Json::Number(number)) => {
                number.as_f64().map(|number| Value::Float(number.to_bits()))
            }
            (Some("int64") | None, Json::Number(number)) => number.as_i64().map(Value::Number),
            // Large numbers are strings.
            (Some("int64"), Json::String(text)) => text.parse().ok().map(Value::Number),
            (_, Json::Bool(flag)) => Some(Value::Flag(flag)),
            (Some("string" | "binary") | None, Json::String(text)) => Some(Value::Text(text)),
            _ => None,
        };
        match value {
            Some(value) => Ok(Self(tag.key, value)),
            None => Err(format!(
                "the tag `{}` has no value of its type: string, bool, int64, float64 or binary",
                tag.key
            )),
        }
    }
}

impl TryFrom<WrittenTrace> for Trace {
    type Error = String;

    fn try_from(trace: WrittenTrace) -> Result<Self, String> {
        let processes = &trace.processes;
        let convert = |span| convert(span, processes);
        trace
            .spans
            .into_iter()
            .map(convert)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn convert(span: WrittenSpan, processes: &BTreeMap<String, Process>) -> Result<OtlpSpan, String> {
    let id = span.span_id.0;
    if span.trace_id.0 == 0 || id == 0 {
        return Err("traceID and spanID cannot be all zeros: give the span ids".to_owned());
    }
    let named = span.process_id.as_ref().and_then(|id| processes.get(id));
    let process = match span.process.as_ref().or(named) {
        Some(process) => process.clone(),
        None => return Err(format!("the span {id:016x} names no process of its trace")),
    };
    let end = span.start_time.0.checked_add(span.duration.0);
    let nanos = |micros: u64| {
        micros
            .checked_mul(1000)
            .ok_or(format!("the span {id:016x} ends after the year 2554"))
    };
    let is_parent = |reference: &Reference| {
        reference.ref_type == RefType::ChildOf && reference.trace_id == span.trace_id
    };
    let mut ids = span.references.iter();
    if ids.any(|reference| reference.trace_id.0 == 0 || reference.span_id.0 == 0) {
        return Err("the ids of a reference cannot be all zeros".to_owned());
    }
    let parent = span.references.iter().position(is_parent);
    let parent_id = match parent {
        Some(index) => Some(span.references[index].span_id.0),
        None => span.parent_span_id.map(|id| id.0),
    };
    let links = span.references.iter().enumerate();
    let links = links
        .filter(|(index, _)| Some(*index) != parent)
        .map(|(_, reference)| {
            let kind = match reference.ref_type {
                RefType::ChildOf => "child_of",
                RefType::FollowsFrom => "follows_from",
            };
            Link {
                trace_id: reference.trace_id.0,
                span_id: reference.span_id.0,
                attributes: vec![(
                    "opentracing.ref_type".to_owned(),
                    Value::Text(kind.to_owned()),
                )],
            }
        });
    let text = |key: &str| {
        span.tags.iter().find_map(|Tag(other, value)| match value {
            Value::Text(text) if other == key => Some(text.as_str()),
            _ => None,
        })
    };
    let failed = |Tag(key, value): &Tag| {
        key == "error" && (*value == Value::Flag(true) || *value == Value::Text("true".to_owned()))
    };
    let is_error = span.tags.iter().any(failed) || text("otel.status_code") == Some("ERROR");
    let description = || {
        text("otel.status_description")
            .unwrap_or_default()
            .to_owned()
    };
    Ok(OtlpSpan {
        trace_id: span.trace_id.0,
        span_id: id,
        parent_id: parent_id.filter(|&id| id != 0),
        service: match process.service_name.as_str() {
            "" => "unknown_service".to_owned(),
            name => name.to_owned(),
        },
        resource: resource(process.tags)?,
        scope: ("replay".to_owned(), String::new()),
        kind: match text("span.kind") {
            Some("server") => 2,
            Some("client") => 3,
            Some("producer") => 4,
            Some("consumer") => 5,
            _ => 1,
        },
        start: nanos(span.start_time.0)?,
        end: nanos(end.unwrap_or(u64::MAX))?,
        links: links.collect(),
        error: is_error.then(description),
        is_ok: !is_error && text("otel.status_code") == Some("OK"),
        events: span
            .logs
            .unwrap_or_default()
            .into_iter()
            .map(event)
            .collect::<Result<_, _>>()?,
        name: span.operation_name,
        attributes: pairs(span.tags)?,
    })
}

/// The field `event` is the event's name.
fn event(mut log: Log) -> Result<Event, String> {
    let is_name = |Tag(key, value): &Tag| key == "event" && matches!(value, Value::Text(_));
    let name = match log
        .fields
        .iter()
        .position(is_name)
        .map(|index| log.fields.remove(index))
    {
        Some(Tag(_, Value::Text(name))) => name,
        _ => "log".to_owned(),
    };
    Ok(Event {
        time: log
            .timestamp
            .0
            .checked_mul(1000)
            .ok_or("a log is after the year 2554")?,
        name,
        attributes: pairs(log.fields)?,
    })
}

/// `telemetry.sdk.*` names the tracer.
fn resource(tags: Vec<Tag>) -> Result<Vec<(String, Value)>, String> {
    let mut resource = pairs(tags)?;
    resource.retain(|(key, _)| !key.starts_with("telemetry.sdk."));
    if resource.iter().any(|(key, _)| key == "service.name") {
        return Err(
            "the process has a tag `service.name` beside its serviceName: remove it".to_owned(),
        );
    }
    resource.sort_unstable();
    Ok(resource)
}

fn pairs(tags: Vec<Tag>) -> Result<Vec<(String, Value)>, String> {
    crate::otlp_span::unique(
        tags.into_iter()
            .map(|Tag(key, value)| (key, value))
            .collect(),
    )
}
