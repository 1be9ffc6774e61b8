//! The buffers of this thread, one for each pipeline that it records into.

use crate::base::scope::Scope;
use crate::base::stats::DropCause;
use crate::queue::inner::PipelineInner;
use crate::queue::thread_buffer::ThreadBuffer;
use std::cell::{Cell, RefCell};
use std::mem;
use std::sync::{Arc, Weak};
use zerospan_pool::thread_states::{ThreadState, ThreadStates};

thread_local! {
    static BUFFERS: ThreadStates<PipelineBuffer> = const { ThreadStates::new() };

    /// The memory of an item that a user's encoder writes. Moved out meanwhile, since the encoder may record others.
    static ITEM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The maximum memory of [`ITEM`]: a larger item's is freed.
const MAX_IDLE_ITEM_BYTES: usize = 64 << 10;

/// This thread's buffer of one pipeline.
#[derive(Default)]
struct PipelineBuffer(RefCell<Option<Bound>>);

struct Bound {
    buffer: Arc<ThreadBuffer>,
    inner: Weak<PipelineInner>,
}

impl ThreadState for PipelineBuffer {
    type Owner = Arc<PipelineInner>;

    /// The last reference to a pipeline drops its transports.
    type Garbage = Option<Arc<PipelineInner>>;

    fn bind(&self, inner: &Arc<PipelineInner>) {
        self.0.replace(Some(Bound {
            buffer: inner.register(),
            inner: Arc::downgrade(inner),
        }));
    }

    fn is_stale(&self) -> bool {
        let bound = self.0.borrow();
        bound
            .as_ref()
            .is_some_and(|bound| bound.inner.strong_count() == 0)
    }

    fn unbind(&self) -> Option<Arc<PipelineInner>> {
        let bound = self.0.take()?;
        let inner = bound.inner.upgrade()?;
        inner.unregister(&bound.buffer);
        Some(inner)
    }

    fn forget(&self) {
        // A fork inside an encoder leaves the state borrowed.
        if let Ok(mut bound) = self.0.try_borrow_mut() {
            mem::forget(bound.take());
        }
    }
}

/// Records one item that user code encodes: it runs without a lock or a borrow, and appends to a vector of its own.
pub(super) fn record_foreign(
    inner: &Arc<PipelineInner>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    if inner.is_closed() {
        return record::<CHECKED>(inner, scope, |_| ());
    }
    let mut item = ITEM.try_with(Cell::take).unwrap_or_default();
    let panicked = Panicked { inner, scope };
    encode(&mut item);
    std::mem::forget(panicked);
    let outcome = record::<CHECKED>(inner, scope, |chunk| chunk.extend_from_slice(&item));
    item.clear();
    if item.capacity() <= MAX_IDLE_ITEM_BYTES {
        let _ = ITEM.try_with(|idle| idle.set(item));
    }
    outcome
}

/// Counts the item of an encoder that panics.
struct Panicked<'a> {
    inner: &'a Arc<PipelineInner>,
    scope: &'a Scope,
}

impl Drop for Panicked<'_> {
    fn drop(&mut self) {
        // Nothing is no item.
        let _ = record::<CHECKED>(self.inner, self.scope, |_| ());
    }
}

/// The item is checked, since anybody may have encoded it.
pub(super) const CHECKED: bool = true;
/// The item comes from an encoder of this family: one whole item, written without a panic.
pub(super) const TRUSTED: bool = false;

/// Records one item through this thread's buffer, which is locked while `encode` runs: it calls no user code.
#[inline]
pub(super) fn record<const IS_CHECKED: bool>(
    inner: &Arc<PipelineInner>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    let mut encode = Some(encode);
    let recorded = BUFFERS.try_with(|buffers| {
        let bound = buffers.get(inner.id)?.0.try_borrow().ok()?;
        let bound = bound.as_ref()?;
        let encode = encode.take()?;
        let buffer = &bound.buffer;
        Some(record_in::<IS_CHECKED>(buffer, inner, scope, encode))
    });
    if let Ok(Some(outcome)) = recorded {
        return outcome;
    }
    match encode {
        Some(encode) => record_first::<IS_CHECKED>(inner, scope, encode),
        None => Err(DropCause::Malformed),
    }
}

#[inline]
fn record_in<const IS_CHECKED: bool>(
    buffer: &ThreadBuffer,
    inner: &Arc<PipelineInner>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    let max_bytes = inner.limits.item_bytes;
    buffer.record(inner, |chunk, dropped| match IS_CHECKED {
        true => chunk.append(scope, max_bytes, dropped, encode),
        false => chunk.append_trusted(scope, max_bytes, dropped, encode),
    })
}

/// Records the first item of this thread in the pipeline, or one while the thread ends.
#[cold]
fn record_first<const IS_CHECKED: bool>(
    inner: &Arc<PipelineInner>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    let registered = BUFFERS.try_with(|buffers| {
        let is_first = buffers.get(inner.id).is_none();
        if is_first {
            buffers.register(inner.id, inner);
        }
        is_first
    });
    if registered == Ok(true) {
        return record::<IS_CHECKED>(inner, scope, encode);
    }
    let buffer = ThreadBuffer::default();
    let outcome = record_in::<IS_CHECKED>(&buffer, inner, scope, encode);
    inner.drain(&buffer);
    outcome
}
