use crate::base::clock::{Anchor, Clock};
use crate::base::ids::IdSource;
use crate::counters::ThreadRegistry;
use crate::sampler::Sampler;
use crate::sdk::Resource;
use crate::sink::Sink;
use crate::slot::{Slot, SlotLimits, SlotPool, SlotRecycle, TracerInner};
use crate::span::processor::Processor;
use std::cell::Cell;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use zerospan_core::fork::{self, ProcessOwned};
use zerospan_core::log::LogLimit;
use zerospan_core::panics;
use zerospan_export::Pipeline;
use zerospan_otlp::SpanLimits;
use zerospan_pool::Pool;
use zerospan_pool::thread_states::{OwnerId, bump_epoch};

/// The state of a provider that its handles, its tracers and all threads share.
///
/// A forked child uses the same settings and sinks, and forgets them: a drop there could wait for a thread of the parent's.
pub(crate) struct ProviderInner {
    id: OwnerId,
    pub(crate) sampler: ProcessOwned<Sampler>,
    pub(crate) ids: ProcessOwned<IdSource>,
    pub(crate) clock: ProcessOwned<Clock>,
    pub(crate) slots: SlotPool,
    pub(crate) limits: SpanLimits,
    pub(crate) slot_limits: SlotLimits,
    /// Each thread keeps a slot at hand, unless no slot is to be kept.
    pub(crate) keeps_spare_slots: bool,
    /// The processors and pipelines that get each span, in order.
    pub(crate) sinks: ProcessOwned<Vec<SpanSink>>,
    pub(crate) resource: ProcessOwned<Resource>,
    /// A custom sampler or a processor needs a `Context`.
    pub(crate) needs_context: bool,
    pub(crate) has_processors: bool,
    pub(crate) threads: ThreadRegistry,
    /// No span is recorded, since the provider is shut down or disabled.
    refuses_spans: AtomicBool,
    /// Spans are recorded, with no processor and no custom sampler.
    starts_fast: AtomicBool,
    is_shut_down: AtomicBool,
    /// No handle of the provider is left.
    is_closed: AtomicBool,
    pub(crate) limit_warning: LogLimit,
}

/// A receiver of spans.
pub(crate) type SpanSink = Sink<dyn Processor>;

/// The parts of a [`ProviderInner`].
pub(crate) struct ProviderConfig {
    pub(crate) sampler: Sampler,
    pub(crate) ids: IdSource,
    pub(crate) clock: Clock,
    pub(crate) slot_recycle: SlotRecycle,
    pub(crate) slot_limits: SlotLimits,
    pub(crate) limits: SpanLimits,
    pub(crate) sinks: Vec<SpanSink>,
    pub(crate) resource: Resource,
    pub(crate) is_disabled: bool,
}

impl ProviderInner {
    pub(crate) fn new(config: ProviderConfig) -> Arc<Self> {
        watch_forks();
        let has_processors = config.sinks.iter().any(|sink| sink.processor().is_some());
        let needs_context = has_processors || config.sampler.needs_context();
        Arc::new(Self {
            id: OwnerId::unique(),
            needs_context,
            has_processors,
            sampler: ProcessOwned::new(config.sampler),
            ids: ProcessOwned::new(config.ids),
            clock: ProcessOwned::new(config.clock),
            keeps_spare_slots: config.slot_limits.max_idle_bytes > 0,
            slots: config.slot_recycle.pool(config.slot_limits),
            limits: config.limits,
            slot_limits: config.slot_limits,
            sinks: ProcessOwned::new(config.sinks),
            resource: ProcessOwned::new(config.resource),
            threads: ThreadRegistry::new(),
            starts_fast: AtomicBool::new(!config.is_disabled && !needs_context),
            refuses_spans: AtomicBool::new(config.is_disabled),
            is_shut_down: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            limit_warning: LogLimit::new(),
        })
    }

    /// Returns the tracer's provider, unless its last handle is dropped.
    #[cold]
    pub(crate) fn of(tracer: &TracerInner) -> Option<Arc<Self>> {
        let provider = tracer.provider_inner.upgrade()?.downcast::<Self>().ok()?;
        (!provider.is_closed()).then_some(provider)
    }

    #[inline]
    pub(crate) fn id(&self) -> OwnerId {
        self.id
    }

    #[inline]
    pub(crate) fn refuses_spans(&self) -> bool {
        self.refuses_spans.load(Ordering::Acquire)
    }

    /// Returns `true` if spans may start on the fast path: with neither a custom sampler nor a processor.
    #[inline]
    pub(crate) fn starts_fast(&self) -> bool {
        self.starts_fast.load(Ordering::Acquire)
    }

    /// Refuses spans from now on. Returns `false` if the provider was shut down before.
    pub(crate) fn begin_shutdown(&self) -> bool {
        self.refuses_spans.store(true, Ordering::Release);
        self.starts_fast.store(false, Ordering::Release);
        !self.is_shut_down.swap(true, Ordering::AcqRel)
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Returns `true` if this process made the provider or has started or ended spans of it.
    pub(crate) fn is_used_here(&self) -> bool {
        self.sinks.is_current() || self.threads.is_used_here()
    }

    /// Closes the provider with its last handle: threads may drop their state of it, and idle slots are freed.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        bump_epoch();
        self.slots.shrink(0);
    }

    /// Frees slots that were idle for long, if no exporter's worker does that.
    pub(crate) fn trim_without_worker(&self) {
        if self.pipelines().next().is_none()
            && let Some(slots) = self.slots.trimmed().upgrade()
        {
            slots.trim(Instant::now());
        }
    }

    /// Returns the time by the clock of the span in `slot`, in nanoseconds since 1970. `anchor` is the calling thread's.
    #[inline(always)]
    pub(crate) fn span_time(&self, slot: &Slot, anchor: &Cell<Anchor>) -> u64 {
        if slot.start_is_given {
            self.clock.read(anchor).unix
        } else {
            self.clock.unix_since(&slot.start, anchor)
        }
    }

    pub(crate) fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.sinks.iter().filter_map(Sink::pipeline)
    }

    pub(crate) fn processors(&self) -> impl Iterator<Item = &dyn Processor> {
        self.sinks.iter().filter_map(Sink::processor)
    }
}

impl Drop for ProviderInner {
    fn drop(&mut self) {
        // User code: the last reference may go where a span ends, and in the destructor of a thread-local, where a panic ends
        // the process. One after the other, since two panics at once end it too.
        if self.sinks.is_current() {
            for sink in self.sinks.drain(..) {
                panics::drop_quietly(sink);
            }
            panics::drop_quietly(mem::replace(&mut *self.sampler, Sampler::AlwaysOn));
            panics::drop_quietly(mem::take(&mut *self.ids));
            panics::drop_quietly(mem::replace(&mut *self.clock, Clock::system()));
        }
    }
}

impl fmt::Debug for ProviderInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderInner")
            .field("id", &self.id)
            .field("sampler", &self.sampler)
            .field("clock", &self.clock)
            .field("sinks", &self.sinks.len())
            .field("refuses_spans", &self.refuses_spans())
            .finish_non_exhaustive()
    }
}

fn watch_forks() {
    if let Err(error) = fork::watch() {
        static WARNING: LogLimit = LogLimit::new();
        WARNING.log(move |_| {
            tracing::warn!(
                name: "ForkUnwatched",
                error = %error,
                "forks are not detected: a forked child repeats the ids of its parent and exports its open spans"
            );
        });
    }
}
