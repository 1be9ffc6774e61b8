//! The current span: across `await`, tasks and threads, natively and through the API, and in `#[instrument]`.

use super::support::{Exported, ExportedSpan, named};
use crate::{OpenTelemetrySpanExt, current_context, current_span_context};
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt as _, TraceContextExt, Tracer as _, TracerProvider as _};
use std::future::Future;
use std::pin::pin;
use std::task::{Poll, Waker};
use tracing::instrument::WithSubscriber;
use tracing::{Dispatch, Instrument, Span, info, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt;

/// Asserts that each of these spans has the parent that is named beside it.
fn assert_parents(spans: &[ExportedSpan], pairs: &[(&str, &str)]) {
    for (child, parent) in pairs {
        let (child, parent) = (named(spans, child), named(spans, parent));
        assert_eq!(
            child.parent, parent.span_id,
            "{} of {}",
            child.name, parent.name
        );
        assert_eq!(child.trace_id, parent.trace_id, "{}", child.name);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime")
}

/// Runs `work` on a runtime with two threads and a subscriber of the layer.
fn run_async<F: Future<Output = ()>>(
    exported: &Exported,
    work: impl FnOnce() -> F,
) -> Vec<ExportedSpan> {
    let subscriber = tracing_subscriber::registry().with(exported.layer());
    let dispatch = Dispatch::new(subscriber);
    let runtime = runtime();
    tracing::dispatcher::with_default(&dispatch, || runtime.block_on(work()));
    drop(runtime);
    exported.spans()
}

#[test]
fn native_spans_and_those_of_tracing_nest_in_the_order_in_which_they_were_entered() {
    let exported = Exported::new();
    let tracer = exported.provider.tracer("native");
    let spans = exported.run(|| {
        info_span!("a").in_scope(|| {
            let native = tracer.span("b").start();
            let entered = native.enter();
            info_span!("c").in_scope(|| drop(tracer.span("d").start()));
            drop(entered);
            drop(info_span!("e"));
            drop(native);
        });
        drop(info_span!("root"));
    });
    assert_parents(&spans, &[("b", "a"), ("c", "b"), ("d", "c"), ("e", "a")]);
    assert_eq!(named(&spans, "root").parent, [0; 0]);
}

#[test]
fn futures_that_take_turns_on_a_thread_are_each_in_their_own_span() {
    async fn steps(name: &str) {
        for _ in 0..3 {
            assert_eq!(current_span_context(), Span::current().span_context());
            drop(info_span!(
                "step",
                otel.name = format_args!("step of {name}")
            ));
            pause().await;
        }
    }
    /// Is pending once.
    async fn pause() {
        let mut is_ready = false;
        std::future::poll_fn(|_| match std::mem::replace(&mut is_ready, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    let exported = Exported::new();
    let spans = exported.run(|| {
        let mut left = pin!(steps("left").instrument(info_span!("left")));
        let mut right = pin!(steps("right").instrument(info_span!("right")));
        let mut waiting = std::task::Context::from_waker(Waker::noop());
        for _ in 0..4 {
            let _ = left.as_mut().poll(&mut waiting);
            assert!(!current_span_context().is_valid());
            let _ = right.as_mut().poll(&mut waiting);
            assert!(!current_span_context().is_valid());
        }
    });
    for side in ["left", "right"] {
        let parent = &named(&spans, side).span_id;
        let name = format!("step of {side}");
        let steps = spans.iter().filter(|span| span.name == name);
        assert_eq!(steps.filter(|step| step.parent == *parent).count(), 3);
    }
}

#[test]
fn tasks_and_threads_are_in_the_span_that_they_are_given() {
    let exported = Exported::new();
    let spans = run_async(&exported, || async {
        let request = info_span!("request");
        let task = async {
            tokio::task::yield_now().await;
            info_span!("in the task").in_scope(|| {});
        };
        let task = task.instrument(request.clone()).with_current_subscriber();
        tokio::spawn(task).await.expect("no panic");

        let (parent, dispatch) = (request.clone(), current_dispatch());
        let blocking = tokio::task::spawn_blocking(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                assert!(!current_span_context().is_valid());
                parent.in_scope(|| info_span!("blocking").in_scope(|| {}));
                assert!(!current_span_context().is_valid());
            });
        });
        blocking.await.expect("no panic");

        let (parent, dispatch) = (request.clone(), current_dispatch());
        let thread = std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                info_span!(parent: &parent, "of another thread").in_scope(|| {});
                drop(parent);
            });
        });
        drop(request);
        thread.join().expect("no panic");
    });
    assert_eq!(spans.len(), 4);
    assert_parents(
        &spans,
        &[
            ("in the task", "request"),
            ("blocking", "request"),
            ("of another thread", "request"),
        ],
    );
}

