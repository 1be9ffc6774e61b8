use super::remote::remote_span_context;
use super::trace_parent::TraceParent;
use crate::span::current_span_context;
use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use zerospan_core::context;
use zerospan_core::sync::OnceBox;

/// Reads and writes the W3C Trace Context headers, for everything that takes a propagator of the API crate.
///
/// Replaces the official SDK's propagator of the same name, and follows the recommendation where that one does not: it rejects
/// a malformed `traceparent`, and several of them if the carrier lists them (`Extractor::get_all`), and leaves the given context
/// unchanged then. It leaves out a malformed `tracestate`, combines several, sends no empty one, and passes on the flag of
/// random trace ids.
///
/// [`inject`](TextMapPropagator::inject) includes a natively entered span, without a `Context`. To pass a `Context`, as with the
/// API crate's composite propagator, pass [`current_context()`](crate::current_context), since `Context::current()` does not
/// include entered spans. [`TraceParent`] and [`remote_span_context`] do the same without allocation.
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

static FIELDS: OnceBox<[String; 2]> = OnceBox::new();

impl TraceContextPropagator {
    /// Creates a propagator. Does not allocate.
    pub const fn new() -> Self {
        Self(())
    }
}

/// Injecting allocates the text that the carrier takes; extracting allocates the carrier's lists and the `Context`. A trace
/// state is copied in addition.
impl TextMapPropagator for TraceContextPropagator {
    /// Writes the context that [`current_span_context`] returns.
    fn inject(&self, injector: &mut dyn Injector) {
        write(&current_span_context(), injector);
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        write(cx.span().span_context(), injector);
    }

    // The provided method calls the extractor, which is user code, while it borrows the current context.
    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&context::current(), extractor)
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        match read(extractor) {
            Some(remote) => cx.with_remote_span_context(remote),
            None => cx.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        let fields = FIELDS
            .get_or_init(|| [TraceParent::HEADER, TraceParent::STATE_HEADER].map(str::to_owned));
        FieldIter::new(fields)
    }
}

fn write(span: &SpanContext, injector: &mut dyn Injector) {
    let Some(parent) = TraceParent::new(span) else {
        return;
    };
    let header = parent.to_header();
    let header = std::str::from_utf8(&header).unwrap_or_default();
    injector.set(TraceParent::HEADER, header.to_owned());
    // A state without members is not sent.
    let state = span.trace_state().header();
    if !state.is_empty() {
        injector.set(TraceParent::STATE_HEADER, state);
    }
}

fn read(extractor: &dyn Extractor) -> Option<SpanContext> {
    let all = |name| extractor.get_all(name).unwrap_or_default();
    remote_span_context(all(TraceParent::HEADER), all(TraceParent::STATE_HEADER)).ok()
}
