use super::support::{Exported, ExportedSpan, named};
use crate::{OpenTelemetrySpanExt, SetParentError};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use std::time::{Duration, Instant};
use tracing::field::Empty;
use tracing::{info, info_span, trace_span};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use zerospan_trace::Sampler;

fn remote(flags: TraceFlags) -> Context {
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from(0x1234),
        SpanId::from(0x56),
        flags,
        true,
        TraceState::NONE,
    ))
}

fn has_remote_parent(span: &ExportedSpan) -> bool {
    span.trace_id == TraceId::from(0x1234).to_bytes()
        && span.parent == SpanId::from(0x56).to_bytes()
}

#[test]
fn a_parent_is_taken_until_the_ids_are_used_and_then_refused() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let parent = remote(TraceFlags::SAMPLED);
        let entered = info_span!("entered", number = 1).entered();
        info!("before");
        assert_eq!(entered.set_parent(parent.clone()), Ok(()));
        drop(info_span!("child"));
        let again = entered.set_parent(parent.clone());
        assert_eq!(again, Err(SetParentError::AlreadyStarted));
        drop(entered);

        let read = info_span!("read");
        let ids = read.span_context();
        assert_eq!(
            read.set_parent(parent.clone()),
            Err(SetParentError::AlreadyStarted)
        );
        assert_eq!(read.span_context(), ids);

        let linked = info_span!("linked");
        read.follows_from(&linked);
        assert_eq!(
            linked.set_parent(parent.clone()),
            Err(SetParentError::AlreadyStarted)
        );

        let elsewhere = info_span!("elsewhere");
        std::thread::scope(|scope| {
            let _here = elsewhere.enter();
            let (entered, wait) = std::sync::mpsc::channel();
            let (leave, left) = std::sync::mpsc::channel::<()>();
            let dispatch = tracing::dispatcher::get_default(Clone::clone);
            let span = elsewhere.clone();
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    let _there = span.enter();
                    entered.send(()).expect("received");
                    let _ = left.recv();
                });
            });
            wait.recv().expect("sent");
            let refused = elsewhere.set_parent(parent.clone());
            assert_eq!(refused, Err(SetParentError::AlreadyStarted));
            drop(leave);
        });

        let empty = info_span!("empty");
        assert_eq!(empty.set_parent(Context::new()), Ok(()));
        assert_eq!(empty.set_parent(parent), Ok(()));
        assert_eq!(
            tracing::Span::none().set_parent(remote(TraceFlags::SAMPLED)),
            Err(SetParentError::SpanDisabled)
        );
    });
    let entered = named(&spans, "entered");
    assert!(has_remote_parent(entered));
    assert_eq!(entered.get("number"), Some("1"));
    assert_eq!(entered.events.len(), 1);
    let child = named(&spans, "child");
    assert_eq!(
        (&child.parent, &child.trace_id),
        (&entered.span_id, &entered.trace_id)
    );
    assert!(has_remote_parent(named(&spans, "empty")));
    assert!(!has_remote_parent(named(&spans, "read")));
}

#[test]
fn a_late_parent_decides_on_sampling_and_later_spans_keep_their_fields() {
    let exported = Exported::with_sampler(Sampler::parent_based(Sampler::AlwaysOff));
    let spans = exported.run(|| {
        for name in ["first", "second", "third"] {
            let span = info_span!("request", otel.name = name, path = "/");
            let flags = if name == "third" {
                TraceFlags::NOT_SAMPLED
            } else {
                TraceFlags::SAMPLED
            };
            assert_eq!(span.set_parent(remote(flags)), Ok(()));
            span.in_scope(|| info!("inside"));
        }
    });
    assert_eq!(spans.len(), 2, "{spans:#?}");
    let second = named(&spans, "second");
    assert!(has_remote_parent(second));
    assert_eq!(second.get("path"), Some("\"/\""));
    assert_eq!(second.events.len(), 1);
    // What was recorded before the callsite was known to get late parents is lost.
    assert!(has_remote_parent(named(&spans, "request")));
    let stats = exported.provider.stats();
    assert_eq!((stats.open, stats.sampled), (0, 2));
    assert!(stats.is_balanced());

    let exported = Exported::new();
    let spans = exported.run(|| {
        let span = info_span!("dropped");
        assert_eq!(span.set_parent(remote(TraceFlags::NOT_SAMPLED)), Ok(()));
    });
    assert_eq!(spans.len(), 1, "the sampler does not ask for the parent");
    let stats = exported.provider.stats();
    assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
}

