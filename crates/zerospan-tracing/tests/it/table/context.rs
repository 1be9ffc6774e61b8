//! Spans of the API and of `tracing` in each other, across threads and `await`.

use crate::support::{Rig, exported};
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt as _, TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Poll, Waker};
use tracing::{Dispatch, Instrument, Span, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use zerospan_tracing::OpenTelemetrySpanExt;

/// Is pending once.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Polls the futures in turn until each is ready.
fn run_in_turn(futures: &mut [Pin<&mut dyn Future<Output = ()>>]) {
    let mut task = std::task::Context::from_waker(Waker::noop());
    let mut ready = vec![false; futures.len()];
    while ready.contains(&false) {
        for (future, ready) in futures.iter_mut().zip(&mut ready) {
            if !*ready {
                *ready = future.as_mut().poll(&mut task).is_ready();
            }
        }
    }
}

#[test]
fn the_span_that_was_entered_last_is_the_parent_in_both_directions() {
    let rig = Rig::new();
    let tracer = rig.provider.tracer("api");
    let spans = rig.run(|| {
        info_span!("outer").in_scope(|| {
            tracer.in_span("api in tracing", |_| {
                info_span!("tracing in api").in_scope(|| {
                    drop(tracer.start("innermost"));
                    let native = tracer.span("native").start();
                    let _entered = native.enter();
                    info_span!("in native").in_scope(|| {});
                });
                drop(tracer.start("api in api"));
            });
            drop(tracer.start("back in tracing"));
        });
        drop(tracer.start("outside"));
    });
    spans.assert_root("outer");
    spans.assert_child("api in tracing", "outer");
    spans.assert_child("tracing in api", "api in tracing");
    spans.assert_child("innermost", "tracing in api");
    spans.assert_child("native", "tracing in api");
    spans.assert_child("in native", "native");
    spans.assert_child("api in api", "api in tracing");
    spans.assert_child("back in tracing", "outer");
    spans.assert_root("outside");
}

#[test]
fn the_span_that_was_entered_last_is_the_parent_across_await() {
    let rig = Rig::new();
    let tracer = rig.provider.tracer("api");
    let spans = rig.run(|| {
        let request = |name: &'static str, inner: &'static str, leaf: &'static str| {
            let tracer = tracer.clone();
            async move {
                Yield::default().await;
                let span = tracer.start(name);
                async {
                    Yield::default().await;
                    let span = match inner {
                        "inner 1" => info_span!("inner 1"),
                        _ => info_span!("inner 2"),
                    };
                    async {
                        Yield::default().await;
                        drop(tracer.start(leaf));
                    }
                    .instrument(span)
                    .await;
                }
                .with_context(Context::current_with_span(span))
                .await;
                Yield::default().await;
                drop(tracer.start(format!("after {name}")));
            }
        };
        let first = request("api 1", "inner 1", "leaf 1").instrument(info_span!("request 1"));
        let second = request("api 2", "inner 2", "leaf 2").instrument(info_span!("request 2"));
        run_in_turn(&mut [pin!(first), pin!(second)]);
    });
    for number in 1..=2 {
        let name = |text: &str| format!("{text} {number}");
        spans.assert_root(&name("request"));
        spans.assert_child(&name("api"), &name("request"));
        spans.assert_child(&name("inner"), &name("api"));
        spans.assert_child(&name("leaf"), &name("inner"));
        spans.assert_child(&name("after api"), &name("request"));
    }
    assert_eq!(spans.0.len(), 10);
}

#[test]
fn a_future_that_is_dropped_half_way_leaves_no_span_entered() {
    let spans = exported(|| {
        let mut task = std::task::Context::from_waker(Waker::noop());
        let mut future = Box::pin(
            async {
                let _span = info_span!("held").entered_in_future();
                Yield::default().await;
            }
            .instrument(info_span!("dropped")),
        );
        assert!(future.as_mut().poll(&mut task).is_pending());
        drop(future);
        info_span!("after").in_scope(|| {});
    });
    spans.assert_root("after");
    spans.assert_child("held", "dropped");
}

