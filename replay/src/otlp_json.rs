//! Reads OTLP's JSON: one `ExportTraceServiceRequest`, or one in each line, as the Collector's file exporter writes them.

use crate::zipkin_values::{SpanIdText, TraceIdText};
use crate::{Event, Link, OtlpSpan, Value};
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) resource_spans: Vec<ResourceSpans>,
}

/// The spans of a resource, converted.
#[derive(Deserialize)]
#[serde(try_from = "WrittenResourceSpans")]
pub(crate) struct ResourceSpans(pub(crate) Vec<OtlpSpan>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[derive(Default)]
struct WrittenResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
    #[serde(rename = "schemaUrl")]
    _schema_url: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Resource {
    attributes: Vec<Attribute>,
    dropped_attributes_count: u32,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<WrittenSpan>,
    #[serde(rename = "schemaUrl")]
    _schema_url: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Scope {
    name: String,
    version: String,
    attributes: Vec<Attribute>,
    dropped_attributes_count: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenSpan {
    trace_id: TraceIdText,
    span_id: SpanIdText,
    #[serde(default)]
    trace_state: String,
    parent_span_id: Option<String>,
    #[serde(rename = "flags")]
    _flags: Option<IgnoredAny>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: i32,
    start_time_unix_nano: Whole,
    end_time_unix_nano: Whole,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    dropped_attributes_count: u32,
    #[serde(default)]
    events: Vec<WrittenEvent>,
    #[serde(default)]
    dropped_events_count: u32,
    #[serde(default)]
    links: Vec<WrittenLink>,
    #[serde(default)]
    dropped_links_count: u32,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Status {
    code: i32,
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenEvent {
    time_unix_nano: Whole,
    #[serde(default)]
    name: String,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    dropped_attributes_count: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenLink {
    trace_id: TraceIdText,
    span_id: SpanIdText,
    #[serde(default)]
    trace_state: String,
    #[serde(rename = "flags")]
    _flags: Option<IgnoredAny>,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    dropped_attributes_count: u32,
}

/// A number of 64 bits: a string in OTLP's JSON, and a number in some writers'.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a whole number, as a string or as a number")]
enum Whole {
    Text(String),
    Number(i128),
}

impl Whole {
    fn get<T: TryFrom<i128>>(&self) -> Result<T, String> {
        let number = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        };
        let number = number.and_then(|number: i128| T::try_from(number).ok());
        number.ok_or_else(|| "a number is not whole or has more than 64 bits".to_owned())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    key: String,
    value: AnyValue,
}

#[derive(Deserialize)]
enum AnyValue {
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "boolValue")]
    Flag(bool),
    #[serde(rename = "intValue")]
    Number(Whole),
    #[serde(rename = "doubleValue")]
    Float(f64),
    #[serde(rename = "arrayValue")]
    Array(ArrayValue),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct ArrayValue {
    values: Vec<AnyValue>,
}

impl AnyValue {
    fn value(self) -> Result<Value, String> {
        Ok(match self {
            Self::Text(text) => Value::Text(text),
            Self::Flag(flag) => Value::Flag(flag),
            Self::Number(number) => Value::Number(number.get()?),
            Self::Float(number) => Value::Float(number.to_bits()),
            Self::Array(array) => {
                let values: Vec<Value> = array
                    .values
                    .into_iter()
                    .map(Self::value)
                    .collect::<Result<_, _>>()?;
                let kind = values.first().map(std::mem::discriminant);
                let is_mixed = values
                    .iter()
                    .any(|value| Some(std::mem::discriminant(value)) != kind);
                if is_mixed || values.iter().any(|value| matches!(value, Value::List(_))) {
                    return Err(
                        "an array mixes kinds or holds arrays: an attribute cannot".to_owned()
                    );
                }
                Value::List(values)
            }
        })
    }
}

fn pairs(attributes: Vec<Attribute>) -> Result<Vec<(String, Value)>, String> {
    let pair = |attribute: Attribute| Ok((attribute.key, attribute.value.value()?));
    crate::otlp_span::unique(
        attributes
            .into_iter()
            .map(pair)
            .collect::<Result<_, String>>()?,
    )
}

impl TryFrom<WrittenResourceSpans> for ResourceSpans {
    type Error = String;

    fn try_from(written: WrittenResourceSpans) -> Result<Self, String> {
        let mut dropped = written.resource.dropped_attributes_count;
        let mut resource = pairs(written.resource.attributes)?;
        let service = resource.iter().position(|(key, _)| key == "service.name");
        let service = match service.map(|index| resource.remove(index).1) {
            Some(Value::Text(name)) if !name.is_empty() => name,
            None | Some(Value::Text(_)) => "unknown_service".to_owned(),
            Some(_) => return Err("service.name must be a string".to_owned()),
        };
        // The tracer names itself here.
        resource.retain(|(key, _)| !key.starts_with("telemetry.sdk."));
        resource.sort_unstable();
        let mut spans = Vec::new();
        for scope in written.scope_spans {
            dropped |= scope.scope.dropped_attributes_count;
            if !scope.scope.attributes.is_empty() {
                return Err("attributes of a scope are not replayed: remove them".to_owned());
            }
            for span in scope.spans {
                let mut converted = convert(span)?;
                converted.service.clone_from(&service);
                converted.resource.clone_from(&resource);
                converted.scope = (scope.scope.name.clone(), scope.scope.version.clone());
                spans.push(converted);
            }
        }
        match dropped {
            0 => Ok(Self(spans)),
            _ => Err(DROPPED.to_owned()),
        }
    }
}

const DROPPED: &str = "counts of dropped data are not replayed: set them to 0";

fn convert(span: WrittenSpan) -> Result<OtlpSpan, String> {
    if span.trace_id.0 == 0 || span.span_id.0 == 0 {
        return Err("traceId and spanId cannot be all zeros: give the span ids".to_owned());
    }
    let mut dropped =
        span.dropped_attributes_count | span.dropped_events_count | span.dropped_links_count;
    let mut has_state = !span.trace_state.is_empty();
    let parent_id = match span.parent_span_id.as_deref() {
        None | Some("") => None,
        Some(text) if text.len() == 16 => {
            Some(u64::from_str_radix(text, 16).map_err(|_| "parentSpanId is not hexadecimal")?)
        }
        Some(_) => return Err("parentSpanId must have 16 hex digits".to_owned()),
    };
    let mut events = Vec::new();
    for event in span.events {
        dropped |= event.dropped_attributes_count;
        events.push(Event {
            time: event.time_unix_nano.get()?,
            name: event.name,
            attributes: pairs(event.attributes)?,
        });
    }
    let mut links = Vec::new();
    for link in span.links {
        dropped |= link.dropped_attributes_count;
        has_state |= !link.trace_state.is_empty();
        if link.trace_id.0 == 0 || link.span_id.0 == 0 {
            return Err("the ids of a link cannot be all zeros".to_owned());
        }
        links.push(Link {
            trace_id: link.trace_id.0,
            span_id: link.span_id.0,
            attributes: pairs(link.attributes)?,
        });
    }
    if dropped != 0 {
        return Err(DROPPED.to_owned());
    }
    if has_state {
        return Err("a trace state is not replayed: remove it".to_owned());
    }
    let (start, end) = (
        span.start_time_unix_nano.get()?,
        span.end_time_unix_nano.get()?,
    );
    if end < start {
        return Err(format!(
            "the span {:016x} ends before it starts",
            span.span_id.0
        ));
    }
    Ok(OtlpSpan {
        trace_id: span.trace_id.0,
        span_id: span.span_id.0,
        parent_id: parent_id.filter(|&id| id != 0),
        service: String::new(),
        resource: Vec::new(),
        scope: (String::new(), String::new()),
        // Unspecified is internal.
        kind: match span.kind {
            0 | 1 => 1,
            kind @ 2..=5 => kind,
            _ => return Err("kind must be 0 to 5".to_owned()),
        },
        name: span.name,
        start,
        end,
        attributes: pairs(span.attributes)?,
        events,
        links,
        error: (span.status.code == 2).then_some(span.status.message),
        is_ok: span.status.code == 1,
    })
}
