use crate::scope::current_span_context;
use crate::trace_parent::TraceParent;
use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceState};
use std::sync::LazyLock;

/// The W3C Trace Context headers, for whatever takes a propagator of the API crate.
///
/// In the place of the stock propagator of the same name, from which it differs where that departs from the recommendation:
/// a `traceparent` that is malformed, or that was sent twice, begins a new trace, several `tracestate` headers count as one,
/// and none is sent that is empty. [`inject`](TextMapPropagator::inject) sends the span that is in force natively as well,
/// without a `Context`. Where a carrier is at hand, [`TraceParent`] does the same without the heap.
///
/// # Examples
///
/// ```
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry::trace::TracerProvider as _;
/// use std::collections::HashMap;
/// use zerospan_trace::{TraceContextPropagator, TracerProvider};
///
/// opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
///
/// let tracer = TracerProvider::builder().build().tracer("shop");
/// let span = tracer.span("GET catalog").start();
/// let entered = span.enter();
/// let mut headers = HashMap::new();
/// TraceContextPropagator::new().inject(&mut headers);
/// assert!(headers["traceparent"].starts_with("00-"));
/// # drop(entered);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceContextPropagator(());

const TRACESTATE: &str = "tracestate";

static FIELDS: LazyLock<[String; 2]> =
    LazyLock::new(|| [TraceParent::HEADER, TRACESTATE].map(str::to_owned));

impl TraceContextPropagator {
    /// A propagator. Does not allocate.
    pub const fn new() -> Self {
        Self(())
    }
}

/// Sending allocates the text that a carrier takes, and another if there is a trace state; receiving what the carrier lists
/// its values in, the `Context`, and the members of a trace state.
impl TextMapPropagator for TraceContextPropagator {
    /// Sends what [`current_span_context`] gives.
    fn inject(&self, injector: &mut dyn Injector) {
        send(&current_span_context(), injector);
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        send(cx.span().span_context(), injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        match received(extractor) {
            Some(remote) => cx.with_remote_span_context(remote),
            None => cx.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*FIELDS)
    }
}

fn send(span: &SpanContext, injector: &mut dyn Injector) {
    let Some(parent) = TraceParent::new(span) else {
        return;
    };
    injector.set(TraceParent::HEADER, parent.to_string());
    if *span.trace_state() != TraceState::NONE {
        injector.set(TRACESTATE, span.trace_state().header());
    }
}

fn received(extractor: &dyn Extractor) -> Option<SpanContext> {
    let sent = extractor.get_all(TraceParent::HEADER)?;
    // Of two parents none can be believed.
    let [parent] = sent[..] else {
        return None;
    };
    let parent: TraceParent = parent.parse().ok()?;
    Some(match extractor.get_all(TRACESTATE).as_deref() {
        None | Some([]) => parent.into(),
        Some([state]) => parent.with_trace_state(state),
        Some(states) => parent.with_trace_state(&states.join(",")),
    })
}
