//! Received spans: compares those of two sides, and draws traces.

use crate::attributes::{pair, service};
use crate::logs::{LogRecord, LogRow};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

type TraceId = Vec<u8>;
type SpanId = Vec<u8>;

#[derive(Clone, Debug)]
pub(crate) struct Span {
    trace: TraceId,
    id: SpanId,
    parent: SpanId,
    service: String,
    name: String,
    kind: i32,
    start: u64,
    end: u64,
    error: Option<String>,
    attributes: Vec<(String, String)>,
    events: Vec<String>,
}

/// A row of a drawn trace: one span.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) service: String,
    pub(crate) name: String,
    /// 0 for the root.
    pub(crate) depth: usize,
    /// Time since the start of the root.
    pub(crate) start_us: f64,
    pub(crate) duration_us: f64,
    /// The description of the error status.
    pub(crate) error: Option<String>,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) logs: Vec<LogRow>,
}

/// Returns the spans of a request.
pub(crate) fn spans(request: ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let service = service(resource.resource.as_ref());
        for span in resource
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans)
        {
            let error = span
                .status
                .filter(|status| status.code() == StatusCode::Error)
                .map(|status| status.message);
            spans.push(Span {
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
                service: service.clone(),
                name: span.name,
                kind: span.kind,
                start: span.start_time_unix_nano,
                end: span.end_time_unix_nano,
                error,
                attributes: span.attributes.iter().map(pair).collect(),
                events: span.events.into_iter().map(|event| event.name).collect(),
            });
        }
    }
    spans
}

/// Returns the names of the spans by trace and span id.
pub(crate) fn names(spans: &[Span]) -> HashMap<(&[u8], &[u8]), &str> {
    spans
        .iter()
        .map(|span| ((&*span.trace, &*span.id), &*span.name))
        .collect()
}

/// Returns the time from the start of a drawn trace to the end of its last span.
pub(crate) fn end_us(trace: &[Row]) -> f64 {
    trace
        .iter()
        .map(|row| row.start_us + row.duration_us)
        .fold(1.0, f64::max)
}

/// Counts spans by shape: the services and names from the root to the span, its kind, the keys of its attributes, its events, and
/// whether it failed.
pub(crate) fn shapes(spans: &[Span]) -> BTreeMap<String, u64> {
    let by_id: HashMap<(&[u8], &[u8]), &Span> = spans
        .iter()
        .map(|span| ((&*span.trace, &*span.id), span))
        .collect();
    let mut shapes = BTreeMap::new();
    for span in spans {
        let mut path = vec![format!("{}: {}", span.service, span.name)];
        let mut child = span;
        while !child.parent.is_empty() {
            // Deeper than any trace of the demo: the parents form a cycle.
            if path.len() > 16 {
                path.push("a cycle".to_owned());
                break;
            }
            match by_id.get(&(&*child.trace, &*child.parent)) {
                Some(parent) => {
                    path.push(format!("{}: {}", parent.service, parent.name));
                    child = parent;
                }
                None => {
                    path.push("a missing parent".to_owned());
                    break;
                }
            }
        }
        path.reverse();
        let mut keys: Vec<&str> = span.attributes.iter().map(|(key, _)| &**key).collect();
        keys.sort_unstable();
        let shape = format!(
            "{} (kind {}, {}, events {:?}, error {:?})",
            path.join(" > "),
            span.kind,
            keys.join(" "),
            span.events,
            span.error.is_some(),
        );
        *shapes.entry(shape).or_default() += 1;
    }
    shapes
}

/// Returns the first difference between the shapes of two sides.
pub(crate) fn difference(
    ours: &BTreeMap<String, u64>,
    theirs: &BTreeMap<String, u64>,
) -> Option<String> {
    let mut shapes: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    shapes.sort_unstable();
    shapes.dedup();
    shapes.into_iter().find_map(|shape| {
        let count = |side: &BTreeMap<String, u64>| side.get(shape).copied().unwrap_or_default();
        let (ours, theirs) = (count(ours), count(theirs));
        (ours != theirs).then(|| format!("{ours} against {theirs} of {shape}"))
    })
}

