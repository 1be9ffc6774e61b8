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
    static THREAD: Thread = const {
        Thread {
            buffers: ThreadStates::new(),
            recording: Cell::new(false),
        }
    };
}

struct Thread {
    buffers: ThreadStates<PipelineBuffer>,
    /// This thread is inside an encoder, with a buffer locked.
    recording: Cell<bool>,
}

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

struct Recording<'a>(&'a Cell<bool>);

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Records one item through this thread's buffer.
#[inline]
pub(super) fn record(
    inner: &Arc<PipelineInner>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    let mut encode = Some(encode);
    let recorded = THREAD.try_with(|thread| {
        let bound = thread.buffers.get(inner.id)?.0.try_borrow().ok()?;
        let bound = bound.as_ref()?;
        if thread.recording.replace(true) {
            return None;
        }
        let _recording = Recording(&thread.recording);
        let encode = encode.take()?;
        Some(record_in(&bound.buffer, inner, scope, encode))
    });
    if let Ok(Some(outcome)) = recorded {
        return outcome;
    }
    match encode {
        Some(encode) => record_first(inner, scope, encode),
        None => Err(DropCause::Malformed),
    }
}

#[inline]
fn record_in(
    buffer: &ThreadBuffer,
    inner: &Arc<PipelineInner>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    buffer.record(inner, |chunk, dropped| {
        chunk.append(scope, inner.limits.item_bytes, dropped, encode)
    })
}

/// Records the first item of this thread in the pipeline; or one within another; or one while the thread ends.
#[cold]
fn record_first(
    inner: &Arc<PipelineInner>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    let registered = THREAD.try_with(|thread| {
        let is_first = !thread.recording.get() && thread.buffers.get(inner.id).is_none();
        if is_first {
            thread.buffers.register(inner.id, inner);
        }
        is_first
    });
    if registered == Ok(true) {
        return record(inner, scope, encode);
    }
    let buffer = ThreadBuffer::default();
    let outcome = record_in(&buffer, inner, scope, encode);
    inner.drain(&buffer);
    outcome
}

/// Panics inside an encoder, where waiting for this thread's buffer would never end.
pub(super) fn assert_not_recording(operation: &str) {
    let recording = THREAD
        .try_with(|thread| thread.recording.get())
        .unwrap_or(false);
    assert!(
        !recording,
        "{operation} was called by the closure that encodes an item: call it outside"
    );
}
