//! Spans and events never touch the heap, beside a control that does.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use std::error::Error;
use std::sync::mpsc::sync_channel;
use tracing::field::Empty;
use tracing::{Dispatch, Span, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Signal, Transport};
use zerospan_logs::LoggerProvider;
use zerospan_trace::{Sampler, TracerProvider};
use zerospan_tracing::{EventsTo, OpenTelemetrySpanExt, TraceLayer};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// A collector that takes everything and keeps nothing.
struct Null;

impl Transport for Null {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Ok(ExportResponse::ALL)
    }
}

fn provider(sampler: Sampler) -> TracerProvider {
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok::<_, SendError>(Null))
        .build()
        .expect("the defaults are valid");
    TracerProvider::builder()
        .with_sampler(sampler)
        .with_exporter(pipeline)
        .build()
}

/// Counts the allocations of one run of `work` in steady state.
fn count(provider: &TracerProvider, dispatch: &Dispatch, work: impl Fn()) -> u64 {
    let flush = || provider.force_flush().expect("delivered");
    count_with_flush(flush, dispatch, work)
}

fn count_with_flush(flush: impl Fn(), dispatch: &Dispatch, work: impl Fn()) -> u64 {
    tracing::dispatcher::with_default(dispatch, || Allocations::per_run(flush, work))
}

fn count_with(setup: impl FnOnce(TraceLayer) -> TraceLayer, work: impl Fn()) -> u64 {
    let provider = provider(Sampler::AlwaysOn);
    let layer = setup(zerospan_tracing::layer(&provider));
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let counted = count(&provider, &dispatch, work);
    let stats = provider.stats();
    assert!(
        stats.is_balanced() && stats.exports[0].recorded >= 21 * 64,
        "{stats:?}"
    );
    counted
}

/// Asserts that `work` allocates nothing under this layer, and something under the predecessor's: the control.
#[track_caller]
fn check(work: impl Fn()) {
    assert_eq!(count_with(|layer| layer, &work), 0);
    let provider = provider(Sampler::AlwaysOn);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("control"));
    let dispatch = Dispatch::new(Registry::default().with(layer));
    assert_ne!(count(&provider, &dispatch, work), 0, "the control");
}

#[test]
fn spans_with_fields_touch_no_heap() {
    check(|| info_span!("none").in_scope(|| {}));
    let text = String::from("dynamic");
    check(|| {
        let span = info_span!(
            "eight",
            http.request.method = "GET",
            url.path = text.as_str(),
            http.response.status_code = 200,
            server.port = 8080_u64,
            cache.hit = true,
            queue.wait = 0.5,
            body = &b"bytes"[..],
            large = u64::MAX,
        );
        span.in_scope(|| {});
    });
    check(|| {
        info_span!("outer").in_scope(|| {
            info_span!("middle", number = 1).in_scope(|| info_span!("inner").in_scope(|| {}));
            info_span!(parent: None, "root").in_scope(|| {});
            info_span!(parent: &Span::current(), "explicit").in_scope(|| {});
        });
    });
}

#[test]
fn formatted_fields_touch_no_heap() {
    let text = String::from("dynamic");
    check(|| {
        let span = info_span!("formatted", debug = ?text, display = %text, numbers = ?[1, 2, 3]);
        span.in_scope(|| {});
    });
    check(|| {
        let span = info_span!("special", otel.name = %text, otel.kind = "server");
        span.in_scope(|| {});
    });
}

#[test]
fn late_records_touch_no_heap() {
    check(|| {
        let span = info_span!(
            "late",
            number = Empty,
            text = 1,
            debug = Empty,
            otel.name = Empty,
            otel.kind = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty,
        );
        span.in_scope(|| {
            span.record("number", 7).record("text", "again");
            span.record("debug", tracing::field::debug([1, 2]));
            span.record("otel.name", "renamed")
                .record("otel.kind", "client");
            span.record("otel.status_description", "failed");
            span.record("otel.status_code", "error");
        });
    });
}

