//! Other layers, other threads, and the exporter itself.

use crate::support::{Rig, exported};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, InstrumentationScope};
use std::sync::{Arc, Mutex, OnceLock};
use tracing::dispatcher::WeakDispatch;
use tracing::span::Attributes;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Id, Metadata, Subscriber, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_trace::TracerProvider;
use zerospan_tracing::{LayerHandle, OpenTelemetrySpanExt, SetParentError};

#[test]
fn two_layers_in_one_registry_both_export() {
    let (first, second) = (Rig::new(), Rig::new());
    let dispatch = Dispatch::new(
        Registry::default()
            .with(zerospan_tracing::layer(&first.provider))
            .with(
                zerospan_tracing::layer(&second.provider)
                    .with_filter(filter_fn(|metadata| metadata.name() != "hidden")),
            ),
    );
    tracing::dispatcher::with_default(&dispatch, || {
        let outer = info_span!("outer", one = 1);
        outer.in_scope(|| {
            info_span!("hidden").in_scope(|| info_span!("inner").in_scope(|| info!("event")));
        });
    });
    let (first, second) = (first.spans(), second.spans());
    assert_eq!(first.names(), ["hidden", "inner", "outer"]);
    first.assert_child("hidden", "outer");
    first.assert_child("inner", "hidden");
    assert_eq!(second.names(), ["inner", "outer"]);
    second.assert_child("inner", "outer");
    for spans in [first, second] {
        spans.assert_root("outer");
        assert_eq!(spans.named("inner").events.len(), 1);
    }
}

#[test]
fn boxed_optional_and_filtered_layers_export() {
    let rig = Rig::new();
    let layers: [Box<dyn Layer<Registry> + Send + Sync>; 4] = [
        zerospan_tracing::layer(&rig.provider).boxed(),
        Some(zerospan_tracing::layer(&rig.provider)).boxed(),
        zerospan_tracing::layer(&rig.provider)
            .with_filter(LevelFilter::INFO)
            .boxed(),
        vec![zerospan_tracing::layer(&rig.provider)].boxed(),
    ];
    for layer in layers {
        let dispatch = Dispatch::new(Registry::default().with(layer));
        tracing::dispatcher::with_default(&dispatch, || {
            let span = info_span!("span");
            assert!(span.context().span().span_context().is_valid());
        });
        assert_eq!(rig.spans().names(), ["span"]);
    }
}

/// Everything that a layer saw, by name of the span or event.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<&'static str>>>);

impl<S: Subscriber> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: LayerContext<'_, S>) {
        let name = attributes.metadata().name();
        self.0.lock().expect("no panic").push(name);
    }
}

/// Reads the ids of each span in every hook, by a handle or by the subscriber.
struct Ids {
    handle: Option<LayerHandle>,
    dispatch: OnceLock<WeakDispatch>,
    seen: Arc<Mutex<Vec<(&'static str, SpanContext)>>>,
}

impl Ids {
    fn new(handle: Option<LayerHandle>) -> Self {
        Self {
            handle,
            dispatch: OnceLock::new(),
            seen: Arc::default(),
        }
    }

    fn read(&self, hook: &'static str, id: &Id) {
        let context = match &self.handle {
            Some(handle) => handle.span_context(id),
            None => {
                let dispatch = self.dispatch.get().and_then(WeakDispatch::upgrade);
                zerospan_tracing::span_context(id, &dispatch.expect("it lives"))
            }
        };
        let mut seen = self.seen.lock().expect("no panic");
        seen.extend(context.map(|context| (hook, context)));
    }
}

impl<S: Subscriber> Layer<S> for Ids {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, _: LayerContext<'_, S>) {
        self.read("new", id);
    }

    fn on_enter(&self, id: &Id, _: LayerContext<'_, S>) {
        self.read("enter", id);
    }

    fn on_event(&self, event: &Event<'_>, context: LayerContext<'_, S>) {
        let current = context.current_span();
        if let Some(id) = event.parent().or(current.id()) {
            self.read("event", id);
        }
    }

    fn on_exit(&self, id: &Id, _: LayerContext<'_, S>) {
        self.read("exit", id);
    }

