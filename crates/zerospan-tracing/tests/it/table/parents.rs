//! Parents, links and what other layers hide.

use crate::support::{Rig, exported, int, value};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::trace::v1::Span;
use std::sync::Arc;
use tracing::{Dispatch, info_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{Registry, reload};
use zerospan_tracing::{OpenTelemetrySpanExt, SetParentError, TraceLayer};

fn remote_span() -> SpanContext {
    SpanContext::new(
        TraceId::from(0xfeed),
        SpanId::from(0xbeef),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}

fn remote() -> Context {
    Context::new().with_remote_span_context(remote_span())
}

#[track_caller]
fn assert_remote(span: &Span) {
    assert_eq!(
        span.parent_span_id,
        remote_span().span_id().to_bytes(),
        "{span:#?}"
    );
    assert_eq!(
        span.trace_id,
        remote_span().trace_id().to_bytes(),
        "{span:#?}"
    );
}

#[tracing::instrument(skip_all)]
fn handle(parent: Context) {
    let span = tracing::Span::current();
    span.record("nothing", 1);
    span.set_parent(parent).expect("nobody has used the ids");
    tracing::info!("an event uses none");
    span.set_parent(remote()).expect("still nobody");
    info_span!("child").in_scope(|| {});
    let late = span.set_parent(Context::new().with_remote_span_context(SpanContext::NONE));
    assert!(matches!(late, Ok(()) | Err(SetParentError::AlreadyStarted)));
    let late = span.set_parent(remote());
    assert!(
        matches!(late, Err(SetParentError::AlreadyStarted)),
        "{late:?}"
    );
}

#[test]
fn a_parent_may_be_set_inside_of_instrument_until_the_ids_are_used() {
    let other = Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    ));
    let spans = exported(|| handle(other));
    assert_remote(spans.named("handle"));
    spans.assert_child("child", "handle");
}

#[test]
fn a_context_or_a_link_uses_the_ids_too() {
    exported(|| {
        let asked = info_span!("asked");
        let context = asked.context();
        assert!(context.span().span_context().is_valid());
        let linked = info_span!("linked");
        info_span!("follower").follows_from(&linked);
        for span in [asked, linked] {
            let late = span.set_parent(remote());
            let Err(late) = late else {
                panic!("the ids of {span:?} are known");
            };
            assert!(late.to_string().contains("ids were used"), "{late}");
        }
    });
}

#[test]
fn a_parent_that_was_set_ends_with_its_span_and_reaches_no_later_one() {
    struct Held(Arc<()>);

    let held = Arc::new(());
    exported(|| {
        let span = info_span!("span");
        let parent = remote().with_value(Held(Arc::clone(&held)));
        span.set_parent(parent).expect("it is new");
        assert_eq!(Arc::strong_count(&held), 2);
        let read = |context: Context| context.get::<Held>().map(|held| Arc::clone(&held.0));
        assert!(read(span.context()).is_some());
        drop(span);
        assert_eq!(Arc::strong_count(&held), 1);
        // As many as it takes to use its memory again.
        for _ in 0..100 {
            assert!(read(info_span!("later").context()).is_none());
        }
    });
}

#[test]
fn an_empty_remote_context_changes_nothing() {
    let spans = exported(|| {
        info_span!("outer").in_scope(|| {
            let inner = info_span!("inner");
            inner.set_parent(Context::new()).expect("changes nothing");
            let outside = Context::new().with_remote_span_context(SpanContext::empty_context());
            inner.set_parent(outside).expect("changes nothing");
        });
    });
    spans.assert_child("inner", "outer");
}

#[test]
fn a_parent_that_is_set_late_passes_on_its_trace_state_and_flags() {
    let state = TraceState::from_key_value([("vendor", "state")]).expect("valid");
    let parent = SpanContext::new(
        TraceId::from(0xfeed),
        SpanId::from(0xbeef),
        TraceFlags::SAMPLED,
        true,
        state,
    );
    let spans = exported(|| {
        let span = info_span!("span", number = 1);
        span.in_scope(|| {
            span.set_parent(Context::new().with_remote_span_context(parent))
                .expect("nobody has used the ids");
            info_span!("child").in_scope(|| {});
        });
    });
    for name in ["span", "child"] {
        assert_eq!(spans.named(name).trace_state, "vendor=state");
    }
    assert_eq!(spans.named("span").flags, 0x301);
    assert_eq!(value(&spans.named("span").attributes, "number"), int(1));
}

/// A registry whose layer does not see spans called `hidden`.
fn hiding(rig: &Rig) -> Dispatch {
    let visible = filter_fn(|metadata| metadata.name() != "hidden");
    Dispatch::new(
        Registry::default()
            .with(zerospan_tracing::layer(&rig.provider).with_filter(visible))
            .with(All),
    )
}

/// A layer that wants everything.
struct All;

impl<S: tracing::Subscriber> Layer<S> for All {}