fn current_dispatch() -> Dispatch {
    tracing::dispatcher::get_default(Dispatch::clone)
}

#[test]
fn a_future_in_a_context_of_the_api_is_the_parent_of_spans_of_tracing_and_the_reverse() {
    let exported = Exported::new();
    let tracer = exported.provider.tracer("api");
    let spans = run_async(&exported, || async {
        let outer = info_span!("outer");
        // The API's context of a span of `tracing`, for code that passes contexts on.
        let context = outer.context();
        let inner = async {
            tokio::task::yield_now().await;
            let span = tracer.start("of the API");
            let context = Context::current_with_span(span);
            async {
                tokio::task::yield_now().await;
                info_span!("innermost").in_scope(|| {});
            }
            .with_context(context)
            .await;
        };
        inner.with_context(context).await;
    });
    assert_parents(
        &spans,
        &[("of the API", "outer"), ("innermost", "of the API")],
    );
}

#[test]
fn a_dropped_future_ends_its_span_and_leaves_no_span_entered() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let never = std::future::pending::<()>().instrument(info_span!("never done"));
        let mut never = Box::pin(never);
        let mut waiting = std::task::Context::from_waker(Waker::noop());
        assert!(never.as_mut().poll(&mut waiting).is_pending());
        drop(never);
        drop(info_span!("next"));
    });
    assert_eq!(spans.len(), 2);
    assert_eq!(named(&spans, "next").parent, [0; 0]);
}

#[test]
fn the_apis_current_context_has_the_span_only_if_contexts_are_activated() {
    for is_on in [false, true] {
        let exported = Exported::new();
        let layer = exported.layer().with_context_activation(is_on);
        exported.run_with(layer, || {
            let span = info_span!("entered");
            let ids = span.span_context();
            span.in_scope(|| {
                let current = Context::current();
                assert_eq!(current.span().span_context() == &ids, is_on);
                assert_eq!(current_context().span().span_context(), &ids);
            });
            assert!(!Context::current().has_active_span());
        });
    }
}

#[instrument(skip(secret), fields(secret.length = secret.len(), late = tracing::field::Empty), err, ret)]
fn divide(number: i64, by: i64, secret: &str) -> Result<i64, String> {
    Span::current().record("late", number - by);
    number
        .checked_div(by)
        .ok_or_else(|| format!("{number} cannot be divided by {by}"))
}

#[instrument(
    name = "renamed",
    target = "elsewhere",
    level = "debug",
    skip_all,
    err(Debug)
)]
async fn fail(_secret: &str) -> Result<(), std::num::ParseIntError> {
    tokio::task::yield_now().await;
    info!("before it fails");
    "seven".parse::<u8>().map(drop)
}

#[test]
fn instrument_exports_arguments_fields_results_and_errors() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        assert_eq!(divide(7, 2, "hidden"), Ok(3));
    });
    let span = named(&spans, "divide");
    assert_eq!(span.get("number"), Some("7"));
    assert_eq!(span.get("secret"), None);
    assert_eq!(span.get("secret.length"), Some("6"));
    assert_eq!(span.get("late"), Some("5"));
    assert_eq!(span.status.0, 0);
    let [(_, _, attributes)] = &span.events[..] else {
        panic!("{:?}", span.events)
    };
    assert_eq!(attributes.get("return"), Some("\"3\""));

    let spans = exported.run(|| assert!(divide(7, 0, "hidden").is_err()));
    let span = named(&spans, "divide");
    assert_eq!(
        span.status,
        (2, "7 cannot be divided by 0".to_owned()),
        "the error is the status"
    );
    let [(name, _, attributes)] = &span.events[..] else {
        panic!("{:?}", span.events)
    };
    assert_eq!(name, "exception");
    assert_eq!(
        attributes.get("exception.message"),
        Some("\"7 cannot be divided by 0\"")
    );
}

#[test]
fn an_instrumented_async_function_exports_its_error() {
    let exported = Exported::new();
    let spans = run_async(&exported, || async {
        assert!(fail("hidden").await.is_err());
    });
    let span = named(&spans, "renamed");
    assert_eq!(span.get("target"), Some("\"elsewhere\""));
    assert_eq!(span.status.0, 2);
    assert_eq!(span.events.len(), 2, "{:?}", span.events);
    assert_eq!(span.events[0].0, "before it fails");
}
