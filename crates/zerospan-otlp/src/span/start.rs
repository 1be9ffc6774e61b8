use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};

/// The data of a span that is known when it starts.
#[derive(Clone, Debug)]
pub struct SpanStart<'a> {
    /// The trace id. An invalid one is written unchanged.
    pub trace_id: TraceId,
    /// The span id. An invalid one is written unchanged.
    pub span_id: SpanId,
    /// The trace state, if there is one.
    pub trace_state: Option<&'a TraceState>,
    /// The trace flags.
    pub trace_flags: TraceFlags,
    /// The id of the parent, or an invalid id if there is none.
    pub parent_span_id: SpanId,
    /// `true` if the parent is in another process.
    pub parent_is_remote: bool,
    /// The name.
    pub name: &'a str,
    /// The kind.
    pub kind: SpanKind,
    /// The start time, in nanoseconds since the Unix epoch.
    pub unix_nanos: u64,
}

impl<'a> SpanStart<'a> {
    /// Creates the start of an internal span without a parent.
    ///
    /// `unix_nanos` is the start time, in nanoseconds since the Unix epoch. Does not allocate.
    #[inline]
    pub fn new(context: &'a SpanContext, name: &'a str, unix_nanos: u64) -> Self {
        Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            trace_state: Some(context.trace_state()),
            trace_flags: context.trace_flags(),
            parent_span_id: SpanId::INVALID,
            parent_is_remote: false,
            name,
            kind: SpanKind::Internal,
            unix_nanos,
        }
    }
}
