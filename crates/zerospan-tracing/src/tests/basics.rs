use super::support::{Exported, named};
use crate::OpenTelemetrySpanExt;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use tracing::{info, info_span};

#[test]
fn spans_events_and_late_records_arrive_with_their_attributes() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let outer = info_span!(
            "outer",
            number = 7_u64,
            text = "a",
            late = tracing::field::Empty
        );
        let entered = outer.enter();
        outer.record("late", 1.5);
        info!(answer = 42, "hello");
        let inner = info_span!("inner", otel.name = "renamed", otel.kind = "SERVER");
        drop(inner);
        drop(entered);
        outer.set_attribute("set", true);
    });
    assert_eq!(spans.len(), 2);
    let (outer, inner) = (named(&spans, "outer"), named(&spans, "renamed"));
    assert_eq!(outer.get("number"), Some("7"));
    assert_eq!(outer.get("text"), Some("\"a\""));
    assert_eq!(outer.get("late"), Some("1.5"));
    assert_eq!(outer.get("set"), Some("true"));
    assert!(
        outer
            .get("code.file.path")
            .is_some_and(|path| path.contains("basics.rs"))
    );
    assert!(outer.get("thread.id").is_some());
    assert!(outer.get("busy_ns").is_some() && outer.get("idle_ns").is_some());
    assert_eq!(outer.get("level"), None);
    assert_eq!(inner.kind, 2);
    assert_eq!(inner.parent, outer.span_id);
    let [(name, _, attributes)] = &outer.events[..] else {
        panic!("{:?}", outer.events)
    };
    assert_eq!(name, "hello");
    assert_eq!(attributes.get("answer"), Some("42"));
    assert_eq!(attributes.get("level"), Some("\"INFO\""));
}

#[test]
fn an_event_has_its_level_and_target_and_a_span_on_request_alone() {
    let exported = Exported::new();
    let work = || info_span!("span").in_scope(|| info!("event"));
    let (level, target) = (
        Some("\"INFO\""),
        Some("\"zerospan_tracing::tests::basics\""),
    );
    for (with_level, with_target) in [(false, false), (true, false), (false, true)] {
        let layer = exported.layer();
        let layer = layer.with_level(with_level).with_target(with_target);
        let spans = exported.run_with(layer, work);
        let span = named(&spans, "span");
        assert_eq!(span.get("level"), level.filter(|_| with_level));
        assert_eq!(span.get("target"), target.filter(|_| with_target));
        let (_, _, event) = &span.events[0];
        assert_eq!((event.get("level"), event.get("target")), (level, target));
    }
}

#[test]
fn spans_of_the_api_and_of_tracing_nest_in_the_order_in_which_they_were_entered() {
    let exported = Exported::new();
    let tracer = exported.provider.tracer("api");
    let spans = exported.run(|| {
        info_span!("a").in_scope(|| {
            tracer.in_span("b", |_| {
                info_span!("c").in_scope(|| drop(tracer.start("d")));
            });
            drop(tracer.start("e"));
        });
    });
    for (child, parent) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "a")] {
        let (child, parent) = (named(&spans, child), named(&spans, parent));
        assert_eq!(child.parent, parent.span_id, "{}", child.name);
    }
}
