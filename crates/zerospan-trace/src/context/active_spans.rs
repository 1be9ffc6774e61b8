use super::parent::ParentContext;
use opentelemetry::trace::SpanId;
use std::cell::RefCell;

/// The stack of spans that are entered natively on one thread.
pub(crate) struct ActiveSpans {
    entries: RefCell<Vec<Entry>>,
}

struct Entry {
    span: ParentContext,
    /// The span of the API's current context at the time when this one was entered.
    api_span_id: SpanId,
    /// The guard was dropped while later entries were active.
    is_exited: bool,
}

impl ActiveSpans {
    pub(crate) const fn new() -> Self {
        Self {
            entries: RefCell::new(Vec::new()),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// Calls `read` with the active span. There is none if the API's current context, whose span is `api_span_id`, was
    /// attached after the last span was entered.
    #[inline]
    pub(crate) fn with_active<O>(
        &self,
        api_span_id: SpanId,
        read: impl FnOnce(Option<&ParentContext>) -> O,
    ) -> O {
        let entries = self.entries.borrow();
        let last = entries
            .last()
            .filter(|entry| entry.api_span_id == api_span_id);
        read(last.map(|entry| &entry.span))
    }

    /// Returns a copy of the active span, as [`with_active`](Self::with_active) finds it. Allocates for a trace state.
    #[inline]
    pub(crate) fn active(&self, api_span_id: SpanId) -> Option<ParentContext> {
        self.with_active(api_span_id, |span| {
            let span: &ParentContext = span?;
            Some(span.clone())
        })
    }

    /// Enters a span. Returns its position, for [`exit`](Self::exit).
    pub(crate) fn enter(&self, span: ParentContext, api_span_id: SpanId) -> usize {
        let mut entries = self.entries.borrow_mut();
        entries.push(Entry {
            span,
            api_span_id,
            is_exited: false,
        });
        entries.len() - 1
    }

    /// Exits the span at `position`. Its entry stays on the stack until those above it are exited.
    pub(crate) fn exit(&self, position: usize) {
        let mut entries = self.entries.borrow_mut();
        if let Some(entry) = entries.get_mut(position) {
            entry.is_exited = true;
        }
        while entries.last().is_some_and(|entry| entry.is_exited) {
            entries.pop();
        }
    }
}
