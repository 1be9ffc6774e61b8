//! Runs random programs under this layer and under the predecessor's, with the official SDK. The exports are equal, after a naive
//! model has corrected the predecessor's where it falls short: each correction is a function that says what is right.

use crate::program::{Step, steps};
use crate::run::{Identity, Ours, Outcome, Theirs, Truth, remote, run};
use crate::support::Rig;
use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::Link;
use opentelemetry_proto::tonic::trace::v1::{self as proto, Span};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

/// An exported span without its times, and with numbers in place of ids.
#[derive(Debug, PartialEq)]
struct Normal {
    number: usize,
    name: String,
    kind: i32,
    status: (i32, String),
    parent: Option<Identity>,
    root: Identity,
    trace_state: String,
    flags: u32,
    attributes: BTreeMap<String, String>,
    events: Vec<(String, BTreeMap<String, String>)>,
    links: Vec<(Option<Identity>, BTreeMap<String, String>)>,
    dropped: [u32; 3],
}

/// Returns the spans in the order of their numbers.
fn normal(spans: &[Span]) -> Vec<Normal> {
    let identities = Identities::new(spans);
    let parents: BTreeMap<usize, Option<Identity>> = spans
        .iter()
        .map(|span| (number(span), identities.of(&span.parent_span_id)))
        .collect();
    let mut normal: Vec<Normal> = spans
        .iter()
        .map(|span| Normal {
            number: number(span),
            name: span.name.clone(),
            kind: span.kind,
            status: (
                span.status.clone().unwrap_or_default().code,
                span.status.clone().unwrap_or_default().message,
            ),
            parent: parents[&number(span)],
            root: root(&parents, number(span)),
            trace_state: span.trace_state.clone(),
            flags: span.flags,
            attributes: map(&span.attributes),
            events: span
                .events
                .iter()
                .map(|event| (event.name.clone(), map(&event.attributes)))
                .collect(),
            links: span
                .links
                .iter()
                .map(|link| (identities.of(&link.span_id), map(&link.attributes)))
                .collect(),
            dropped: [
                span.dropped_attributes_count,
                span.dropped_events_count,
                span.dropped_links_count,
            ],
        })
        .collect();
    normal.sort_by_key(|span| span.number);
    normal
}

/// The span that each id belongs to.
struct Identities(BTreeMap<Vec<u8>, Identity>);

impl Identities {
    fn new(spans: &[Span]) -> Self {
        let local = spans
            .iter()
            .map(|span| (span.span_id.clone(), Identity::Span(number(span))));
        let remote = (0..3).map(|which| {
            let id = remote(which).span_id().to_bytes().to_vec();
            (id, Identity::Remote(which))
        });
        Self(local.chain(remote).collect())
    }

    fn of(&self, id: &[u8]) -> Option<Identity> {
        if id.is_empty() {
            return None;
        }
        Some(
            *self
                .0
                .get(id)
                .unwrap_or_else(|| panic!("nobody's id: {id:?}")),
        )
    }

    fn id(&self, identity: Identity) -> Vec<u8> {
        let found = self.0.iter().find(|(_, held)| **held == identity);
        found
            .map(|(id, _)| id.clone())
            .unwrap_or_else(|| panic!("{identity:?} was not exported"))
    }
}

fn root(parents: &BTreeMap<usize, Option<Identity>>, number: usize) -> Identity {
    match parents[&number] {
        Some(Identity::Span(parent)) => root(parents, parent),
        Some(remote) => remote,
        None => Identity::Span(number),
    }
}

fn number(span: &Span) -> usize {
    let found = span.attributes.iter().find(|held| held.key == "number");
    match found.and_then(|held| held.value.as_ref()?.value.as_ref()) {
        Some(Value::IntValue(number)) => *number as usize,
        _ => panic!("a span without its number: {span:#?}"),
    }
}

fn map(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let map: BTreeMap<String, String> = attributes
        .iter()
        .map(|held| (held.key.clone(), format!("{:?}", held.value)))
        .collect();
    assert_eq!(map.len(), attributes.len(), "a key twice: {attributes:#?}");
    map
}

/// Replaces what differs from run to run: the id of the thread by its number, the times by nothing.
fn forget_the_run(span: &mut Span, outcome: &Outcome) {
    for held in &mut span.attributes {
        let value = held.value.as_mut().and_then(|value| value.value.as_mut());
        match (&*held.key, value) {
            ("thread.id", Some(Value::IntValue(id))) => {
                let thread = outcome
                    .thread_ids
                    .iter()
                    .position(|known| *known == *id as u64);
                *id = thread.expect("a thread of the program") as i64;
            }
            ("busy_ns" | "idle_ns", Some(Value::IntValue(nanos))) => {
                assert!((0..60_000_000_000).contains(nanos), "{nanos}");
                *nanos = 0;
            }
            _ => {}
        }
    }
}