/// Draws two traces, one that succeeded and one that failed, as far as there are any, each span with its log records.
///
/// They are among the fastest: in the others, most of the time is waiting, since the services are kept busy.
pub(crate) fn draw_examples(spans: &[Span], logs: &[LogRecord]) -> Vec<Vec<Row>> {
    let mut roots: Vec<&Span> = spans.iter().filter(|span| span.parent.is_empty()).collect();
    roots.sort_by_key(|root| root.end - root.start);
    [false, true]
        .into_iter()
        .filter_map(|failed| {
            let alike: Vec<&&Span> = roots
                .iter()
                .filter(|root| root.error.is_some() == failed)
                .collect();
            let root = alike.get(alike.len() / 20)?;
            let mut rows = Vec::new();
            let trace: Vec<&Span> = spans
                .iter()
                .filter(|span| span.trace == root.trace)
                .collect();
            let logs: Vec<&LogRecord> = logs
                .iter()
                .filter(|record| record.trace == root.trace)
                .collect();
            add_rows(root, &trace, &logs, 0, &mut rows);
            Some(rows)
        })
        .collect()
}

fn add_rows(span: &Span, trace: &[&Span], logs: &[&LogRecord], depth: usize, rows: &mut Vec<Row>) {
    let origin = trace
        .iter()
        .find(|span| span.parent.is_empty())
        .map_or(span.start, |root| root.start);
    let mut of_span: Vec<LogRow> = logs
        .iter()
        .filter(|record| record.span == span.id)
        .map(|record| record.row(origin))
        .collect();
    of_span.sort_by(|one, other| one.time_us.total_cmp(&other.time_us));
    let micros = |nanos: u64| nanos as f64 / 1_000.0;
    rows.push(Row {
        service: span.service.clone(),
        name: span.name.clone(),
        depth,
        start_us: micros(span.start.saturating_sub(origin)),
        duration_us: micros(span.end.saturating_sub(span.start)),
        error: span.error.clone(),
        attributes: span.attributes.clone(),
        logs: of_span,
    });
    let mut children: Vec<&&Span> = trace
        .iter()
        .filter(|child| child.parent == span.id)
        .collect();
    children.sort_by_key(|child| child.start);
    for child in children {
        add_rows(child, trace, logs, depth + 1, rows);
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, difference, draw_examples, shapes};

    fn span(id: u8, parent: Option<u8>, name: &str) -> Span {
        Span {
            trace: vec![1],
            id: vec![id],
            parent: parent.into_iter().collect(),
            service: "shop".to_owned(),
            name: name.to_owned(),
            kind: 1,
            start: u64::from(id) * 1_000,
            end: 9_000,
            error: None,
            attributes: Vec::new(),
            events: Vec::new(),
        }
    }

    #[test]
    fn sides_that_nest_their_spans_differently_differ() {
        let nested = shapes(&[
            span(1, None, "a"),
            span(2, Some(1), "b"),
            span(3, Some(2), "c"),
        ]);
        let flat = shapes(&[
            span(1, None, "a"),
            span(2, Some(1), "b"),
            span(3, Some(1), "c"),
        ]);
        assert_eq!(difference(&nested, &nested), None);
        assert!(difference(&nested, &flat).is_some());
    }

    #[test]
    fn a_missing_parent_changes_the_shape() {
        let shapes = shapes(&[span(2, Some(1), "b")]);
        assert!(shapes.keys().all(|shape| shape.contains("missing")));
    }

    #[test]
    fn a_drawn_trace_lists_children_below_their_parents_in_order_of_start() {
        let spans = [
            span(3, Some(1), "late"),
            span(2, Some(1), "early"),
            span(1, None, "root"),
        ];
        let rows = draw_examples(&spans, &[]).remove(0);
        let names: Vec<(&str, usize)> = rows.iter().map(|row| (&*row.name, row.depth)).collect();
        assert_eq!(names, [("root", 0), ("early", 1), ("late", 1)]);
        assert_eq!(rows[1].start_us, 1.0);
    }
}
