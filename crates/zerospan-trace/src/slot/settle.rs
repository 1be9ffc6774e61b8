use super::{SMALL_BYTES, Slot, SlotLimits, SlotPool, SlotRecycle, UNKNOWN};
use opentelemetry::trace::Status;
use zerospan_core::Footprint;

impl Slot {
    /// Frees the memory beyond [`SMALL_BYTES`] before the slot of a span that ended is kept, unless the pool has room for it and
    /// later spans need it.
    #[inline]
    pub(crate) fn settle(&mut self, limits: SlotLimits, pool: &SlotPool) {
        if !self.retains_as_before() {
            self.settle_changed(limits, pool);
        }
    }

    /// Returns `true` only if the slot retains little memory, and as much as it did the last time.
    ///
    /// Looks at what the end of a span has in its cache: the parts of a slot are on many lines.
    #[inline(always)]
    fn retains_as_before(&self) -> bool {
        self.retained <= SMALL_BYTES
            && self.recorder.plain_capacity() == Some(self.plain_capacity)
            && !self.has_new_text
    }

    #[inline(never)]
    fn settle_changed(&mut self, limits: SlotLimits, pool: &SlotPool) {
        self.retained = self.heap_bytes();
        self.plain_capacity = self.recorder.plain_capacity().unwrap_or(UNKNOWN);
        self.has_new_text = false;
        if self.retained > SMALL_BYTES {
            self.settle_large(limits, pool);
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_large(&mut self, limits: SlotLimits, pool: &SlotPool) {
        let status = match &self.status {
            Status::Error { description } => description.len(),
            _ => 0,
        };
        // A buffer that grows doubles.
        let is_needed = self.recorder.recorded_bytes() + status >= self.retained / 4;
        let excess = self.retained - SMALL_BYTES;
        if !self
            .excess
            .settle(pool, excess, limits.max_excess_bytes(), is_needed)
        {
            *self = Self::new(SlotRecycle::recorder(*self.recorder.limits()));
        }
    }
}
