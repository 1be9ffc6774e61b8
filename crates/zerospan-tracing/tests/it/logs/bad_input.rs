//! Bad input to log records: values that panic, suppression, huge bodies, a shutdown, processors.

use super::support::{LogRig, of, only};
use crate::support::{Rig, int};
use opentelemetry::Context;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::Severity;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, Mutex};
use tracing::{Dispatch, error, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Signal, Transport};
use zerospan_logs::{LogRecord, LoggerProvider, Processor};
use zerospan_tracing::EventsTo;

/// Panics after the first half.
struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        panic!("in a test")
    }
}

#[test]
fn a_value_that_panics_is_left_out_and_counted_and_the_rest_arrives() {
    for events in [EventsTo::Logs, EventsTo::Both] {
        let rig = LogRig::new();
        let layer = rig.layer().with_events(events);
        let handle = layer.handle();
        let logs = rig.run_with(
            |_| layer,
            || {
                info_span!("span").in_scope(|| {
                    info!(before = 1, value = ?Panics, after = 2, "kept");
                    info!(number = 7, "{:?}", Panics);
                });
            },
        );
        let log = of(&logs, "kept");
        assert_eq!(log.get("before"), Some(int(1)));
        assert_eq!(log.get("value"), None);
        assert_eq!(log.get("after"), Some(int(2)));
        assert_eq!(of(&logs, "").get("number"), Some(int(7)));
        assert_eq!(handle.stats().panicked_values, 2);
    }
}

#[test]
fn a_body_of_a_mebibyte_arrives_whole() {
    let body = "x".repeat(1 << 20);
    let logs = LogRig::new().run(|| {
        info!("{body}");
        info!("small");
    });
    assert_eq!(of(&logs, "small").keys().len(), 3);
    assert!(logs.iter().any(|log| log.body() == body));
}

#[test]
fn no_field_of_an_event_is_visited_where_telemetry_is_suppressed() {
    let count = Cell::new(0);
    struct Counted<'a>(&'a Cell<usize>);
    impl fmt::Debug for Counted<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.set(self.0.get() + 1);
            f.write_str("formatted")
        }
    }
    let logs = LogRig::new().run(|| {
        let span = info_span!("span");
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        info!(value = ?Counted(&count), "outside");
        info!(parent: None, value = ?Counted(&count), "root");
        info!(parent: &span, value = ?Counted(&count), "explicit");
        span.in_scope(|| info!(value = ?Counted(&count), "inside"));
        let record = log::Record::builder().args(format_args!("of log")).build();
        tracing_log::format_trace(&record).expect("always");
    });
    assert_eq!((logs.len(), count.get()), (0, 0));
}

/// Logs through `tracing` while it sends, as HTTP clients do.
struct Chatty;

impl Transport for Chatty {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        error!("while sending");
        Ok(ExportResponse::ALL)
    }
}

#[test]
fn what_an_exporter_logs_is_no_record() {
    let pipeline = Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_transport(|| Ok::<_, SendError>(Chatty))
        .build()
        .expect("the defaults are valid");
    let provider = LoggerProvider::builder().with_exporter(pipeline).build();
    let layer = zerospan_tracing::TraceLayer::new().with_logs(&provider);
    let subscriber = Registry::default().with(layer);
    // For the worker's thread too: the tests of this program run in processes of their own.
    let _ = tracing::subscriber::set_global_default(subscriber);
    for _ in 0..5 {
        info!("one");
        provider.force_flush().expect("delivered");
    }
    assert_eq!(provider.stats().exports[0].recorded, 5);
}

#[test]
fn records_after_the_shutdown_are_counted() {
    let rig = LogRig::new();
    let logs = rig.run(|| {
        info!("before");
        rig.logs.shutdown().expect("delivered");
        info!("after");
        info_span!("span").in_scope(|| info!("inside"));
    });
    assert_eq!(only(&logs).body(), "before");
    let stats = rig.logs.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.exports[0].dropped.total(), 2, "{stats:?}");
    assert_eq!(rig.spans().names(), ["span"]);
}

#[test]
fn a_provider_that_takes_nothing_has_no_field_visited() {
    let provider = LoggerProvider::default();
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider).with_logs(&provider);
    let subscriber = Registry::default().with(layer);
    tracing::subscriber::with_default(subscriber, || info!(value = ?Panics, "nowhere"));
}

/// Takes what one target logs.
#[derive(Debug, Default)]
struct OfTarget(Arc<Mutex<Vec<[String; 2]>>>);

impl Processor for OfTarget {
    fn on_emit(&self, record: &mut LogRecord, scope: &InstrumentationScope) {
        let body = record.body().expect("set");
        let taken = [scope.name(), body.as_str().expect("a text")].map(str::to_owned);
        self.0.lock().expect("no panic").push(taken);
    }

    fn event_enabled(&self, severity: Severity, target: &str, _: Option<&str>) -> bool {
        severity >= Severity::Info && target.starts_with("db")
    }
}

#[test]
fn a_processor_decides_by_target_and_gets_its_scope_also_for_records_of_the_log_crate() {
    let taken = OfTarget::default();
    let seen = Arc::clone(&taken.0);
    let provider = LoggerProvider::builder().with_processor(taken).build();
    let layer = zerospan_tracing::TraceLayer::new().with_logs(&provider);
    let subscriber = Registry::default().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        info!(target: "db::pool", "of tracing");
        tracing::debug!(target: "db::pool", "too fine");
        info!(target: "web", value = ?Panics, "refused");
        for target in ["db::log", "web"] {
            let record = log::Record::builder()
                .target(target)
                .args(format_args!("of log"))
                .build();
            tracing_log::format_trace(&record).expect("always");
        }
    });
    let seen = seen.lock().expect("no panic").clone();
    assert_eq!(seen, [["db::pool", "of tracing"], ["db::log", "of log"]]);
}

/// Logs when it is dropped, with its thread.
struct Last(Dispatch);

impl Drop for Last {
    fn drop(&mut self) {
        tracing::dispatcher::with_default(&self.0, || {
            info_span!("last").in_scope(|| info!(value = ?Some(1), "within the span"));
            info!("in the destructor");
        });
    }
}

#[test]
fn an_event_in_the_destructor_of_a_thread_local_is_recorded_or_left_out_and_harms_nothing() {
    thread_local! {
        static FIRST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let rig = LogRig::new();
    let layer = rig.layer().with_events(EventsTo::Both);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    for is_used_before in [false, true] {
        let dispatch = dispatch.clone();
        let thread = std::thread::spawn(move || {
            let warm = || tracing::dispatcher::with_default(&dispatch, || info!("before"));
            if is_used_before {
                warm();
            }
            FIRST.set(Some(Last(dispatch.clone())));
            if !is_used_before {
                warm();
            }
        });
        thread.join().expect("no panic");
    }
    let logs = rig.logs();
    assert_eq!(logs.iter().filter(|log| log.body() == "before").count(), 2);
    assert!(rig.logs.stats().is_balanced());
}
