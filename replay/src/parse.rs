//! Reads traces in JSON, and first of all Zipkin's.

use crate::otlp_span::to_otlp;
use crate::zipkin::{Annotation, Endpoint, Kind, Span};
use crate::zipkin_values::{Micros, SpanIdText, Tags, TraceIdText};
use crate::{OtlpSpan, ReplayError, jaeger, otlp_json};
use serde::Deserialize;

/// Reads a file in Zipkin's, Jaeger's or OTLP's JSON, which are told apart by how they begin.
///
/// # Errors
///
/// [`ReplayError::Malformed`] with the line and the column of the fault.
pub fn read_spans(name: &str, json: &[u8]) -> Result<Vec<OtlpSpan>, ReplayError> {
    let start = json.trim_ascii_start();
    if start.starts_with(b"[") {
        // `parse` returns only spans that can be converted.
        return Ok(parse(name, json)?
            .iter()
            .filter_map(|span| to_otlp(span).ok())
            .collect());
    }
    if let Some((b'{', rest)) = start.split_first() {
        if rest.trim_ascii_start().starts_with(b"\"resourceSpans\"") {
            let requests = serde_json::Deserializer::from_slice(json).into_iter();
            let requests = requests.collect::<Result<Vec<otlp_json::Request>, _>>();
            let requests = requests.map_err(|error| malformed(name, &error))?;
            let resources = requests
                .into_iter()
                .flat_map(|request| request.resource_spans);
            return Ok(resources.flat_map(|resource| resource.0).collect());
        }
        let file: jaeger::File =
            serde_json::from_slice(json).map_err(|error| malformed(name, &error))?;
        return Ok(file.data.into_iter().flat_map(|trace| trace.0).collect());
    }
    // Not even JSON, or an unknown kind of it.
    Err(ReplayError::Malformed {
        name: name.to_owned(),
        line: 1,
        column: 0,
        message: FORMATS.to_owned(),
    })
}

const FORMATS: &str = "this is none of the formats that are read: Zipkin v2 (a list of spans), Jaeger (an object with `data`) \
                       and OTLP (objects with `resourceSpans`), in JSON";

/// Reads a list of spans that [`to_otlp`] converts. `name` names the file in errors.
///
/// # Errors
///
/// [`ReplayError::Malformed`] with the line and the column of the fault.
pub fn parse(name: &str, json: &[u8]) -> Result<Vec<Span>, ReplayError> {
    let spans: Vec<Checked> =
        serde_json::from_slice(json).map_err(|error| malformed(name, &error))?;
    Ok(spans.into_iter().map(|Checked(span)| span).collect())
}

fn malformed(name: &str, error: &serde_json::Error) -> ReplayError {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let position = format!(" at line {line} column {column}");
    ReplayError::Malformed {
        name: name.to_owned(),
        line,
        column,
        message: said.strip_suffix(&position).unwrap_or(&said).to_owned(),
    }
}

/// A span in JSON. `null` stands for an absent field.
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

/// A span that OTLP can hold.
#[derive(Deserialize)]
#[serde(try_from = "Written")]
struct Checked(Span);

impl TryFrom<Written> for Checked {
    type Error = String;

    fn try_from(span: Written) -> Result<Self, String> {
        if span.trace_id.0 == 0 || span.id.0 == 0 {
            return Err("traceId and id cannot be all zeros: give the span ids".to_owned());
        }
        let span = Span {
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
        // Checked here, where the error has a line and a column.
        to_otlp(&span).map(drop)?;
        Ok(Self(span))
    }
}
