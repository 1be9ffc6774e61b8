use super::state::this_thread;
use crate::context::active_spans::ActiveSpans;
use crate::context::parent::{ParentContext, ParentIds};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt};
use opentelemetry::{Context, ContextGuard};
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use zerospan_core::{context, log, panics};

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
    /// Dropped after the span is exited.
    attached: Option<ContextGuard>,
    /// The position is one of this thread's stack.
    not_send: PhantomData<*const ()>,
}

impl Entered {
    /// Enters a span on this thread. Allocates if more spans are entered than ever before on it, and for a trace state.
    #[inline]
    pub(crate) fn new(span: &SpanContext) -> Self {
        // Before the entry, so that the attached span is the API's current one at its time.
        let attached = match ATTACHES.load(Ordering::Relaxed) {
            true => attach(span),
            false => None,
        };
        let position = this_thread::with(|thread| {
            thread
                .active_spans
                .enter(ParentContext::new(span), thread.api_span_id())
        });
        Self {
            position,
            attached,
            not_send: PhantomData,
        }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        this_thread::with(|thread| thread.active_spans.exit(self.position));
        if self.attached.is_some() {
            detach(&mut self.attached);
        }
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered")
            .field("position", &self.position)
            .field("attached", &self.attached.is_some())
            .finish()
    }
}

/// Entered spans are attached to the API's context too.
static ATTACHES: AtomicBool = AtomicBool::new(false);

/// Sets whether spans that are entered natively from now on, in the whole process, are attached to the API's current context as
/// well.
///
/// By default they are not, and code that reads [`Context::current`] does not see them: a log record of the official SDK has no
/// trace and span id then, and a foreign propagator writes no headers. With `true` it sees their span context, and each
/// [`Span::enter`](super::Span::enter), and each poll of an [`InSpan`](super::InSpan), allocates once in the API crate.
pub fn attach_entered_spans(attach: bool) {
    ATTACHES.store(attach, Ordering::Relaxed);
}

/// Attaches a context of the span, where the API allows it: it panics within `get_active_span`, and while a thread ends.
#[cold]
fn attach(span: &SpanContext) -> Option<ContextGuard> {
    let context = context::with_current(|current| current.with_remote_span_context(span.clone()))?;
    panics::catch(|| context.attach()).ok()
}

#[cold]
fn detach(attached: &mut Option<ContextGuard>) {
    let attached = attached.take();
    if context::is_alive() {
        panics::drop_quietly(attached);
    } else {
        // Detached with the API's context.
        mem::forget(attached);
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

/// Returns the ids of this thread's current span, as [`current_span_context`] finds it: those of no span if there is none.
/// Returns `None` if telemetry is suppressed.
///
/// For records that belong to the span. The span's ids are used from now on.
#[inline]
pub fn current_ids() -> Option<ParentIds> {
    if log::is_suppressed_here() {
        return None;
    }
    this_thread::with(|thread| {
        let stack = &thread.active_spans;
        // The API's own events lead here while it changes its context, which cannot be read then.
        let found = thread.try_map_context(|current| {
            if current.is_telemetry_suppressed() {
                return None;
            }
            if !current.has_active_span() {
                return Some(native_ids(stack, SpanId::INVALID).unwrap_or(ParentIds::NONE));
            }
            let span = current.span();
            let span = span.span_context();
            let ids = native_ids(stack, span.span_id());
            Some(ids.unwrap_or_else(|| ParentIds::new(span)))
        });
        found.unwrap_or_else(|| Some(native_ids(stack, SpanId::INVALID).unwrap_or(ParentIds::NONE)))
    })
}

#[inline]
fn native_ids(stack: &ActiveSpans, api_span_id: SpanId) -> Option<ParentIds> {
    stack.with_active(api_span_id, |span| span.map(|span| span.ids))
}

/// Returns the natively entered span, if it is the current one.
fn native() -> Option<ParentContext> {
    this_thread::with(|thread| thread.active_spans.active(thread.api_span_id()))
}