/// Runs the program under the predecessor, and returns what it should have exported.
fn expected(program: &[Step]) -> Vec<Normal> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let outcome = run::<Theirs>(program, &dispatch);
    let spans = exporter.get_finished_spans().expect("it keeps them");
    let mut spans: Vec<Span> = spans.into_iter().map(Span::from).collect();
    correct(&mut spans, &outcome.truths);
    for span in &mut spans {
        forget_the_run(span, &outcome);
    }
    normal(&spans)
}

/// Makes of the predecessor's spans what they should be, line by line of the table.
fn correct(spans: &mut [Span], truths: &[Truth]) {
    for span in &mut *spans {
        let truth = &truths[number(span)];
        integers_that_fit_are_integers(&mut span.attributes);
        bytes_are_bytes(&mut span.attributes);
        each_error_comes_once(&mut span.attributes, truth.errors_at_start);
        special_fields_that_are_not_understood_are_attributes(span, truth);
        keys_are_unique(&mut span.attributes);
        for event in &mut span.events {
            integers_that_fit_are_integers(&mut event.attributes);
            bytes_are_bytes(&mut event.attributes);
            an_event_with_an_error_alone_is_an_exception(event);
            each_error_comes_once(&mut event.attributes, usize::MAX);
            keys_are_unique(&mut event.attributes);
        }
        a_late_name_and_kind_count(span, truth);
        the_status_follows_the_specification(span, truth);
    }
    a_parent_may_be_set_until_the_ids_are_known(spans, truths);
    closed_spans_are_linked(spans, truths);
}

fn integers_that_fit_are_integers(attributes: &mut [KeyValue]) {
    for held in attributes {
        if let "u64" | "i128" | "u128" = &*held.key
            && let Some(value) = &mut held.value
            && let Some(Value::StringValue(text)) = &value.value
            && let Ok(integer) = text.parse::<i64>()
        {
            value.value = Some(Value::IntValue(integer));
        }
    }
}

/// The predecessor writes `[de ad]`.
fn bytes_are_bytes(attributes: &mut [KeyValue]) {
    for held in attributes {
        if held.key == "bytes"
            && let Some(value) = &mut held.value
            && let Some(Value::StringValue(text)) = &value.value
        {
            let bytes = text
                .trim_matches(['[', ']'])
                .split_ascii_whitespace()
                .map(|byte| u8::from_str_radix(byte, 16).expect("two digits"));
            value.value = Some(Value::BytesValue(bytes.collect()));
        }
    }
}

/// The predecessor writes the message as `exception.message` and in the field, and the sources as `exception.stacktrace` and
/// beside the field, both as arrays and even if there are none. Of the errors of one call, the first is the exception, and the
/// others are in their fields alone. Of an earlier exception, sources that the last one does not have are emptied.
fn each_error_comes_once(attributes: &mut Vec<KeyValue>, in_first_call: usize) {
    let mut kept: Vec<KeyValue> = Vec::new();
    let mut errors = 0;
    let mut rest = &attributes[..];
    while let [first, others @ ..] = rest {
        rest = others;
        let (Some(message), [stacktrace, others @ ..]) = (exception_message(first), others) else {
            kept.push(first.clone());
            continue;
        };
        let sources = match texts(stacktrace) {
            Some(sources) if stacktrace.key == "exception.stacktrace" => sources,
            // The error of an event, as a text.
            _ => {
                kept.push(first.clone());
                continue;
            }
        };
        rest = others;
        let has_field =
            matches!(others, [field, chain, ..] if chain.key == format!("{}.chain", field.key));
        let is_exception = errors == 0 || errors >= in_first_call;
        if has_field {
            rest = &others[2..];
            errors += 1;
        }
        if has_field && !is_exception {
            kept.push(others[0].clone());
            kept.extend((!sources.is_empty()).then(|| others[1].clone()));
            continue;
        }
        kept.push(text("exception.message", message));
        let had_sources = kept.iter().any(|held| held.key == "exception.stacktrace");
        if had_sources || !sources.is_empty() {
            let lines = sources.iter().map(|source| format!("caused by: {source}"));
            let lines: Vec<String> = lines.collect();
            kept.push(text("exception.stacktrace", &lines.join("\n")));
        }
    }
    *attributes = kept;
}

fn exception_message(attribute: &KeyValue) -> Option<&str> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) if attribute.key == "exception.message" => Some(text),
        _ => None,
    }
}