    fn on_close(&self, id: Id, _: LayerContext<'_, S>) {
        self.read("close", &id);
    }
}

/// Starts a span, which is asked for its ids before somebody tries to set its parent, and returns what was exported and read.
fn read_ids(
    dispatch: &Dispatch,
    seen: &Mutex<Vec<(&'static str, SpanContext)>>,
    rig: &Rig,
) -> Vec<&'static str> {
    tracing::dispatcher::with_default(dispatch, || {
        let span = info_span!("span");
        let _entered = span.enter();
        let remote = SpanContext::new(
            TraceId::from(0xfeed),
            SpanId::from(0xbeef),
            TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        );
        let late = span.set_parent(Context::new().with_remote_span_context(remote));
        assert!(
            matches!(late, Err(SetParentError::AlreadyStarted)),
            "{late:?}"
        );
        info!("event");
    });
    let spans = rig.spans();
    let span = spans.only();
    let seen = std::mem::take(&mut *seen.lock().expect("no panic"));
    for (hook, context) in &seen {
        assert_eq!(
            context.trace_id().to_bytes().to_vec(),
            span.trace_id,
            "{hook}"
        );
        assert_eq!(
            context.span_id().to_bytes().to_vec(),
            span.span_id,
            "{hook}"
        );
    }
    seen.into_iter().map(|(hook, _)| hook).collect()
}

#[test]
fn other_layers_and_logs_read_the_ids_that_are_exported_from_on_new_span_on() {
    let rig = Rig::new();
    for by_handle in [true, false] {
        let layer = zerospan_tracing::layer(&rig.provider);
        let ids = Ids::new(by_handle.then(|| layer.handle()));
        let seen = Arc::clone(&ids.seen);
        let after = Dispatch::new(Registry::default().with(layer).with(ids));
        // Its close comes before that of layers added later.
        assert_eq!(
            read_ids(&after, &seen, &rig),
            ["new", "enter", "event", "exit"]
        );

        let layer = zerospan_tracing::layer(&rig.provider);
        let ids = Ids::new(by_handle.then(|| layer.handle()));
        let seen = Arc::clone(&ids.seen);
        let before = Dispatch::new(Registry::default().with(ids).with(layer));
        assert_eq!(
            read_ids(&before, &seen, &rig),
            ["enter", "event", "exit", "close"]
        );
    }
}

#[test]
fn the_layer_never_answers_for_others() {
    let rig = Rig::new();
    let seen = Seen::default();
    let layer = zerospan_tracing::layer(&rig.provider);
    // Alone, it wants all; no hint of a level is its own.
    assert_eq!(Layer::<Registry>::max_level_hint(&layer), None);
    let dispatch = Dispatch::new(Registry::default().with(layer).with(seen.clone()));
    tracing::dispatcher::with_default(&dispatch, || {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        tracing::trace_span!("suppressed").in_scope(|| {});
    });
    assert_eq!(*seen.0.lock().expect("no panic"), ["suppressed"]);
    assert_eq!(rig.spans().0.len(), 0);
    // Filtered, it leaves the rest to the others.
    let layer = zerospan_tracing::layer(&rig.provider).with_filter(LevelFilter::OFF);
    let dispatch = Dispatch::new(Registry::default().with(layer).with(seen.clone()));
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::trace_span!("filtered").in_scope(|| {});
    });
    assert_eq!(
        *seen.0.lock().expect("no panic"),
        ["suppressed", "filtered"]
    );
    assert_eq!(rig.spans().0.len(), 0);
}

/// Traces and logs while it sends, as HTTP clients do.
struct Traced(Arc<Mutex<(Option<Dispatch>, usize)>>);

impl Transport for Traced {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        let mut state = self.0.lock().expect("no panic");
        state.1 += 1;
        let dispatch = state.0.clone();
        drop(state);
        if let Some(dispatch) = dispatch {
            tracing::dispatcher::with_default(&dispatch, || {
                info_span!("sending").in_scope(|| info!("request"));
            });
        }
        Ok(ExportResponse::ALL)
    }
}

