//! Events go where the option says.

use super::support::{Log, LogRig, of, only};
use crate::support::{Rig, exported, only_event, text, try_value};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::{Dispatch, error, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use zerospan_trace::Sampler;
use zerospan_tracing::{AlreadyInstalled, EventsTo, TraceLayer};

fn bodies(logs: &[Log]) -> Vec<&str> {
    logs.iter().map(Log::body).collect()
}

/// Counts how often it is formatted.
#[derive(Default)]
struct Counted(AtomicUsize);

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        write!(f, "formatted {count}")
    }
}

#[test]
fn events_go_where_the_option_says_and_those_outside_of_spans_to_the_logs() {
    for (events, to_span, logged) in [
        (EventsTo::Spans, true, vec!["outside"]),
        (EventsTo::Logs, false, vec!["inside", "outside"]),
        (EventsTo::Both, true, vec!["inside", "outside"]),
    ] {
        let rig = LogRig::new();
        let counted = Counted::default();
        let logs = rig.run_with(
            |layer| layer.with_events(events),
            || {
                info_span!("span").in_scope(|| info!(value = ?counted, "inside"));
                info!("outside");
            },
        );
        let spans = rig.spans();
        let span = spans.named("span");
        let names: Vec<&str> = span.events.iter().map(|event| &*event.name).collect();
        assert_eq!(names, ["inside"][..usize::from(to_span)], "{events:?}");
        assert_eq!(bodies(&logs), logged, "{events:?}");
        // Once for both.
        assert_eq!(counted.0.load(Ordering::Relaxed), 1, "{events:?}");
        let value = text("formatted 0");
        if to_span {
            let attributes = &span.events[0].attributes;
            assert_eq!(try_value(attributes, "value"), Some(value.clone()));
        }
        if events != EventsTo::Spans {
            assert_eq!(of(&logs, "inside").get("value"), Some(value));
        }
    }
}

#[test]
fn without_a_logger_provider_events_go_to_their_span_whatever_the_option_says() {
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider).with_events(EventsTo::Logs);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("span").in_scope(|| info!("inside"));
    });
    assert_eq!(only_event(rig.spans().only()).name, "inside");
}

#[test]
fn a_span_event_is_the_same_with_logs_and_without() {
    let failure = "seven".parse::<i32>().expect_err("no digits");
    let failure = &failure as &(dyn std::error::Error + 'static);
    let work = || {
        info_span!("span").in_scope(|| {
            error!(failure, flag = true, n = 1, debug = ?Some(1), "failed {}", 7);
            error!(error = %failure);
            let record = log::Record::builder()
                .target("db::pool")
                .args(format_args!("slow"))
                .build();
            tracing_log::format_trace(&record).expect("always");
            info!("fine {}", 8);
            info!(n = 2);
        });
    };
    let alone = exported(work);
    let rig = LogRig::new();
    let logs = rig.run_with(|layer| layer.with_events(EventsTo::Both), work);
    let beside = rig.spans();
    let events = |spans: &crate::support::Spans| {
        let span = spans.only().clone();
        let events = span.events.into_iter();
        let events: Vec<_> = events.map(|event| (event.name, event.attributes)).collect();
        (events, span.attributes.len(), span.status)
    };
    assert_eq!(events(&alone), events(&beside));
    let target = try_value(&beside.only().events[2].attributes, "target");
    assert_eq!(target, Some(text("db::pool")));
    assert_eq!(bodies(&logs), ["failed 7", "", "fine 8", "", "slow"]);
}

#[test]
fn what_an_event_says_of_its_span_is_set_there_although_the_event_goes_to_the_logs() {
    let rig = LogRig::new();
    let failure = "seven".parse::<i32>().expect_err("no digits");
    let failure = &failure as &(dyn std::error::Error + 'static);
    let logs = rig.run(|| {
        info_span!("plain").in_scope(|| info!("fine"));
        info_span!("failed").in_scope(|| error!(failure, "with an error"));
        info_span!("described").in_scope(|| error!(error = "no stock"));
    });
    assert_eq!(logs.len(), 3);
    let spans = rig.spans();
    let status = |name| spans.named(name).status.clone().unwrap_or_default();
    assert_eq!(status("plain").code(), StatusCode::Unset);
    assert_eq!(status("failed").code(), StatusCode::Error);
    assert_eq!(status("described").message, "no stock");
    let failed = &spans.named("failed").attributes;
    let message = text("invalid digit found in string");
    assert_eq!(try_value(failed, "exception.message"), Some(message));
    assert!(spans.0.iter().all(|span| span.events.is_empty()));
}

#[test]
fn events_in_a_span_that_is_not_sampled_go_to_the_logs_if_they_may() {
    for (events, logged) in [
        (EventsTo::Spans, vec![]),
        (EventsTo::Logs, vec!["inside"]),
        (EventsTo::Both, vec!["inside"]),
    ] {
        let traces = Rig::with(|builder| builder.with_sampler(Sampler::AlwaysOff));
        let rig = LogRig::with(traces, |builder| builder);
        let counted = Counted::default();
        let logs = rig.run_with(
            |layer| layer.with_events(events),
            || info_span!("span").in_scope(|| info!(value = ?counted, "inside")),
        );
        assert_eq!(bodies(&logs), logged);
        assert_eq!(counted.0.load(Ordering::Relaxed), logged.len());
    }
}

#[test]
fn a_layer_without_a_tracer_logs() {
    let rig = LogRig::new();
    let layer = TraceLayer::new().with_logs(&rig.logs);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("span").in_scope(|| error!(error = "no stock", "inside"));
    });
    assert_eq!(only(&rig.logs()).body(), "inside");
}

#[test]
fn a_logger_provider_can_be_installed_later_and_once() {
    let rig = LogRig::new();
    let layer = zerospan_tracing::layer(&rig.traces.provider);
    let handle = layer.handle();
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("span").in_scope(|| {
            info!("before");
            assert_eq!(handle.install_logs(&rig.logs), Ok(()));
            info!("after");
            assert_eq!(handle.install_logs(&rig.logs), Err(AlreadyInstalled));
        });
    });
    assert_eq!(bodies(&rig.logs()), ["after"]);
    assert_eq!(only_event(rig.spans().only()).name, "before");
}
