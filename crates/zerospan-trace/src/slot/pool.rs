use super::Slot;
use zerospan_core::{Footprint, Recycle, Reset};
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

/// The size of a span of a dozen attributes, so that few spans grow a new slot.
const SPAN_BYTES: usize = 1152;

impl Recycle<Box<Slot>> for SlotRecycle {
    fn create(&self) -> Box<Slot> {
        Box::new(Slot::new(SpanRecorder::with_capacity(
            self.limits,
            SPAN_BYTES,
            0,
        )))
    }

    #[inline]
    fn reset(&self, slot: &mut Box<Slot>) {
        slot.as_mut().reset();
    }

    #[inline]
    fn heap_bytes(&self, slot: &Box<Slot>) -> usize {
        Footprint::heap_bytes(&**slot)
    }
}