#[test]
fn a_hidden_span_passes_on_its_parent_and_the_context_in_force() {
    let exported = Exported::new();
    let layer = exported.layer().with_filter(LevelFilter::INFO);
    // Another layer sees all spans, so that the registry has them.
    let all = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let subscriber = tracing_subscriber::layer::SubscriberExt::with(
        tracing_subscriber::layer::SubscriberExt::with(
            tracing_subscriber::Registry::default(),
            layer,
        ),
        all,
    );
    tracing::subscriber::with_default(subscriber, || {
        let outer = info_span!("outer");
        let hidden = trace_span!(parent: &outer, "hidden");
        drop(info_span!(parent: &hidden, "explicit child"));
        {
            let _outer = outer.enter();
            let _hidden = hidden.enter();
            drop(info_span!("child"));
            assert_eq!(hidden.span_context(), outer.span_context());
            assert_eq!(
                hidden.context().span().span_context().span_id(),
                outer.span_context().span_id()
            );
        }
        info!(parent: &hidden, "on the nearest");
        let root = trace_span!("hidden root");
        assert_eq!(root.set_parent(remote(TraceFlags::SAMPLED)), Ok(()));
        assert_eq!(root.span_context().span_id(), SpanId::from(0x56));
        root.in_scope(|| drop(info_span!("remote child")));
        drop(info_span!(parent: &root, "explicit remote child"));
        {
            let _root = root.enter();
            let _inner = info_span!("inner").entered();
            drop(info_span!("innermost"));
        }
        // A disabled span.
        let _outer = outer.enter();
        assert_eq!(tracing::Span::none().span_context(), outer.span_context());
    });
    let spans = exported.spans();
    let outer = named(&spans, "outer");
    assert_eq!(outer.events.len(), 1);
    for child in ["explicit child", "child"] {
        assert_eq!(named(&spans, child).parent, outer.span_id, "{child}");
    }
    for child in ["remote child", "explicit remote child", "inner"] {
        assert!(has_remote_parent(named(&spans, child)), "{child}");
    }
    assert_eq!(
        named(&spans, "innermost").parent,
        named(&spans, "inner").span_id
    );
}

#[test]
fn links_are_made_to_open_and_to_closed_spans() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let open = info_span!("open");
        let closed = info_span!("closed");
        let id = closed.id().expect("enabled");
        drop(closed);
        let span = info_span!("span");
        span.follows_from(&open);
        span.follows_from(id);
        span.follows_from(tracing::Id::from_u64(u64::MAX - 7));
        span.add_link(open.span_context());
        span.add_link(SpanContext::NONE);
    });
    let ids = [
        &named(&spans, "open").span_id,
        &named(&spans, "closed").span_id,
    ];
    let links = &named(&spans, "span").links;
    assert_eq!(links.iter().collect::<Vec<_>>(), [ids[0], ids[1], ids[0]]);
}

#[test]
fn a_span_ends_at_its_last_exit_or_write_and_is_busy_once() {
    let exported = Exported::new();
    let pause = Duration::from_millis(20);
    // The longest that it can be busy, idle and open.
    let (mut busy, mut idle, mut open) = (0, 0, 0);
    let spans = exported.run(|| {
        let start = Instant::now();
        let span = info_span!("span", late = Empty);
        let entered = Instant::now();
        {
            let _one = span.enter();
            idle = start.elapsed().as_nanos();
            let _two = span.enter();
            std::thread::sleep(pause);
        }
        busy = entered.elapsed().as_nanos();
        std::thread::sleep(pause);
        info!(parent: &span, "after the exit");
        open = start.elapsed().as_nanos();
        std::thread::sleep(pause);
    });
    let span = named(&spans, "span");
    let number = |key| {
        span.get(key)
            .and_then(|text| text.parse::<u128>().ok())
            .expect("a number")
    };
    let length = u128::from(span.end - span.start);
    let pause = pause.as_nanos();
    assert!((pause..=busy).contains(&number("busy_ns")), "{span:?}");
    assert!(number("idle_ns") <= idle, "{span:?}");
    // The clock of the spans is another than that of the test.
    let slack = pause / 4;
    let lasts = 2 * pause - slack..=open + slack;
    assert!(lasts.contains(&length), "{length}");
    assert_eq!(span.events[0].1, span.end);
}

#[test]
fn the_context_is_the_apis_current_one_if_the_layer_activates_it() {
    let exported = Exported::new();
    let tracer = exported.provider.tracer("api");
    let layer = exported.layer().with_context_activation(true);
    let spans = exported.run_with(layer, || {
        let outer = info_span!("outer");
        outer.in_scope(|| {
            let current = Context::current().span().span_context().clone();
            assert_eq!(current.span_id(), outer.span_context().span_id());
            tracer.in_span("api", |_| drop(info_span!("inner")));
            drop(info_span!("child"));
        });
        assert!(!Context::current().has_active_span());
    });
    for (child, parent) in [("api", "outer"), ("inner", "api"), ("child", "outer")] {
        assert_eq!(
            named(&spans, child).parent,
            named(&spans, parent).span_id,
            "{child}"
        );
    }
}

#[test]
fn a_guard_that_was_leaked_elsewhere_makes_nobody_a_child() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let leaked = info_span!("leaked");
        std::mem::forget(leaked.enter());
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || drop(leaked));
        })
        .join()
        .expect("no panic");
        drop(info_span!("root"));
        let here = info_span!("leaked here");
        std::mem::forget(here.enter());
        drop(here);
        drop(info_span!("second root"));
    });
    assert_eq!(named(&spans, "root").parent, []);
    assert_eq!(named(&spans, "second root").parent, []);
}
