//! The subscriber of `tracing` for comparisons: one global one, as a service has it.
//!
//! A subscriber that is set for a scope costs more than a global one: `tracing` looks for it on each call, and each span
//! counts references to it. There is but one global subscriber in a process. Here, it passes each call to the one whose
//! turn it is on the calling thread, which both sides of a comparison pay alike: a read of a thread-local and a branch.

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::SdkTracer;
use std::cell::Cell;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber, callsite, dispatcher};
use tracing_core::span::Current;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{Filtered, LevelFilter};
use tracing_subscriber::layer::{Layer, Layered, SubscriberExt};
use tracing_subscriber::registry::Registry;
use zerospan_logs::{Logger, LoggerProvider};
use zerospan_tracing::TraceLayer;

/// A layer on a registry of its own.
pub struct TracingSide(Kind);

/// The official bridge to logs, over the official SDK.
type OfficialBridge = OpenTelemetryTracingBridge<SdkLoggerProvider, SdkLogger>;
/// The official bridge to logs, over our provider.
type BridgeToOurs = OpenTelemetryTracingBridge<LoggerProvider, Logger>;
type AtInfo<L> = Filtered<L, LevelFilter, Registry>;

/// Not boxed, so that the compiler sees through each call as with a global subscriber.
enum Kind {
    Official(Layered<OpenTelemetryLayer<Registry, SdkTracer>, Registry>),
    Zerospan(Layered<TraceLayer, Registry>),
    OfficialLogs(Layered<OfficialBridge, Registry>),
    BridgeToOurs(Layered<BridgeToOurs, Registry>),
    ZerospanAtInfo(Layered<AtInfo<TraceLayer>, Registry>),
    NoOp(Layered<NoOp, Registry>),
    NoOpAtInfo(Layered<AtInfo<NoOp>, Registry>),
}

/// Passes a call to the subscriber of a side.
macro_rules! pass {
    ($side:expr, $subscriber:ident => $call:expr) => {
        match &$side.0 {
            Kind::Official($subscriber) => $call,
            Kind::Zerospan($subscriber) => $call,
            Kind::OfficialLogs($subscriber) => $call,
            Kind::BridgeToOurs($subscriber) => $call,
            Kind::ZerospanAtInfo($subscriber) => $call,
            Kind::NoOp($subscriber) => $call,
            Kind::NoOpAtInfo($subscriber) => $call,
        }
    };
}

impl TracingSide {
    /// Registers the layer of the predecessor.
    pub fn official(layer: OpenTelemetryLayer<Registry, SdkTracer>) -> &'static Self {
        Self(Kind::Official(tracing_subscriber::registry().with(layer))).register()
    }

    /// Registers our layer.
    pub fn zerospan(layer: TraceLayer) -> &'static Self {
        Self(Kind::Zerospan(tracing_subscriber::registry().with(layer))).register()
    }

    /// Registers the official bridge to logs.
    pub fn official_logs(layer: OfficialBridge) -> &'static Self {
        Self(Kind::OfficialLogs(
            tracing_subscriber::registry().with(layer),
        ))
        .register()
    }

    /// Registers the official bridge to logs, over our provider.
    pub fn bridge_to_ours(layer: BridgeToOurs) -> &'static Self {
        Self(Kind::BridgeToOurs(
            tracing_subscriber::registry().with(layer),
        ))
        .register()
    }

    /// Registers our layer with a filter that passes on the level INFO and above.
    pub fn zerospan_at_info(layer: TraceLayer) -> &'static Self {
        let layer = layer.with_filter(LevelFilter::INFO);
        Self(Kind::ZerospanAtInfo(
            tracing_subscriber::registry().with(layer),
        ))
        .register()
    }

    /// Registers a layer that does nothing.
    pub fn no_op() -> &'static Self {
        Self(Kind::NoOp(tracing_subscriber::registry().with(NoOp))).register()
    }

    /// Registers a layer that does nothing, with a filter that passes on the level INFO and above.
    pub fn no_op_at_info() -> &'static Self {
        let layer = NoOp.with_filter(LevelFilter::INFO);
        Self(Kind::NoOpAtInfo(tracing_subscriber::registry().with(layer))).register()
    }

    /// Adds the side to the global subscriber, which then lives as long as the process.
    fn register(self) -> &'static Self {
        let side: &'static Self = Box::leak(Box::new(self));
        let is_first = {
            let mut sides = sides();
            sides.push(side);
            sides.len() == 1
        };
        if is_first {
            // A subscriber that was set before would receive the spans in its place.
            tracing::subscriber::set_global_default(Turns)
                .unwrap_or_else(|error| panic!("{error}"));
        } else {
            dispatcher::get_default(
                |dispatch| pass!(side, subscriber => subscriber.on_register_dispatch(dispatch)),
            );
            callsite::rebuild_interest_cache();
        }
        side
    }

    /// Does `work`, whose spans and events go to this side.
    pub fn take_turn<O>(&'static self, work: impl FnOnce() -> O) -> O {
        TURN.set(Some(self));
        let outcome = work();
        TURN.set(None);
        outcome
    }
}