#[test]
fn the_parent_of_a_span_is_its_nearest_visible_ancestor() {
    let rig = Rig::new();
    tracing::dispatcher::with_default(&hiding(&rig), || {
        let root = info_span!("root");
        let hidden = root.in_scope(|| info_span!("hidden"));
        hidden.in_scope(|| {
            info_span!("contextual").in_scope(|| {});
            info_span!("hidden").in_scope(|| info_span!("deep").in_scope(|| {}));
        });
        info_span!(parent: &hidden, "explicit").in_scope(|| {});
        // Another span is entered, which is no ancestor.
        let _entered = info_span!(parent: None, "entered").entered();
        hidden.in_scope(|| info_span!("elsewhere").in_scope(|| {}));
    });
    let spans = rig.spans();
    spans.assert_root("root");
    spans.assert_root("entered");
    for name in ["contextual", "deep", "explicit", "elsewhere"] {
        spans.assert_child(name, "root");
    }
    assert_eq!(spans.0.len(), 6);
}

#[test]
fn a_hidden_span_has_the_context_in_force_and_passes_on_a_remote_parent() {
    let rig = Rig::new();
    tracing::dispatcher::with_default(&hiding(&rig), || {
        info_span!("root").in_scope(|| {
            let root = tracing::Span::current();
            let hidden = info_span!("hidden");
            assert_eq!(
                hidden.context().span().span_context(),
                root.context().span().span_context()
            );
        });
        let hidden = info_span!("hidden");
        hidden.set_parent(remote()).expect("remembered");
        assert_eq!(
            hidden.context().span().span_context().span_id(),
            remote_span().span_id()
        );
        hidden.in_scope(|| info_span!("contextual").in_scope(|| {}));
        info_span!(parent: &hidden, "explicit").in_scope(|| {});
        let attached = remote().attach();
        info_span!("hidden").in_scope(|| info_span!("attached").in_scope(|| {}));
        drop(attached);
    });
    let spans = rig.spans();
    for name in ["contextual", "explicit", "attached"] {
        assert_remote(spans.named(name));
    }
}

#[test]
fn behind_reload_the_tracer_can_be_installed_later_and_the_extension_works() {
    let rig = Rig::new();
    let layer = TraceLayer::new();
    let handle = layer.handle();
    let (layer, _reload) = reload::Layer::new(layer);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let early = info_span!("early");
        assert!(!early.context().span().span_context().is_valid());
        let refused = early.set_parent(remote());
        assert!(
            matches!(refused, Err(SetParentError::LayerNotFound)),
            "{refused:?}"
        );
        handle.install(&rig.provider).expect("it has none");
        handle.install(&rig.provider).expect_err("it has one");
        let span = info_span!("span");
        span.set_parent(remote()).expect("nobody has used the ids");
        span.set_attribute("one", 1);
        assert!(span.context().span().span_context().is_valid());
        early.in_scope(|| info_span!("later").in_scope(|| {}));
    });
    let spans = rig.spans();
    assert_remote(spans.named("span"));
    assert_eq!(value(&spans.named("span").attributes, "one"), int(1));
    spans.assert_root("later");
    assert_eq!(spans.0.len(), 2);
}

#[test]
fn a_layer_that_reload_puts_in_place_exports_and_the_extension_works() {
    let rig = Rig::new();
    let (layer, reload) = reload::Layer::new(None::<TraceLayer>);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let early = info_span!("early");
        let layer = zerospan_tracing::layer(&rig.provider);
        reload.reload(Some(layer)).expect("the subscriber lives");
        early.in_scope(|| {
            let span = info_span!("span");
            span.set_attribute("one", 1);
            assert!(span.context().span().span_context().is_valid());
        });
        // The spans of a layer that is gone are not those of its successor.
        let orphan = info_span!("orphan");
        let layer = zerospan_tracing::layer(&rig.provider);
        reload.reload(Some(layer)).expect("the subscriber lives");
        orphan.in_scope(|| info_span!("successor").in_scope(|| {}));
        drop(orphan);
    });
    drop(dispatch);
    let spans = rig.spans();
    assert_eq!(value(&spans.named("span").attributes, "one"), int(1));
    spans.assert_root("span");
    assert!(spans.names().contains(&"successor"), "{spans:#?}");
    assert!(rig.provider.stats().is_balanced());
}

#[test]
fn a_closed_span_is_linked_by_its_remembered_context() {
    let spans = exported(|| {
        let closed = info_span!("closed").id();
        let span = info_span!("span");
        span.follows_from(closed);
        span.follows_from(tracing::Id::from_u64(0xdead_beef));
        span.follows_from(span.id());
    });
    let closed = spans.named("closed");
    let span = spans.named("span");
    let linked: Vec<&[u8]> = span.links.iter().map(|link| &*link.span_id).collect();
    assert_eq!(linked, [&*closed.span_id, &*span.span_id], "{spans:#?}");
    assert_eq!(span.links[0].trace_id, closed.trace_id);
}
