use crate::local;
use crate::parent::Origin;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt};
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

/// The spans that were entered natively on one thread and not left yet.
pub(crate) struct ScopeStack {
    entered: RefCell<Vec<Entry>>,
}

struct Entry {
    span: Origin,
    /// The span of the API's current context when this one was entered.
    beneath: SpanId,
    /// Whether its guard was dropped, while later ones are still there.
    left: bool,
}

impl ScopeStack {
    pub(crate) const fn new() -> Self {
        Self {
            entered: RefCell::new(Vec::new()),
        }
    }

    /// Whether no span was entered.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entered.borrow().is_empty()
    }

    /// Shows the span that is the parent of what starts now: the one entered natively last, unless the API's current
    /// context, whose span is `current`, was attached later.
    #[inline]
    pub(crate) fn look<O>(&self, current: SpanId, look: impl FnOnce(Option<&Origin>) -> O) -> O {
        let entered = self.entered.borrow();
        let last = entered.last().filter(|entry| entry.beneath == current);
        look(last.map(|entry| &entry.span))
    }

    /// A copy of what [`look`](Self::look) shows; with a trace state it allocates.
    #[inline]
    pub(crate) fn parent(&self, current: SpanId) -> Option<Origin> {
        self.look(current, |parent| {
            let parent: &Origin = parent?;
            Some(parent.clone())
        })
    }

    fn push(&self, span: Origin, beneath: SpanId) -> usize {
        let mut entered = self.entered.borrow_mut();
        entered.push(Entry {
            span,
            beneath,
            left: false,
        });
        entered.len() - 1
    }

    fn leave(&self, position: usize) {
        let mut entered = self.entered.borrow_mut();
        if let Some(entry) = entered.get_mut(position) {
            entry.left = true;
        }
        while entered.last().is_some_and(|entry| entry.left) {
            entered.pop();
        }
    }
}

/// A span is the parent of what starts on this thread until this guard is dropped.
///
/// It is tied to its thread, and borrows nothing: the span can be written to, moved and ended meanwhile. Guards may be
/// dropped in any order. Leaking one leaves the span in force on this thread for good.
///
/// ```compile_fail,E0277
/// fn sendable<T: Send>() {}
/// sendable::<zerospan_trace::Entered>();
/// ```
#[must_use = "the span is left when the guard is dropped"]
pub struct Entered {
    position: usize,
    /// Its place is on this thread's stack.
    thread: PhantomData<*const ()>,
}

impl Entered {
    /// Enters a span on this thread. Allocates where more spans are entered than ever before on it, and for a trace state.
    #[inline]
    pub(crate) fn new(span: &SpanContext) -> Self {
        let beneath = current_span_id();
        let position = local::with(|local| local.scopes.push(Origin::of(span), beneath));
        Self {
            position,
            thread: PhantomData,
        }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        local::with(|local| local.scopes.leave(self.position));
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered")
            .field("position", &self.position)
            .finish()
    }
}

/// The context that is in force on this thread, natively or through the API: what a span that starts now gets as its
/// parent.
///
/// An invalid one says that there is none. Does not allocate, but for a copy of the trace state.
///
/// For headers, [`TraceParent`](crate::TraceParent) takes it; a propagator wants a `Context`, which [`current_context`] makes.
pub fn current_span_context() -> SpanContext {
    match native() {
        Some(span) => span.into_span_context(),
        None => Context::map_current(|current| current.span().span_context().clone()),
    }
}

/// The API's current context, in which the span that was entered natively is the current one.
///
/// For propagators, for `with_context` of futures, and for every other place that wants a `Context`. Allocates once if a
/// span was entered natively, and not otherwise.
pub fn current_context() -> Context {
    match native() {
        Some(span) => Context::map_current(|current| {
            current.with_remote_span_context(span.into_span_context())
        }),
        None => Context::current(),
    }
}

/// The span that was entered natively, if it is in force.
fn native() -> Option<Origin> {
    let current = current_span_id();
    local::with(|local| local.scopes.parent(current))
}

#[inline]
fn current_span_id() -> SpanId {
    Context::map_current(|current| current.span().span_context().span_id())
}
