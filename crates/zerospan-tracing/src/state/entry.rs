use super::scratch::Scratch;
use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
use std::mem;
use tracing_core::Metadata;
use zerospan_trace::Span;
use zerospan_trace::layer::Moment;

/// An open span of a layer, or the context of one that was closed.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) span: Span,
    pub(crate) metadata: Option<&'static Metadata<'static>>,
    /// A child, a link or a reader has used the ids: the parent cannot change any more.
    pub(crate) is_used: bool,
    pub(crate) timing: Timing,
    /// Parts that few spans have.
    pub(crate) extra: Extra,
}

/// The parts of an entry that few spans have.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// The fields of a span that is not recorded, if it may get a parent that is.
    pub(crate) pending: Option<Box<Scratch>>,
    /// The fields that log records get too.
    pub(crate) kept: Option<Box<Scratch>>,
    /// The context that was set as the parent, for what it has besides its span.
    pub(crate) parent: Option<Context>,
    /// The context that is attached while the span is entered, if the layer activates contexts.
    pub(crate) activated: Option<Context>,
}

/// The parts of an entry that end with its span.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) span: Span,
    pub(crate) timing: Timing,
}

/// The times of a span that is entered and exited, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// The number of enters without an exit, on all threads.
    pub(crate) entered: u32,
    /// The span was exited at least once.
    pub(crate) is_exited: bool,
    /// The time of the last exit, or of the last write after the first exit, since 1970. 0 before the first exit.
    pub(crate) end: u64,
    /// The time of the last change between busy and idle. 0 before the span is recorded.
    pub(crate) changed: u64,
    pub(crate) busy: u64,
    pub(crate) idle: u64,
}

impl Timing {
    #[inline]
    pub(crate) fn new(now: &Moment) -> Self {
        Self {
            changed: now.steady_nanos(),
            ..Self::default()
        }
    }

    #[inline]
    pub(crate) fn enter(&mut self, now: &Moment) {
        if self.entered == 0 {
            self.idle += self.change(now);
        }
        self.entered = self.entered.saturating_add(1);
    }

    #[inline]
    pub(crate) fn exit(&mut self, now: &Moment) {
        if self.entered == 1 {
            self.busy += self.change(now);
        }
        self.entered = self.entered.saturating_sub(1);
        self.is_exited = true;
    }

    /// Notes a change between busy and idle. Returns the time since the last one.
    ///
    /// Threads read the clock before they get here, so that their readings may arrive out of order: time is counted once.
    #[inline]
    fn change(&mut self, now: &Moment) -> u64 {
        let now = now.steady_nanos().max(self.changed);
        match std::mem::replace(&mut self.changed, now) {
            0 => 0,
            changed => now - changed,
        }
    }
}

impl Entry {
    /// Takes a new span. The entry is empty, but for the context of the span that it held last.
    #[inline]
    pub(crate) fn open(
        &mut self,
        span: Span,
        metadata: &'static Metadata<'static>,
        timing: Timing,
        pending: Option<Box<Scratch>>,
    ) {
        self.span = span;
        self.metadata = Some(metadata);
        self.is_used = false;
        self.timing = timing;
        if pending.is_some() {
            self.extra.pending = pending;
        }
    }

    /// Returns the span, which is then ended outside the lock. Keeps its context.
    #[inline(always)]
    pub(crate) fn close(&mut self) -> Closing {
        Closing {
            span: self.span.take(),
            timing: self.timing,
        }
    }

    /// Returns the parts that few spans have, which are then dropped outside the lock.
    #[cold]
    pub(crate) fn take_extra(&mut self) -> Extra {
        mem::take(&mut self.extra)
    }

    /// Notes that the span was exited or written to at `now`. A span that was never exited ends when it is closed.
    #[inline]
    pub(crate) fn touch(&mut self, now: &Moment) {
        if !self.timing.is_exited {
            return;
        }
        self.timing.end = self.timing.end.max(self.span.unix_nanos_at(now));
    }

    /// Returns the span's context, which cannot change from now on.
    pub(crate) fn use_context(&mut self) -> SpanContext {
        self.is_used = true;
        self.span.context_ref().clone()
    }
}

impl Extra {
    /// Keeps the memory for later spans.
    pub(crate) fn put(self) {
        for scratch in [self.pending, self.kept].into_iter().flatten() {
            scratch.put();
        }
    }

    #[inline]
    pub(crate) fn is_any(&self) -> bool {
        self.pending.is_some()
            || self.kept.is_some()
            || self.parent.is_some()
            || self.activated.is_some()
    }
}
