//! Slots: the reusable memory of log records.

use std::borrow::Cow;
use std::sync::Weak;
use zerospan_core::sync::LazyBox;
use zerospan_core::{Footprint, Recycle, Reset};
use zerospan_otlp::{LogRecordLimits, LogRecordRecorder};
use zerospan_pool::trim::Trim;
use zerospan_pool::{Excess, Pool, Return, ThreadCachedPool, thread_cache};

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
    /// The charge for what is retained beyond [`SMALL_BYTES`].
    excess: Excess,
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

/// The heap memory that any slot may retain, in bytes. The memory beyond is charged to the pool.
const SMALL_BYTES: usize = 16 << 10;

/// The maximum memory of idle slots, and of what all slots retain beyond [`SMALL_BYTES`], in bytes.
const MAX_IDLE_BYTES: usize = 16 << 20;

/// The maximum that one slot retains beyond [`SMALL_BYTES`], in bytes.
const MAX_EXCESS_BYTES: usize = 1 << 20;

/// The slots of all providers: what a record needs does not depend on its provider.
static SLOTS: LazyBox<ThreadCachedPool<Box<Slot>, SlotRecycle, SlotThreads>> = LazyBox::new(|| {
    ThreadCachedPool::with_recycle(usize::MAX, SlotRecycle)
        .with_retention_limit(usize::MAX)
        .with_byte_limit(MAX_IDLE_BYTES)
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

    /// The rest is charged already.
    #[inline]
    fn heap_bytes(&self, slot: &Box<Slot>) -> usize {
        size_of::<Slot>() + slot.recorder.heap_bytes().min(SMALL_BYTES)
    }
}

/// Returns an empty slot of the pool with `limits`. Allocates if none is idle.
#[cold]
#[inline(never)]
pub(crate) fn take() -> Box<Slot> {
    SLOTS.take()
}

/// Frees the memory beyond [`SMALL_BYTES`] before the slot of a finished record is kept, unless the pool has room for it and later
/// records need it.
#[inline]
pub(crate) fn settle(slot: &mut Slot) {
    let retained = slot.recorder.heap_bytes();
    if retained > SMALL_BYTES {
        settle_large(slot, retained);
    }
}

#[cold]
#[inline(never)]
fn settle_large(slot: &mut Slot, retained: usize) {
    // A buffer that grows doubles.
    let is_needed = slot.recorder.recorded_bytes() >= retained / 4;
    let excess = retained - SMALL_BYTES;
    if !slot
        .excess
        .settle(&SLOTS, excess, MAX_EXCESS_BYTES, is_needed)
    {
        *slot = Slot::default();
    }
}

/// Returns the part of the pool that frees idle slots, in this process.
pub(crate) fn trimmed() -> Weak<dyn Trim> {
    SLOTS.trimmed()
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
