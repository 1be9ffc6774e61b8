//! What must arrive, and whether it did.

use super::Work;
use super::work::{
    CHILD, CHILDREN, EVENT, EVENT_ATTRIBUTES, EVENTS, KEYS, NUMBER, ROOT, TEXT, dynamic,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::collections::BTreeMap;

/// How a peer says what others say differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Values have their kind.
    Plain,
    /// Every value is text.
    Text,
    /// Every event has its level and target as well, and nothing switches that off.
    Annotated,
}

/// What the macros of `tracing` call the source of their events.
pub(super) const TARGET: &str = "http-server";

/// Each kind of span with how often it occurs.
pub(super) type Kinds = BTreeMap<String, u64>;

/// An attribute, for comparison.
type Said = (String, Value);

/// What must arrive when `work` is done `times` times.
pub(super) fn expected(work: Work, dialect: Dialect, times: u64) -> Kinds {
    let attributes = said(work, dialect, work.attributes());
    let events = match work {
        Work::Events => vec![(EVENT.to_owned(), event_attributes(dialect)); EVENTS],
        _ => Vec::new(),
    };
    let told = |name, root| told(name, root, &attributes, &events);
    match work {
        Work::Unsampled => Kinds::new(),
        Work::Tree => [
            (told(ROOT, true), times),
            (told(CHILD, false), times * CHILDREN),
        ]
        .into(),
        _ => [(told(ROOT, true), times)].into(),
    }
}

fn said(work: Work, dialect: Dialect, attributes: usize) -> Vec<Said> {
    let value = |index: usize| match (work, index % 2, dialect) {
        (Work::Dynamic, _, _) => Value::StringValue(dynamic!(index).to_string()),
        (_, 0, _) => Value::StringValue(TEXT.to_owned()),
        (_, _, Dialect::Text) => Value::StringValue(NUMBER.to_string()),
        (_, _, _) => Value::IntValue(NUMBER),
    };
    (0..attributes)
        .map(|index| (KEYS[index].to_owned(), value(index)))
        .collect()
}

fn event_attributes(dialect: Dialect) -> Vec<Said> {
    let mut attributes = said(Work::Events, dialect, EVENT_ATTRIBUTES);
    if dialect == Dialect::Annotated {
        for (key, value) in [("level", "INFO"), ("target", TARGET)] {
            attributes.push((key.to_owned(), Value::StringValue(value.to_owned())));
        }
    }
    attributes
}

/// What stands in the requests.
///
/// # Errors
///
/// If one is no request, or a span is not whole or without its parent.
pub(super) fn found(requests: &[Vec<u8>]) -> Result<Kinds, String> {
    let mut spans = Vec::new();
    for body in requests {
        let request =
            ExportTraceServiceRequest::decode(&**body).map_err(|error| error.to_string())?;
        let scopes = request.resource_spans.into_iter();
        for scope in scopes.flat_map(|resource| resource.scope_spans) {
            spans.extend(scope.spans);
        }
    }
    let roots: BTreeMap<Vec<u8>, Vec<u8>> = spans
        .iter()
        .filter(|span| is_root(span))
        .map(|span| (span.span_id.clone(), span.trace_id.clone()))
        .collect();
    let mut kinds = Kinds::new();
    for span in &spans {
        if !is_root(span) && roots.get(&span.parent_span_id) != Some(&span.trace_id) {
            return Err(format!("the parent of a span did not arrive: {span:?}"));
        }
        *kinds.entry(kind(span)?).or_default() += 1;
    }
    Ok(kinds)
}

/// The spans in a request.
///
/// # Errors
///
/// If it is no request.
pub(super) fn spans(body: &[u8]) -> Result<u64, String> {
    let request = ExportTraceServiceRequest::decode(body).map_err(|error| error.to_string())?;
    let scopes = request.resource_spans.iter();
    let spans = scopes
        .flat_map(|resource| &resource.scope_spans)
        .map(|scope| scope.spans.len() as u64);
    Ok(spans.sum())
}

fn is_root(span: &Span) -> bool {
    span.parent_span_id.iter().all(|byte| *byte == 0)
}

fn kind(span: &Span) -> Result<String, String> {
    let whole = span.trace_id.len() == 16
        && span.span_id.len() == 8
        && span.start_time_unix_nano > 0
        && span.start_time_unix_nano <= span.end_time_unix_nano
        && span.dropped_attributes_count == 0
        && span.dropped_events_count == 0;
    if !whole {
        return Err(format!("a span is not whole: {span:?}"));
    }
    let mut events = Vec::new();
    for event in &span.events {
        let within = span.start_time_unix_nano..=span.end_time_unix_nano;
        if !within.contains(&event.time_unix_nano) {
            return Err(format!("an event is not within its span: {span:?}"));
        }
        events.push((event.name.clone(), sorted(&event.attributes)?));
    }
    let attributes = sorted(&span.attributes)?;
    Ok(told(&span.name, is_root(span), &attributes, &events))
}

fn sorted(attributes: &[KeyValue]) -> Result<Vec<Said>, String> {
    let mut sorted = Vec::new();
    for attribute in attributes {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.clone());
        let value = value.ok_or_else(|| format!("an attribute has no value: {attribute:?}"))?;
        sorted.push((attribute.key.clone(), value));
    }
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(sorted)
}

fn told(name: &str, root: bool, attributes: &[Said], events: &[(String, Vec<Said>)]) -> String {
    format!("{name}, root: {root}, {attributes:?}, events: {events:?}")
}

#[cfg(test)]
mod tests {
    use super::{Dialect, EVENT, ROOT, Work, expected, found};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::span::Event;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use prost::Message;

    fn span() -> Span {
        Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            name: ROOT.to_owned(),
            start_time_unix_nano: 10,
            end_time_unix_nano: 20,
            ..Span::default()
        }
    }

    fn request(spans: Vec<Span>) -> Vec<Vec<u8>> {
        let scope_spans = vec![ScopeSpans {
            spans,
            ..ScopeSpans::default()
        }];
        let resource_spans = vec![ResourceSpans {
            scope_spans,
            ..ResourceSpans::default()
        }];
        vec![ExportTraceServiceRequest { resource_spans }.encode_to_vec()]
    }

    #[test]
    fn the_work_is_found_where_all_of_it_arrives_and_nowhere_else() {
        let spans = vec![span(), span()];
        let root0 = |times| Ok(expected(Work::Root0, Dialect::Plain, times));
        assert_eq!(found(&request(spans.clone())), root0(2));
        assert_ne!(found(&request(spans.clone())), root0(3));
        assert_ne!(
            found(&request(spans)),
            Ok(expected(Work::Root8, Dialect::Plain, 2))
        );
    }

    #[test]
    fn an_orphan_and_an_event_outside_its_span_are_refused() {
        let orphan = Span {
            span_id: vec![3; 8],
            parent_span_id: vec![4; 8],
            ..span()
        };
        assert!(found(&request(vec![span(), orphan])).is_err());
        let late = Event {
            time_unix_nano: 21,
            name: EVENT.to_owned(),
            ..Event::default()
        };
        let outside = Span {
            events: vec![late],
            ..span()
        };
        assert!(found(&request(vec![outside])).is_err());
    }
}