impl fmt::Debug for TracingSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Official(_) => "TracingSide(official)",
            Kind::Zerospan(_) => "TracingSide(zerospan)",
            Kind::OfficialLogs(_) => "TracingSide(official logs)",
            Kind::BridgeToOurs(_) => "TracingSide(bridge to ours)",
            Kind::ZerospanAtInfo(_) => "TracingSide(zerospan at info)",
            Kind::NoOp(_) => "TracingSide(no-op)",
            Kind::NoOpAtInfo(_) => "TracingSide(no-op at info)",
        })
    }
}

thread_local! {
    static TURN: Cell<Option<&'static TracingSide>> = const { Cell::new(None) };
}

static SIDES: Mutex<Vec<&'static TracingSide>> = Mutex::new(Vec::new());

fn sides() -> MutexGuard<'static, Vec<&'static TracingSide>> {
    SIDES.lock().unwrap_or_else(PoisonError::into_inner)
}

struct NoOp;

impl<S: Subscriber> Layer<S> for NoOp {}

/// The global subscriber. Calls on a thread without a turn are ignored.
struct Turns;

/// Passes a call to the side whose turn it is.
macro_rules! pass_in_turn {
    ($subscriber:ident => $call:expr, or $otherwise:expr) => {
        match TURN.get() {
            Some(side) => pass!(side, $subscriber => $call),
            None => $otherwise,
        }
    };
}

impl Subscriber for Turns {
    fn on_register_dispatch(&self, dispatch: &tracing::Dispatch) {
        for side in sides().iter() {
            pass!(side, subscriber => subscriber.on_register_dispatch(dispatch));
        }
    }

    /// Tells every side, since a side prepares itself for the callsite.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let mut is_always = true;
        for side in sides().iter() {
            let interest = pass!(side, subscriber => subscriber.register_callsite(metadata));
            is_always &= interest.is_always();
        }
        if is_always {
            Interest::always()
        } else {
            Interest::sometimes()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        pass_in_turn!(subscriber => subscriber.enabled(metadata), or false)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        pass_in_turn!(subscriber => subscriber.new_span(attributes), or Id::from_u64(u64::MAX))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        pass_in_turn!(subscriber => subscriber.record(span, values), or ());
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        pass_in_turn!(subscriber => subscriber.record_follows_from(span, follows), or ());
    }

    fn event_enabled(&self, event: &Event<'_>) -> bool {
        pass_in_turn!(subscriber => subscriber.event_enabled(event), or false)
    }

    fn event(&self, event: &Event<'_>) {
        pass_in_turn!(subscriber => subscriber.event(event), or ());
    }

    fn enter(&self, span: &Id) {
        pass_in_turn!(subscriber => subscriber.enter(span), or ());
    }

    fn exit(&self, span: &Id) {
        pass_in_turn!(subscriber => subscriber.exit(span), or ());
    }

    fn clone_span(&self, span: &Id) -> Id {
        pass_in_turn!(subscriber => subscriber.clone_span(span), or span.clone())
    }

    fn try_close(&self, span: Id) -> bool {
        pass_in_turn!(subscriber => subscriber.try_close(span), or false)
    }

    fn current_span(&self) -> Current {
        pass_in_turn!(subscriber => subscriber.current_span(), or Current::none())
    }
}
