//! Bad input neither blocks nor panics, and nothing is lost without being counted.

use crate::dynamic::Dynamic;
use crate::hostile::Hostile;
use crate::support::{Rig, exported, int, only_event, returns, text, try_value, value};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_sdk::trace::SpanLimits;
use proptest::prelude::*;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};
use tracing::field::Empty;
use tracing::{Dispatch, Id, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use zerospan_core::dev::in_own_process;
use zerospan_tracing::OpenTelemetrySpanExt;

#[test]
fn a_kind_or_status_that_means_nothing_is_kept_as_an_attribute() {
    let spans = exported(|| {
        let span = info_span!("span", otel.kind = "nonsense", otel.status_code = "fine");
        span.record("otel.kind", 7);
        let late = info_span!("late", otel.kind = "client", otel.status_code = Empty);
        late.record("otel.kind", "nonsense");
        late.record("otel.status_code", 7);
    });
    let span = spans.named("span");
    assert_eq!(span.kind(), SpanKind::Internal);
    assert_eq!(value(&span.attributes, "otel.kind"), int(7));
    assert_eq!(value(&span.attributes, "otel.status_code"), text("fine"));
    assert_eq!(span.status.clone().unwrap_or_default(), Default::default());
    let late = spans.named("late");
    assert_eq!(late.kind(), SpanKind::Client);
    assert_eq!(value(&late.attributes, "otel.kind"), text("nonsense"));
    assert_eq!(value(&late.attributes, "otel.status_code"), int(7));
}

/// Panics while it is formatted, after a part of it.
struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of ")?;
        // Says nothing on the terminal.
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

impl fmt::Display for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Error for Panics {}

/// Has a source that panics.
#[derive(Debug)]
struct Above(Panics);

impl fmt::Display for Above {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("above")
    }
}

impl Error for Above {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_value_that_panics_is_missing_and_counted_and_the_rest_is_exported() {
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider);
    let handle = layer.handle();
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let above: &(dyn Error + 'static) = &Above(Panics);
    let panics: &(dyn Error + 'static) = &Panics;
    tracing::dispatcher::with_default(&dispatch, || {
        let span = info_span!("span", before = 1, bad = ?Panics, after = 2, late = Empty);
        span.record("late", tracing::field::debug(Panics));
        span.in_scope(|| {
            info!(before = 1, bad = ?Panics, after = 2, "event");
            info!(after = 2, "{Panics}");
            info!(error = panics, after = 2, "error");
            info!(error = above, after = 2, "source");
        });
        info_span!("next", field = ?1).in_scope(|| {});
    });
    let spans = rig.spans();
    let span = spans.named("span");
    assert_eq!(value(&span.attributes, "before"), int(1));
    assert_eq!(value(&span.attributes, "after"), int(2));
    assert_eq!(try_value(&span.attributes, "bad"), None);
    assert_eq!(try_value(&span.attributes, "late"), None);
    assert_eq!(span.events.len(), 4);
    for event in &span.events {
        assert_eq!(value(&event.attributes, "after"), int(2));
    }
    let source = &span.events[3].attributes;
    assert_eq!(value(source, "exception.message"), text("above"));
    assert_eq!(handle.stats().panicked_values, 6);
    assert_eq!(value(&spans.named("next").attributes, "field"), text("1"));
}

/// Is its own source.
#[derive(Debug)]
struct Cycle;

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("again")
    }
}

impl Error for Cycle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&Self)
    }
}