fn texts(attribute: &KeyValue) -> Option<Vec<String>> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::ArrayValue(array) => array
            .values
            .iter()
            .map(|value| match &value.value {
                Some(Value::StringValue(text)) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// The predecessor calls an event without a message `exception` if its `error` is a text, and not if it is an error.
fn an_event_with_an_error_alone_is_an_exception(event: &mut proto::span::Event) {
    let has = |key: &str| event.attributes.iter().any(|held| held.key == key);
    if event.name.starts_with("event ") && has("exception.message") && has("error") {
        event.name = "exception".to_owned();
    }
}

/// The predecessor drops them.
fn special_fields_that_are_not_understood_are_attributes(span: &mut Span, truth: &Truth) {
    let nonsense = truth.nonsense.iter().map(|(key, value)| text(key, value));
    span.attributes.extend(nonsense);
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

/// Keeps the last value of each key.
fn keys_are_unique(attributes: &mut Vec<KeyValue>) {
    let mut kept: Vec<KeyValue> = Vec::new();
    for attribute in attributes.drain(..) {
        match kept.iter_mut().find(|held| held.key == attribute.key) {
            Some(held) => *held = attribute,
            None => kept.push(attribute),
        }
    }
    *attributes = kept;
}

fn a_late_name_and_kind_count(span: &mut Span, truth: &Truth) {
    if let Some(name) = &truth.late_name {
        span.name.clone_from(name);
    }
    if let Some(kind) = &truth.late_kind {
        let kind = match kind {
            SpanKind::Internal => proto::span::SpanKind::Internal,
            SpanKind::Server => proto::span::SpanKind::Server,
            SpanKind::Client => proto::span::SpanKind::Client,
            SpanKind::Producer => proto::span::SpanKind::Producer,
            SpanKind::Consumer => proto::span::SpanKind::Consumer,
        };
        span.kind = kind.into();
    }
}

fn the_status_follows_the_specification(span: &mut Span, truth: &Truth) {
    let Some(right) = &truth.status else { return };
    let (code, message) = match right {
        Status::Unset => (proto::status::StatusCode::Unset, String::new()),
        Status::Ok => (proto::status::StatusCode::Ok, String::new()),
        Status::Error { description } => {
            (proto::status::StatusCode::Error, description.to_string())
        }
    };
    span.status = Some(proto::Status {
        message,
        code: code.into(),
    });
}

/// The predecessor refuses a parent once the span was entered, and starts a new trace for an empty one. What the span passes on to
/// its children changes with it.
fn a_parent_may_be_set_until_the_ids_are_known(spans: &mut [Span], truths: &[Truth]) {
    let identities = Identities::new(spans);
    let parents: BTreeMap<usize, Option<Identity>> = truths
        .iter()
        .enumerate()
        .map(|(number, truth)| (number, truth.parent))
        .collect();
    for span in spans {
        let parent = parents[&number(span)];
        if !truths[number(span)].has_set_parent {
            assert_eq!(identities.of(&span.parent_span_id), parent, "the model");
            continue;
        }
        span.parent_span_id = parent.map_or_else(Vec::new, |parent| identities.id(parent));
        let (state, is_remote) = match root(&parents, number(span)) {
            Identity::Remote(which) => (
                remote(which).trace_state().header(),
                matches!(parent, Some(Identity::Remote(_))),
            ),
            Identity::Span(_) => (String::new(), false),
        };
        span.trace_state = state;
        span.flags = 0x101 | u32::from(is_remote) << 9;
    }
}

/// The predecessor forgets them.
fn closed_spans_are_linked(spans: &mut [Span], truths: &[Truth]) {
    let identities = Identities::new(spans);
    for span in spans {
        let Some(links) = &truths[number(span)].links else {
            continue;
        };
        let mut others = std::mem::take(&mut span.links).into_iter();
        for link in links {
            match link {
                Identity::Span(_) => span.links.push(Link {
                    span_id: identities.id(*link),
                    ..Link::default()
                }),
                Identity::Remote(_) => {
                    let remote = others.find(|other| identities.of(&other.span_id) == Some(*link));
                    span.links.extend(remote);
                }
            }
        }
    }
}

/// Runs the program under this layer.
fn exported(program: &[Step]) -> (Vec<Normal>, Outcome) {
    let rig = Rig::new();
    let outcome = run::<Ours>(program, &rig.dispatch());
    let mut spans = rig.spans().0;
    for span in &mut spans {
        for event in &span.events {
            let time = event.time_unix_nano;
            // The time of an event may be given.
            assert!(
                time == 7 || (span.start_time_unix_nano..=span.end_time_unix_nano).contains(&time),
                "an event outside of its span: {span:#?}"
            );
        }
        forget_the_run(span, &outcome);
    }
    let stats = rig.provider.stats();
    assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
    (normal(&spans), outcome)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_program_exports_what_the_predecessor_should_have(program in steps()) {
        let (exported, outcome) = exported(&program);
        let expected = expected(&program);
        for (exported, expected) in exported.iter().zip(&expected) {
            prop_assert_eq!(exported, expected);
        }
        prop_assert_eq!(exported.len(), expected.len());
        for (returned, should) in outcome.set_parents {
            prop_assert_eq!(returned, should);
        }
    }
}
