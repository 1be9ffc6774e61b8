//! The fields of spans that log records get on request.

use super::support::{Log, LogRig, of};
use crate::support::{Rig, int, text};
use tracing::field::Empty;
use tracing::{info, info_span};
use zerospan_trace::Sampler;

fn run(rig: &LogRig, work: impl FnOnce()) -> Vec<Log> {
    let names = ["request.id", "user", "step"];
    rig.run_with(|layer| layer.with_span_fields_in_logs(names), work)
}

#[test]
fn records_have_the_named_fields_of_their_spans_and_no_others() {
    let rig = LogRig::new();
    let logs = run(&rig, || {
        let request = info_span!("request", request.id = 7, other = "x", user = Empty);
        request.in_scope(|| {
            info!("first");
            request.record("user", "ann");
            info_span!("inner", step = ?Some(1)).in_scope(|| info!("second"));
            info_span!("plain").in_scope(|| info!("third"));
        });
        info!(parent: &request, "explicit");
        info!("outside");
    });
    let at = |body, key| of(&logs, body).get(key);
    assert_eq!(at("first", "request.id"), Some(int(7)));
    assert_eq!(at("first", "user"), None);
    for body in ["second", "third", "explicit"] {
        assert_eq!(at(body, "request.id"), Some(int(7)), "{body}");
        assert_eq!(at(body, "user"), Some(text("ann")), "{body}");
        assert_eq!(at(body, "other"), None, "{body}");
    }
    assert_eq!(at("second", "step"), Some(text("Some(1)")));
    assert_eq!(at("third", "step"), None);
    assert_eq!(at("outside", "request.id"), None);
    // The spans have them as before.
    assert_eq!(rig.spans().names(), ["inner", "plain", "request"]);
}

#[test]
fn the_event_has_priority_over_the_innermost_span_and_that_over_the_others() {
    let logs = run(&LogRig::new(), || {
        info_span!("outer", step = "outer", user = "outer").in_scope(|| {
            let inner = info_span!("inner", step = "first");
            inner.record("step", "inner");
            inner.in_scope(|| {
                info!("of the inner");
                info!(step = "event", "of the event");
            });
        });
    });
    let inner = of(&logs, "of the inner");
    assert_eq!(inner.get("step"), Some(text("inner")));
    assert_eq!(inner.get("user"), Some(text("outer")));
    let event = of(&logs, "of the event");
    assert_eq!(event.get("step"), Some(text("event")));
    assert_eq!(event.get("user"), Some(text("outer")));
}

#[test]
fn fields_of_spans_that_are_not_sampled_are_kept_for_the_logs() {
    let traces = Rig::with(|builder| builder.with_sampler(Sampler::AlwaysOff));
    let rig = LogRig::with(traces, |builder| {
        builder.with_max_attribute_value_length(Some(3))
    });
    for _ in 0..3 {
        let logs = run(&rig, || {
            let span = info_span!("request", request.id = "long", user = Empty);
            span.record("user", 1);
            span.in_scope(|| info!("inside"));
            drop(span);
            // As many as it takes to use its memory again.
            for _ in 0..100 {
                info_span!("next").in_scope(|| info!("elsewhere"));
            }
        });
        let inside = of(&logs, "inside");
        assert_eq!(inside.get("request.id"), Some(text("lon")));
        assert_eq!(inside.get("user"), Some(int(1)));
        // Nothing of a span that has closed.
        let elsewhere = logs.iter().filter(|log| log.body() == "elsewhere");
        let fields = elsewhere.map(|log| (log.get("request.id"), log.get("user")));
        assert!(fields.eq(std::iter::repeat_n((None, None), 100)));
    }
}