#[test]
fn a_chain_of_sources_that_is_a_cycle_is_cut() {
    let spans = returns(|| {
        exported(|| {
            let error: &(dyn Error + 'static) = &Cycle;
            let span = info_span!("span", error, again = error);
            info!(parent: &span, error, "event");
        })
    });
    let span = spans.only();
    for attributes in [&span.attributes, &only_event(span).attributes] {
        let Value::StringValue(sources) = value(attributes, "exception.stacktrace") else {
            panic!("no text: {attributes:#?}");
        };
        assert_eq!(sources.lines().count(), 32, "{sources}");
    }
    match value(&span.attributes, "again.chain") {
        Value::ArrayValue(sources) => assert_eq!(sources.values.len(), 32),
        other => panic!("no array: {other:?}"),
    }
}

#[test]
fn a_field_of_a_mebibyte_arrives_whole_or_its_span_is_counted_as_too_large() {
    let long = "x".repeat(1 << 20);
    let rig = Rig::new();
    let spans = rig.run(|| {
        let _constant = info_span!("constant", long = long.as_str());
        let _formatted = info_span!("formatted", long = %long);
        let late = info_span!("late", long = Empty);
        late.record("long", long.as_str());
        info_span!("event").in_scope(|| info!(long = long.as_str(), "{long}"));
        // More than a request holds.
        let beyond = info_span!("beyond", a = %long, b = %long, c = %long);
        info!(parent: &beyond, d = long.as_str(), "{long}");
        info_span!("next", short = ?"x").in_scope(|| info!("event"));
    });
    for name in ["constant", "formatted", "late"] {
        assert!(
            value(&spans.named(name).attributes, "long") == text(&long),
            "{name}"
        );
    }
    let event = only_event(spans.named("event"));
    assert!(event.name == long && value(&event.attributes, "long") == text(&long));
    assert_eq!(
        value(&spans.named("next").attributes, "short"),
        text("\"x\"")
    );
    assert_eq!(spans.0.len(), 5, "{spans:?}");
    let stats = rig.provider.stats();
    assert_eq!(stats.exports[0].dropped.total(), 1, "{stats:?}");
    assert!(stats.is_balanced(), "{stats:?}");
}

#[test]
fn of_a_thousand_fields_the_limit_is_kept_and_the_rest_counted() {
    let names: Vec<String> = (0..1_000).map(|number| format!("field.{number}")).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let callsite = Dynamic::span("wide", &names);
    let event = Dynamic::event("wide event", &names);
    let values: Vec<i64> = (0..1_000).collect();
    let values: Vec<Option<&dyn tracing::Value>> = values
        .iter()
        .map(|value| Some(value as &dyn tracing::Value))
        .collect();
    let work = || {
        let span = callsite.start(&values);
        callsite.record(&span, &values);
        event.send(&span, &values);
    };
    let spans = exported(work);
    let span = spans.only();
    assert_eq!(span.attributes.len(), 128);
    assert!(
        span.dropped_attributes_count >= 872,
        "{}",
        span.dropped_attributes_count
    );
    let event = only_event(span);
    assert_eq!(event.attributes.len(), 128);
    assert!(event.dropped_attributes_count >= 872);

    let limits = SpanLimits {
        max_attributes_per_span: 2_000,
        max_attributes_per_event: 2_000,
        ..SpanLimits::default()
    };
    let spans = Rig::with(|builder| builder.with_span_limits(limits)).run(work);
    let span = spans.only();
    for number in [0, 31, 32, 999] {
        let key = format!("field.{number}");
        assert_eq!(value(&span.attributes, &key), int(number));
        assert_eq!(value(&only_event(span).attributes, &key), int(number));
    }
    assert_eq!(span.dropped_attributes_count, 0);
}

#[test]
fn a_span_that_is_closed_twice_by_a_wrong_id_harms_no_other() {
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider);
    let handle = layer.handle();
    let dispatch = Dispatch::new(Hostile::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let first = info_span!("first", field = Empty);
        let second = info_span!("second");
        let id = first.id().expect("enabled");
        for _ in 0..2 {
            dispatch.try_close(id.clone());
            dispatch.try_close(Id::from_u64(0x7777_7777_7777));
        }
        // What comes after the close of a span is nobody's.
        first.record("field", 1);
        first.in_scope(|| info!("event"));
        first.follows_from(&second);
        first.set_attribute("field", 1);
        second.in_scope(|| info!("event"));
    });
    let spans = rig.spans();
    assert_eq!(spans.names(), ["first", "second"]);
    assert_eq!(spans.named("first").events.len(), 0);
    assert_eq!(spans.named("second").events.len(), 1);
    assert_eq!(handle.stats().open, 0);
    assert!(rig.provider.stats().is_balanced());
}

#[test]
fn an_id_that_is_used_again_before_its_close_replaces_its_span_and_is_counted() {
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider);
    let handle = layer.handle();
    let dispatch = Dispatch::new(Hostile::always(7).with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let first = info_span!("first");
        let second = info_span!("second");
        info!(parent: &first, "an event of the one that has the id");
        drop((first, second));
    });
    let spans = rig.spans();
    assert_eq!(spans.named("second").events.len(), 1);
    let stats = handle.stats();
    assert_eq!((stats.open, stats.replaced_spans), (0, 1), "{stats:?}");
    let stats = rig.provider.stats();
    assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
}

