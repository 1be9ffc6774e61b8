//! Slots: the reusable memory of log records.

use std::borrow::Cow;
use zerospan_core::sync::LazyBox;
use zerospan_core::{Footprint, Recycle, Reset};
use zerospan_otlp::{LogRecordLimits, LogRecordRecorder};
use zerospan_pool::{Pool, Return, ThreadCachedPool, thread_cache};

/// The data of a log record that is being built. Reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) recorder: LogRecordRecorder,
    /// The name of the scope, where it is not the logger's.
    pub(crate) target: Option<Cow<'static, str>>,
    /// As the API gave it: the SDK's record takes nothing shorter-lived.
    pub(crate) event_name: Option<&'static str>,
    /// As the API gave it.
    pub(crate) severity_text: Option<&'static str>,
}

impl Reset for Slot {
    #[inline]
    fn reset(&mut self) {
        self.recorder.reset();
        self.target = None;
        self.event_name = None;
        self.severity_text = None;
    }
}

thread_cache! {
    /// Keeps each thread's slots of records that were emitted.
    pub(crate) struct SlotThreads for Box<Slot>;
}

/// The maximum heap memory of a slot that is kept, in bytes. A larger one is freed.
pub(crate) const MAX_IDLE_BYTES: usize = 16 << 10;

/// The maximum number of slots that all threads together keep.
const MAX_IDLE_SLOTS: usize = 1024;

/// The slots of all providers: what a record needs does not depend on its provider.
static SLOTS: LazyBox<ThreadCachedPool<Box<Slot>, SlotRecycle, SlotThreads>> = LazyBox::new(|| {
    ThreadCachedPool::with_recycle(MAX_IDLE_SLOTS, SlotRecycle).with_retention_limit(MAX_IDLE_BYTES)
});

#[derive(Debug)]
struct SlotRecycle;

impl Recycle<Box<Slot>> for SlotRecycle {
    fn create(&self) -> Box<Slot> {
        Box::default()
    }

    #[inline]
    fn reset(&self, slot: &mut Box<Slot>) {
        slot.as_mut().reset();
    }

    #[inline]
    fn heap_bytes(&self, slot: &Box<Slot>) -> usize {
        slot.recorder.heap_bytes()
    }
}

/// Returns an empty slot of the pool with `limits`. Allocates if none is idle.
#[cold]
#[inline(never)]
pub(crate) fn take() -> Box<Slot> {
    SLOTS.take()
}

/// Returns a slot to the pool, within the limits.
#[cold]
#[inline(never)]
pub(crate) fn put(slot: Box<Slot>) {
    SLOTS.put(Return::Reuse(slot));
}

/// Sets the limits of an empty slot.
#[inline]
pub(crate) fn prepare(slot: &mut Slot, limits: &LogRecordLimits) {
    if slot.recorder.limits() != limits {
        slot.recorder.set_limits(*limits);
    }
}
