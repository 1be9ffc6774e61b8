//! Spans, the processors that observe them, and the state that ends them.
//!
//! This folder is the crate's one import cycle, and it is inherent: dropping a [`Span`] ends it through the thread's state of
//! its provider, the provider holds the processors, and a processor takes a `Span`. Nothing below this folder knows spans.

mod api;
mod end;
mod entered;
mod future;
mod layer;
mod native;
mod processor;
mod state;

pub use entered::{
    Entered, attach_entered_spans, current_context, current_ids, current_span_context,
};
pub use future::{FutureExt, InSpan};
pub use layer::{
    LayerThread, Moment, count_unused, exit_all, is_suppressed, last_of_owner, replace_entries,
    retain, with_owner, with_thread,
};
pub use processor::{FinishedSpan, Processor};
pub(crate) use processor::{IS_REMOTE, catch_panic};
pub(crate) use state::{
    ProviderConfig, ProviderInner, SpanSink, ThisThread, ThreadState, this_thread,
};

use crate::slot::Slot;
use opentelemetry::trace::SpanContext;
use std::fmt;

/// One operation, started by a [`Tracer`](crate::Tracer).
///
/// Implements OpenTelemetry's [`Span`](opentelemetry::trace::Span), and has methods that take constant keys, borrowed values
/// and whole attribute sets. Encodes attributes, events and links when they are set.
///
/// A span that is not recorded holds nothing but its context. Dropping a span ends it. A span may be moved to another thread
/// and end there.
pub struct Span {
    context: SpanContext,
    /// `None` if the span is not recorded or has ended.
    slot: Option<Box<Slot>>,
}

impl Span {
    #[inline]
    pub(crate) fn new(context: SpanContext, slot: Option<Box<Slot>>) -> Self {
        Self { context, slot }
    }

    #[inline]
    fn end_at(&mut self, time: Option<u64>) {
        // A call from a processor's `on_ending` is ignored.
        if self.slot.as_ref().is_some_and(|slot| slot.is_ending) {
            return;
        }
        if let Some(slot) = self.slot.take() {
            end::end(self, slot, time, Caller::End);
        }
    }
}

/// The call that ends a span.
#[derive(Clone, Copy, PartialEq)]
enum Caller {
    End,
    /// The last chance to end it.
    Drop,
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        // Also if a processor took it out of the span that was ending, and drops it.
        if let Some(slot) = self.slot.take() {
            end::end(self, slot, None, Caller::Drop);
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span")
            .field("context", &self.context)
            .field("name", &self.slot.as_ref().map(|slot| slot.recorder.name()))
            .finish_non_exhaustive()
    }
}
