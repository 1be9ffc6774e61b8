//! Unusual calls neither block nor panic nor leak.

use crate::support::{Rig, exported, returns, text, value};
use std::cell::RefCell;
use std::fmt;
use tracing::field::Empty;
use tracing::{Dispatch, Span, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;
use zerospan_tracing::OpenTelemetrySpanExt;

/// Logs, starts a span and writes to the current one while it is formatted.
struct Chatty;

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("formatting");
        Span::current().record("chatty", 1);
        Span::current().set_attribute("chatty", 2);
        info_span!("while formatting", field = 1).in_scope(|| info!("inside"));
        f.write_str("chatty")
    }
}

#[test]
fn a_debug_that_logs_and_records_on_the_same_span_returns() {
    let spans = returns(|| {
        exported(|| {
            let span = info_span!("span", start = ?Chatty, late = Empty, chatty = Empty);
            span.in_scope(|| {
                info_span!("child", start = ?Chatty).in_scope(|| {});
                span.record("late", tracing::field::debug(Chatty));
                info!(event = ?Chatty, "{:?}", Chatty);
                tracing::error!(error = ?Chatty);
            });
        })
    });
    let span = spans.named("span");
    assert_eq!(value(&span.attributes, "start"), text("chatty"));
    assert_eq!(value(&span.attributes, "late"), text("chatty"));
    assert_eq!(value(&span.attributes, "chatty"), crate::support::int(2));
    assert!(
        span.events.iter().any(|event| event.name == "chatty"),
        "{span:#?}"
    );
    spans.assert_child("child", "span");
}

/// Reads and replaces extensions of its span while it is formatted.
struct Reads;

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span::current().with_subscriber(|(id, dispatch)| {
            let registry = dispatch.downcast_ref::<Registry>().expect("below");
            let span = registry.span(id).expect("it lives");
            let held = span.extensions().get::<u8>().copied();
            span.extensions_mut().replace(held.unwrap_or_default() + 1);
        });
        f.write_str("read")
    }
}

#[test]
fn a_debug_that_reads_extensions_returns() {
    let spans = returns(|| {
        exported(|| {
            let span = info_span!("span", late = Empty);
            span.in_scope(|| {
                info_span!("child", start = ?Reads).in_scope(|| {});
                span.record("late", tracing::field::debug(Reads));
                info!(event = ?Reads, "{:?}", Reads);
            });
        })
    });
    assert_eq!(value(&spans.named("span").attributes, "late"), text("read"));
}

#[test]
fn unknown_ids_are_tolerated_in_every_hook() {
    let rig = Rig::new();
    let dispatch = rig.dispatch();
    tracing::dispatcher::with_default(&dispatch, || {
        let closed = info_span!("closed", field = Empty).id().expect("enabled");
        let unknown = tracing::Id::from_u64(0x1234_5678);
        let span = info_span!("span");
        for id in [closed, unknown] {
            dispatch.enter(&id);
            dispatch.exit(&id);
            dispatch.exit(&id);
            let own = span.id().expect("enabled");
            dispatch.record_follows_from(&id, &own);
            dispatch.record_follows_from(&own, &id);
            info!(parent: id, "an event of nobody");
        }
        // Left more often than entered.
        span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
        span.in_scope(|| info!("an event"));
    });
    let spans = rig.spans();
    assert_eq!(spans.names(), ["closed", "span"]);
    assert_eq!(spans.named("span").events.len(), 1);
}

#[test]
fn a_guard_that_is_leaked_harms_nobody_else() {
    let spans = std::thread::spawn(|| {
        exported(|| {
            let leaked = info_span!("leaked");
            std::mem::forget(leaked.enter());
            info_span!("next").in_scope(|| {});
            let id = leaked.id();
            drop(leaked);
            // Closed while it is entered.
            info_span!(parent: None, "root").in_scope(|| {});
            info_span!("after").in_scope(|| info!("event"));
            let dispatch = tracing::dispatcher::get_default(Dispatch::clone);
            dispatch.exit(&id.expect("enabled"));
            info_span!("last").in_scope(|| {});
        })
    })
    .join()
    .expect("no panic");
    spans.assert_child("next", "leaked");
    spans.assert_root("root");
    spans.assert_root("last");
    assert_eq!(spans.named("after").events.len(), 1);
}

#[test]
fn closing_a_child_under_another_registry_is_tolerated() {
    let (first, second) = (Rig::new(), Rig::new());
    let (here, there) = (first.dispatch(), second.dispatch());
    let child = tracing::dispatcher::with_default(&here, || {
        let parent = info_span!("parent");
        info_span!(parent: &parent, "child")
    });
    // The registry closes the parent in the current registry, which may have a span by that id.
    tracing::dispatcher::with_default(&there, || {
        let spans: Vec<Span> = (0..8).map(|_| info_span!("innocent")).collect();
        let closing = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(child)));
        let _ = closing;
        for span in &spans {
            let id = span.id().expect("enabled");
            there.enter(&id);
            info!(parent: &id, "event");
            there.exit(&id);
        }
        // One of them may be closed: the registry would panic for its last handle.
        spans.into_iter().for_each(std::mem::forget);
    });
    assert_eq!(first.spans().names(), ["child"]);
    drop((here, there));
    assert!(first.provider.stats().is_balanced() && second.provider.stats().is_balanced());
}

thread_local! {
    static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
}

/// Uses a span in the destructor of a thread-local.
struct AtTheEnd(Span, Dispatch);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        let Self(span, dispatch) = self;
        span.record("late", 1);
        span.set_attribute("attribute", 1);
        span.follows_from(tracing::Id::from_u64(9));
        let _ = span.set_parent(opentelemetry::Context::new());
        info!(parent: &*span, "event");
        span.in_scope(|| {});
        tracing::dispatcher::with_default(dispatch, || {
            info_span!(parent: &*span, "started at the end").in_scope(|| info!("inside"));
        });
    }
}

#[test]
fn nothing_panics_in_the_destructor_of_a_thread_local() {
    for layer_first in [false, true] {
        let rig = Rig::new();
        let dispatch = rig.dispatch();
        let hold = |dispatch: &Dispatch| {
            let span =
                tracing::dispatcher::with_default(dispatch, || info_span!("held", late = Empty));
            AT_THE_END.with(|slot| *slot.borrow_mut() = Some(AtTheEnd(span, dispatch.clone())));
        };
        let thread = std::thread::spawn(move || {
            if layer_first {
                tracing::dispatcher::with_default(&dispatch, || {
                    info_span!("first").in_scope(|| {});
                });
            } else {
                AT_THE_END.with(|slot| drop(slot.borrow()));
            }
            hold(&dispatch);
        });
        thread.join().expect("no panic");
        let spans = rig.spans();
        assert!(spans.names().contains(&"held"), "{spans:#?}");
        assert!(rig.provider.stats().is_balanced());
    }
}
