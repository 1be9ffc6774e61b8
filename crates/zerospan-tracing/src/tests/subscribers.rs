use super::support::{Exported, named};
use crate::{OpenTelemetrySpanExt, TraceLayer, get_otel_context};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use std::sync::{Arc, Mutex};
use tracing::dispatcher::{Dispatch, WeakDispatch};
use tracing::span::{Attributes, Id};
use tracing::{Subscriber, info, info_span};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry, reload};

#[test]
fn two_layers_in_one_registry_both_export_trees_of_their_own() {
    let (one, other) = (Exported::new(), Exported::new());
    let subscriber = Registry::default().with(one.layer()).with(other.layer());
    tracing::subscriber::with_default(subscriber, || {
        let outer = info_span!("outer").entered();
        outer.set_attribute("both", true);
        info_span!("inner").in_scope(|| info!("event"));
    });
    let ids = [&one, &other].map(|exported| {
        let spans = exported.spans();
        let (outer, inner) = (named(&spans, "outer"), named(&spans, "inner"));
        assert_eq!(inner.parent, outer.span_id);
        assert_eq!(inner.events.len(), 1);
        assert_eq!(outer.get("both"), Some("true"));
        outer.span_id.clone()
    });
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn behind_reload_the_tracer_or_the_layer_comes_later_and_the_extension_works() {
    let exported = Exported::new();
    let (slot, reload) = reload::Layer::new(None::<TraceLayer>);
    let early = TraceLayer::new();
    let handle = early.handle();
    tracing::subscriber::with_default(Registry::default().with(slot), || {
        drop(info_span!("before"));
        reload.reload(Some(early)).expect("alive");
        drop(info_span!("still before"));
        handle.install(&exported.provider).expect("the first");
        assert!(handle.install(&exported.provider).is_err());
        let span = info_span!("after");
        span.set_attribute("key", "value");
        assert!(span.span_context().is_valid());
        assert!(span.context().span().span_context().is_valid());
    });
    let spans = exported.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(named(&spans, "after").get("key"), Some("\"value\""));
}

/// Reads the ids of every new span.
struct Reader {
    dispatch: Mutex<Option<WeakDispatch>>,
    handle: crate::LayerHandle,
    read: Arc<Mutex<Vec<SpanContext>>>,
}

impl<S: Subscriber> Layer<S> for Reader {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        *self.dispatch.lock().expect("no panic") = Some(dispatch.downgrade());
    }

    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let dispatch = self.dispatch.lock().expect("no panic").clone();
        let dispatch = dispatch.and_then(|weak| weak.upgrade()).expect("alive");
        let by_handle = self.handle.span_context(id).expect("known");
        let context = get_otel_context(id, &dispatch).expect("known");
        assert_eq!(context.span().span_context().span_id(), by_handle.span_id());
        self.read.lock().expect("no panic").push(by_handle);
    }
}

#[test]
fn another_layer_reads_the_ids_from_the_start_and_they_stay() {
    let exported = Exported::new();
    let layer = exported.layer();
    let read = Arc::default();
    let reader = Reader {
        dispatch: Mutex::default(),
        handle: layer.handle(),
        read: Arc::clone(&read),
    };
    let subscriber = Registry::default().with(layer).with(reader);
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("span");
        let parent = opentelemetry::Context::new().with_remote_span_context(SpanContext::new(
            1.into(),
            2.into(),
            opentelemetry::trace::TraceFlags::SAMPLED,
            true,
            opentelemetry::trace::TraceState::NONE,
        ));
        assert!(span.set_parent(parent).is_err());
    });
    let spans = exported.spans();
    let read = read.lock().expect("no panic");
    assert_eq!(named(&spans, "span").span_id, read[0].span_id().to_bytes());
}

#[test]
fn spans_beyond_the_maximum_are_counted_and_their_children_have_its_parent() {
    let exported = Exported::new();
    let layer = exported.layer().with_max_spans(3);
    let handle = layer.handle();
    let spans = exported.run_with(layer, || {
        let open: Vec<_> = (0..3).map(|_| info_span!("open")).collect();
        let _entered = open[0].enter();
        let rejected = info_span!("rejected").entered();
        assert_eq!(handle.stats().rejected_spans, 1);
        assert_eq!(handle.stats().open, 3);
        info!("event");
        drop(rejected);
        drop(open[2].clone());
    });
    assert_eq!(spans.len(), 3);
    let stats = exported.provider.stats();
    assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
    assert_eq!(handle.stats().open, 0);
    let events: usize = spans.iter().map(|span| span.events.len()).sum();
    assert_eq!(events, 1);
}

#[test]
fn unknown_ids_are_tolerated_in_every_hook() {
    let exported = Exported::new();
    let layer = exported.layer();
    let subscriber = Registry::default().with(Fuzzed(layer));
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("span").entered();
        info!("event");
        drop(span);
    });
    assert_eq!(exported.spans().len(), 1);
}

/// Calls the hooks with ids that the layer does not know before every real call.
struct Fuzzed(TraceLayer);

impl Layer<Registry> for Fuzzed {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, Registry>) {
        let unknown = Id::from_u64(77);
        self.0.on_enter(&unknown, context.clone());
        self.0.on_exit(&unknown, context.clone());
        self.0.on_close(unknown.clone(), context.clone());
        self.0.on_follows_from(&unknown, id, context.clone());
        self.0.on_new_span(attributes, id, context.clone());
        self.0.on_follows_from(id, &unknown, context.clone());
        self.0.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, Registry>) {
        self.0.on_close(id.clone(), context.clone());
        self.0.on_close(id.clone(), context.clone());
        self.0.on_enter(&id, context.clone());
        self.0.on_exit(&id, context);
    }
}
