//! Random programs that run on any tracer.

use opentelemetry::trace::{
    Event, Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt,
    TraceFlags, TraceId, TraceState, Tracer,
};
use opentelemetry::{Array, Context, KeyValue, Value};
use opentelemetry_sdk::trace::{IdGenerator, SamplingDecision, SamplingResult, ShouldSample};
use proptest::prelude::*;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A step. The `usize` is the index of a live span.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Start(New, Whose),
    Plain(String),
    Set(usize, KeyValue),
    SetMany(usize, Vec<KeyValue>),
    Event(usize, String, u64, Vec<KeyValue>),
    Error(usize, String),
    Link(usize, bool, Vec<KeyValue>),
    Status(usize, Status),
    Rename(usize, String),
    /// A span, and one within it, through `in_span`; the flag says whether the inner one panics.
    Nested(String, Vec<KeyValue>, bool),
    End(usize),
    EndAt(usize, u64),
    EndElsewhere(usize),
    Drop(usize),
    DropPanicking(usize),
    Shutdown,
}

#[derive(Clone, Debug)]
pub(crate) struct New {
    name: String,
    kind: SpanKind,
    start: Option<u64>,
    attributes: Vec<KeyValue>,
    events: Vec<(String, u64, Vec<KeyValue>)>,
    links: Vec<Vec<KeyValue>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    Root,
    /// The child of a live span.
    Child(usize),
    /// The child of a remote span, which is sampled or not.
    Remote(bool),
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-f]",
        1 => "key\\.[a-c]{1,3}",
        1 => Just("ключ".to_owned()),
        1 => Just("k".repeat(200)),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ -~]{0,12}",
        1 => "\\PC{0,40}",
        1 => (100_usize..3_000).prop_map(|length| "x".repeat(length)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => text().prop_map(|text| Value::String(text.into())),
        2 => any::<i64>().prop_map(Value::I64),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => (-1e9..1e9).prop_map(Value::F64),
        1 => prop::collection::vec(text(), 0..4)
            .prop_map(|texts| Value::Array(Array::String(texts.into_iter().map(Into::into).collect()))),
        1 => prop::collection::vec(any::<i64>(), 0..4).prop_map(|all| Value::Array(Array::I64(all))),
    ]
}

fn attributes(most: usize) -> impl Strategy<Value = Vec<KeyValue>> {
    let attribute = (key(), value()).prop_map(|(key, value)| KeyValue::new(key, value));
    prop::collection::vec(attribute, 0..most)
}

/// Times in 1970: the tests distinguish them from the clock's.
fn instant() -> impl Strategy<Value = u64> {
    1_u64..1_000_000_000_000
}

fn name() -> impl Strategy<Value = String> {
    // The first letter says what the sampler decides.
    ("[ssssro]", text()).prop_map(|(decision, rest)| format!("{decision}{rest}"))
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        text().prop_map(Status::error),
    ]
}

fn new() -> impl Strategy<Value = New> {
    let kind = prop::sample::select(vec![
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ]);
    (
        name(),
        kind,
        prop::option::of(instant()),
        attributes(12),
        prop::collection::vec((text(), instant(), attributes(4)), 0..3),
        prop::collection::vec(attributes(4), 0..3),
    )
        .prop_map(|(name, kind, start, attributes, events, links)| New {
            name,
            kind,
            start,
            attributes,
            events,
            links,
        })
}

fn step() -> impl Strategy<Value = Step> {
    let live = || 0_usize..4;
    let whose = prop_oneof![
        Just(Whose::Root),
        live().prop_map(Whose::Child),
        any::<bool>().prop_map(Whose::Remote),
    ];
    prop_oneof![
        6 => (new(), whose).prop_map(|(new, whose)| Step::Start(new, whose)),
        2 => name().prop_map(Step::Plain),
        8 => (live(), key(), value()).prop_map(|(live, key, value)| Step::Set(live, KeyValue::new(key, value))),
        3 => (live(), attributes(20)).prop_map(|(live, all)| Step::SetMany(live, all)),
        3 => (live(), text(), instant(), attributes(6)).prop_map(|(live, name, time, all)| Step::Event(live, name, time, all)),
        1 => (live(), text()).prop_map(|(live, text)| Step::Error(live, text)),
        3 => (live(), any::<bool>(), attributes(6)).prop_map(|(live, remote, all)| Step::Link(live, remote, all)),
        4 => (live(), status()).prop_map(|(live, status)| Step::Status(live, status)),
        2 => (live(), text()).prop_map(|(live, name)| Step::Rename(live, name)),
        2 => (name(), attributes(4), any::<bool>()).prop_map(|(name, all, panics)| Step::Nested(name, all, panics)),
        2 => live().prop_map(Step::End),
        2 => (live(), instant()).prop_map(|(live, time)| Step::EndAt(live, time)),
        1 => live().prop_map(Step::EndElsewhere),
        1 => live().prop_map(Step::Drop),
        1 => live().prop_map(Step::DropPanicking),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..40)
}

/// A program that shuts the provider down somewhere.
pub(crate) fn steps_with_shutdown() -> impl Strategy<Value = Vec<Step>> {
    (steps(), any::<prop::sample::Index>()).prop_map(|(mut steps, at)| {
        let at = at.index(steps.len() + 1);
        steps.insert(at, Step::Shutdown);
        steps
    })
}

pub(crate) fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(seconds)
}

/// Returns 1, 2, 3, so that two providers generate the same ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counting(Arc<AtomicU64>);

