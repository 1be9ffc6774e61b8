//! Fields, names, kinds, errors and statuses.

use crate::support::{Rig, Spans, exported, int, only_event, text, try_value, value};
use opentelemetry::trace::Status;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use tracing::field::Empty;
use tracing::{Level, info, info_span};
use zerospan_trace::Sampler;
use zerospan_tracing::OpenTelemetrySpanExt;

#[test]
fn integers_that_fit_are_integers_and_bytes_are_bytes() {
    let spans = exported(|| {
        let span = info_span!(
            "values",
            small = 7_u64,
            large = u64::MAX,
            size = 5_usize,
            i128 = -5_i128,
            u128 = 6_u128,
            huge = u128::MAX,
            deep = i128::MIN,
            bytes = &b"\xde\xad"[..],
            nan = f64::NAN,
            none = None::<i64>,
            some = Some(4_u64),
        );
        info!(parent: &span, small = 7_u64, large = u64::MAX, bytes = &b"\xbe"[..]);
    });
    let span = spans.only();
    let at = |key| value(&span.attributes, key);
    assert_eq!(at("small"), int(7));
    assert_eq!(at("large"), text(u64::MAX.to_string()));
    assert_eq!(at("size"), int(5));
    assert_eq!(at("i128"), int(-5));
    assert_eq!(at("u128"), int(6));
    assert_eq!(at("huge"), text(u128::MAX.to_string()));
    assert_eq!(at("deep"), text(i128::MIN.to_string()));
    assert_eq!(at("bytes"), Value::BytesValue(b"\xde\xad".to_vec()));
    assert!(matches!(at("nan"), Value::DoubleValue(nan) if nan.is_nan()));
    assert_eq!(try_value(&span.attributes, "none"), None);
    assert_eq!(at("some"), int(4));
    let event = &only_event(span).attributes;
    assert_eq!(value(event, "small"), int(7));
    assert_eq!(value(event, "large"), text(u64::MAX.to_string()));
    assert_eq!(value(event, "bytes"), Value::BytesValue(b"\xbe".to_vec()));
}

#[test]
fn a_name_and_a_kind_that_are_recorded_after_the_start_count() {
    let spans = exported(|| {
        let span = info_span!("before", otel.name = Empty, otel.kind = Empty);
        let _entered = span.enter();
        // The span has its final ids: a child knows them.
        info_span!("child").in_scope(|| {});
        span.record("otel.name", "after");
        span.record("otel.kind", "server");
    });
    let span = spans.named("after");
    assert_eq!(span.kind(), SpanKind::Server);
    assert_eq!(try_value(&span.attributes, "otel.name"), None);
    assert_eq!(try_value(&span.attributes, "otel.kind"), None);
    spans.assert_child("child", "after");
}

#[test]
fn a_key_that_is_recorded_twice_is_exported_once_with_its_last_value() {
    let spans = exported(|| {
        let span = info_span!("twice", key = 1, other = Empty);
        span.record("key", 2).record("other", "x");
        span.in_scope(|| {});
        span.record("key", "three").record("other", "y");
        span.set_attribute("other", "z");
        info!(parent: &span, level = "mine", "event");
    });
    let span = spans.only();
    assert_eq!(value(&span.attributes, "key"), text("three"));
    assert_eq!(value(&span.attributes, "other"), text("z"));
    assert_eq!(value(&only_event(span).attributes, "level"), text("mine"));
}

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer failed")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("inner failed")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Error for Inner {}

#[test]
fn a_message_and_sources_of_an_error_are_exported_once() {
    let error = Outer(Inner);
    let error: &(dyn Error + 'static) = &error;
    let spans = exported(|| {
        let span = info_span!("span", error);
        info!(parent: &span, error, "event");
    });
    let span = spans.only();
    for attributes in [&span.attributes, &only_event(span).attributes] {
        assert_eq!(value(attributes, "exception.message"), text("outer failed"));
        assert!(
            matches!(value(attributes, "exception.stacktrace"), Value::StringValue(text) if text.contains("inner failed")),
            "one string: {attributes:#?}"
        );
        for message in ["outer failed", "inner failed"] {
            let holders = attributes
                .iter()
                .filter(|held| format!("{:?}", held.value).contains(message));
            assert_eq!(holders.count(), 1, "{message}: {attributes:#?}");
        }
    }
}

fn status(spans: &Spans) -> (StatusCode, String) {
    let status = spans.only().status.clone().unwrap_or_default();
    (status.code(), status.message)
}

#[test]
fn a_status_follows_the_order_of_the_specification() {
    let of = |work: &dyn Fn(&tracing::Span)| {
        status(&exported(|| {
            work(&info_span!(
                "status",
                otel.status_code = Empty,
                otel.status_description = Empty
            ));
        }))
    };
    let error = |text: &str| (StatusCode::Error, text.to_owned());
    let ok = (StatusCode::Ok, String::new());
    // The last one wins, whatever its text.
    assert_eq!(
        of(&|span| {
            span.set_status(Status::error("z"));
            span.set_status(Status::error("a"));
        }),
        error("a")
    );
    // `Ok` is final, also in the fields.
    assert_eq!(
        of(&|span| {
            span.set_status(Status::error("z"));
            span.record("otel.status_code", "OK");
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", "late");
            tracing::error!(parent: span, "event");
        }),
        ok
    );
    // Nothing unsets.
    assert_eq!(
        of(&|span| {
            span.record("otel.status_description", "kept");
            span.record("otel.status_code", "unset");
            span.set_status(Status::Unset);
        }),
        error("kept")
    );
    // A code after its description keeps it, and so does an event of level `ERROR`.
    assert_eq!(
        of(&|span| {
            span.record("otel.status_description", "kept");
            span.record("otel.status_code", "error");
            tracing::error!(parent: span, "event");
        }),
        error("kept")
    );
    assert_eq!(
        of(&|span| tracing::error!(parent: span, "event")),
        error("")
    );
}

/// Counts how often it is formatted.
struct Counted<'a>(&'a Cell<usize>);

impl fmt::Debug for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        f.write_str("formatted")
    }
}

#[test]
fn no_field_of_an_unsampled_span_is_visited() {
    let count = Cell::new(0);
    let work = || {
        let span = info_span!("span", start = ?Counted(&count), late = Empty, otel.name = Empty);
        span.record("late", tracing::field::debug(Counted(&count)));
        span.record("otel.name", tracing::field::debug(Counted(&count)));
        tracing::event!(parent: &span, Level::ERROR, event = ?Counted(&count), "message");
        span.in_scope(|| info!(event = ?Counted(&count), "{:?}", Counted(&count)));
    };
    let spans = Rig::with(|builder| builder.with_sampler(Sampler::AlwaysOff)).run(work);
    assert_eq!((spans.0.len(), count.get()), (0, 0));
    // The count counts.
    exported(work);
    assert_eq!(count.get(), 6);
}
