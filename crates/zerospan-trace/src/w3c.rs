//! W3C Trace Context: how a trace goes from one process to the next.

mod propagator;
mod trace_parent;
mod trace_state;

use opentelemetry::trace::SpanContext;
pub use propagator::TraceContextPropagator;
pub use trace_parent::{TraceParent, TraceParentError};

/// The context of the span that the headers of a request name: all that are called
/// [`traceparent`](TraceParent::HEADER), of which there may be one, and all that are called
/// [`tracestate`](TraceParent::STATE_HEADER), which count as one.
///
/// As [the recommendation](https://www.w3.org/TR/trace-context-2/) has it, a trace state that is malformed, of more than 32
/// members, or with a key twice, is left out as a whole, and does not keep the parent from being read. So is one with a key
/// that the API crate's `TraceState` refuses, as `one@two@three`. Allocates nothing without a trace state, and for its members
/// with one.
///
/// # Errors
///
/// Why there is no parent: begin a new trace.
///
/// # Examples
///
/// ```
/// use opentelemetry::trace::{Span as _, TracerProvider as _};
/// use zerospan_trace::{TraceParent, TracerProvider, remote_span_context};
///
/// let tracer = TracerProvider::builder().build().tracer("http-server");
///
/// // With the `http` crate: `headers.get_all(TraceParent::HEADER)`, `headers.get_all(TraceParent::STATE_HEADER)`.
/// let traceparent = ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"];
/// let tracestate = ["vendor=one", "other=two"];
/// let caller = remote_span_context(traceparent, tracestate).ok();
///
/// let mut request = tracer.span("GET /users/{id}");
/// if let Some(caller) = &caller {
///     request = request.with_parent(caller);
/// }
/// let span = request.start();
///
/// assert_eq!(span.span_context().trace_state().header(), "vendor=one,other=two");
/// if let Some(parent) = TraceParent::new(span.span_context()) {
///     assert_eq!(parent.to_header()[..36], traceparent[0].as_bytes()[..36], "the same trace");
/// }
/// ```
pub fn remote_span_context<P: AsRef<[u8]>, S: AsRef<[u8]>>(
    traceparent: impl IntoIterator<Item = P>,
    tracestate: impl IntoIterator<Item = S>,
) -> Result<SpanContext, TraceParentError> {
    let mut sent = traceparent.into_iter();
    let only = sent.next().ok_or(TraceParentError::Missing)?;
    if sent.next().is_some() {
        return Err(TraceParentError::Repeated);
    }
    let parent = TraceParent::try_from(only.as_ref())?;
    Ok(parent.with(trace_state::read(tracestate)))
}
