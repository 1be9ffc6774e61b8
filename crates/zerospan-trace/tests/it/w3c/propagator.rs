use crate::support::Rig;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapCompositePropagator, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry_sdk::propagation as official;
use proptest::prelude::*;
use std::collections::HashMap;
use zerospan_trace::{TraceContextPropagator, current_context};

const OURS: TraceContextPropagator = TraceContextPropagator::new();
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Headers as they came, those of one name one by one.
struct Headers<'a>(&'a [(&'a str, &'a str)]);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.get_all(key)?.first().copied()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let of_key = self.0.iter().filter(|(name, _)| *name == key);
        let values: Vec<_> = of_key.map(|(_, value)| *value).collect();
        (!values.is_empty()).then_some(values)
    }
}

fn received(headers: &[(&str, &str)]) -> SpanContext {
    let context = OURS.extract_with_context(&Context::new(), &Headers(headers));
    context.span().span_context().clone()
}

#[test]
fn several_trace_states_count_as_one() {
    let context = received(&[
        ("traceparent", PARENT),
        ("tracestate", "one=1,two=2"),
        ("tracestate", "three=3"),
    ]);
    assert_eq!(context.trace_state().header(), "one=1,two=2,three=3");
    assert!(context.is_remote() && context.is_sampled());
    let without = received(&[("traceparent", PARENT)]);
    assert_eq!(without.trace_state(), &TraceState::NONE);
    assert_eq!(without.trace_id(), context.trace_id());
}

#[test]
fn what_is_malformed_or_sent_twice_leaves_the_context_as_it_was() {
    let other = PARENT.replace("0af7", "0bf7");
    for headers in [
        &[][..],
        &[("tracestate", "one=1")],
        &[("traceparent", "00-1-1-01"), ("tracestate", "one=1")],
        &[("traceparent", PARENT), ("traceparent", &other)],
        &[("traceparent", PARENT), ("traceparent", PARENT)],
    ] {
        assert_eq!(received(headers), SpanContext::NONE, "{headers:?}");
        let another = PARENT.replace("b7ad", "b7ae");
        let before = received(&[("traceparent", &another)]);
        let before = Context::new().with_remote_span_context(before);
        let behind = OURS.extract_with_context(&before, &Headers(headers));
        assert_eq!(
            behind.span().span_context(),
            before.span().span_context(),
            "{headers:?}"
        );
    }
}

#[test]
fn the_span_that_is_in_force_natively_is_sent() {
    let rig = Rig::new();
    let span = rig.tracer.span("client").start();
    let mut headers = HashMap::new();
    OURS.inject(&mut headers);
    assert!(headers.is_empty(), "no span is active");

    let entered = span.enter();
    OURS.inject(&mut headers);
    let sent = OURS.extract(&headers);
    assert_eq!(
        sent.span().span_context().span_id(),
        span.span_context().span_id()
    );
    assert!(!headers.contains_key("tracestate"), "none is sent empty");
    drop(entered);
}

/// The API crate passes `Context::current()`, which knows nothing of native scopes.
#[test]
fn within_a_composite_a_native_span_is_sent_by_its_context() {
    let rig = Rig::new();
    let composite = TextMapCompositePropagator::new(vec![Box::new(OURS)]);
    let span = rig.tracer.span("client").start();
    let entered = span.enter();
    let (mut without, mut with) = (HashMap::new(), HashMap::new());
    composite.inject(&mut without);
    composite.inject_context(&current_context(), &mut with);
    drop(entered);
    assert!(without.is_empty());
    let span_id = span.span_context().span_id().to_string();
    assert!(with["traceparent"].contains(&span_id));
}

#[test]
fn a_state_without_members_is_not_sent() {
    let state = TraceState::from_key_value([("one", "1")]).and_then(|state| state.delete("one"));
    let parent = received(&[("traceparent", PARENT)]);
    let (ids, flags) = ((parent.trace_id(), parent.span_id()), parent.trace_flags());
    let sent = SpanContext::new(ids.0, ids.1, flags, true, state.expect("valid"));
    let mut headers = HashMap::new();
    OURS.inject_context(&Context::new().with_remote_span_context(sent), &mut headers);
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["traceparent"]);
}

#[test]
fn it_names_the_headers_that_the_official_propagator_names() {
    let official = official::TraceContextPropagator::new();
    let mut theirs: Vec<&str> = official.fields().collect();
    let mut ours: Vec<&str> = OURS.fields().collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    assert_eq!(ours, theirs);
}

proptest! {
    #[test]
    fn what_it_sends_and_receives_is_what_the_official_propagator_does(
        trace_id in prop_oneof![1 => Just(0), 9 => any::<u128>()],
        span_id in prop_oneof![1 => Just(0), 9 => any::<u64>()],
        flags in any::<u8>(),
        state in proptest::collection::btree_map("[a-z]{1,5}", "[a-z0-9]{1,5}", 0..4),
    ) {
        // The flag of random ids is the one thing that the official propagator does not pass on.
        let flags = TraceFlags::new(flags) & !TraceFlags::new(2);
        let state = TraceState::from_key_value(state).expect("valid");
        let sent = SpanContext::new(trace_id.into(), span_id.into(), flags, true, state);
        let context = Context::new().with_remote_span_context(sent.clone());
        let official = official::TraceContextPropagator::new();
        let (mut theirs, mut ours) = (HashMap::new(), HashMap::new());
        official.inject_context(&context, &mut theirs);
        OURS.inject_context(&context, &mut ours);
        theirs.retain(|_, value| !value.is_empty());
        prop_assert_eq!(&ours, &theirs);

        let context_of = |context: Context| context.span().span_context().clone();
        let (theirs, ours) = (context_of(official.extract(&theirs)), context_of(OURS.extract(&ours)));
        prop_assert_eq!(&ours, &theirs);
        let known = sent.trace_flags() & TraceFlags::SAMPLED;
        prop_assert_eq!(ours.trace_flags(), if sent.is_valid() { known } else { TraceFlags::default() });
        prop_assert_eq!(ours.trace_state() == sent.trace_state(), sent.is_valid() || *sent.trace_state() == TraceState::NONE);
    }
}
