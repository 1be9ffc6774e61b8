use crate::{Endpoint, Kind, Span};
use opentelemetry::trace::SpanKind;

/// A span in OTLP's terms: as it is sent, and as it is read back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtlpSpan {
    /// The trace's id.
    pub trace_id: u128,
    /// The span's id.
    pub span_id: u64,
    /// The parent's id.
    pub parent_id: Option<u64>,
    /// The resource's `service.name`.
    pub service: String,
    /// The resource's other attributes, sorted by key, without `telemetry.sdk.*`.
    pub resource: Vec<(String, Value)>,
    /// Name and version of the instrumentation scope.
    pub scope: (String, String),
    /// The number of the kind in OTLP.
    pub kind: i32,
    /// The name.
    pub name: String,
    /// When it started, in nanoseconds since 1970.
    pub start: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end: u64,
    /// Attributes, in order.
    pub attributes: Vec<(String, Value)>,
    /// Events, in order.
    pub events: Vec<Event>,
    /// Links, in order.
    pub links: Vec<Link>,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// The status is `Ok`.
    pub is_ok: bool,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Number(i64),
    /// A boolean.
    Flag(bool),
    /// The bits of a number with a fraction.
    Float(u64),
    /// A list of values of one kind.
    List(Vec<Value>),
}

/// A link of a span to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The other span's trace.
    pub trace_id: u128,
    /// The other span.
    pub span_id: u64,
    /// Attributes, in order.
    pub attributes: Vec<(String, Value)>,
}

/// An event of a span.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When, in nanoseconds since 1970.
    pub time: u64,
    /// What.
    pub name: String,
    /// Attributes, in order.
    pub attributes: Vec<(String, Value)>,
}

impl OtlpSpan {
    /// The span's kind.
    pub fn span_kind(&self) -> SpanKind {
        match self.kind {
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Internal,
        }
    }
}

/// Converts a span of Zipkin to OTLP.
///
/// # Errors
///
/// If OTLP cannot hold a field of the span. The message names it and the remedy.
pub fn to_otlp(span: &Span) -> Result<OtlpSpan, String> {
    if span.timestamp == 0 && span.duration != 0 {
        return Err(format!(
            "the span {:016x} has a duration of {} µs and no timestamp: OTLP says when a span started and ended",
            span.id, span.duration
        ));
    }
    let end = span.timestamp.checked_add(span.duration);
    let Some(end) = end.and_then(nanos) else {
        return Err(format!(
            "the span {:016x} ends {} µs after {}: OTLP counts to the year 2554",
            span.id, span.duration, span.timestamp
        ));
    };
    Ok(OtlpSpan {
        trace_id: span.trace_id,
        span_id: span.id,
        parent_id: span.parent_id,
        service: match span.local.service_name.as_deref() {
            None | Some("") => "unknown_service".to_owned(),
            Some(name) => name.to_owned(),
        },
        resource: Vec::new(),
        scope: ("replay".to_owned(), String::new()),
        kind: match span.kind {
            None => 1,
            Some(Kind::Server) => 2,
            Some(Kind::Client) => 3,
            Some(Kind::Producer) => 4,
            Some(Kind::Consumer) => 5,
        },
        name: span.name.clone(),
        start: nanos(span.timestamp).unwrap_or(end),
        end,
        attributes: attributes(span)?,
        events: span
            .annotations
            .iter()
            .map(|annotation| {
                let time = nanos(annotation.timestamp).ok_or("an annotation is out of time")?;
                Ok(Event {
                    time,
                    name: annotation.value.clone(),
                    attributes: Vec::new(),
                })
            })
            .collect::<Result<_, String>>()?,
        links: Vec::new(),
        is_ok: false,
        error: span
            .tags
            .iter()
            .find(|(key, _)| key == "error")
            .map(|(_, value)| value.clone()),
    })
}

/// Returns the attributes, unless a key is there twice.
pub(crate) fn unique(attributes: Vec<(String, Value)>) -> Result<Vec<(String, Value)>, String> {
    let mut keys = std::collections::HashSet::new();
    match attributes
        .iter()
        .find(|(key, _)| !keys.insert(key.as_str()))
    {
        Some((key, _)) => Err(format!(
            "the attribute `{key}` is there twice: an attribute has one value"
        )),
        None => Ok(attributes),
    }
}

/// Returns the tags, then Zipkin's other fields.
fn attributes(span: &Span) -> Result<Vec<(String, Value)>, String> {
    let mut attributes: Vec<(String, Value)> = span
        .tags
        .iter()
        .map(|(key, value)| (key.clone(), Value::Text(value.clone())))
        .collect();
    let mut add = |key: &str, field: &str, value: Option<Value>| {
        let Some(value) = value else { return Ok(()) };
        if span.tags.iter().any(|(tag, _)| tag == key) {
            return Err(format!(
                "the tag `{key}` of the span {:016x} has the name of the attribute for `{field}`: rename the tag",
                span.id
            ));
        }
        attributes.push((key.to_owned(), value));
        Ok(())
    };
    for (side, field, endpoint) in [
        ("local", "localEndpoint", &span.local),
        ("peer", "remoteEndpoint", &span.remote),
    ] {
        let Endpoint {
            service_name,
            ipv4,
            ipv6,
            port,
        } = endpoint;
        if side == "peer" {
            add("peer.service", field, text(service_name))?;
        }
        // If an endpoint has both addresses, which is rare, the second has another name.
        let (first, second) = match ipv4 {
            Some(_) => (ipv4, ipv6),
            None => (ipv6, &None),
        };
        add(&format!("network.{side}.address"), field, text(first))?;
        add(&format!("network.{side}.address.ipv6"), field, text(second))?;
        let port = port.map(|port| Value::Number(port.into()));
        add(&format!("network.{side}.port"), field, port)?;
    }
    add("zipkin.shared", "shared", span.shared.map(Value::Flag))?;
    add("zipkin.debug", "debug", span.debug.map(Value::Flag))?;
    Ok(attributes)
}

fn text(value: &Option<String>) -> Option<Value> {
    value.clone().map(Value::Text)
}

fn nanos(micros: u64) -> Option<u64> {
    micros.checked_mul(1000)
}