#[test]
fn events_touch_no_heap() {
    let text = String::from("dynamic");
    check(|| {
        info_span!("events").in_scope(|| {
            info!("constant");
            info!(number = 1, text, "formatted {text}");
            info!(debug = ?text, display = %text);
            tracing::error!(error = %text);
        });
    });
    let error: &(dyn Error + 'static) = &std::fmt::Error;
    check(|| {
        info_span!("errors", error).in_scope(|| info!(error, "event"));
    });
}

fn logger_provider() -> LoggerProvider {
    let pipeline = Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_transport(|| Ok::<_, SendError>(Null))
        .build()
        .expect("the defaults are valid");
    LoggerProvider::builder().with_exporter(pipeline).build()
}

/// Counts the allocations of `work` under a layer that sends events to the logs.
fn count_logs(setup: impl FnOnce(TraceLayer) -> TraceLayer, work: impl Fn()) -> u64 {
    let (traces, logs) = (provider(Sampler::AlwaysOn), logger_provider());
    let layer = setup(zerospan_tracing::layer(&traces).with_logs(&logs));
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let flush = || {
        traces.force_flush().expect("delivered");
        logs.force_flush().expect("delivered");
    };
    let counted = count_with_flush(flush, &dispatch, work);
    let stats = logs.stats();
    assert!(
        stats.is_balanced() && stats.exports[0].recorded >= 21 * 64,
        "{stats:?}"
    );
    counted
}

/// Asserts that `work` allocates nothing under this layer, and something under the official bridge: the control.
#[track_caller]
fn check_logs(work: impl Fn()) {
    for events in [EventsTo::Logs, EventsTo::Both] {
        assert_eq!(count_logs(|layer| layer.with_events(events), &work), 0);
    }
    let logs = SdkLoggerProvider::builder()
        .with_simple_exporter(InMemoryLogExporter::default())
        .build();
    let bridge = OpenTelemetryTracingBridge::new(&logs);
    let dispatch = Dispatch::new(Registry::default().with(bridge));
    let ((), allocated) =
        Allocations::measure(|| tracing::dispatcher::with_default(&dispatch, work));
    assert_ne!(allocated.count, 0, "the control");
}

#[test]
fn log_records_touch_no_heap() {
    let text = String::from("dynamic");
    check_logs(|| {
        info!("constant");
        info!(number = 1, text, "formatted {text}");
        info!(debug = ?text, display = %text, bytes = &b"bytes"[..], wide = u64::MAX, "more");
        info_span!("span").in_scope(|| {
            info!(name: "named", target: "other", flag = true);
            tracing::error!(error = %text);
        });
        info!(parent: None, "root");
    });
    let error: &(dyn Error + 'static) = &std::fmt::Error;
    check_logs(|| info_span!("errors", error).in_scope(|| info!(error, "event")));
}

#[test]
fn records_of_the_log_crate_touch_no_heap() {
    check_logs(|| {
        for target in ["shop::db", "shop::web"] {
            let emitted = tracing_log::format_trace(
                &log::Record::builder()
                    .target(target)
                    .file(Some("src/db.rs"))
                    .args(format_args!("slow: {} ms", 7))
                    .build(),
            );
            emitted.expect("always");
        }
    });
}

#[test]
fn fields_of_spans_in_log_records_touch_no_heap() {
    let text = String::from("dynamic");
    let counted = count_logs(
        |layer| layer.with_span_fields_in_logs(["request.id", "user"]),
        || {
            let span = info_span!("request", request.id = ?text, user = Empty, other = 1);
            span.record("user", text.as_str());
            span.in_scope(|| info_span!("inner", user = 7).in_scope(|| info!("inside")));
        },
    );
    assert_eq!(counted, 0);
}

#[test]
fn links_and_ids_touch_no_heap() {
    check(|| {
        let first = info_span!("first");
        let second = info_span!("second");
        second.follows_from(&first);
    });
    assert_eq!(
        count_with(
            |layer| layer,
            || {
                let span = info_span!("span");
                assert!(span.span_context().is_valid());
                span.set_attribute("key", "value");
            }
        ),
        0
    );
}

#[test]
fn an_unsampled_span_touches_no_heap() {
    let provider = provider(Sampler::AlwaysOff);
    let layer = zerospan_tracing::layer(&provider);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let text = String::from("dynamic");
    let counted = count(&provider, &dispatch, || {
        let span = info_span!("off", text, debug = ?text, late = Empty);
        span.in_scope(|| {
            span.record("late", 1);
            info!(debug = ?text, "formatted {text}");
            info_span!("child").in_scope(|| {});
        });
    });
    assert_eq!((counted, provider.stats().sampled), (0, 0));
}

#[test]
fn context_activation_allocates_once_for_each_span_that_is_entered() {
    let activate = |layer: TraceLayer| layer.with_context_activation(true);
    assert_eq!(
        count_with(activate, || drop(info_span!("never entered"))),
        0
    );
    let counted = count_with(activate, || {
        let span = info_span!("entered");
        span.in_scope(|| {});
        span.in_scope(|| {});
    });
    assert_eq!(counted, 1);
}

#[test]
fn events_beyond_the_limit_touch_no_heap() {
    let provider = provider(Sampler::AlwaysOn);
    let layer = zerospan_tracing::layer(&provider);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let span = info_span!("span");
        let send = || info!(parent: &span, text = "some text", "an event {}", 7);
        for _ in 0..256 {
            send();
        }
        let ((), allocated) = Allocations::measure(|| {
            for _ in 0..100_000 {
                send();
            }
        });
        assert_eq!(allocated.count, 0);
    });
}

#[test]
fn a_span_that_is_moved_touches_no_heap_on_either_thread() {
    let provider = provider(Sampler::AlwaysOn);
    let layer = zerospan_tracing::layer(&provider);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let (to_ender, spans) = sync_channel::<Option<Span>>(1);
    let (done, ended) = sync_channel(1);
    let counted = std::thread::scope(|scope| {
        let under = dispatch.clone();
        scope.spawn(move || {
            tracing::dispatcher::with_default(&under, || {
                let mut before = Allocations::this_thread();
                let mut seen = 0;
                while let Ok(Some(span)) = spans.recv() {
                    span.in_scope(|| {
                        info!("there");
                        span.record("late", "there");
                        info_span!("child").in_scope(|| {});
                    });
                    drop(span);
                    seen += 1;
                    if seen == 4_000 {
                        before = Allocations::this_thread();
                    }
                    done.send(0).expect("the starter lives");
                }
                let counted = Allocations::this_thread().since(before).count;
                done.send(counted).expect("the starter lives");
            });
        });
        tracing::dispatcher::with_default(&dispatch, || {
            let pass = || {
                let span = info_span!("moved", late = Empty, here = ?1);
                to_ender.send(Some(span)).expect("the ender lives");
                ended.recv().expect("the ender lives")
            };
            for _ in 0..4_000 {
                pass();
            }
            provider.force_flush().expect("delivered");
            let ((), here) = Allocations::measure(|| {
                for _ in 0..640 {
                    pass();
                }
            });
            to_ender.send(None).expect("the ender lives");
            here.count + ended.recv().expect("the ender lives")
        })
    });
    // A thread that waits on a channel registers itself there, in memory of the channel's.
    assert!(counted <= 2, "{counted}");
}