trait EnteredInFuture {
    fn entered_in_future(self) -> Span;
}

impl EnteredInFuture for Span {
    /// Enters and exits at once: a guard must not be held across an `await`.
    fn entered_in_future(self) -> Span {
        self.in_scope(|| {});
        self
    }
}

#[test]
fn with_context_activation_the_apis_current_context_holds_the_span() {
    let exporter = InMemorySpanExporter::default();
    let foreign = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let foreign = foreign.tracer("another library");
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider).with_context_activation(true);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let attached = Context::new().with_value(7_i32).attach();
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("outer").in_scope(|| {
            drop(foreign.start("foreign"));
            assert_eq!(Context::current().get::<i32>(), Some(&7));
            info_span!("inner").in_scope(|| drop(foreign.start("deep")));
            foreign.in_span("attached", |_| info_span!("in foreign").in_scope(|| {}));
        });
        assert!(!Context::current().span().span_context().is_valid());
    });
    drop(attached);
    let spans = rig.spans();
    let theirs = exporter.get_finished_spans().expect("it keeps them");
    let theirs = |name: &str| {
        theirs
            .iter()
            .find(|span| span.name == name)
            .expect("exported")
    };
    let id = |name: &str| spans.named(name).span_id.clone();
    assert_eq!(
        theirs("foreign").parent_span_id.to_bytes().to_vec(),
        id("outer")
    );
    assert_eq!(
        theirs("deep").parent_span_id.to_bytes().to_vec(),
        id("inner")
    );
    assert_eq!(
        theirs("attached").parent_span_id.to_bytes().to_vec(),
        id("outer")
    );
    assert_eq!(
        spans.named("in foreign").parent_span_id,
        theirs("attached").span_context.span_id().to_bytes()
    );
    spans.assert_child("inner", "outer");
}

/// The pattern that the README shows.
#[test]
fn spawn_blocking_keeps_the_parent_where_the_span_is_passed_on() {
    let rig = Rig::new();
    let dispatch = rig.dispatch();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    let task = async {
        let span = Span::current();
        tokio::task::spawn_blocking(move || {
            span.in_scope(|| info_span!("blocking").in_scope(|| {}));
        })
        .await
        .expect("no panic");
        tokio::spawn(async { info_span!("task").in_scope(|| {}) }.in_current_span())
            .await
            .expect("no panic");
    };
    // The spans know their subscriber; what is started on other threads finds it through `with_subscriber`, or globally.
    let work =
        tracing::dispatcher::with_default(&dispatch, || task.instrument(info_span!("request")));
    tracing::dispatcher::with_default(&dispatch, || runtime.block_on(work));
    drop(runtime);
    let spans = rig.spans();
    spans.assert_root("request");
}

thread_local! {
    static SEEN: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
}

/// Uses the API's context while it is formatted.
struct UsesContext;

impl fmt::Debug for UsesContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attached = Context::current().with_value(1_u8).attach();
        SEEN.with(|seen| {
            seen.borrow_mut()
                .push(Context::current().get::<u8>().is_some());
        });
        drop(attached);
        let span = Span::current();
        span.set_attribute("formatted", true);
        drop(span.context());
        f.write_str("formatted")
    }
}

#[test]
fn user_code_that_uses_the_apis_context_runs_under_no_borrow() {
    let spans = exported(|| {
        let span = info_span!("span", start = ?UsesContext, late = tracing::field::Empty);
        span.in_scope(|| {
            span.record("late", tracing::field::debug(UsesContext));
            tracing::info!(event = ?UsesContext, "{:?}", UsesContext);
            info_span!("child", field = ?UsesContext).in_scope(|| {});
        });
        span.set_status(opentelemetry::trace::Status::error(format!(
            "{UsesContext:?}"
        )));
    });
    spans.assert_child("child", "span");
    assert!(SEEN.with(|seen| seen.borrow().len() >= 6 && !seen.borrow().contains(&false)));
}
