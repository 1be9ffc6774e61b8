use super::state::this_thread;
use crate::context::parent::ParentContext;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use std::fmt;
use std::marker::PhantomData;
use zerospan_core::context;

/// Makes a span the parent of spans that start on this thread, until the guard is dropped.
///
/// The guard cannot leave its thread. It borrows nothing, so the span can be written to, moved and ended meanwhile. Guards may
/// be dropped in any order. Leaking a guard leaves its span entered on this thread.
///
/// ```compile_fail,E0277
/// fn sendable<T: Send>() {}
/// sendable::<zerospan_trace::Entered>();
/// ```
#[must_use = "dropping the guard exits the span"]
pub struct Entered {
    position: usize,
    /// The position is one of this thread's stack.
    not_send: PhantomData<*const ()>,
}

impl Entered {
    /// Enters a span on this thread. Allocates if more spans are entered than ever before on it, and for a trace state.
    #[inline]
    pub(crate) fn new(span: &SpanContext) -> Self {
        let position = this_thread::with(|thread| {
            thread
                .active_spans
                .enter(ParentContext::new(span), thread.api_span_id())
        });
        Self {
            position,
            not_send: PhantomData,
        }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        this_thread::with(|thread| thread.active_spans.exit(self.position));
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered")
            .field("position", &self.position)
            .finish()
    }
}

/// Returns the context of this thread's current span, entered natively or through the API: the parent of a span that starts
/// now.
///
/// Returns an invalid context if there is no current span. Does not allocate, but for a copy of the trace state.
///
/// To write headers, pass it to [`TraceParent::new`](crate::TraceParent::new). For propagators, which take a `Context`, see
/// [`current_context`].
pub fn current_span_context() -> SpanContext {
    match native() {
        Some(span) => span.into_span_context(),
        None => context::with_current(|current| current.span().span_context().clone())
            .unwrap_or(SpanContext::NONE),
    }
}

/// Returns the API's current context, with a natively entered span as its span.
///
/// For propagators, for `with_context` of futures, and for everything else that takes a `Context`. Allocates once if a span is
/// entered natively, and not otherwise.
pub fn current_context() -> Context {
    match native() {
        Some(span) => context::current().with_remote_span_context(span.into_span_context()),
        None => context::current(),
    }
}

/// Returns the natively entered span, if it is the current one.
fn native() -> Option<ParentContext> {
    this_thread::with(|thread| thread.active_spans.active(thread.api_span_id()))
}
