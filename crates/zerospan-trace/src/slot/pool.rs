use super::{SMALL_BYTES, Slot};
use zerospan_core::{Recycle, Reset};
use zerospan_otlp::{SpanLimits, SpanRecorder};
use zerospan_pool::{ThreadCachedPool, thread_cache};

thread_cache! {
    /// Keeps each thread's slots of spans that ended.
    pub(crate) struct SlotThreads for Box<Slot>;
}

pub(crate) type SlotPool = ThreadCachedPool<Box<Slot>, SlotRecycle, SlotThreads>;

/// Creates and resets the slots of one provider.
#[derive(Debug)]
pub(crate) struct SlotRecycle {
    pub(crate) limits: SpanLimits,
}

/// The size of a span of a dozen attributes, so that few spans grow a new slot, and ten thousand fit into the memory that is kept.
const SPAN_BYTES: usize = 640;

/// The bounds of the memory that a provider's slots retain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotLimits {
    /// The maximum memory of idle slots, and of what slots in use retain beyond [`SMALL_BYTES`](super::SMALL_BYTES) from earlier
    /// spans, in bytes.
    pub(crate) max_idle_bytes: usize,
}

impl Default for SlotLimits {
    fn default() -> Self {
        Self {
            max_idle_bytes: 16 << 20,
        }
    }
}

impl SlotLimits {
    /// Returns the maximum that one slot retains beyond [`SMALL_BYTES`](super::SMALL_BYTES): few slots do not take all.
    pub(crate) fn max_excess_bytes(self) -> usize {
        self.max_idle_bytes / 16
    }
}

impl SlotRecycle {
    /// Builds the pool of a provider.
    pub(crate) fn pool(self, limits: SlotLimits) -> SlotPool {
        SlotPool::with_recycle(usize::MAX, self)
            .with_retention_limit(usize::MAX)
            .with_byte_limit(limits.max_idle_bytes)
    }

    pub(crate) fn recorder(limits: SpanLimits) -> SpanRecorder {
        SpanRecorder::with_capacity(limits, SPAN_BYTES, 0)
    }
}

impl Recycle<Box<Slot>> for SlotRecycle {
    fn create(&self) -> Box<Slot> {
        Box::new(Slot::new(Self::recorder(self.limits)))
    }

    #[inline]
    fn reset(&self, slot: &mut Box<Slot>) {
        slot.as_mut().reset();
    }

    /// A slot is settled before it is returned, so that the rest is charged.
    #[inline]
    fn heap_bytes(&self, slot: &Box<Slot>) -> usize {
        size_of::<Slot>() + slot.retained.min(SMALL_BYTES)
    }
}
