use super::trace_parent::{TraceParent, TraceParentError};
use super::trace_state;
use opentelemetry::trace::SpanContext;

/// Reads the caller's span context from the headers of a request: all values of [`traceparent`](TraceParent::HEADER), of which
/// there must be one, and all values of [`tracestate`](TraceParent::STATE_HEADER).
///
/// As [the recommendation](https://www.w3.org/TR/trace-context-2/) asks, a trace state that is malformed, has more than 32
/// members or repeats a key is left out as a whole, and the parent is read nevertheless. So is a state with a key that the API
/// crate's `TraceState` rejects, as `one@two@three`. Allocates for the members of a trace state, and nothing otherwise.
///
/// # Errors
///
/// Returns an error if there is no valid parent: start a new trace then.
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
    Ok(parent.with_state(trace_state::read(tracestate)))
}