#[test]
fn spans_that_a_full_table_cannot_hold_are_counted_and_the_rest_is_exported() {
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider).with_max_spans(4);
    let handle = layer.handle();
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let root = info_span!("root");
        let _entered = root.enter();
        let spans: Vec<_> = (0..9).map(|number| info_span!("span", number)).collect();
        let stats = handle.stats();
        assert_eq!(
            (stats.open, stats.max_spans, stats.rejected_spans),
            (4, 4, 6),
            "{stats:?}"
        );
        for span in &spans {
            span.in_scope(|| info!("event"));
            let _ = span.context();
            let _ = span.set_parent(opentelemetry::Context::new());
        }
        drop(spans);
        // There is room again.
        info_span!("after").in_scope(|| info_span!("child").in_scope(|| {}));
    });
    let spans = rig.spans();
    assert_eq!(
        spans.names(),
        ["after", "child", "root", "span", "span", "span"]
    );
    spans.assert_child("child", "after");
    spans.assert_child("after", "root");
    let stats = handle.stats();
    assert_eq!((stats.open, stats.rejected_spans), (0, 6), "{stats:?}");
    let stats = rig.provider.stats();
    assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
}

/// Keeps the names of events.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<&'static str>>>);

impl<S: tracing::Subscriber> Layer<S> for Names {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let name = event.metadata().name();
        self.0.lock().expect("no panic").push(name);
    }
}

#[test]
fn spans_of_any_number_of_callsites_have_their_own_fields() {
    const CALLSITES: i64 = 3_000;
    let name = |number: i64| format!("span {number}");
    let callsites: Vec<_> = (0..CALLSITES)
        .map(|number| Dynamic::span(&name(number), &[&format!("field {number}")]))
        .collect();
    let spans = exported(|| {
        for round in 0..2_i64 {
            for callsite in &callsites {
                drop(callsite.start(&[Some(&round)]));
            }
        }
    });
    assert_eq!(spans.0.len() as i64, 2 * CALLSITES);
    for (index, span) in (0..).zip(&spans.0) {
        let (round, number) = (index / CALLSITES, index % CALLSITES);
        assert_eq!(span.name, name(number));
        assert_eq!(
            value(&span.attributes, &format!("field {number}")),
            int(round)
        );
        assert_eq!(
            value(&span.attributes, "code.file.path"),
            text("dynamic.rs")
        );
    }
}

#[test]
fn a_full_table_is_logged_once() {
    // A subscriber of one thread alone is not there while it is called.
    in_own_process(&[], || {
        let rig = Rig::new();
        let names = Names::default();
        let layer = zerospan_tracing::layer(&rig.provider).with_max_spans(1);
        let subscriber = Registry::default().with(layer).with(names.clone());
        tracing::subscriber::set_global_default(subscriber).expect("the first");
        let _open = info_span!("open");
        for _ in 0..1000 {
            drop(info_span!("one too many"));
        }
        // Another thread logs.
        zerospan_core::log::settle();
        assert_eq!(*names.0.lock().expect("no panic"), ["TooManyOpenSpans"]);
    });
}

#[test]
fn enters_without_an_exit_are_counted_once_they_are_too_many() {
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider);
    let handle = layer.handle();
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let span = info_span!("entered");
        for _ in 0..70_000 {
            std::mem::forget(span.enter());
        }
    });
    let stats = handle.stats();
    assert_eq!(stats.rejected_enters, 70_000 - 65_536, "{stats:?}");
}

#[test]
fn a_layer_after_the_shutdown_of_its_provider_is_harmless() {
    let rig = Rig::new();
    let dispatch = rig.dispatch();
    tracing::dispatcher::with_default(&dispatch, || {
        let open = info_span!("open", field = Empty);
        let _entered = open.enter();
        info_span!("before").in_scope(|| {});
        rig.provider.shutdown().expect("delivered");
        info_span!("after", field = 1).in_scope(|| info!("event"));
        open.record("field", 1);
        info!("event");
    });
    assert_eq!(rig.spans().names(), ["before"]);
    let stats = rig.provider.stats();
    assert!(stats.is_balanced(), "{stats:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_sequence_of_hooks_is_tolerated_and_every_span_accounted_for(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        crate::hooks::run(&bytes);
    }
}