#[test]
fn what_the_exporter_does_is_never_traced() {
    let state = Arc::new(Mutex::new((None, 0)));
    let shared = Arc::clone(&state);
    let connect = move || Ok::<_, SendError>(Traced(Arc::clone(&shared)));
    let pipeline = Pipeline::builder().with_transport(connect).build();
    let provider = TracerProvider::builder()
        .with_exporter(pipeline.expect("the defaults are valid"))
        .build();
    let dispatch = Dispatch::new(Registry::default().with(zerospan_tracing::layer(&provider)));
    state.lock().expect("no panic").0 = Some(dispatch.clone());
    tracing::dispatcher::with_default(&dispatch, || info_span!("span").in_scope(|| {}));
    for _ in 0..4 {
        provider.force_flush().expect("delivered");
    }
    assert_eq!(state.lock().expect("no panic").1, 1, "sendings");
    assert_eq!(provider.stats().exports[0].recorded, 1);
    let taken = state.lock().expect("no panic").0.take();
    drop(taken);
}

#[test]
fn a_callsite_that_is_filtered_at_first_is_exported_later() {
    let rig = Rig::new();
    let (filter, handle) = tracing_subscriber::reload::Layer::new(LevelFilter::OFF);
    let layer = zerospan_tracing::layer(&rig.provider).with_filter(filter);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        for level in [LevelFilter::OFF, LevelFilter::INFO, LevelFilter::OFF] {
            handle.reload(level).expect("the subscriber lives");
            info_span!("span", level = ?level).in_scope(|| info!("event"));
        }
    });
    assert_eq!(rig.spans().only().events.len(), 1);
}

#[test]
fn subscribers_that_are_swapped_keep_their_spans_apart() {
    let (first, second) = (Rig::new(), Rig::new());
    let (here, there) = (first.dispatch(), second.dispatch());
    tracing::dispatcher::with_default(&here, || {
        info_span!("outer").in_scope(|| {
            let outer = tracing::Span::current();
            tracing::dispatcher::with_default(&there, || {
                info_span!("there").in_scope(|| info!("event"));
                info!(parent: &outer, "an event of a span that this registry does not know");
                outer.record("x", 1);
                outer.in_scope(|| info!("nowhere"));
            });
            info_span!("inner").in_scope(|| {});
        });
    });
    let (first, second) = (first.spans(), second.spans());
    assert_eq!(first.names(), ["inner", "outer"]);
    first.assert_child("inner", "outer");
    assert_eq!(second.names(), ["there"]);
}

#[test]
fn spans_have_the_name_and_version_of_this_crate_as_their_scope_unless_another_is_set() {
    let rig = Rig::new();
    let own = InstrumentationScope::builder("shop")
        .with_version("7")
        .build();
    for (layer, name, version) in [
        (
            zerospan_tracing::layer(&rig.provider),
            "zerospan-tracing",
            env!("CARGO_PKG_VERSION"),
        ),
        (
            zerospan_tracing::layer(&rig.provider).with_scope(own),
            "shop",
            "7",
        ),
    ] {
        let dispatch = Dispatch::new(Registry::default().with(layer));
        tracing::dispatcher::with_default(&dispatch, || drop(info_span!("span")));
        let scopes = rig.scopes();
        let [scope] = &scopes[..] else {
            panic!("not one scope: {scopes:#?}");
        };
        let scope = scope.scope.as_ref().expect("a scope");
        assert_eq!((&*scope.name, &*scope.version), (name, version));
    }
}

/// Answers of the layer itself, asked without a registry's help.
#[test]
fn every_callsite_is_of_interest() {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Asks(zerospan_tracing::TraceLayer);

    impl Layer<Registry> for Asks {
        fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
            let interest = Layer::<Registry>::register_callsite(&self.0, metadata);
            if interest.is_never() {
                SEEN.lock()
                    .expect("no panic")
                    .push(metadata.name().to_owned());
            }
            interest
        }
    }

    let rig = Rig::new();
    let dispatch =
        Dispatch::new(Registry::default().with(Asks(zerospan_tracing::layer(&rig.provider))));
    tracing::dispatcher::with_default(&dispatch, || {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        tracing::trace_span!("asked").in_scope(|| tracing::trace!("asked"));
    });
    assert_eq!(*SEEN.lock().expect("no panic"), [""; 0]);
    drop(exported(|| {}));
}
