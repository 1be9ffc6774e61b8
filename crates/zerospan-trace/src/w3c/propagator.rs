use super::remote::remote_span_context;
use super::trace_parent::TraceParent;
use crate::span::current_span_context;
use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use std::sync::LazyLock;

/// The W3C Trace Context headers, for whatever takes a propagator of the API crate.
///
/// In the place of the stock SDK's propagator of the same name, from which it differs where that departs from the
/// recommendation. A `traceparent` that is malformed is not received, nor are two of them, if the carrier lists them
/// (`Extractor::get_all`): then the given context stays as it is. A malformed `tracestate` is left out, several count as one,
/// none is sent that is empty, and the flag of random trace ids is passed on.
///
/// [`inject`](TextMapPropagator::inject) sends the span that is in force natively as well, without a `Context`. Whoever passes
/// a `Context`, as the API crate's composite propagator does, has to pass [`current_context()`](crate::current_context):
/// `Context::current()` knows nothing of native scopes. [`TraceParent`] and [`remote_span_context`] do the same without the
/// heap.
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

static FIELDS: LazyLock<[String; 2]> =
    LazyLock::new(|| [TraceParent::HEADER, TraceParent::STATE_HEADER].map(str::to_owned));

impl TraceContextPropagator {
    /// A propagator. Does not allocate.
    pub const fn new() -> Self {
        Self(())
    }
}

/// Sending allocates the text that a carrier takes; receiving what the carrier lists its values in, and the `Context`. Where
/// there is a trace state, it is copied and written, or read, besides.
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
    // It may be there and have no members.
    let state = span.trace_state().header();
    if !state.is_empty() {
        injector.set(TraceParent::STATE_HEADER, state);
    }
}

fn received(extractor: &dyn Extractor) -> Option<SpanContext> {
    let all = |name| extractor.get_all(name).unwrap_or_default();
    remote_span_context(all(TraceParent::HEADER), all(TraceParent::STATE_HEADER)).ok()
}