impl IdGenerator for Counting {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Decides by the first letter of the name: `r` is recorded only, `o` is off.
#[derive(Clone, Debug)]
pub(crate) struct ByName;

impl ShouldSample for ByName {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        name: &str,
        _: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|parent| parent.span().span_context().clone());
        SamplingResult {
            decision: match name.as_bytes().first() {
                Some(b'r') => SamplingDecision::RecordOnly,
                Some(b'o') => SamplingDecision::Drop,
                _ => SamplingDecision::RecordAndSample,
            },
            attributes: if attributes.len() == 3 {
                vec![KeyValue::new("sampler", "was here")]
            } else {
                Vec::new()
            },
            trace_state: parent.map_or(TraceState::NONE, |parent| parent.trace_state().clone()),
        }
    }
}

fn remote(sampled: bool) -> SpanContext {
    SpanContext::new(
        TraceId::from(0xfeed),
        SpanId::from(0xbeef),
        TraceFlags::default().with_sampled(sampled),
        true,
        TraceState::from_key_value([("vendor", "state")]).expect("valid"),
    )
}

/// The statuses that spans have by the specification, by span id.
pub(crate) type Statuses = HashMap<SpanId, Status>;

/// Runs the program. The spans that are live at its end are dropped.
pub(crate) fn run<T>(steps: &[Step], tracer: &T, shutdown: impl Fn()) -> Statuses
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    let mut statuses = Statuses::new();
    let mut live: Vec<T::Span> = Vec::new();
    for step in steps.iter().cloned() {
        take(step, tracer, &mut live, &mut statuses, &shutdown);
        if live.len() > 4 {
            live.remove(0);
        }
    }
    statuses
}

fn take<T>(
    step: Step,
    tracer: &T,
    live: &mut Vec<T::Span>,
    statuses: &mut Statuses,
    shutdown: &impl Fn(),
) where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    match step {
        Step::Start(new, whose) => {
            let context = match whose {
                Whose::Root => Context::new(),
                Whose::Child(parent) => match live.get(parent) {
                    Some(parent) => {
                        Context::new().with_remote_span_context(parent.span_context().clone())
                    }
                    None => Context::new(),
                },
                Whose::Remote(sampled) => Context::new().with_remote_span_context(remote(sampled)),
            };
            live.push(tracer.build_with_context(builder(new), &context));
        }
        Step::Plain(name) => live.push(tracer.start(name)),
        Step::Nested(name, attributes, panics) => nested(tracer, name, attributes, panics),
        Step::Shutdown => shutdown(),
        Step::EndElsewhere(which) if which < live.len() => {
            let mut span = live.remove(which);
            std::thread::spawn(move || {
                span.set_attribute(KeyValue::new("thread", "another"));
                span.end();
            })
            .join()
            .expect("the thread ends");
        }
        Step::Drop(which) if which < live.len() => drop(live.remove(which)),
        Step::DropPanicking(which) if which < live.len() => {
            let span = live.remove(which);
            let outcome = catch_unwind(AssertUnwindSafe(move || {
                let _span = span;
                std::panic::resume_unwind(Box::new("on purpose"));
            }));
            assert!(outcome.is_err());
        }
        step => {
            let (Step::Set(which, _)
            | Step::SetMany(which, _)
            | Step::Event(which, ..)
            | Step::Error(which, _)
            | Step::Link(which, ..)
            | Step::Status(which, _)
            | Step::Rename(which, _)
            | Step::End(which)
            | Step::EndAt(which, _)) = &step
            else {
                return;
            };
            if let Some(span) = live.get_mut(*which) {
                write(step, span, statuses);
            }
        }
    }
}

/// Writes to a span, which may have ended before.
fn write(step: Step, span: &mut impl Span, statuses: &mut Statuses) {
    match step {
        Step::Set(_, attribute) => span.set_attribute(attribute),
        Step::SetMany(_, attributes) => span.set_attributes(attributes),
        Step::Event(_, name, at, attributes) => {
            span.add_event_with_timestamp(name, time(at), attributes);
        }
        Step::Error(_, text) => span.record_error(&std::io::Error::other(text)),
        Step::Link(_, sampled, attributes) => span.add_link(remote(sampled), attributes),
        Step::Status(_, status) => {
            if span.is_recording() {
                let held = statuses.entry(span.span_context().span_id()).or_default();
                if *held != Status::Ok && status != Status::Unset {
                    *held = status.clone();
                }
            }
            span.set_status(status);
        }
        Step::Rename(_, name) => span.update_name(name),
        Step::End(_) => span.end(),
        Step::EndAt(_, at) => span.end_with_timestamp(time(at)),
        _ => {}
    }
}

fn nested<T>(tracer: &T, name: String, attributes: Vec<KeyValue>, panics: bool)
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        tracer.in_span(name.clone(), |outer| {
            outer.span().set_attributes(attributes.clone());
            tracer.in_span("sinner", |inner| {
                inner.span().set_attributes(attributes);
                if panics {
                    std::panic::resume_unwind(Box::new("on purpose"));
                }
            });
        });
    }));
    assert_eq!(outcome.is_err(), panics);
}

fn builder(new: New) -> SpanBuilder {
    let mut builder = SpanBuilder::from_name(new.name)
        .with_kind(new.kind)
        .with_attributes(new.attributes)
        .with_events(
            new.events
                .into_iter()
                .map(|(name, at, attributes)| Event::new(name, time(at), attributes, 0))
                .collect(),
        )
        .with_links(
            new.links
                .into_iter()
                .map(|attributes| Link::new(remote(true), attributes, 0))
                .collect(),
        );
    if let Some(start) = new.start {
        builder = builder.with_start_time(time(start));
    }
    builder
}
