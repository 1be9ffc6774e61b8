use crate::ReplayError;
use crate::value::{Micros, SpanIdText, Tags, TraceIdText};
use serde::Deserialize;

/// A span as Zipkin's v2 model has it. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Span {
    /// The trace's id.
    pub trace_id: u128,
    /// The span's id, which the server's half of an RPC may share with the client's.
    pub id: u64,
    /// The parent's id.
    pub parent_id: Option<u64>,
    /// Which side of which exchange it is.
    pub kind: Option<Kind>,
    /// The name; empty where there is none.
    pub name: String,
    /// When it started; 0 where it is not known.
    pub timestamp: u64,
    /// How long it took; 0 where it is not known.
    pub duration: u64,
    /// Whether every sampler was told to keep it.
    pub debug: Option<bool>,
    /// Whether it shares its id with the caller's span.
    pub shared: Option<bool>,
    /// Who recorded it.
    pub local: Endpoint,
    /// The other side.
    pub remote: Endpoint,
    /// What happened meanwhile.
    pub annotations: Vec<Annotation>,
    /// What is known of it.
    pub tags: Vec<(String, String)>,
}

/// Which side of which exchange a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// Waits for an answer.
    Client,
    /// Answers.
    Server,
    /// Sends a message.
    Producer,
    /// Takes a message.
    Consumer,
}

/// A service at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Endpoint {
    /// The service's name.
    pub service_name: Option<String>,
    /// Its IPv4 address.
    pub ipv4: Option<String>,
    /// Its IPv6 address.
    pub ipv6: Option<String>,
    /// Its port.
    pub port: Option<u16>,
}

/// Something that happened at a point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// When, in microseconds since 1970.
    pub timestamp: u64,
    /// What.
    pub value: String,
}

/// A span as it is written down. A `null` stands for an absent field.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    expecting = "a span: an object"
)]
struct Written {
    trace_id: TraceIdText,
    id: SpanIdText,
    parent_id: Option<SpanIdText>,
    kind: Option<Kind>,
    name: Option<String>,
    timestamp: Option<Micros>,
    duration: Option<Micros>,
    debug: Option<bool>,
    shared: Option<bool>,
    local_endpoint: Option<Endpoint>,
    remote_endpoint: Option<Endpoint>,
    annotations: Option<Vec<WrittenAnnotation>>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnnotation {
    timestamp: Micros,
    value: String,
}

impl TryFrom<Written> for Span {
    type Error = String;

    fn try_from(span: Written) -> Result<Self, String> {
        if span.trace_id.0 == 0 || span.id.0 == 0 {
            return Err("traceId and id cannot be all zeros: give the span ids".to_owned());
        }
        let span = Self {
            trace_id: span.trace_id.0,
            id: span.id.0,
            parent_id: span.parent_id.map(|id| id.0).filter(|&id| id != 0),
            kind: span.kind,
            name: span.name.unwrap_or_default(),
            timestamp: span.timestamp.map_or(0, |micros| micros.0),
            duration: span.duration.map_or(0, |micros| micros.0),
            debug: span.debug,
            shared: span.shared,
            local: span.local_endpoint.unwrap_or_default(),
            remote: span.remote_endpoint.unwrap_or_default(),
            annotations: span
                .annotations
                .unwrap_or_default()
                .into_iter()
                .map(|annotation| Annotation {
                    timestamp: annotation.timestamp.0,
                    value: annotation.value,
                })
                .collect(),
            tags: span.tags.unwrap_or_default().0,
        };
        // Whatever cannot be carried is said here, where the reader still knows line and column.
        crate::carry(&span).map(drop)?;
        Ok(span)
    }
}

/// Reads a list of spans, all of which [`carry`](crate::carry) takes. `name` says where it came from, for errors.
///
/// # Errors
///
/// [`ReplayError::Malformed`] with the line and the column behind which the fault was noticed.
pub fn parse(name: &str, json: &[u8]) -> Result<Vec<Span>, ReplayError> {
    serde_json::from_slice(json).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        let position = format!(" at line {line} column {column}");
        ReplayError::Malformed {
            name: name.to_owned(),
            line,
            column,
            message: said.strip_suffix(&position).unwrap_or(&said).to_owned(),
        }
    })
}
