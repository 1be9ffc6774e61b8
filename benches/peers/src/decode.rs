//! What must be delivered, and what was.

use crate::workload::{
    CHILD, EVENT, EVENT_ATTRIBUTES, KEYS, NUMBER, ROOT, TEXT, Workload, dynamic,
};
use benches::sink::{for_each_span, is_complete};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use std::collections::{BTreeMap, HashMap};

/// What a peer writes differently, with no way to change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Nothing.
    Plain,
    /// Every value is text.
    Text,
    /// Every event has its level and target as well.
    Annotated,
}

/// The target of the events of `tracing`.
pub(crate) const TARGET: &str = "http-server";

/// Descriptions of spans with their numbers.
pub(crate) type Kinds = BTreeMap<String, u64>;

type Attributes = Vec<(String, Value)>;

/// Returns what must be delivered when `workload` is done `times` times.
pub(crate) fn expected(workload: Workload, dialect: Dialect, times: u64) -> Kinds {
    if !workload.is_sampled() {
        return Kinds::new();
    }
    let span_attributes = attributes(workload, dialect, workload.attributes());
    let mut event_attributes = attributes(workload, dialect, EVENT_ATTRIBUTES);
    if dialect == Dialect::Annotated {
        for (key, value) in [("level", "INFO"), ("target", TARGET)] {
            event_attributes.push((key.to_owned(), Value::StringValue(value.to_owned())));
        }
    }
    let events = vec![(EVENT.to_owned(), event_attributes); workload.events()];
    let mut kinds = Kinds::from([(describe(ROOT, true, &span_attributes, &events), times)]);
    if workload.children() > 0 {
        let child = describe(CHILD, false, &span_attributes, &events);
        kinds.insert(child, times * workload.children());
    }
    kinds
}

fn attributes(workload: Workload, dialect: Dialect, count: usize) -> Attributes {
    let value = |index: usize| match (workload.is_dynamic(), index % 2, dialect) {
        (true, _, _) => Value::StringValue(dynamic!(index).to_string()),
        (_, 0, _) => Value::StringValue(TEXT.to_owned()),
        (_, _, Dialect::Text) => Value::StringValue(NUMBER.to_string()),
        _ => Value::IntValue(NUMBER),
    };
    (0..count)
        .map(|index| (KEYS[index].to_owned(), value(index)))
        .collect()
}

/// Returns what the requests contain, or an error if a span is incomplete or lacks its parent.
pub(crate) fn found(requests: &[Vec<u8>]) -> Result<Kinds, String> {
    let mut spans = Vec::new();
    for_each_span(requests, |_, span| {
        spans.push(span);
        Ok(())
    })?;
    let roots: HashMap<&[u8], &[u8]> = spans
        .iter()
        .filter(|span| is_root(span))
        .map(|span| (&span.span_id[..], &span.trace_id[..]))
        .collect();
    let mut kinds = Kinds::new();
    for span in &spans {
        if !is_root(span) && roots.get(&span.parent_span_id[..]) != Some(&&span.trace_id[..]) {
            return Err(format!("the parent of a span was not delivered: {span:?}"));
        }
        *kinds.entry(kind(span)?).or_default() += 1;
    }
    Ok(kinds)
}

fn is_root(span: &Span) -> bool {
    span.parent_span_id.iter().all(|byte| *byte == 0)
}

fn kind(span: &Span) -> Result<String, String> {
    if !is_complete(span) || span.dropped_attributes_count + span.dropped_events_count > 0 {
        return Err(format!("a span is incomplete: {span:?}"));
    }
    let mut events = Vec::new();
    for event in &span.events {
        let within = span.start_time_unix_nano..=span.end_time_unix_nano;
        if !within.contains(&event.time_unix_nano) {
            return Err(format!("an event is outside its span: {span:?}"));
        }
        events.push((event.name.clone(), sorted(&event.attributes)?));
    }
    let attributes = sorted(&span.attributes)?;
    Ok(describe(&span.name, is_root(span), &attributes, &events))
}

fn sorted(attributes: &[KeyValue]) -> Result<Attributes, String> {
    let mut sorted = Vec::new();
    for attribute in attributes {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.clone());
        let value = value.ok_or_else(|| format!("an attribute has no value: {attribute:?}"))?;
        sorted.push((attribute.key.clone(), value));
    }
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(sorted)
}

fn describe(
    name: &str,
    is_root: bool,
    attributes: &Attributes,
    events: &[(String, Attributes)],
) -> String {
    format!("{name}, root: {is_root}, {attributes:?}, events: {events:?}")
}

#[cfg(test)]
mod tests {
    use super::{Dialect, ROOT, Workload, expected, found};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::span::Event;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

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
        vec![benches::sink::encode(&ExportTraceServiceRequest {
            resource_spans,
        })]
    }

    #[test]
    fn only_the_whole_workload_is_accepted() {
        let spans = request(vec![span(), span()]);
        let expect = |workload, times| Ok(expected(workload, Dialect::Plain, times));
        assert_eq!(found(&spans), expect(Workload::Root0, 2));
        assert_ne!(found(&spans), expect(Workload::Root0, 3));
        assert_ne!(found(&spans), expect(Workload::Root8, 2));
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
            ..Event::default()
        };
        let outside = Span {
            events: vec![late],
            ..span()
        };
        assert!(found(&request(vec![outside])).is_err());
    }
}
